"""Kills a run ten times, resumes it each time, and compares the end with an uninterrupted run.

    python scripts/check_resume.py [--kills 10] [--seed 0]

SIGKILL comes at random times. Needs the tests' small run, so call it in a checkout. Prints the
times and exits with code 1 where a bit differs.
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
    """The small run in its own process."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.helpers.toy_run", str(workdir), *RUN],
        stderr=subprocess.DEVNULL,
    )


def steps_done(workdir: Path) -> int:
    """The step of the last line of the run's metrics."""
    path = workdir / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return json.loads(lines[-1])["step"] if lines else 0


def weights(workdir: Path) -> list[np.ndarray]:
    """The arrays of the run's last checkpoint."""
    return jax.tree.leaves(jax.device_get(trained_model.load(workdir).weights))


def main() -> int:
    """Trains once without interruption and once in pieces."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        whole, pieces = Path(folder) / "whole", Path(folder) / "pieces"
        assert start(whole).wait() == 0
        for number in range(options.kills):
            process = start(pieces)
            while process.poll() is None:
                if steps_done(pieces) >= STEPS * (number + rng.random()) / options.kills:
                    break
                time.sleep(0.01)
            time.sleep(rng.uniform(0.0, 0.2))
            process.kill()
            names = [path.name for path in (pieces / "checkpoints").glob("*")]
            steps = sorted(int(name) for name in names if name.isdigit())
            killed = f"killed (exit {process.wait()}) after step {steps_done(pieces)}"
            print(f"{killed}; checkpoints {steps}", flush=True)
        assert start(pieces).wait() == 0
        expected, resumed = weights(whole), weights(pieces)
        same = all(np.array_equal(a, b) for a, b in zip(expected, resumed, strict=True))
        print(f"{len(expected)} arrays: {'bitwise the same' if same else 'DIFFERENT'}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
