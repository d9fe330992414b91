"""Trains and evaluates a config once per argument (folds, splits, protocols) and prints the mean of the figures.

    python scripts/cross_validate.py --config configs/stgcn_sbu.py --arguments fold1,fold2,fold3,fold4,fold5 \
        --data-dir data --out results/sbu

Every fold goes through `jaxact train` and `jaxact evaluate`, so a run that was stopped goes on where it stood.
"""

import argparse
import json
import sys
from pathlib import Path

from jaxact import cli, files

FIGURES = ("top1", "top5", "mean_class")


def main() -> int:
    """Runs the folds; writes `mean.json` beside them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--config", required=True)
    parser.add_argument("--arguments", required=True, help="what get_config is called with, separated by commas")
    parser.add_argument("--data-dir", default="")
    parser.add_argument("--out", required=True, type=Path)
    options, overrides = parser.parse_known_args()
    found = {}
    for argument in options.arguments.split(","):
        run, results = str(options.out / argument / "run"), str(options.out / argument / "results")
        config = f"{options.config}:{argument}"
        train = ["train", "--config", config, "--workdir", run, "--data-dir", options.data_dir, *overrides]
        code = cli.main(train) or cli.main(["evaluate", "--checkpoint", run, "--out", results])
        if code:
            return code
        report = json.loads((Path(results) / "metrics.json").read_text())
        found[argument] = {name: report[name] for name in FIGURES}
    mean = {name: sum(fold[name] for fold in found.values()) / len(found) for name in FIGURES}
    files.write_json(options.out / "mean.json", {"mean": mean, "folds": found, "config": options.config})
    for name, fold in {**found, "mean": mean}.items():
        print(f"{name:>8}  " + "  ".join(f"{figure} {fold[figure]:.2%}" for figure in FIGURES))
    return 0


if __name__ == "__main__":
    sys.exit(main())
