"""Kills a run with SIGKILL at ten random moments, resumes it each time, and compares the end with
the whole run's.

    python scripts/check_resume.py [--kills 10] [--seed 0]

Needs the tests' toy run, so call it in a checkout. Prints the moments and ends with exit code 1
where a bit differs.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import jax
import numpy as np

from jaxact.runs import trained_model

STEPS = 1200
RUN = ["devices=1", f"epochs={STEPS // 4}", "checkpoint_every=7", "eval_every=25.0"]


def start(workdir: Path) -> subprocess.Popen:
    """The toy run as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.helpers.toy_run", str(workdir), *RUN],
        stderr=subprocess.DEVNULL,
    )


def steps_done(workdir: Path) -> int:
    """The step of the last line of the run's metrics."""
    path = workdir / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return json.loads(lines[-1])["step"] if lines else 0


def main() -> int:
    """Runs once whole and once in pieces."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    moments = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        whole, pieces = Path(folder) / "whole", Path(folder) / "pieces"
        assert start(whole).wait() == 0
        for number in range(options.kills):
            process = start(pieces)
            while (
                process.poll() is None
                and steps_done(pieces) < STEPS * (number + moments.random()) / options.kills
            ):
                time.sleep(0.01)
            time.sleep(moments.uniform(0.0, 0.2))
            process.kill()
            kept = sorted(
                int(p.name) for p in (pieces / "checkpoints").glob("*") if p.name.isdigit()
            )
            print(
                f"killed (exit {process.wait()}) after step {steps_done(pieces)}; checkpoints {kept}",
                flush=True,
            )
        assert start(pieces).wait() == 0
        pair = [
            jax.tree.leaves(jax.device_get(trained_model.load(path).weights))
            for path in (whole, pieces)
        ]
        same = all(np.array_equal(a, b) for a, b in zip(*pair, strict=True))
        print(f"{len(pair[0])} arrays: {'bitwise the same' if same else 'DIFFERENT'}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
