"""Trains and evaluates the rows of a table of the ST-GCN paper and prints it with our figures beside the paper's.

    python scripts/reproduce_stgcn.py --table 1 --data-dir data --out results/stgcn
    python scripts/reproduce_stgcn.py --table 5 --data-dir data --out results/stgcn --rgb rgb.npz --flow flow.npz
    python scripts/reproduce_stgcn.py --table 3 --quick --out quick      # toy size, from sample raw files

A call that was stopped goes on where it stood; rows that two tables share are trained once. Table 4 scores the 400-way
network of Table 2 on the thirty classes of Kinetics-Motion. Rows without a config are the paper's quotations.
"""

import argparse
import json
import sys
from pathlib import Path

from jaxact import cli, files

CONFIGS = Path(__file__).parents[1] / "configs"
KINETICS, NTU = "stgcn_kinetics.py", "stgcn_ntu60.py"
TOP = ("top1", "top5")
VIEWS = ("xsub", "xview")

# Row -> (the paper's percentages, the configs whose reports hold ours: one for both figures, or one for each).
TABLES = {
    1: {
        "Baseline TCN": ((20.3, 40.0), f"{KINETICS}:tcn"),
        "Local Convolution": ((22.0, 43.2), f"{KINETICS}:local"),
        "Uni-labeling": ((19.3, 37.4), f"{KINETICS}:uniform"),
        "Distance partitioning*": ((23.9, 44.9), f"{KINETICS}:distance_star"),
        "Distance partitioning": ((29.1, 51.3), f"{KINETICS}:distance"),
        "Spatial configuration": ((29.9, 52.2), f"{KINETICS}:spatial"),
        "ST-GCN + Imp.": ((30.7, 52.8), f"{KINETICS}:spatial_imp"),
    },
    2: {
        "RGB (Kay et al.)": ((57.0, 77.3), None),
        "Optical flow (Kay et al.)": ((49.5, 71.9), None),
        "Feature Enc. (Fernando et al.)": ((14.9, 25.8), None),
        "Deep LSTM (Shahroudy et al.)": ((16.4, 35.3), f"{KINETICS}:deep_lstm"),
        "Temporal Conv. (Kim and Reiter)": ((20.3, 40.0), f"{KINETICS}:tcn"),
        "ST-GCN": ((30.7, 52.8), f"{KINETICS}:spatial_imp"),
    },
    3: {
        "Lie Group (Veeriah et al.)": ((50.1, 52.8), None),
        "H-RNN (Du et al.)": ((59.1, 64.0), None),
        "Deep LSTM (Shahroudy et al.)": ((60.7, 67.3), f"{NTU}:deep_lstm"),
        "PA-LSTM (Shahroudy et al.)": ((62.9, 70.3), None),
        "ST-LSTM + TS (Liu et al.)": ((69.2, 77.7), None),
        "Temporal Conv. (Kim and Reiter)": ((74.3, 83.1), f"{NTU}:res_tcn"),
        "C-CNN + MTLN (Ke et al.)": ((79.6, 84.8), None),
        "ST-GCN": ((81.5, 88.3), f"{NTU}:stgcn"),
    },
    4: {
        "RGB CNN": ((70.4,), None),
        "Flow CNN": ((72.8,), None),
        "ST-GCN": ((72.4,), f"{KINETICS}:spatial_imp"),
    },
    5: {
        "RGB": ((70.3,), ("rgb",)),
        "Flow": ((51.0,), ("flow",)),
        "ST-GCN": ((30.7,), ("stgcn",)),
        "RGB + Flow": ((71.1,), ("rgb", "flow")),
        "RGB + ST-GCN": ((71.2,), ("rgb", "stgcn")),
        "RGB + Flow + ST-GCN": ((71.7,), ("rgb", "flow", "stgcn")),
    },
}
COLUMNS = {1: TOP, 2: TOP, 3: VIEWS, 4: ("mean_class",), 5: ("top1",)}


