"""Where a run's batches come from: prepared records through tf.data, or arrays in memory without
TensorFlow.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax
import numpy as np

from jaxact import config as configs
from jaxact.config import protocols
from jaxact.errors import UserError
from jaxact.skeletons import Layout

Batch = Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where batches come from: prepared records (`from_records`), or arrays in memory
    (`from_arrays`).

    Attributes:
      size: training examples, over all processes.
      train: the endless batches of this process from a step on.
      evaluate: this process's batches of one pass over the evaluation split.
      version: of the prepared records.
      radii: mean distance of each joint from the gravity centre, where the model asks for it.
    """

    labels: tuple[str, ...]
    layout: Layout
    channels: tuple[str, ...]
    size: int
    train: Callable[[int], Iterable[Batch]]
    evaluate: Callable[[], Iterable[Batch]]
    version: str = ""
    radii: tuple[float, ...] | None = None


def from_records(run: configs.TrainConfig) -> Source:
    """Batches of prepared records through tf.data.

    Raises:
      UserError: no such data set, or one that the run's model or protocol is not for.
    """
    from jaxact.datasets import dataset_info, records
    from jaxact.pipeline import batches

    info = dataset_info.load(run.data.name, run.data.data_dir)
    if info.kind != (wanted := configs.kind(run.model.name)):
        raise UserError(
            f"the model {run.model.name!r} reads records of the kind {wanted!r}, those of {info.name!r} are of the "
            f"kind {info.kind!r}; take a config whose model and data set go together"
        )
    protocols.check(run.protocol, layout=info.layout, channels=info.channels)
    clip, augment = dataclasses.asdict(run.clip), dataclasses.asdict(run.augment)
    return Source(
        labels=info.labels,
        layout=info.layout,
        channels=info.channels,
        size=records.count(info, run.data.train_split),
        train=lambda start: batches.train_batches(
            info,
            split=run.data.train_split,
            batch_size=run.batch_size,
            seed=run.seed,
            start_step=start,
            shuffle_buffer=run.data.shuffle_buffer,
            clip=clip,
            augment=augment,
            **_share(),
        ),
        evaluate=lambda: batches.eval_batches(
            info, split=run.data.eval_split, batch_size=_eval_size(run), clip=clip, **_share()
        ),
        version=info.version,
        radii=batches.gravity_radii(info, run.data.train_split, clip=clip)
        if _by_gravity(run)
        else None,
    )


def from_arrays(
    run: configs.TrainConfig,
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    *,
    labels: tuple[str, ...],
    layout: Layout,
    channels: tuple[str, ...],
) -> Source:
    """Batches of arrays in memory, `(inputs [n, t, m, v, c], targets [n])`, without TensorFlow."""
    from jaxact.pipeline import arrays

    return Source(
        labels=labels,
        layout=layout,
        channels=channels,
        size=len(train[1]),
        train=lambda start: arrays.train_batches_from_arrays(
            *train, batch_size=run.batch_size, seed=run.seed, start_step=start, **_share()
        ),
        evaluate=lambda: arrays.eval_batches_from_arrays(
            *test, batch_size=_eval_size(run), **_share()
        ),
    )


def _by_gravity(run: configs.TrainConfig) -> bool:
    return getattr(run.model, "metric", "hop") == "gravity"


def _share() -> dict[str, Any]:
    """Which part of a batch is this process's."""
    return {"process_index": jax.process_index(), "process_count": jax.process_count()}


def _eval_size(run: configs.TrainConfig) -> int:
    """Evaluation batches hold about as many clips as training batches, and divide over the
    devices.
    """
    devices = run.devices or jax.device_count()
    return -(-max(1, run.batch_size // max(1, run.clip.views)) // devices) * devices
