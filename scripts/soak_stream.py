"""Watches a long and bad stream, and prints what it costs in memory; ends with 1 where that grows.

    python scripts/soak_stream.py --frames 10000

The camera goes away and comes back, frames are lost or of another size, there is nobody, or there
are thirty people, who come from places of their own and leave. Finding them is played, since what a
pose network keeps does not depend on how long it runs; following, recognising (a network that
nobody trained), smoothing, logging and drawing are real.
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
GROWTH = (
    0.02  # share of the memory after a quarter of the frames by which it may grow until the end
)
BODY = np.random.default_rng(0).uniform(-1, 1, (14, 2)) * (0.03, 0.12)  # in shares of the picture


def memory() -> float:
    """Resident memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


class Camera:
    """Pictures that break off again and again, and are of another size when they are back."""

    def __init__(self, frames: int) -> None:
        self.left, self.opened = frames, 0

    def connect(self) -> Iterator[Any]:
        """Some hundreds of frames, then an error; of the last ones the end."""
        from jaxact.streaming.frame import Frame

        size = SIZES[self.opened % len(SIZES)]
        self.opened += 1
        if self.opened % 5 == 0:
            raise ConnectionError("no answer")
        for number in range(min(self.left, 400)):
            self.left -= 1
            if number % 50 == 49:
                yield Frame(0, 0.0, note=f"frame {number} cannot be decoded")
            else:
                yield Frame(0, 0.0, np.full((*size, 3), 60, np.uint8))
        if self.left:
            raise ConnectionError("it sends nothing more")


class Eye:
    """Nobody for a while, one person, or thirty of whom some are always new."""

    layout = "body-14"

    def __init__(self) -> None:
        self.number, self.seconds, self.random = 0, {}, np.random.default_rng(0)

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """The people of this frame in pixels, in any order."""
        height, width = picture.shape[:2]
        self.number += 1
        count = (0, 1, 30, 5)[self.number // 100 % 4]
        places = np.array(
            [
                ((0.05 + 0.3 * each + 0.002 * self.number) % 1, 0.2 + 0.02 * each)
                for each in range(count)
            ]
        )
        if count == 30 and self.number % 7 == 0:
            places[:3] = self.random.uniform(0, 1, (3, 2))
        people = np.ones((count, 14, 3), np.float32)
        people[..., :2] = (places.reshape(-1, 1, 2) + BODY) * (width, height)
        return self.random.permutation(people)


class Sink(io.StringIO):
    """A log that is counted and forgotten."""

    lines = 0

    def write(self, text: str) -> int:
        """Counts a line."""
        self.lines += 1
        json.loads(text)
        return len(text)


def recogniser(carry: bool) -> tuple[Any, Any]:
    """A network that nobody trained, of the paper's form at a quarter of its width, and how it
    reads poses.
    """
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
    made = model.init(jax.random.key(0), jnp.zeros(shape.shape))
    weights = state.variables(made["params"], made["batch_stats"])
    net = trained_model.TrainedModel(
        model, weights, run, layout, ("a", "b", "c"), channels, 0, "untrained"
    )
    preprocessor = PosePreprocessor(layout, channels, dataclasses.asdict(run.clip))
    return online_classifier.build(net, preprocessor, carry=carry), preprocessor


def main() -> int:
    """Runs; prints a line for every tenth of the frames."""
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
        estimator=Eye(), classifier=classifier, preprocessor=preprocessor, persons=8
    )
    camera, seen, begun = Camera(options.frames), [], time.monotonic()
    frames = LiveFrames(camera.connect, name="camera", patience=60.0, sleep=lambda seconds: None)

    def watched() -> Iterator[Any]:
        for number, frame in enumerate(frames):
            yield frame
            if number % max(options.frames // 10, 1) == 0:
                seen.append(memory())
                print(
                    f"frame {number:6d}: {seen[-1]:7.1f} MB, {processor.people_count} people so far",
                    flush=True,
                )

    out = Sink()
    summary = session.run(
        watched(), processor, labels=("a", "b", "c"), log=StreamLog(out, ("a", "b", "c"), 3)
    )
    seen.append(memory())
    settled = seen[len(seen) // 4]
    grown = seen[-1] / settled - 1
    print(session.summary_line(summary))
    counts = f"{summary['notes']} notes, {camera.opened} times opened, {out.lines} lines of log"
    print(f"{counts} in {time.monotonic() - begun:.0f} s")
    print(f"{settled:.1f} MB after a quarter, {seen[-1]:.1f} MB at the end ({grown:+.1%})")
    return int(grown > GROWTH)


if __name__ == "__main__":
    sys.exit(main())
