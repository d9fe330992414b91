"""From nothing to a trained, evaluated, exported and drawn network in minutes, by the code of the
commands.
"""

import json
import time
from pathlib import Path
from typing import Any

from jaxact.config import TrainConfig, recipes
from jaxact.progress import log

SPLIT = "test"


def run(out: str | Path, config: TrainConfig | None = None) -> dict[str, Any]:
    """Prepares the generated data set, trains, evaluates, exports and draws, all into `out`;
    returns the report.

    A second call goes on where the first one stopped.
    """
    from jaxact import export
    from jaxact.datasets.preparation import prepare
    from jaxact.evaluation import classification
    from jaxact.training import loop

    began, folder = time.monotonic(), Path(out)
    config = config or recipes.synthetic_actions()
    config.data.data_dir = str(folder / "data")
    log("1/5 making the data set: 24 people who walk, wave, throw, kick, sit, jump ...")
    log(str(prepare.prepare(config.data.name, data_dir=folder / "data")))
    log("2/5 training ST-GCN on 16 of them")
    loop.run(config, folder / "run")
    log("3/5 evaluating on the other 8")
    report = classification.run(folder / "run", out=folder / "results")
    log("4/5 exporting to StableHLO, and comparing the file with the network")
    export.run(folder / "run", out=folder / "stgcn.jaxact")
    log("5/5 drawing")
    _draw(folder, config)
    log(_summary(folder, report, time.monotonic() - began))
    return report


def _draw(folder: Path, config: TrainConfig) -> None:
    from jaxact import plots
    from jaxact.datasets import dataset_info, records
    from jaxact.evaluation import report

    found = report.read(folder / "results")
    pictures = folder / "pictures"
    plots.training_curves([str(folder / "run")], pictures / "curves.png")
    plots.confusion_matrix(
        found.confusion, found.labels, pictures / "confusion.png", title=found.title
    )
    info = dataset_info.load(config.data.name, config.data.data_dir)
    plots.partition(info.layout, pictures / "partition.png")
    seen: set[int] = set()
    for record in records.records(info, SPLIT).as_numpy_iterator():
        label = int(record["label"])
        if label not in seen and len(seen) < 3:
            seen.add(label)
            name = info.labels[label]
            picture = pictures / f"{name.replace(' ', '_')}.gif"
            plots.animation(record["joints"], info.layout, picture, title=name, dpi=70)


def _summary(folder: Path, report: dict[str, Any], seconds: float) -> str:
    example = json.dumps(
        "import jaxact.export as e, numpy as np; f = e.Artifact('stgcn.jaxact'); f(np.zeros((1, 32, 2, 25, 3), 'f4'))"
    )
    return f"""
top-1 {report["top1"]:.1%} on {report["count"]} clips of people never seen in training, after {seconds / 60:.1f} minutes

  {folder / "run"}               checkpoints, metrics.jsonl, TensorBoard
  {folder / "results"}           metrics.json, scores.npz, per_class.csv, confusion.csv
  {folder / "stgcn.jaxact"}      the network as one file: StableHLO for CPU, CUDA and TPU
  {folder / "pictures"}          training curves, confusion matrix, partition, clips

next
  your own clips     jaxact prepare custom --name mine --raw DIR --layout coco-17 --data-dir data
  a longer run       jaxact train --config configs/stgcn.py:synthetic_actions --data-dir {folder / "data"} --workdir run2
  the artifact       cd {folder} && python -c {example}
  all commands       jaxact --help"""
