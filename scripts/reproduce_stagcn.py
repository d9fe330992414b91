"""Trains and evaluates the rows of a table of the STA-GCN paper and prints it with our figures
beside the paper's.

    python scripts/reproduce_stagcn.py --table 3 --data-dir data --out results/stagcn
    python scripts/reproduce_stagcn.py --table 2 --quick --out quick   # small, from sample files

The paper prints Tables 2 to 4 under a header whose last three columns are in another order than its
figures; here they stand as its text has them. Its networks SN and TN are fused with a weight that
is searched on the last 5 % of the training split, on which neither is trained. A call that was
interrupted resumes.
"""

import sys
from collections.abc import Callable

from jaxact.evaluation import score_fusion
from scripts.reproduce import NotRun, Ours, Runs, Table, beside, main, percentages

TOP = ("top1", "top5")
KINETICS, NTU = "stagcn.py:kinetics_skeleton", "stagcn.py:ntu60"
COLUMNS = ("kinetics top1", "kinetics top5", "xsub", "xview")


def system(row: str, *options: str, name: str = "results") -> Callable[[Runs], Ours]:
    """The four figures of a row on both data sets, evaluated with `options`."""
    return beside(
        (2, trained(f"{KINETICS},{row}", TOP, *options, name=name)),
        *views(row, *options, name=name),
    )


def views(
    row: str, *options: str, name: str = "results"
) -> list[tuple[int, Callable[[Runs], Ours]]]:
    """X-Sub and X-View of a row."""
    return [
        (1, trained(f"{NTU},{view},{row}", ("top1",), *options, name=name))
        for view in ("xsub", "xview")
    ]


def no_figure(runs: Runs) -> Ours:
    """Of a system that the paper does not have on Kinetics."""
    raise NotRun("no row of the paper")


def trained(
    source: str, columns: tuple[str, ...], *options: str, name: str = "results"
) -> Callable[[Runs], Ours]:
    """Figures of a row, its spatial attention network trained first where it has one."""

    def figures(runs: Runs) -> Ours:
        report = runs.report(runs.train(source, *first_stage(runs, source)), *options, name=name)
        return [100 * report[column] for column in columns]

    return figures


def first_stage(runs: Runs, source: str, *more: str, name: str = "") -> list[str]:
    """The override that names the pretraining run, for rows that start from one."""
    config, _, row = source.rpartition(",")
    if row not in ("sa", "sn"):
        return []
    return [f"--config.init_from={runs.train(f'{config},pretrain', *more, name=name)}"]


def fused(source: str, columns: tuple[str, ...]) -> Callable[[Runs], Ours]:
    """SN and TN fused: trained on 95 % of the training split, the weight searched on the rest."""

    def figures(runs: Runs) -> Ours:
        words = source.split(",")  # the data set, and the split where it has several
        split = f"{words[1]}_train" if len(words) > 1 else "train"
        part = f"--config.data.train_split={split}[:95%]"
        results, held_out = [], []
        for row in ("sn", "tn"):
            config = f"{source},{row}"
            init_from = first_stage(runs, config, part, name="part")
            workdir = runs.train(config, part, *init_from, name="part")
            runs.report(workdir)
            results.append(workdir.parent / "results")
            runs.report(workdir, "--split", f"{split}[95%:]", name="held_out")
            held_out.append(workdir.parent / "held_out")
        name = source.replace(".py:", "_").replace(",", "_")
        report = score_fusion.run(results, out=runs.out / f"{name}_fused", search_on=held_out)
        return [100 * report[column] for column in columns]

    return figures


STGCN = beside(
    (2, percentages("stgcn.py:kinetics_skeleton,spatial_imp", TOP)),
    *((1, percentages(f"stgcn.py:ntu60,{view},stgcn", ("top1",))) for view in ("xsub", "xview")),
)
STAGCN = beside(
    (2, fused(KINETICS, TOP)),
    *((1, fused(f"{NTU},{view}", ("top1",))) for view in ("xsub", "xview")),
)
RES_TCN = beside(
    (2, percentages("stgcn.py:kinetics_skeleton,tcn", TOP)),
    *((1, percentages(f"stgcn.py:ntu60,{view},res_tcn", ("top1",))) for view in ("xsub", "xview")),
)
BASE = (30.7, 52.8, 81.5, 88.3)
TABLES = {
    1: Table(COLUMNS, {
        "ST-GCN": (BASE, STGCN),
        "SA + ST-GCN": ((33.1, 54.9, 86.3, 93.7), system("sa")),
    }),
    2: Table(COLUMNS, {
        "ST-GCN": (BASE, STGCN),
        "TA + ST-GCN (AFM)": ((33.5, 54.7, 85.3, 91.4), system("ta", "--kept", "0", name="afm")),
        "TA + ST-GCN (DCW)": ((34.3, 55.6, 85.1, 92.6), system("ta", "--kept", "3", name="dcw")),
    }),
    3: Table(COLUMNS, {"ST-GCN": (BASE, STGCN), "STA-GCN": ((35.7, 57.3, 87.7, 95.0), STAGCN)}),
    4: Table(COLUMNS, {
        "Res-TCN": ((20.3, 40.0, None, None), RES_TCN),
        "STA-LSTM": ((None, None, 73.4, 81.2), beside((2, no_figure), *views("sta_lstm"))),
        "ST-GCN": (BASE, STGCN),
        "AS-GCN": ((None, 56.5, 86.8, 94.2), system("as_gcn")),
        "STA-GCN": ((35.7, 57.3, 87.7, 95.0), STAGCN),
    }),
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main(__file__, __doc__ or "", TABLES))
