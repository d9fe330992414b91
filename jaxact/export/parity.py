"""The proof that an artifact is the network: both are asked the same, and the answers compared."""

import importlib.metadata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from jaxact.errors import UserError
from jaxact.export.ensemble import Network

TOLERANCE = (
    1e-4  # of the largest logit, between the artifact read back and the network it came from
)
BATCHES = (1, 7, 8, 8, 8)  # rows at a time, of each kind of inputs
MISSING = 0.1  # share of the random joints, or pixels, that are zeros

Clips = Float[np.ndarray, "n ..."]


def prove(
    artifact: Callable[[Clips], Any],
    network: Network,
    symbolic: Sequence[str],
    format: str = "artifact",
    clips: Clips | None = None,
) -> dict[str, Any]:
    """Compares an artifact with the network on random inputs, on other lengths where it takes them,
    and on real ones.

    The network answers to eight inputs at a time, the artifact to `BATCHES`: its answers must not
    depend on that.

    Args:
      artifact: what was read back.
      symbolic: its symbolic axes.
      format: what messages call it.
      clips: real inputs.

    Returns:
      The certificate: inputs and batch sizes, the largest difference of two logits, that difference
      and the bound as shares of the largest logit, the share of inputs that get the same class, and
      the largest range of a logit over the inputs: a network that answers the same to all of them
      has not been compared much.

    Raises:
      UserError: a difference over `TOLERANCE` of the largest logit, or another shape.
    """
    sets = {"random": _random(network, sum(BATCHES), network.inputs.shape[1])}
    if "frames" in symbolic:
        frames = network.inputs.shape[1]
        sets |= {
            f"random of {t} frames": _random(network, 2, t)
            for t in (max(frames // 2, 1), frames + 13)
        }
    if clips is not None:
        sets["real"] = clips
    found = {name: _compare(artifact, network, given) for name, given in sets.items()}
    worst = max(found.values(), key=lambda one: one["relative"])
    counts = {name: len(given) for name, given in sets.items()}
    if not worst["relative"] <= TOLERANCE:
        raise UserError(
            f"the {format} artifact differs from {network.name} by {worst['difference']:.2e}, "
            f"{worst['relative']:.2e} of the largest logit, where {TOLERANCE:.0e} is allowed; nothing was written"
        )
    agreeing = sum(one["agreeing"] for one in found.values())
    return {
        "max_difference": max(one["difference"] for one in found.values()),
        "max_relative_difference": worst["relative"],
        "tolerance": TOLERANCE,
        "top1_agreement": agreeing / sum(counts.values()),
        "logit_range": max(one["range"] for one in found.values()),
        "inputs": counts,
        "batch_sizes": sorted(set(BATCHES)),
        "platform": jax.default_backend(),
    }


def versions(*packages: str) -> dict[str, str]:
    """Versions of what made and read an artifact."""
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
    """The first clips of the run's evaluation split, as the network sees them; first view.

    Raises:
      UserError: no such data, data that do not fit the network, or streams that records do not give
          side by side.
    """
    import dataclasses

    from jaxact import config
    from jaxact.datasets import dataset_info
    from jaxact.evaluation import classification
    from jaxact.pipeline import batches

    net = network.nets[0]
    streams = [one.config.clip.stream for one in network.nets]
    if len(streams) > 1 and config.kind(net.config.model.name) != "skeleton":
        raise UserError(
            f"records of videos do not give the streams {', '.join(streams)} side by side; omit --data-dir"
        )
    info = dataset_info.load(net.config.data.name, str(data_dir))
    classification.check_data(info, net)
    clip = dataclasses.asdict(net.config.clip) | {"stream": "+".join(streams)}
    batch = next(
        iter(
            batches.eval_batches(
                info, split=net.config.data.eval_split, batch_size=count, clip=clip
            )
        )
    )
    return np.asarray(batch["inputs"], np.float32)[np.asarray(batch["mask"]), 0]


def _compare(artifact: Callable[[Clips], Any], network: Network, clips: Clips) -> dict[str, float]:
    wanted = np.concatenate(
        [network.reference(part) for part in _parts(clips, (8,) * (len(clips) // 8 + 1))]
    )
    found = np.concatenate([np.asarray(artifact(part)) for part in _parts(clips, BATCHES)])
    if found.shape != wanted.shape:
        raise UserError(f"the artifact answers with the shape {found.shape}; wanted {wanted.shape}")
    difference = float(np.abs(found - wanted).max())
    return {
        "difference": difference,
        "range": float(np.ptp(wanted, axis=0).max()),
        "relative": difference / max(float(np.abs(wanted).max()), 1e-6),
        "agreeing": int((found.argmax(-1) == wanted.argmax(-1)).sum()),
    }


def _parts(clips: Clips, sizes: Sequence[int]) -> Iterator[Clips]:
    """`clips` in parts of these sizes, the last of them again and again where there are more."""
    start = 0
    for size in (*sizes, *(sizes[-1],) * (len(clips) // sizes[-1])):
        if start < len(clips):
            yield clips[start : start + size]
            start += size


def _random(network: Network, count: int, frames: int) -> Clips:
    """Clips each of a size, a pose and a movement of its own, of which some joints are missing.

    Noise alone would look the same to a network that averages over frames and joints.
    """
    random = np.random.default_rng(0)
    shape = (count, frames, *network.inputs.shape[2:])
    there = random.random((*shape[:-1], 1)) >= MISSING
    pose = random.standard_normal((count, 1, *shape[2:]))
    size = random.uniform(0.2, 2.0, (count, *(1,) * (len(shape) - 1)))
    return np.where(there, size * (pose + 0.5 * random.standard_normal(shape)), 0).astype(
        np.float32
    )
