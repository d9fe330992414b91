"""Benchmarks Xception here, in Keras and in PyTorch, and the reading of video files.

    python scripts/bench_frames.py                               # 40 frames of 299 px, one clip
    taskset -c 0 python scripts/bench_frames.py --raw UCF101     # on one core; also reads files
    python scripts/bench_frames.py --dtype bfloat16 --out bench

Each implementation runs in its own process, one after the other and `--rounds` times over, so that
a slow phase of the machine affects all of them. Times are medians over rounds of the fastest
repetition of a round; ratios are those of one call of this script. Keras is keras.applications on
TensorFlow; PyTorch is the same layers written out below, channels last, eager and compiled. All
have the same number of weights, which is checked. A package that is not installed, or that does not
use the GPU that JAX uses, is listed and skipped. Files are parsed as by `jaxact prepare` (frames,
JPEG at a short side of 256) and compared with PyAV, which decodes them to arrays, in seconds of
processor time: one process, one thread.
"""

import argparse
import functools
import importlib.util
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

WEIGHTS = 20_861_480  # parameters and running statistics


def timed(
    work: Callable[[], Any], repetitions: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, Any]:
    """Seconds of the first call and of the fastest other one; `work` blocks until its result."""
    seconds = []
    for _ in range(repetitions + 1):
        start = clock()
        work()
        seconds.append(clock() - start)
    return {"first": seconds[0], "seconds": min(seconds[1:])}


def frames(options: argparse.Namespace) -> np.ndarray:
    """A random clip [t h w 3], from -1 to 1."""
    shape = (options.frames, options.size, options.size, 3)
    return np.random.default_rng(1).uniform(-1, 1, shape).astype(np.float32)


def run_jaxact(options: argparse.Namespace) -> dict[str, Any]:
    """Our forward pass, compiled as evaluation compiles it."""
    from jaxact.cli.malloc import keep_pages

    keep_pages()
    import jax
    import jax.numpy as jnp

    from jaxact.models.xception import Xception

    model = Xception(dtype=options.dtype)
    shapes = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 1, 75, 75, 3)))
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == WEIGHTS
    random = np.random.default_rng(0)
    weights = jax.tree.map(
        lambda leaf: jnp.asarray(random.uniform(0.01, 0.1, leaf.shape), leaf.dtype), shapes
    )
    clip = jnp.asarray(frames(options)[None])
    forward = jax.jit(model.apply)
    times = timed(lambda: jax.block_until_ready(forward(weights, clip)), options.repetitions)
    return times | {"gpu": jax.default_backend() != "cpu"}


def run_keras(options: argparse.Namespace) -> dict[str, Any]:
    """keras.applications in a TensorFlow graph."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    import tensorflow as tf

    keras.config.set_dtype_policy("mixed_bfloat16" if options.dtype == "bfloat16" else "float32")
    shape = (options.size, options.size, 3)
    xception: Any = keras.applications.Xception
    model = xception(include_top=False, weights=None, input_shape=shape)
    assert model.count_params() == WEIGHTS
    forward = tf.function(lambda clip: model(clip, training=False))
    clip = tf.constant(frames(options))
    times = timed(lambda: forward(clip)[0, 0, 0, 0].numpy(), options.repetitions)
    return times | {"gpu": bool(tf.config.list_physical_devices("GPU"))}


def run_torch(options: argparse.Namespace, *, compiled: bool) -> dict[str, Any]:
    """The same layers in PyTorch, eager or through torch.compile."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    layout: Any = {"device": device, "memory_format": torch.channels_last}
    model = torch_xception().eval().to(**layout)
    arrays = [array for name, array in model.state_dict().items() if "num_batches" not in name]
    assert sum(array.numel() for array in arrays) == WEIGHTS
    clip = torch.from_numpy(frames(options)).permute(0, 3, 1, 2).to(**layout)
    forward = torch.compile(model) if compiled else model

    def run_once() -> None:
        with (
            torch.inference_mode(),
            torch.autocast(device, torch.bfloat16, enabled=options.dtype == "bfloat16"),
        ):
            forward(clip)
        if device == "cuda":
            torch.cuda.synchronize()

    return timed(run_once, options.repetitions) | {"gpu": device == "cuda"}


def torch_xception() -> Any:
    """Xception without its classifier."""
    from torch import nn

    def norm(features: int) -> nn.Module:
        return nn.BatchNorm2d(features, eps=1e-3)

    def plain(inputs: int, features: int, kernel: int, stride: int) -> list[nn.Module]:
        return [nn.Conv2d(inputs, features, kernel, stride, bias=False), norm(features)]

    def separable(inputs: int, features: int) -> list[nn.Module]:
        depthwise = nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False)
        return [depthwise, nn.Conv2d(inputs, features, 1, bias=False), norm(features)]

    class Block(nn.Module):
        def __init__(self, *widths: int, pool: bool = True) -> None:
            super().__init__()
            layers: list[nn.Module] = []
            for inputs, features in itertools.pairwise(widths):
                layers += [nn.ReLU(), *separable(inputs, features)]
            self.shortcut = nn.Identity()
            if pool:
                layers.append(nn.MaxPool2d(3, 2, 1))
                self.shortcut = nn.Sequential(*plain(widths[0], widths[-1], 1, 2))
            self.branch = nn.Sequential(*layers)

        def forward(self, x: Any) -> Any:
            return self.branch(x) + self.shortcut(x)

    stem = [*plain(3, 32, 3, 2), nn.ReLU(), *plain(32, 64, 3, 1), nn.ReLU()]
    entry = [Block(64, 128, 128), Block(128, 256, 256), Block(256, 728, 728)]
    middle = [Block(728, 728, 728, 728, pool=False) for _ in range(8)]
    tail = [*separable(1024, 1536), nn.ReLU(), *separable(1536, 2048), nn.ReLU()]
    return nn.Sequential(*stem, *entry, *middle, Block(728, 728, 1024), *tail)