def main() -> int:
    """Runs one table; writes `table{N}.md` and `table{N}.json` beside the runs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--table", type=int, required=True, choices=TABLES)
    parser.add_argument("--data-dir", default="")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--quick", action="store_true", help="toy networks on sample files that are made first")
    parser.add_argument("--rgb", help="table 5: scores.npz of an RGB network on the Kinetics validation clips")
    parser.add_argument("--flow", help="table 5: the same of an optical-flow network")
    options, overrides = parser.parse_known_args()
    if options.quick:
        options.data_dir = prepare_samples(options.out)
    columns = COLUMNS[options.table]
    rows = []
    for name, (paper, source) in TABLES[options.table].items():
        ours = fused(options, overrides, source) if options.table == 5 else figures(options, overrides, source)
        rows.append({"row": name, "columns": columns, "paper": paper, "ours": ours})
    files.write_json(options.out / f"table{options.table}.json", {"quick": options.quick, "rows": rows})
    text = markdown(rows, columns)
    with files.replacing(options.out / f"table{options.table}.md") as path:
        path.write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


def figures(options: argparse.Namespace, overrides: list[str], source: str | None) -> list[float] | str:
    """Our percentages of a row, or why there are none."""
    if source is None:
        return "not a system of ours: the paper's quotation"
    columns = COLUMNS[options.table]
    if columns == VIEWS:
        found = [report(options, overrides, f"{source},{view}") for view in VIEWS]
        lacking = [each for each in found if isinstance(each, str)]
        return lacking[0] if lacking else [each["top1"] * 100 for each in found if isinstance(each, dict)]
    found = report(options, overrides, source, subset="kinetics_motion" if options.table == 4 else None)
    return found if isinstance(found, str) else [found[column] * 100 for column in columns]


def report(options: argparse.Namespace, overrides: list[str], source: str, subset: str | None = None) -> dict | str:
    """The report of a config's run, trained and evaluated where that is still to be done."""
    file, row = source.split(":")
    dataset = {KINETICS: "kinetics_skeleton", NTU: "ntu60"}[file]
    from jaxact.datasets import read

    if dataset not in read.prepared(options.data_dir):
        return f"not run: {dataset} is not prepared in {str(read.data_root(options.data_dir))!r}"
    folder = options.out / f"{dataset}_{row.replace(',', '_')}"
    argument = f"{row},quick" if options.quick else row
    train = ["train", "--config", f"{CONFIGS / file}:{argument}", "--workdir", str(folder / "run")]
    results = folder / (subset or "results")
    evaluate = ["evaluate", "--checkpoint", str(folder / "run"), "--out", str(results)]
    code = cli.main([*train, "--data-dir", options.data_dir, *overrides])
    code = code or cli.main([*evaluate, *(["--subset", subset] if subset else [])])
    if code:
        sys.exit(code)
    return json.loads((results / "metrics.json").read_text())


def fused(options: argparse.Namespace, overrides: list[str], systems: tuple[str, ...]) -> list[float] | str:
    """Top-1 of the sum of the systems' softmax scores with equal weights, as files of scores allow it."""
    scores = {"rgb": options.rgb, "flow": options.flow}
    if "stgcn" in systems:
        found = report(options, overrides, f"{KINETICS}:spatial_imp")
        if isinstance(found, str):
            return found
        scores["stgcn"] = str(options.out / "kinetics_skeleton_spatial_imp" / "results")
    lacking = [system for system in systems if not scores[system]]
    if lacking:
        return f"not run: needs --{' and --'.join(lacking)} SCORES"
    from jaxact import fusion
    from jaxact import report as reports

    if len(systems) == 1:
        found, _ = reports.read_scores(scores[systems[0]])
        return [100 * float((found.logits.argmax(axis=1) == found.label).mean())]
    folder = options.out / f"fused_{'_'.join(systems)}"
    return [100 * fusion.run([scores[system] for system in systems], out=folder)["top1"]]


def prepare_samples(out: Path) -> str:
    """Sample raw files of both sets, prepared; returns the data folder."""
    from jaxact.datasets import samples

    data = out / "data"
    for dataset, write in (("ntu60", samples.ntu), ("kinetics_skeleton", samples.kinetics)):
        raw = write(out / "raw" / dataset)
        if code := cli.main(["prepare", dataset, "--raw", str(raw), "--data-dir", str(data)]):
            sys.exit(code)
    return str(data)


def markdown(rows: list[dict], columns: tuple[str, ...]) -> str:
    """The table as Markdown, our figure beside the paper's."""
    lines = [f"| | {' | '.join(f'{c}, paper | {c}, ours' for c in columns)} |", "|---" * (1 + 2 * len(columns)) + "|"]
    for row in rows:
        ours = row["ours"] if isinstance(row["ours"], list) else [row["ours"]] + [""] * (len(columns) - 1)
        shown = [f"{value:.1f}" if isinstance(value, float) else value for value in ours]
        pairs = zip(row["paper"], shown, strict=True)
        lines.append(f"| {row['row']} | {' | '.join(f'{paper} | {our}' for paper, our in pairs)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
