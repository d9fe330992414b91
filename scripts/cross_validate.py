"""Trains and evaluates a config once per argument (folds, splits, protocols) and seed, and prints
the means.

    python scripts/cross_validate.py --config configs/stgcn_sbu.py --arguments fold1,fold2,fold3,fold4,fold5 \
        --streams joint,bone,joint_motion,bone_motion --seeds 0,1,2 --data-dir data --out
        results/sbu

    python scripts/cross_validate.py --config configs/stagcn_sbu.py --row sn --pretrain configs/stagcn_pretrain_sbu.py \
        --arguments fold1,fold2,fold3,fold4,fold5 --data-dir data --out results/sbu_sn

Every run goes through `jaxact train` and `jaxact evaluate`, so a call that was stopped goes on
where it stood.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

from jaxact import cli, files


def main() -> int:
    """Runs the folds; writes `mean.json` beside them: every top-1, the mean, and the deviation over
    seeds.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--config", required=True)
    parser.add_argument(
        "--arguments", default="", help="what get_config is called with, separated by commas"
    )
    parser.add_argument(
        "--row",
        default="",
        help="a word added to each of the arguments, e.g. a system of the config",
    )
    parser.add_argument(
        "--pretrain",
        help="config of a run that each run begins from; kept beside --out, for all rows",
    )
    parser.add_argument("--seeds", default="0")
    parser.add_argument(
        "--streams",
        default="",
        help="as in `jaxact train --streams`; without: the config's own stream",
    )
    parser.add_argument("--data-dir", default="")
    parser.add_argument("--out", required=True, type=Path)
    options, overrides = parser.parse_known_args()
    systems = [*options.streams.split(","), "fused"] if options.streams else ["single"]
    top1 = {system: {} for system in systems}
    for seed in options.seeds.split(","):
        for argument in options.arguments.split(","):
            folder = options.out / f"{argument or 'whole'}_seed{seed}"
            seeded = [*overrides, f"--config.seed={seed}"]
            code, begun = pretrain(options, argument, seed) if options.pretrain else (0, [])
            code = code or run(options, argument, [*seeded, *begun], folder)
            if code:
                return code
            for system in systems:
                place = folder / {"single": "results", "fused": "fused"}.get(
                    system, f"{system}/results"
                )
                report = json.loads((place / "metrics.json").read_text())
                top1[system].setdefault(seed, {})[argument or "whole"] = report["top1"]
    means = {
        name: [statistics.mean(folds.values()) for folds in seeds.values()]
        for name, seeds in top1.items()
    }
    mean = {name: statistics.mean(values) for name, values in means.items()}
    spread = {
        name: statistics.stdev(values) if len(values) > 1 else 0.0 for name, values in means.items()
    }
    files.write_json(options.out / "mean.json", {"mean": mean, "deviation": spread, "top1": top1})
    for name, seeds in top1.items():
        folds = " | ".join(
            " ".join(f"{value:.2%}" for value in fold.values()) for fold in seeds.values()
        )
        print(
            f"{name:>12}  {mean[name]:.2%} +- {spread[name]:.2%} over {len(seeds)} seeds: {folds}"
        )
    return 0


def pretrain(options: argparse.Namespace, argument: str, seed: str) -> tuple[int, list[str]]:
    """The run that a fold and seed begins from; returns the exit code, and the override that names
    it.
    """
    folder = options.out.parent / f"{Path(options.pretrain).stem}_{argument or 'whole'}_seed{seed}"
    config = f"{options.pretrain}:{argument}" if argument else options.pretrain
    train = ["train", "--config", config, "--data-dir", options.data_dir, "--workdir", str(folder)]
    return cli.main([*train, f"--config.seed={seed}"]), [f"--config.init_from={folder}"]


def run(options: argparse.Namespace, argument: str, overrides: list[str], folder: Path) -> int:
    """One fold and seed: `jaxact train` and, without streams, `jaxact evaluate`; returns the exit
    code.
    """
    words = ",".join(word for word in (argument, options.row) if word)
    config = f"{options.config}:{words}" if words else options.config
    train = ["train", "--config", config, "--data-dir", options.data_dir, *overrides]
    if options.streams:
        return cli.main([*train, "--workdir", str(folder), "--streams", options.streams])
    evaluate = ["evaluate", "--checkpoint", str(folder / "run"), "--out", str(folder / "results")]
    return cli.main([*train, "--workdir", str(folder / "run")]) or cli.main(evaluate)


if __name__ == "__main__":
    sys.exit(main())
