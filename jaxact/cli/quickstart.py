"""`jaxact quickstart`: prepare, train, evaluate, export and plot on a generated data set."""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from jaxact.cli.command import command, start_jax
from jaxact.config import TrainConfig, recipes
from jaxact.progress import log

SPLIT = "test"
CLIPS = 3  # animated clips, one per class


def quickstart(subparsers: Any) -> None:
    """`jaxact quickstart`"""
    parser = command(
        subparsers,
        "quickstart",
        _run_quickstart,
        "prepare a small generated data set, train, evaluate, export and plot, in minutes",
        "jaxact quickstart --out quickstart",
    )
    parser.add_argument("--out", default="quickstart", help="output folder (default: %(default)s)")


def _run_quickstart(options: argparse.Namespace) -> None:
    start_jax()
    run(options.out)


def run(out: str | Path, config: TrainConfig | None = None) -> dict[str, Any]:
    """Runs every step of the quickstart; a second call resumes where the first one stopped.

    Args:
        out: output folder.
        config: the training run; the recipe for the generated data set by default.

    Returns:
        The report of the evaluation.
    """
    from jaxact import export
    from jaxact.datasets.preparation import prepare
    from jaxact.evaluation import classification
    from jaxact.training import loop

    start, folder = time.monotonic(), Path(out)
    if config is None:
        config = recipes.synthetic_actions()
    config.data.data_dir = str(folder / "data")
    log("1/5 generating the data set: 24 people who walk, wave, throw, kick, sit, jump ...")
    log(str(prepare.prepare(config.data.name, data_dir=folder / "data")))
    log("2/5 training ST-GCN on 16 of them")
    loop.run(config, folder / "run")
    log("3/5 evaluating on the other 8")
    report = classification.run(folder / "run", out=folder / "results")
    log("4/5 exporting to StableHLO and comparing the artifact with the network")
    export.run(folder / "run", out=folder / "stgcn.jaxact")
    log("5/5 plotting")
    _draw(folder, config)
    log(_summary(folder, report, time.monotonic() - start))
    return report


def _draw(folder: Path, config: TrainConfig) -> None:
    from jaxact import plots
    from jaxact.datasets import dataset_info, records
    from jaxact.evaluation import report

    results = report.read(folder / "results")
    pictures = folder / "pictures"
    plots.training_curves([str(folder / "run")], pictures / "curves.png")
    plots.confusion_matrix(
        results.confusion, results.labels, pictures / "confusion.png", title=results.title
    )
    info = dataset_info.load(config.data.name, config.data.data_dir)
    plots.partition(info.layout, pictures / "partition.png")
    drawn_labels: set[int] = set()
    for record in records.records(info, SPLIT).as_numpy_iterator():
        label = int(record["label"])
        if label not in drawn_labels and len(drawn_labels) < CLIPS:
            drawn_labels.add(label)
            name = info.labels[label]
            picture = pictures / f"{name.replace(' ', '_')}.gif"
            plots.animation(record["joints"], info.layout, picture, title=name, dpi=70)


def _summary(folder: Path, report: dict[str, Any], seconds: float) -> str:
    example = json.dumps(
        "import jaxact.export as e, numpy as np; f = e.Artifact('stgcn.jaxact'); "
        "f(np.zeros((1, 32, 2, 25, 3), 'f4'))"
    )
    minutes = seconds / 60
    return f"""
top-1 {report["top1"]:.1%} on {report["count"]} clips of people outside the training set, \
after {minutes:.1f} minutes

  {folder / "run"}               checkpoints, metrics.jsonl, TensorBoard
  {folder / "results"}           metrics.json, scores.npz, per_class.csv, confusion.csv
  {folder / "stgcn.jaxact"}      the network as one file: StableHLO for CPU, CUDA and TPU
  {folder / "pictures"}          training curves, confusion matrix, partition, clips

next
  your own clips     jaxact prepare custom --name mine --raw DIR --layout coco-17 --data-dir data
  a longer run       jaxact train --config configs/stgcn.py:synthetic_actions \
--data-dir {folder / "data"} --workdir run2
  the artifact       cd {folder} && python -c {example}
  all commands       jaxact --help"""
