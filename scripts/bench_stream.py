"""Benchmarks online recognition with random weights: pose network, recogniser, whole chain.

    python scripts/bench_stream.py --out stream                  # writes stream.md and stream.json
    taskset -c 0 python scripts/bench_stream.py                  # on one core
    python scripts/bench_stream.py --video clip.mp4 --people 4   # the chain on a file's own frames

Each row runs in its own process, one after the other and `--rounds` times over, so that a slow
phase of the machine affects all of them; times are medians over rounds of a round's fastest frame,
and of its mean frame for the chain. The lower bound of a pose network is the time that its
multiply-adds (2.52 and 1.55 GMAC at 224 px) take at the speed of the fastest square matrix product;
the recogniser has 22.2 MMAC by window and 1.8 by carried state. The chain is what `jaxact stream`
computes for every frame: a picture of `--height` rows, resized, the pose network and its decoding,
tracks, the recogniser for `--people` people (simulated poses of people who walk, since random
weights detect nobody).
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

GMAC = {1.0: 2.52, 0.5: 1.55}  # of a picture of 224 x 224, by the width of the stages
MMAC = {"window": 22.2, "carried": 1.8}
FRAMES = 60  # of a window
ROWS = (
    "peak",
    "pose 1.0",
    "pose 0.5",
    "recogniser window",
    "recogniser carried",
    "chain 1.0",
    "chain 0.5",
)


def fastest(work: Callable[[], Any], repetitions: int) -> float:
    """Seconds of the fastest call after the first two, which compile and allocate memory."""
    seconds = []
    for _ in range(repetitions + 2):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds[2:])


def random_variables(model: Any, shape: tuple[int, ...]) -> Any:
    """Random variables of a network, without compiling its initialisers."""
    import jax
    import jax.numpy as jnp

    shapes = jax.eval_shape(lambda: model.init(jax.random.key(0), jnp.zeros(shape)))
    random = np.random.default_rng(0)
    return jax.tree.map(
        lambda leaf: jnp.asarray(random.uniform(0.01, 0.1, leaf.shape), leaf.dtype), shapes
    )


def peak(options: argparse.Namespace) -> float:
    """Seconds per multiply-add of the fastest square matrix product."""
    import jax
    import jax.numpy as jnp

    size = options.matrix or (2048 if jax.default_backend() == "cpu" else 8192)
    a, dot = jnp.ones((size, size), options.dtype), jax.jit(jnp.dot)
    return fastest(lambda: dot(a, a).block_until_ready(), options.repetitions) / size**3


def net(model: Any, section: Any, clip: Any, layout: str, shape: tuple[int, ...]) -> Any:
    """A network with random weights, as a checkpoint would be loaded."""
    from jaxact import config, skeletons
    from jaxact.runs import trained_model

    run = config.TrainConfig(model=section, clip=clip)
    joint_layout = skeletons.get_layout(layout)
    labels = tuple(map(str, range(32)))
    return trained_model.TrainedModel(
        model,
        random_variables(model, shape),
        run,
        joint_layout,
        labels,
        ("x", "y", "score"),
        0,
        "random",
    )


def pose_estimator(width: float, options: argparse.Namespace) -> Any:
    """A pose network as an estimator of poses in pictures."""
    from jaxact import config
    from jaxact.models.pose_net import PoseNet
    from jaxact.streaming.pose_net_estimator import PoseNetEstimator

    size = options.size
    model = PoseNet(width=width, dtype=options.dtype)
    section = config.PoseConfig(width=width)
    return PoseNetEstimator(
        net(
            model,
            section,
            config.PoseClipConfig(height=size, width=size),
            "body-14",
            (1, size, size, 3),
        )
    )


def recogniser(carry: bool) -> tuple[Any, Any]:
    """A recogniser of a stream, and the preprocessing of its poses."""
    import dataclasses

    from jaxact import config, models, skeletons
    from jaxact.streaming import online_classifier
    from jaxact.streaming.preprocessing import PosePreprocessor

    layout = skeletons.get_layout("body-14")
    section = config.RecogniserConfig()
    spec = models.InputSpec(layout=layout, num_classes=32, channels=("x", "y", "score"))
    model = models.build("recogniser", spec)
    clip = config.ClipConfig(frames=FRAMES, persons=1)
    classifier = net(model, section, clip, "body-14", (1, FRAMES, 1, 14, 3))
    preprocessor = PosePreprocessor(layout, classifier.channels, dataclasses.asdict(clip))
    return online_classifier.build(classifier, preprocessor, carry=carry), preprocessor


def walkers(count: int, number: int) -> np.ndarray:
    """Poses of people who walk side by side through a picture of 640 x 480."""
    body = np.random.default_rng(0).uniform(-1, 1, (14, 2)) * (20, 60)
    people = np.zeros((count, 14, 3), np.float32)
    for index, person in enumerate(people):
        person[:, :2] = body + np.array(
            [30 + 580 * (index + 0.5) / count + 10 * np.sin(number / 9), 240]
        )
        person[:, 2] = 1
    return people


def pictures(options: argparse.Namespace) -> list[np.ndarray]:
    """Some frames of the video, or noise."""
    if options.video:
        from jaxact.streaming.frame_source import open_source

        frames = open_source(options.video, fps=25.0, patience=0.0).frames
        return [
            frame.image
            for frame, _ in zip(frames, range(options.frames), strict=False)
            if frame.image is not None
        ]
    shape = (options.height, options.height * 4 // 3, 3)
    return list(np.random.default_rng(0).integers(0, 256, (8, *shape), np.uint8))


def chain(width: float, options: argparse.Namespace) -> float:
    """Mean seconds of a frame through the whole chain, after a few warm-up frames."""
    from jaxact.streaming.frame import Frame
    from jaxact.streaming.processor import StreamProcessor

    estimator = pose_estimator(width, options)
    classifier, preprocessor = recogniser(carry=False)

    class SimulatedEstimator:
        layout, seconds, about = estimator.layout, estimator.seconds, {}
        number = 0

        def reset(self) -> None:
            pass

        def __call__(self, image: np.ndarray) -> np.ndarray:
            estimator(image)
            self.number += 1
            return walkers(options.people, self.number)

    images = pictures(options)
    processor = StreamProcessor(
        estimator=SimulatedEstimator(),
        classifier=classifier,
        preprocessor=preprocessor,
        persons=options.people,
    )
    warm, start = 3, 0.0
    for number in range(options.frames + warm):
        start = time.perf_counter() if number == warm else start
        processor.process(Frame(number, number / 25, images[number % len(images)]))
    return (time.perf_counter() - start) / options.frames


def measure(row: str, options: argparse.Namespace) -> float:
    """Seconds of one row, in this process."""
    from jaxact.cli.malloc import keep_pages

    keep_pages()
    part, _, variant = row.partition(" ")
    if part == "peak":
        return peak(options)
    if part == "chain":
        return chain(float(variant), options)
    if part == "recogniser":
        classifier, preprocessor = recogniser(variant == "carried")
        frame = preprocessor.convert(walkers(1, 0), "body-14", (480, 640))[0]
        times = itertools.count()
        return fastest(
            lambda: classifier.step(next(times) / 30, {0: frame}, [(0,)]),
            4 * options.repetitions,
        )
    import jax
    import jax.numpy as jnp

    estimator = pose_estimator(float(variant), options)
    picture = jnp.zeros((1, options.size, options.size, 3))
    return fastest(
        lambda: jax.block_until_ready(estimator._apply(estimator._weights, picture)),
        options.repetitions,
    )


def table(seconds: dict[str, float], options: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows of the printed table."""
    rows = []
    for row in ROWS[1:]:
        part, _, variant = row.partition(" ")
        macs = MMAC.get(variant, 0) * 1e6
        if part == "pose":
            macs = GMAC[float(variant)] * 1e9 * (options.size / 224) ** 2
        floor = macs * seconds["peak"]
        rows.append(
            {
                "what": row,
                "ms a frame": round(1000 * seconds[row], 2),
                "frames/s": round(1 / seconds[row], 1),
                "MMAC": round(macs / 1e6, 1) or "",
                "floor, ms": round(1000 * floor, 2) or "",
                "times the floor": round(seconds[row] / floor, 1) if floor else "",
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--video", default="", help="the chain's pictures (default: noise)")
    parser.add_argument("--height", type=int, default=480, help="of the noise, pixels")
    parser.add_argument(
        "--size", type=int, default=224, help="side of the pose network's input, pixels"
    )
    parser.add_argument("--people", type=int, default=1)
    parser.add_argument("--frames", type=int, default=40, help="of the chain in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repetitions", type=int, default=6, help="timed calls a round")
    parser.add_argument(
        "--matrix",
        type=int,
        default=0,
        help="side of the matrix product (default: 2048, on a GPU 8192)",
    )
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--out", help="writes OUT.md and OUT.json")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.row:
        print(json.dumps(measure(options.row, options)))
        return
    python_path = os.pathsep.join(
        [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    )
    measurements: dict[str, list[float]] = {row: [] for row in ROWS}
    for _ in range(options.rounds):
        for row in ROWS:
            command = [sys.executable, __file__, *sys.argv[1:], "--row", row]
            process = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
                env=os.environ | {"PYTHONPATH": python_path},
            )
            measurements[row].append(json.loads(process.stdout.splitlines()[-1]))
    seconds = {row: statistics.median(values) for row, values in measurements.items()}
    rows = table(seconds, options)
    cores = len(os.sched_getaffinity(0))
    speed = 1e-9 / seconds["peak"]
    title = f"{options.dtype}, {cores} cores, matrix product {speed:.1f} GMAC/s"
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(map(str, row.values())) for row in rows)]
    text = f"{title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
    print(text)
    if options.out:
        Path(f"{options.out}.md").write_text(text)
        Path(f"{options.out}.json").write_text(
            json.dumps({"seconds": measurements, "rows": rows}, indent=1)
        )


if __name__ == "__main__":
    main()
