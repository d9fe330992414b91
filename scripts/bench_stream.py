"""Frames per second of online recognition with random weights: the pose network, the recogniser,
and the whole chain.

    python scripts/bench_stream.py --out stream                  # writes stream.md and stream.json
    taskset -c 0 python scripts/bench_stream.py                  # on one core
    python scripts/bench_stream.py --video clip.mp4 --people 4   # the chain on a file's own frames

Every row runs in a process of its own, one after the other and `--rounds` times over, so that a
slow spell of the machine meets all of them; times are medians over rounds of a round's fastest
frame, and of the chain's mean one. The floor of a pose network is the time that its multiplications
(2.52 and 1.55 GMAC at 224 px) take at the speed of the fastest square matrix product; the
recogniser's are the window's 22.2 and the carried state's 1.8 MMAC. The chain is what `jaxact
stream` does to every frame: a picture of `--height` rows, fitted, the pose network and its
decoding, tracks, the recogniser for `--people` people (poses of a walk stand in for those that
random weights would not find).
"""

import argparse
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
    """Seconds of the fastest call but the first two, which compile and touch new memory."""
    seconds = []
    for _ in range(repetitions + 2):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds[2:])


def drawn(model: Any, shape: tuple[int, ...]) -> Any:
    """Random variables of a network, none of them compiled for."""
    import jax
    import jax.numpy as jnp

    shapes = jax.eval_shape(lambda: model.init(jax.random.key(0), jnp.zeros(shape)))
    random = np.random.default_rng(0)
    return jax.tree.map(
        lambda leaf: jnp.asarray(random.uniform(0.01, 0.1, leaf.shape), leaf.dtype), shapes
    )


def peak(options: argparse.Namespace) -> float:
    """Seconds of a multiply-add of the fastest square matrix product."""
    import jax
    import jax.numpy as jnp

    size = options.matrix or (2048 if jax.default_backend() == "cpu" else 8192)
    a, dot = jnp.ones((size, size), options.dtype), jax.jit(jnp.dot)
    return fastest(lambda: dot(a, a).block_until_ready(), options.repetitions) / size**3


def net(model: Any, section: Any, clip: Any, layout: str, shape: tuple[int, ...]) -> Any:
    """A network with random weights as a run would hold it."""
    from jaxact import config, skeletons
    from jaxact.runs import trained_model

    run = config.TrainConfig(model=section, clip=clip)
    known = skeletons.get_layout(layout)
    labels = tuple(map(str, range(32)))
    return trained_model.TrainedModel(
        model, drawn(model, shape), run, known, labels, ("x", "y", "score"), 0, "random"
    )


def finder(width: float, options: argparse.Namespace) -> Any:
    """A pose network that looks at pictures."""
    from jaxact import config
    from jaxact.models.pose_net import PoseNet
    from jaxact.streaming.pose_estimator import PoseNetEstimator

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
    """A recogniser on a stream, and how it reads poses."""
    import dataclasses

    from jaxact import config, models, skeletons
    from jaxact.streaming import online_classifier
    from jaxact.streaming.preprocessing import PosePreprocessor

    layout = skeletons.get_layout("body-14")
    section = config.RecogniserConfig()
    spec = models.InputSpec(layout=layout, num_classes=32, channels=("x", "y", "score"))
    model = models.build("recogniser", spec)
    how = config.ClipConfig(frames=FRAMES, persons=1)
    made = net(model, section, how, "body-14", (1, FRAMES, 1, 14, 3))
    preprocessor = PosePreprocessor(layout, made.channels, dataclasses.asdict(how))
    return online_classifier.build(made, preprocessor, carry=carry), preprocessor


def walkers(count: int, number: int) -> np.ndarray:
    """People who walk through a picture of 640 x 480, side by side."""
    body = np.random.default_rng(0).uniform(-1, 1, (14, 2)) * (20, 60)
    people = np.zeros((count, 14, 3), np.float32)
    for each, person in enumerate(people):
        person[:, :2] = body + np.array(
            [30 + 580 * (each + 0.5) / count + 10 * np.sin(number / 9), 240]
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
    """Seconds of a frame on the whole way, the mean of all but the first ones."""
    from jaxact.streaming.frame import Frame
    from jaxact.streaming.processor import StreamProcessor

    find = finder(width, options)
    classifier, preprocessor = recogniser(carry=False)

    class Eye:
        layout, seconds = find.layout, find.seconds
        number = 0

        def __call__(self, picture: np.ndarray) -> np.ndarray:
            find(picture)
            self.number += 1
            return walkers(options.people, self.number)

    images = pictures(options)
    processor = StreamProcessor(
        estimator=Eye(), classifier=classifier, preprocessor=preprocessor, persons=options.people
    )
    warm, start = 3, 0.0
    for number in range(options.frames + warm):
        start = time.perf_counter() if number == warm else start
        processor.process(Frame(number, number / 25, images[number % len(images)]))
    return (time.perf_counter() - start) / options.frames


def measure(row: str, options: argparse.Namespace) -> float:
    """Seconds of one row, in the process made for it."""
    from jaxact.cli.malloc import keep_pages

    keep_pages()
    kind, _, which = row.partition(" ")
    if kind == "peak":
        return peak(options)
    if kind == "chain":
        return chain(float(which), options)
    if kind == "recogniser":
        classifier, preprocessor = recogniser(which == "carried")
        frame = preprocessor.convert(walkers(1, 0), "body-14", (480, 640))[0]
        return fastest(lambda: classifier.step({0: frame}, [0]), 4 * options.repetitions)
    import jax
    import jax.numpy as jnp

    find = finder(float(which), options)
    picture = jnp.zeros((1, options.size, options.size, 3))
    return fastest(
        lambda: jax.block_until_ready(find._apply(find._weights, picture)), options.repetitions
    )


def table(seconds: dict[str, float], options: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows as they are printed."""
    rows = []
    for row in ROWS[1:]:
        kind, _, which = row.partition(" ")
        macs = MMAC.get(which, 0) * 1e6
        if kind == "pose":
            macs = GMAC[float(which)] * 1e9 * (options.size / 224) ** 2
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
    parser.add_argument("--height", type=int, default=480, help="of its noise, pixels")
    parser.add_argument(
        "--size", type=int, default=224, help="of what the pose network reads, pixels"
    )
    parser.add_argument("--people", type=int, default=1)
    parser.add_argument("--frames", type=int, default=40, help="of the chain, a round")
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
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    found: dict[str, list[float]] = {row: [] for row in ROWS}
    for _ in range(options.rounds):
        for row in ROWS:
            command = [sys.executable, __file__, *sys.argv[1:], "--row", row]
            ran = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
                env=os.environ | {"PYTHONPATH": path},
            )
            found[row].append(json.loads(ran.stdout.splitlines()[-1]))
    seconds = {row: statistics.median(values) for row, values in found.items()}
    rows = table(seconds, options)
    head = f"{options.dtype}, {len(os.sched_getaffinity(0))} cores, matrix product {1e-9 / seconds['peak']:.1f} GMAC/s"
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(map(str, row.values())) for row in rows)]
    text = f"{head}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
    print(text)
    if options.out:
        Path(f"{options.out}.md").write_text(text)
        Path(f"{options.out}.json").write_text(
            json.dumps({"seconds": found, "rows": rows}, indent=1)
        )


if __name__ == "__main__":
    main()
