"""The batches of a run: from prepared records through tf.data, or from arrays in memory.

Arrays need no TensorFlow.
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
class DataSource:
    """Training and evaluation batches, and what they are.

    Attributes:
        labels: class names, in the order of the targets.
        layout: the joints.
        channels: what the numbers of a joint are, e.g. ("x", "y", "score").
        size: number of training examples, over all processes.
        train: returns this process's endless batches from a step on.
        evaluate: returns this process's batches of one pass over the evaluation split.
        version: version of the prepared records.
        radii: mean distance of each joint from the gravity centre, if the model needs it.
    """

    labels: tuple[str, ...]
    layout: Layout
    channels: tuple[str, ...]
    size: int
    train: Callable[[int], Iterable[Batch]]
    evaluate: Callable[[], Iterable[Batch]]
    version: str = ""
    radii: tuple[float, ...] | None = None


def from_records(config: configs.TrainConfig) -> DataSource:
    """Batches of prepared records through tf.data.

    Raises:
        UserError: no such data set, or one that does not fit the run's model or protocol.
    """
    from jaxact.datasets import dataset_info, records
    from jaxact.pipeline import batches

    data = config.data
    info = dataset_info.load(data.name, data.data_dir)
    kind = configs.kind(config.model.name)
    if info.kind != kind:
        raise UserError(
            f"the model {config.model.name!r} reads records of the kind {kind!r}, "
            f"those of {info.name!r} are of the kind {info.kind!r}; "
            "use a config whose model and data set go together"
        )
    protocols.check(config.protocol, layout=info.layout, channels=info.channels)
    clip = dataclasses.asdict(config.clip)
    augment = dataclasses.asdict(config.augment)

    def train(start_step: int) -> Iterable[Batch]:
        return batches.train_batches(
            info,
            split=data.train_split,
            batch_size=config.batch_size,
            seed=config.seed,
            start_step=start_step,
            shuffle_buffer=data.shuffle_buffer,
            clip=clip,
            augment=augment,
            **_process(),
        )

    def evaluate() -> Iterable[Batch]:
        return batches.eval_batches(
            info,
            split=data.eval_split,
            batch_size=_eval_batch_size(config),
            clip=clip,
            **_process(),
        )

    radii = None
    if getattr(config.model, "metric", "hop") == "gravity":
        radii = batches.gravity_radii(info, data.train_split, clip=clip)
    return DataSource(
        labels=info.labels,
        layout=info.layout,
        channels=info.channels,
        size=records.count(info, data.train_split),
        train=train,
        evaluate=evaluate,
        version=info.version,
        radii=radii,
    )


def from_arrays(
    config: configs.TrainConfig,
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
    *,
    labels: tuple[str, ...],
    layout: Layout,
    channels: tuple[str, ...],
) -> DataSource:
    """Batches of arrays in memory.

    Args:
        config: the run's config.
        train: `(inputs [n, t, m, v, c], targets [n])` of the training examples.
        test: the same of the evaluation examples.
        labels, layout, channels: see `DataSource`.
    """
    from jaxact.pipeline import arrays

    def train_batches(start_step: int) -> Iterable[Batch]:
        return arrays.train_batches_from_arrays(
            *train,
            batch_size=config.batch_size,
            seed=config.seed,
            start_step=start_step,
            **_process(),
        )

    def eval_batches() -> Iterable[Batch]:
        return arrays.eval_batches_from_arrays(
            *test, batch_size=_eval_batch_size(config), **_process()
        )

    return DataSource(
        labels=labels,
        layout=layout,
        channels=channels,
        size=len(train[1]),
        train=train_batches,
        evaluate=eval_batches,
    )


def _process() -> dict[str, Any]:
    """The arguments that select this process's rows of a batch."""
    return {"process_index": jax.process_index(), "process_count": jax.process_count()}


def _eval_batch_size(config: configs.TrainConfig) -> int:
    """As many clips as in a training batch, rounded up to a multiple of the devices."""
    devices = config.devices or jax.device_count()
    examples = max(1, config.batch_size // max(1, config.clip.views))
    return -(-examples // devices) * devices
