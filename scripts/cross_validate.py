"""Trains and evaluates a config for each split (fold, protocol) and seed, and prints the means.

    python scripts/cross_validate.py --config configs/stgcn.py:sbu \
        --arguments fold1,fold2,fold3,fold4,fold5 --streams joint,bone,joint_motion,bone_motion \
        --seeds 0,1,2 --data-dir data --out results/sbu

    python scripts/cross_validate.py --config configs/stagcn.py:sbu,sn \
        --pretrain configs/stagcn.py:sbu,pretrain --arguments fold1,fold2,fold3,fold4,fold5 \
        --data-dir data --out results/sbu_sn

Every run is a call of `jaxact train` and `jaxact evaluate`, so a call that was interrupted resumes.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

from jaxact import cli, files


def main() -> int:
    """Runs the splits; writes `mean.json`: every top-1, the mean, and the deviation over seeds."""
    options, overrides = _parser().parse_known_args()
    systems = [*options.streams.split(","), "fused"] if options.streams else ["single"]
    top1 = {system: {} for system in systems}
    for seed in options.seeds.split(","):
        for argument in options.arguments.split(","):
            split = argument or "whole"
            folder = options.out / f"{split}_seed{seed}"
            run_overrides = [*overrides, f"--config.seed={seed}"]
            if options.pretrain:
                workdir = pretraining_workdir(options, split, seed)
                run_overrides.append(f"--config.init_from={workdir}")
                if code := pretrain(options, argument, seed, workdir):
                    return code
            if code := run(options, argument, run_overrides, folder):
                return code
            for system in systems:
                report = json.loads((results(folder, system) / "metrics.json").read_text())
                top1[system].setdefault(seed, {})[split] = report["top1"]
    summarise(options.out, top1)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--config", required=True, help="config file, with words for the rest")
    parser.add_argument(
        "--arguments",
        default="",
        help="words separated by commas; each is added to the words of --config, one run for each",
    )
    parser.add_argument(
        "--pretrain",
        help="config of a run that each run starts from; stored beside --out, for all rows",
    )
    parser.add_argument("--seeds", default="0")
    parser.add_argument(
        "--streams",
        default="",
        help="as in `jaxact train --streams`; without it, the config's own stream",
    )
    parser.add_argument("--data-dir", default="")
    parser.add_argument("--out", required=True, type=Path)
    return parser


def with_word(config: str, word: str) -> str:
    """The config with a word added to its argument."""
    if not word:
        return config
    return f"{config},{word}" if ":" in config else f"{config}:{word}"


def results(folder: Path, system: str) -> Path:
    """Where the report of a network, or of all streams fused, is written."""
    if system == "single":
        return folder / "results"
    if system == "fused":
        return folder / "fused"
    return folder / system / "results"


def pretraining_workdir(options: argparse.Namespace, split: str, seed: str) -> Path:
    """The folder of the run that all rows of this split and seed start from."""
    file, _, words = options.pretrain.partition(":")
    name = "_".join([Path(file).stem, *words.split(",")]) if words else Path(file).stem
    return options.out.parent / f"{name}_{split}_seed{seed}"


def pretrain(options: argparse.Namespace, argument: str, seed: str, workdir: Path) -> int:
    """Trains the run that a split and seed starts from; returns the exit code."""
    config = with_word(options.pretrain, argument)
    train = ["train", "--config", config, "--data-dir", options.data_dir]
    return cli.main([*train, "--workdir", str(workdir), f"--config.seed={seed}"])


def run(options: argparse.Namespace, argument: str, overrides: list[str], folder: Path) -> int:
    """Trains and evaluates one split and seed; returns the exit code."""
    config = with_word(options.config, argument)
    train = ["train", "--config", config, "--data-dir", options.data_dir, *overrides]
    if options.streams:
        return cli.main([*train, "--workdir", str(folder), "--streams", options.streams])
    evaluate = ["evaluate", "--checkpoint", str(folder / "run"), "--out", str(folder / "results")]
    return cli.main([*train, "--workdir", str(folder / "run")]) or cli.main(evaluate)


def summarise(out: Path, top1: dict[str, dict[str, dict[str, float]]]) -> None:
    """Writes and prints the means over splits and seeds of `top1[system][seed][split]`."""
    mean, deviation = {}, {}
    for system, seeds in top1.items():
        means = [statistics.mean(splits.values()) for splits in seeds.values()]
        mean[system] = statistics.mean(means)
        deviation[system] = statistics.stdev(means) if len(means) > 1 else 0.0
    files.write_json(out / "mean.json", {"mean": mean, "deviation": deviation, "top1": top1})
    for system, seeds in top1.items():
        rows = [" ".join(f"{value:.2%}" for value in splits.values()) for splits in seeds.values()]
        print(
            f"{system:>12}  {mean[system]:.2%} +- {deviation[system]:.2%} over {len(seeds)} seeds: "
            f"{' | '.join(rows)}"
        )


if __name__ == "__main__":
    sys.exit(main())
