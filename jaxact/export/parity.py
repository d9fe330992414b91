"""Compares an artifact with the network that it was made from."""

import dataclasses
import importlib.metadata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from jaxact.errors import UserError
from jaxact.export.ensemble import Network

TOLERANCE = 1e-4  # largest difference between artifact and network, relative to the largest logit
BATCHES = (1, 7, 8, 8, 8)  # batch sizes of the artifact, for each kind of inputs
REFERENCE_BATCH = 8  # batch size of the network
MISSING = 0.1  # share of the random joints, or pixels, that are zeros

Clips = Float[np.ndarray, "n ..."]


def verify(
    artifact: Callable[[Clips], Any],
    network: Network,
    symbolic: Sequence[str],
    format: str = "artifact",
    clips: Clips | None = None,
) -> dict[str, Any]:
    """Compares an artifact with the network on random inputs, other lengths, and real inputs.

    The network reads batches of eight, the artifact batches of `BATCHES`: its outputs must not
    depend on the batch size.

    Args:
        artifact: the function that was read back from the file.
        network: the network that was exported.
        symbolic: the artifact's symbolic axes; with "frames", two more lengths are compared.
        format: the artifact's name in messages.
        clips: real inputs.

    Returns:
        The inputs and batch sizes; the largest difference of two logits; that difference and the
        tolerance relative to the largest logit; the share of inputs with the same class; and the
        largest range of a logit over the inputs, since the comparison of a network that gives the
        same logits to all of them proves little.

    Raises:
        UserError: a difference over `TOLERANCE` of the largest logit, or another shape.
    """
    frames = network.inputs.shape[1]
    inputs = {"random": _random(network, sum(BATCHES), frames)}
    if "frames" in symbolic:
        for length in (max(frames // 2, 1), frames + 13):
            inputs[f"random of {length} frames"] = _random(network, 2, length)
    if clips is not None:
        inputs["real"] = clips
    comparisons = [_compare(artifact, network, part) for part in inputs.values()]
    worst = max(comparisons, key=lambda comparison: comparison["relative"])
    if not worst["relative"] <= TOLERANCE:
        raise UserError(
            f"the {format} artifact differs from {network.name} by {worst['difference']:.2e}, "
            f"{worst['relative']:.2e} of the largest logit, where {TOLERANCE:.0e} is allowed; "
            "nothing was written"
        )
    counts = {name: len(part) for name, part in inputs.items()}
    agreeing = sum(comparison["agreeing"] for comparison in comparisons)
    return {
        "max_difference": max(comparison["difference"] for comparison in comparisons),
        "max_relative_difference": worst["relative"],
        "tolerance": TOLERANCE,
        "top1_agreement": agreeing / sum(counts.values()),
        "logit_range": max(comparison["range"] for comparison in comparisons),
        "inputs": counts,
        "batch_sizes": sorted(set(BATCHES)),
        "platform": jax.default_backend(),
    }


def versions(*packages: str) -> dict[str, str]:
    """The installed versions of JAX, NumPy and `packages`, or of their CPU builds."""
    installed = {}
    for package in ("jax", "numpy", *packages):
        for name in (package, f"{package}-cpu"):
            try:
                installed[package] = importlib.metadata.version(name)
                break
            except importlib.metadata.PackageNotFoundError:
                continue
    return installed


def real_clips(network: Network, data_dir: str | Path, count: int = sum(BATCHES)) -> Clips:
    """The first clips of the run's evaluation split, preprocessed for the network; first view.

    Args:
        network: one network or an ensemble.
        data_dir: the prepared data.
        count: number of clips.

    Raises:
        UserError: no such data, data that do not fit the network, or streams that records do not
          give side by side.
    """
    from jaxact import config
    from jaxact.datasets import dataset_info
    from jaxact.evaluation import classification
    from jaxact.pipeline import batches

    first = network.nets[0]
    streams = [net.config.clip.stream for net in network.nets]
    if len(streams) > 1 and config.kind(first.config.model.name) != "skeleton":
        raise UserError(
            f"records of videos do not give the streams {', '.join(streams)} side by side; "
            "omit --data-dir"
        )
    data = first.config.data
    info = dataset_info.load(data.name, str(data_dir))
    classification.check_data(info, first)
    clip = dataclasses.asdict(first.config.clip) | {"stream": "+".join(streams)}
    source = batches.eval_batches(info, split=data.eval_split, batch_size=count, clip=clip)
    batch = next(iter(source))
    rows = np.asarray(batch["mask"])
    return np.asarray(batch["inputs"], np.float32)[rows, 0]


def _compare(artifact: Callable[[Clips], Any], network: Network, clips: Clips) -> dict[str, float]:
    parts = _parts(clips, (REFERENCE_BATCH,))
    expected = np.concatenate([network.reference(part) for part in parts])
    actual = np.concatenate([np.asarray(artifact(part)) for part in _parts(clips, BATCHES)])
    if actual.shape != expected.shape:
        raise UserError(f"the artifact returns the shape {actual.shape}; wanted {expected.shape}")
    difference = float(np.abs(actual - expected).max())
    return {
        "difference": difference,
        "range": float(np.ptp(expected, axis=0).max()),
        "relative": difference / max(float(np.abs(expected).max()), 1e-6),
        "agreeing": int((actual.argmax(-1) == expected.argmax(-1)).sum()),
    }


def _parts(clips: Clips, sizes: Sequence[int]) -> Iterator[Clips]:
    """Splits `clips` into batches of these sizes; repeats the last size."""
    start = 0
    number = 0
    while start < len(clips):
        size = sizes[min(number, len(sizes) - 1)]
        yield clips[start : start + size]
        start += size
        number += 1


def _random(network: Network, count: int, frames: int) -> Clips:
    """Random clips that differ in size, pose and motion, with missing joints.

    Noise alone would look the same to a network that averages over frames and joints.
    """
    random = np.random.default_rng(0)
    shape = (count, frames, *network.inputs.shape[2:])
    present = random.random((*shape[:-1], 1)) >= MISSING
    pose = random.standard_normal((count, 1, *shape[2:]))
    size = random.uniform(0.2, 2.0, (count, *(1,) * (len(shape) - 1)))
    motion = 0.5 * random.standard_normal(shape)
    return np.where(present, size * (pose + motion), 0).astype(np.float32)
