r"""Makes a ready network: prepares its data, trains, evaluates and packages it.

    python scripts/ready_networks.py utd27-kinect --raw UTD-MHAD/Skeleton --data-dir data \
        --out runs/utd27-kinect

One run for each seed. The package gets the network of the first seed at its last checkpoint; its
model card states the accuracy of all. A call that was interrupted resumes.
"""

import argparse
import csv
import datetime
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
from flax.traverse_util import flatten_dict

from jaxact import __version__, cli, files
from jaxact.errors import UserError
from jaxact.export import ensemble, parity
from jaxact.inference import ready_certificate
from jaxact.runs import ready_networks, safetensors, trained_model
from jaxact.runs.checkpoint import Checkpoints
from scripts import ready_cards

ROOT = Path(__file__).parents[1]
CLIPS = 4  # of the certificate
FILES = ("weights.safetensors", "network.json", "certificate.safetensors", "README.md")


def main(arguments: list[str] | None = None) -> int:
    """Makes one network; returns the exit code."""
    options = _parser().parse_args(arguments)
    recipe = ready_cards.RECIPES[options.name]
    seeds = [int(seed) for seed in options.seeds.split(",")]
    code = cli.main(_prepare(recipe, options))
    for seed in seeds:
        if not code:
            code = _run(recipe, options, seed)
    if code:
        return code
    reports = []
    for seed in seeds:
        path = options.out / f"seed{seed}" / "results" / "metrics.json"
        reports.append(json.loads(path.read_text(encoding="utf-8")))
    target = options.into / options.name
    package(target, options, seeds, reports)
    print(f"{target}: {ready_networks.ReadyNetwork(options.name, target).row}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=ready_cards.RECIPES)
    parser.add_argument("--raw", default="", help="raw data; not needed for a generated set")
    parser.add_argument("--pose", default="", help="pose estimator for videos, as in `prepare`")
    parser.add_argument("--data-dir", required=True, help="folder of prepared data")
    parser.add_argument("--out", required=True, type=Path, help="folder of runs and results")
    parser.add_argument("--seeds", default="0,1,2", help="the first one is packaged")
    parser.add_argument(
        "--into",
        type=Path,
        default=ready_networks.FOLDER,
        help="folder of ready networks (default: that of the package)",
    )
    return parser


def _prepare(recipe: ready_cards.Recipe, options: argparse.Namespace) -> list[str]:
    """The command that prepares the data; it does nothing where they are prepared."""
    words = ["prepare", recipe.dataset, "--data-dir", options.data_dir]
    for name in ("raw", "pose"):
        if getattr(options, name):
            words += [f"--{name}", getattr(options, name)]
    if recipe.layout:
        words += ["--to-layout", recipe.layout]
    return words


def _run(recipe: ready_cards.Recipe, options: argparse.Namespace, seed: int) -> int:
    """Trains and evaluates one seed; returns the exit code."""
    folder = options.out / f"seed{seed}"
    run = str(folder / "run")
    config = [str(ROOT / recipe.config), *recipe.overrides, f"--config.seed={seed}"]
    train = ["train", "--data-dir", options.data_dir, "--workdir", run, "--config", *config]
    results = ["--select", "last", "--out", str(folder / "results")]
    return cli.main(train) or cli.main(["evaluate", "--checkpoint", run, *results])


def package(
    target: Path, options: argparse.Namespace, seeds: list[int], reports: list[dict[str, Any]]
) -> None:
    """Writes the files of a ready network, after a comparison with its run.

    Args:
        target: the network's folder, which is replaced.
        options: the script's options.
        seeds: of the runs, the packaged one first.
        reports: the evaluation of each run.

    Raises:
        UserError: the files that were written give other logits than the run, or are too large.
    """
    workdir = options.out / f"seed{seeds[0]}" / "run"
    net = trained_model.load(workdir, how="last")
    clips = parity.real_clips(ensemble.Network((net,)), options.data_dir, CLIPS)
    logits = ready_certificate.logits(net, clips)
    recipe = ready_cards.RECIPES[options.name]
    values = {
        "name": options.name,
        "step": net.step,
        "selection": net.selection,
        "data": recipe.dataset,
        "accuracy": {
            "protocol": recipe.protocol,
            "clips": reports[0]["count"],
            "top1": [report["top1"] for report in reports],
            "seeds": seeds,
        },
        "run": _run_metadata(workdir, net.step),
    }
    with files.replacing(target.with_name(f"{target.name}.new"), folder=True) as folder:
        arrays = {}
        for name, array in flatten_dict(dict(net.weights), sep="/").items():
            arrays[name] = np.asarray(array, np.float32)
        safetensors.write(folder / "weights.safetensors", arrays)
        safetensors.write(folder / "certificate.safetensors", {"inputs": clips, "logits": logits})
        files.write_json(folder / "network.json", values)
        card = ready_cards.write(recipe, values, reports, _per_class(options.out, seeds))
        (folder / "README.md").write_text(card, encoding="utf-8")
        _write_certificate(folder, options.name, clips, logits)
        size = ready_networks.ReadyNetwork(options.name, folder).size
        if size > ready_networks.MAX_BYTES:
            raise UserError(
                f"{options.name!r} has {size} bytes; at most {ready_networks.MAX_BYTES} are allowed"
            )
    shutil.rmtree(target, ignore_errors=True)
    target.with_name(f"{target.name}.new").rename(target)


def _run_metadata(workdir: Path, step: int) -> dict[str, Any]:
    """The metadata of the checkpoint, without the folders of the machine that trained it."""
    checkpoints = Checkpoints(workdir, read_only=True)
    try:
        values = checkpoints.meta(step)
    finally:
        checkpoints.close()
    values["config"]["data"]["data_dir"] = ""
    return values


def _write_certificate(folder: Path, name: str, clips: np.ndarray, logits: np.ndarray) -> None:
    """Compares the files in `folder`, loaded anew, with the logits of the run."""
    digests = {file: ready_networks.digest((folder / file).read_bytes()) for file in FILES}
    certificate = {"sha256": digests}
    files.write_json(folder / "certificate.json", certificate)
    ready = ready_networks.ReadyNetwork(name, folder)
    reloaded = ready_certificate.logits(trained_model.load_ready(ready), clips)
    comparison = ready_certificate.compare(reloaded, logits)
    certificate |= {
        "clips": len(clips),
        "inputs": "clips of the evaluation split, as the network reads them",
        "max_difference": comparison.difference,
        "max_relative_difference": comparison.relative,
        "formulation": "direct",
        "date": datetime.date.today().isoformat(),
        "versions": {"jaxact": __version__, **parity.versions("flax", "jaxlib")},
    }
    if comparison.relative > ready_certificate.TOLERANCE:
        raise UserError(f"the files of {name!r} differ from the run by {comparison.difference:.2e}")
    files.write_json(folder / "certificate.json", certificate)


def _per_class(out: Path, seeds: list[int]) -> list[dict[str, str]]:
    """The rows of the packaged network's `per_class.csv`."""
    path = out / f"seed{seeds[0]}" / "results" / "per_class.csv"
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        sys.exit(str(error))