def run_prepare(options: argparse.Namespace) -> dict[str, Any]:
    """Parses files as `jaxact prepare` does, to what a record stores."""
    from jaxact.datasets.formats import video_encoding

    return over_files(options, lambda path: video_encoding.encode(path, short_side=256))


def run_pyav(options: argparse.Namespace) -> dict[str, Any]:
    """Decodes files to arrays of pixels, as in PyAV's manual."""
    import av

    def read(path: str) -> None:
        with av.open(path) as container:
            stream = container.streams.video[0]
            stream.thread_type, stream.codec_context.thread_count = "NONE", 1
            for frame in container.decode(stream):
                frame.to_ndarray(format="rgb24")

    return over_files(options, read)


def over_files(options: argparse.Namespace, work: Callable[[str], Any]) -> dict[str, Any]:
    """Processor seconds for all files; the first repetition reads them into the page cache."""
    from jaxact.datasets.preparation.video_builder import video_files

    paths = list(map(str, video_files(Path(options.raw), "videos")[: options.clips]))
    times = timed(lambda: [work(path) for path in paths], options.repetitions, time.process_time)
    return times | {"clips": len(paths), "gpu": False}


FORWARD = {
    "jaxact": ("jax", run_jaxact),
    "Keras": ("keras", run_keras),
    "PyTorch eager": ("torch", functools.partial(run_torch, compiled=False)),
    "torch.compile": ("torch", functools.partial(run_torch, compiled=True)),
}
DECODE = {"jaxact prepare": ("av", run_prepare), "PyAV to arrays": ("av", run_pyav)}


def measure(side: str, options: argparse.Namespace) -> dict[str, Any]:
    """One measurement in a fresh process."""
    command = [sys.executable, __file__, "--side", side]
    for name in ("frames", "size", "repetitions", "dtype", "raw", "clips"):
        command.append(f"--{name}={getattr(options, name)}")
    root = str(Path(__file__).resolve().parents[1])
    python_path = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": python_path}
    environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    process = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, env=environment
    )
    return json.loads(process.stdout.splitlines()[-1])


def compare(
    sides: dict[str, tuple[str, Callable]], options: argparse.Namespace
) -> list[dict[str, Any]]:
    """A row for each implementation; the first is ours."""
    rows: list[dict[str, Any]] = []
    runs: dict[str, list[dict[str, Any]]] = {}
    for side, (package, _) in sides.items():
        if importlib.util.find_spec(package):
            runs[side] = []
        else:
            rows.append({"side": side, "why": "not installed"})
    for _ in range(options.rounds):
        for side in runs:
            runs[side].append(measure(side, options))
            print(f"{side}: {runs[side][-1]['seconds']:.3f} s", file=sys.stderr)
    ours = runs[next(iter(sides))]
    our_seconds = statistics.median(run["seconds"] for run in ours)
    for side, rounds in runs.items():
        if rounds[0]["gpu"] != ours[0]["gpu"]:
            device = "GPU" if rounds[0]["gpu"] else "no GPU"
            rows.append({"side": side, "why": f"{device}, unlike jaxact"})
            continue
        count, unit = options.frames, "frames"
        if "clips" in rounds[0]:
            count, unit = rounds[0]["clips"], "clips"
        seconds = statistics.median(run["seconds"] for run in rounds)
        row = {
            "side": side,
            "seconds": seconds,
            "first": max(run["first"] for run in rounds),
            "rate": count / seconds,
            "unit": unit,
            "times_faster_here": seconds / our_seconds,
        }
        rows.append(row)
    return rows


def line(row: dict[str, Any]) -> str:
    """A row as Markdown."""
    if "why" in row:
        return f"| {row['side']} | left out: {row['why']} | | | |"
    rate = f"{row['rate']:.2f} {row['unit']}/s"
    if row["unit"] == "clips":
        rate += " per core"
    times = f"{row['seconds']:.3f} | {row['first']:.1f}"
    return f"| {row['side']} | {times} | {rate} | {row['times_faster_here']:.2f} |"


def main() -> None:
    """Prints a row for each implementation."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--size", type=int, default=299, help="pixels")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repetitions", type=int, default=3, help="timed calls a round")
    parser.add_argument("--clips", type=int, default=32, help="video files that are read")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--raw", default="", help="also parse this folder's video files")
    parser.add_argument("--out", help="writes OUT.md and OUT.json")
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps((FORWARD | DECODE)[options.side][1](options)))
        return
    rows = compare(FORWARD, options)
    if options.raw:
        rows += compare(DECODE, options)
    cores = len(os.sched_getaffinity(0))
    title = f"{options.frames} frames of {options.size} px, {options.dtype}, cores: {cores}"
    columns = "| | seconds | first call, seconds | speed | times faster here |"
    text = "\n".join([title, "", columns, "|---|---|---|---|---|", *map(line, rows)]) + "\n"
    print(text, end="")
    if options.out:
        Path(f"{options.out}.md").write_text(text)
        Path(f"{options.out}.json").write_text(
            json.dumps({"options": vars(options), "rows": rows}, indent=1)
        )


if __name__ == "__main__":
    main()
