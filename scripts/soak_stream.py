"""Processes a long, unreliable stream and prints its memory; exits with 1 where memory grows.

    python scripts/soak_stream.py --frames 10000

The camera disconnects and reconnects, frames are lost or change size, and zero to thirty people
enter and leave. Pose estimation is simulated, since its memory does not depend on the length of a
stream; tracking, recognition (by an untrained network), smoothing, logging and drawing are real.
"""

import argparse
import dataclasses
import io
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from jaxact.cli.command import start_jax

SIZES = ((240, 320), (480, 640), (120, 160))
# Largest growth from a quarter of the frames to the end, as a share of the memory at a quarter.
GROWTH = 0.02
BODY = np.random.default_rng(0).uniform(-1, 1, (14, 2)) * (0.03, 0.12)  # in shares of the picture


def memory() -> float:
    """Resident memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


class Camera:
    """A camera that disconnects repeatedly, with another picture size after each reconnection."""

    def __init__(self, frames: int) -> None:
        self.remaining, self.connections = frames, 0

    def connect(self) -> Iterator[Any]:
        """Yields up to 400 frames, then fails, or ends with the last frame."""
        from jaxact.streaming.frame import Frame

        size = SIZES[self.connections % len(SIZES)]
        self.connections += 1
        if self.connections % 5 == 0:
            raise ConnectionError("no answer")
        for number in range(min(self.remaining, 400)):
            self.remaining -= 1
            if number % 50 == 49:
                yield Frame(0, 0.0, note=f"frame {number} cannot be decoded")
            else:
                yield Frame(0, 0.0, np.full((*size, 3), 60, np.uint8))
        if self.remaining:
            raise ConnectionError("it sends nothing more")


class SimulatedEstimator:
    """Poses of nobody, one person, or up to thirty, some of them new in every few frames."""

    layout = "body-14"

    def __init__(self) -> None:
        self.number, self.random = 0, np.random.default_rng(0)
        self.seconds, self.about = {}, {}

    def reset(self) -> None:
        """Has nothing to forget."""

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """The poses of this frame in pixels, in random order."""
        height, width = image.shape[:2]
        self.number += 1
        count = (0, 1, 30, 5)[self.number // 100 % 4]
        index = np.arange(count)
        x = (0.05 + 0.3 * index + 0.002 * self.number) % 1
        positions = np.stack([x, 0.2 + 0.02 * index], axis=-1)
        if count == 30 and self.number % 7 == 0:
            positions[:3] = self.random.uniform(0, 1, (3, 2))
        people = np.ones((count, 14, 3), np.float32)
        people[..., :2] = (positions.reshape(-1, 1, 2) + BODY) * (width, height)
        return self.random.permutation(people)


class Sink(io.StringIO):
    """A log whose lines are counted and discarded."""

    lines = 0

    def write(self, text: str) -> int:
        """Counts a line."""
        self.lines += 1
        json.loads(text)
        return len(text)


def recogniser(carry: bool) -> tuple[Any, Any]:
    """An untrained recogniser at a quarter of the paper's width, and its preprocessing."""
    import jax
    import jax.numpy as jnp

    from jaxact import config, skeletons
    from jaxact.runs import state, trained_model
    from jaxact.streaming import online_classifier
    from jaxact.streaming.preprocessing import PosePreprocessor

    run = config.TrainConfig(
        model=config.RecogniserConfig(width=32), clip=config.ClipConfig(frames=60, persons=1)
    )
    layout, channels = skeletons.get_layout("body-14"), ("x", "y", "score")
    meta = trained_model.RunMetadata(run, layout, ("a", "b", "c"), channels)
    model, shape = trained_model.build(meta), trained_model.example_input(meta)
    initial = model.init(jax.random.key(0), jnp.zeros(shape.shape))
    weights = state.variables(initial["params"], initial["batch_stats"])
    net = trained_model.TrainedModel(
        model, weights, run, layout, ("a", "b", "c"), channels, 0, "untrained"
    )
    preprocessor = PosePreprocessor(layout, channels, dataclasses.asdict(run.clip))
    return online_classifier.build(net, preprocessor, carry=carry), preprocessor


def main() -> int:
    """Runs the stream; prints a line for every tenth of the frames."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--carry", action="store_true", help="the recogniser carries its state")
    options = parser.parse_args()
    start_jax()
    from jaxact.streaming import session
    from jaxact.streaming.live_source import LiveFrames
    from jaxact.streaming.processor import StreamProcessor
    from jaxact.streaming.stream_log import StreamLog

    classifier, preprocessor = recogniser(options.carry)
    processor = StreamProcessor(
        estimator=SimulatedEstimator(), classifier=classifier, preprocessor=preprocessor, persons=8
    )
    camera, megabytes, start = Camera(options.frames), [], time.monotonic()
    frames = LiveFrames(camera.connect, name="camera", patience=60.0, sleep=lambda seconds: None)

    def monitored() -> Iterator[Any]:
        for number, frame in enumerate(frames):
            yield frame
            if number % max(options.frames // 10, 1) == 0:
                megabytes.append(memory())
                people = f"{processor.people_count} people so far"
                print(f"frame {number:6d}: {megabytes[-1]:7.1f} MB, {people}", flush=True)

    out = Sink()
    summary = session.run(
        monitored(), processor, labels=("a", "b", "c"), log=StreamLog(out, ("a", "b", "c"), 3)
    )
    megabytes.append(memory())
    settled = megabytes[len(megabytes) // 4]
    growth = megabytes[-1] / settled - 1
    print(session.summary_line(summary))
    counts = f"{summary['notes']} notes, {camera.connections} connections, {out.lines} lines of log"
    print(f"{counts} in {time.monotonic() - start:.0f} s")
    print(f"{settled:.1f} MB after a quarter, {megabytes[-1]:.1f} MB at the end ({growth:+.1%})")
    return int(growth > GROWTH)


if __name__ == "__main__":
    sys.exit(main())
