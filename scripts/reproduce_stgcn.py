"""Trains and evaluates the rows of a table of the ST-GCN paper and prints it with our figures
beside the paper's.

    python scripts/reproduce_stgcn.py --table 1 --data-dir data --out results/stgcn
    python scripts/reproduce_stgcn.py --table 5 --data-dir data --out results/stgcn \
        --rgb rgb.npz --flow flow.npz
    python scripts/reproduce_stgcn.py --table 3 --quick --out quick   # small, from sample files

A call that was interrupted resumes; rows that two tables share are trained once. Table 4
scores the 400-way network of Table 2 on the thirty classes of Kinetics-Motion. Rows without a
config are the paper's quotations.
"""

import sys
from collections.abc import Callable

from jaxact.evaluation import report, score_fusion
from scripts.reproduce import NotRun, Ours, Runs, Table, beside, main, percentages

TOP = ("top1", "top5")
SCORES = {
    "rgb": "table 5: scores.npz of an RGB network on the Kinetics validation clips",
    "flow": "table 5: the same of an optical-flow network",
}


def kinetics(row: str) -> Callable[[Runs], Ours]:
    """Top-1 and top-5 of a row of `configs/stgcn.py:kinetics_skeleton`."""
    return percentages(f"stgcn.py:kinetics_skeleton,{row}", TOP)


def ntu(row: str) -> Callable[[Runs], Ours]:
    """Top-1 of a row of `configs/stgcn.py:ntu60` on X-Sub and X-View."""
    xsub = percentages(f"stgcn.py:ntu60,xsub,{row}", ("top1",))
    xview = percentages(f"stgcn.py:ntu60,xview,{row}", ("top1",))
    return beside((1, xsub), (1, xview))


def fused(*systems: str) -> Callable[[Runs], Ours]:
    """Top-1 of the sum of the systems' softmax scores with equal weights."""

    def figures(runs: Runs) -> Ours:
        paths = dict(runs.files)
        if "stgcn" in systems:
            workdir = runs.train("stgcn.py:kinetics_skeleton,spatial_imp")
            runs.report(workdir)
            paths["stgcn"] = str(workdir.parent / "results")
        missing_options = [system for system in systems if not paths[system]]
        if missing_options:
            raise NotRun(f"not run: needs --{' and --'.join(missing_options)} SCORES")
        score_files = [str(paths[system]) for system in systems]
        if len(score_files) == 1:
            scores, _ = report.read_scores(score_files[0])
            return [100 * float((scores.logits.argmax(axis=1) == scores.label).mean())]
        folder = runs.out / f"fused_{'_'.join(systems)}"
        return [100 * score_fusion.run(score_files, out=folder)["top1"]]

    return figures


TABLES = {
    1: Table(TOP, {
        "Baseline TCN": ((20.3, 40.0), kinetics("tcn")),
        "Local Convolution": ((22.0, 43.2), kinetics("local")),
        "Uni-labeling": ((19.3, 37.4), kinetics("uniform")),
        "Distance partitioning*": ((23.9, 44.9), kinetics("distance_star")),
        "Distance partitioning": ((29.1, 51.3), kinetics("distance")),
        "Spatial configuration": ((29.9, 52.2), kinetics("spatial")),
        "ST-GCN + Imp.": ((30.7, 52.8), kinetics("spatial_imp")),
    }),
    2: Table(TOP, {
        "RGB (Kay et al.)": ((57.0, 77.3), None),
        "Optical flow (Kay et al.)": ((49.5, 71.9), None),
        "Feature Enc. (Fernando et al.)": ((14.9, 25.8), None),
        "Deep LSTM (Shahroudy et al.)": ((16.4, 35.3), kinetics("deep_lstm")),
        "Temporal Conv. (Kim and Reiter)": ((20.3, 40.0), kinetics("tcn")),
        "ST-GCN": ((30.7, 52.8), kinetics("spatial_imp")),
    }),
    3: Table(("xsub", "xview"), {
        "Lie Group (Veeriah et al.)": ((50.1, 52.8), None),
        "H-RNN (Du et al.)": ((59.1, 64.0), None),
        "Deep LSTM (Shahroudy et al.)": ((60.7, 67.3), ntu("deep_lstm")),
        "PA-LSTM (Shahroudy et al.)": ((62.9, 70.3), None),
        "ST-LSTM + TS (Liu et al.)": ((69.2, 77.7), None),
        "Temporal Conv. (Kim and Reiter)": ((74.3, 83.1), ntu("res_tcn")),
        "C-CNN + MTLN (Ke et al.)": ((79.6, 84.8), None),
        "ST-GCN": ((81.5, 88.3), ntu("stgcn")),
    }),
    4: Table(("mean_class",), {
        "RGB CNN": ((70.4,), None),
        "Flow CNN": ((72.8,), None),
        "ST-GCN": ((72.4,), percentages(
            "stgcn.py:kinetics_skeleton,spatial_imp", ("mean_class",),
            "--subset", "kinetics_motion", name="kinetics_motion",
        )),
    }),
    5: Table(("top1",), {
        "RGB": ((70.3,), fused("rgb")),
        "Flow": ((51.0,), fused("flow")),
        "ST-GCN": ((30.7,), fused("stgcn")),
        "RGB + Flow": ((71.1,), fused("rgb", "flow")),
        "RGB + ST-GCN": ((71.2,), fused("rgb", "stgcn")),
        "RGB + Flow + ST-GCN": ((71.7,), fused("rgb", "flow", "stgcn")),
    }),
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main(__file__, __doc__ or "", TABLES, SCORES))
