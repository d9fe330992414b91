"""Prepared records to batches of numpy arrays.

Training: files of a process's share, in an order drawn for the epoch -> shuffle -> next epoch ->
skip -> position -> decode and `train` of the records' family -> batch -> prefetch. Nothing is
decoded before it is skipped, and whole epochs are skipped by starting at the right one, so that
resuming costs no more than reading past a part of one epoch. Order and augmentation depend on
(seed, position) alone: a resumed run sees the bytes an uninterrupted one would.

Evaluation: one pass in stored order; every record is in exactly one row of one process, the rest is
padding that `mask` marks.
"""

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from jaxact import skeletons
from jaxact.datasets import records as read
from jaxact.errors import UserError
from jaxact.pipeline import person_selection
from jaxact.pipeline.device_prefetch import to_devices
from jaxact.pipeline.joints import finite
from jaxact.pipeline.modality import WHO, family

__all__ = ["eval_batches", "gravity_radii", "to_devices", "train_batches"]

# The GPU is JAX's: a TensorFlow that can see it would take all of its memory. Too late where
# TensorFlow already runs.
with contextlib.suppress(RuntimeError):
    tf.config.set_visible_devices([], "GPU")

PREFETCH_BYTES = (
    1 << 29
)  # two batches wait where they are smaller than this, one where they are larger
OPEN_FILES = 16  # read in turn, so that the cells of a split mix before the shuffle buffer
SHUFFLE_BYTES = 1 << 30  # the shuffle buffer holds stored records of at most this size
ENDLESS = np.iinfo(np.int64).max


def train_batches(
    info: read.DatasetInfo,
    *,
    split: str,
    batch_size: int,
    seed: int,
    clip: Mapping[str, Any],
    augment: Mapping[str, Any],
    start_step: int = 0,
    process_index: int = 0,
    process_count: int = 1,
    shuffle_buffer: int = 8192,
) -> Iterator[dict[str, np.ndarray]]:
    """Endless full training batches from `start_step` on.

    An epoch runs on into the next inside a batch. With several processes each example belongs to
    one process, which shuffles its own share; the share's length may differ by one, so that epochs
    of processes drift apart slowly.

    Args:
      batch_size: examples per step over all processes; a process yields `batch_size /
          process_count` rows.
      seed: of order and augmentation, in [0, 2**32).
      clip: the fields of the clip section.
      augment: the fields of the augment section.
      start_step: steps already taken.
      shuffle_buffer: records the order is mixed over; fewer where they would take more than
          `SHUFFLE_BYTES`.

    Returns:
      Iterator of {inputs f32 [b, t, m, v, c], or [b, t, h, w, c] of videos, targets i32 [b]}; of
      pictures with people {inputs f32 [b, h, w, c], targets, a dict of maps}.

    Raises:
      UserError: an option that cannot be used, an unknown or empty split, a batch the processes do
          not divide.
    """
    make = family(info)
    make.check(clip=clip, augment=augment)
    rows = _rows(batch_size, process_count)
    if not 0 <= seed < 2**32:
        raise UserError(f"seed is {seed!r}, but must lie in [0, 2**32)")
    if shuffle_buffer < 1:
        raise UserError(f"data.shuffle_buffer is {shuffle_buffer!r}, but must be at least 1")
    shards = read.shards(info, split)
    share = _share(info, split, process_index, process_count)
    if not share:
        raise UserError(
            f"split {split!r} of {info.name!r} has {read.count(info, split)} records, "
            f"too few for {process_count} processes"
        )
    first_epoch, offset = divmod(start_step * rows, share)
    decode = read.parser(info, make.fields(clip))

    def example(position: tf.Tensor, stored: tf.Tensor) -> dict[str, tf.Tensor]:
        pair = tf.stack([tf.constant(seed, tf.int64), position * process_count + process_index])
        return make.train(decode(stored), pair, **clip, **augment)

    buffer = min(shuffle_buffer, share, _records_in(SHUFFLE_BYTES, shards))
    stored = _epochs(
        shards, first_epoch, seed=seed, buffer=buffer, index=process_index, count=process_count
    )
    positions = tf.data.Dataset.range(start_step * rows, ENDLESS)
    data = tf.data.Dataset.zip(positions, stored.skip(offset))
    data = data.map(_plain(example), num_parallel_calls=tf.data.AUTOTUNE)
    prefetch = _prefetch((rows, *make.input_shape(clip=clip)))
    return _numpy(data.batch(rows, drop_remainder=True).prefetch(prefetch))


def eval_batches(
    info: read.DatasetInfo,
    *,
    split: str,
    batch_size: int,
    clip: Mapping[str, Any],
    process_index: int = 0,
    process_count: int = 1,
    classes: Collection[int] | None = None,
) -> Iterator[dict[str, np.ndarray]]:
    """One pass over a split in stored order; every process yields the same number of full batches.

    Process i has the records i, i + n, i + 2n ... of n processes. Rows beyond the last record are
    padding: zeros, `mask` False, an empty id.

    Args:
      batch_size: rows per batch over all processes; a process yields `batch_size / process_count`
          of them.
      clip: the fields of the clip section.
      classes: label ids to keep; None is all.

    Returns:
      Iterator of {inputs f32 [b, views, t, m, v, c], or [b, views, t, h, w, c] of videos, targets
      i32 [b], mask bool [b], id object [b]}; of pictures with people as in training, with a view
      axis.

    Raises:
      UserError: an option that cannot be used, an unknown split, a label id the set lacks, no
          record left.
    """
    make = family(info)
    make.check(clip=clip, augment=None)
    rows = _rows(batch_size, process_count)
    stored, total = read.serialized(info, split), read.count(info, split)
    if classes is not None:
        stored, total = _of_classes(info, split, stored, classes)
    if not total:
        chosen = "" if classes is None else f" of the classes {sorted(classes)}"
        raise UserError(
            f"split {split!r} of {info.name!r} has no records{chosen}; nothing can be evaluated"
        )
    decode = read.parser(info, make.fields(clip))

    def example(stored: tf.Tensor) -> dict[str, tf.Tensor]:
        return make.evaluate(decode(stored), **clip)

    data = stored.shard(process_count, process_index).map(
        _plain(example), num_parallel_calls=tf.data.AUTOTUNE
    )
    shape = (rows, clip["views"], *make.input_shape(clip=clip))
    return _padded(
        data.batch(rows).prefetch(_prefetch(shape)),
        batches=-(-total // (rows * process_count)),
        rows=rows,
    )


def gravity_radii(
    info: read.DatasetInfo, split: str, *, clip: Mapping[str, Any]
) -> tuple[float, ...]:
    """`skeletons.gravity_radii` of the people that `clip` chooses from the records of a split, in
    one pass.
    """
    make = family(info)
    make.check(clip=clip, augment=None)

    def people(record: Mapping[str, tf.Tensor]) -> tf.Tensor:
        found, chosen = (
            finite(record["joints"]),
            {name: clip[name] for name in ("persons", "person")},
        )
        return person_selection.choose(found, channels=info.channels, ids=record.get(WHO), **chosen)

    clips = (
        read.records(info, split, fields=make.fields(clip)).map(_plain(people)).as_numpy_iterator()
    )
    return tuple(map(float, skeletons.gravity_radii(clips, channels=info.channels)))


def _prefetch(shape: tuple[int, ...]) -> int:
    return 2 if 4 * int(np.prod(shape)) < PREFETCH_BYTES else 1


def _epochs(
    shards: Iterable[read.Shard], first: int, *, seed: int, buffer: int, index: int, count: int
) -> tf.data.Dataset:
    """One process's stored records, epoch after epoch from `first` on, every epoch in an order of
    its own.
    """
    shards = [shard for shard in shards if shard.records]
    before = np.cumsum([0, *(shard.records for shard in shards[:-1])])
    # Record r of a split belongs to process r mod count: of each file, those with this remainder.
    parts = (
        [shard.path for shard in shards],
        [shard.skip for shard in shards],
        [shard.records for shard in shards],
    )
    files = (*parts, (index - before) % count)

    def read_file(
        path: tf.Tensor, skip: tf.Tensor, records: tf.Tensor, remainder: tf.Tensor
    ) -> tf.data.Dataset:
        return read.read_part(path, skip, records).shard(count, remainder)

    def epoch(number: tf.Tensor) -> tf.data.Dataset:
        # `shuffle` mixes in the global seed and takes 31 bits of its own: fix the one, for this
        # function's graph alone, and draw the other, or seed 1 would have in epoch 0 the order that
        # seed 0 has in epoch 1.
        tf.compat.v1.set_random_seed(1)
        pair = tf.stack([tf.constant(seed, tf.int64), number])
        drawn = tf.random.stateless_uniform([2], pair, 0, 2**31 - 1, tf.int64)
        order = tf.data.Dataset.from_tensor_slices(files).shuffle(
            len(shards), drawn[0], reshuffle_each_iteration=False
        )
        records = order.interleave(
            _plain(read_file), cycle_length=min(OPEN_FILES, len(shards)), block_length=1
        )
        return records.shuffle(buffer, drawn[1], reshuffle_each_iteration=False)

    return tf.data.Dataset.range(first, ENDLESS).flat_map(_plain(epoch))


def _of_classes(
    info: read.DatasetInfo, split: str, stored: tf.data.Dataset, classes: Collection[int]
) -> tuple[tf.data.Dataset, int]:
    """The stored records of some classes, and how many there are."""
    if unknown := sorted(set(classes) - set(range(len(info.labels)))):
        raise UserError(
            f"{info.name!r} has no label ids {unknown}; its {len(info.labels)} labels are numbered from 0"
        )
    label, wanted = read.parser(info, ("label",)), tf.constant(sorted(classes), tf.int64)
    kept = stored.filter(_plain(lambda record: tf.reduce_any(label(record)["label"] == wanted)))
    return kept, int(kept.reduce(np.int64(0), lambda total, _: total + 1))


def _padded(data: tf.data.Dataset, *, batches: int, rows: int) -> Iterator[dict[str, Any]]:
    """Exactly `batches` batches of `rows` rows: those of `data`, the last one filled up, then empty
    ones.
    """
    source, like = _numpy(data), data.element_spec
    for _ in range(batches):
        batch = next(source, None)
        here = 0 if batch is None else len(batch["id"])
        filled = _filled(like, batch, here, rows)
        names = np.full(rows, "", object)
        names[:here] = [name.decode() for name in filled.pop("id")[:here]]
        yield {**filled, "mask": np.arange(rows) < here, "id": names}


def _filled(like: Any, batch: Any, here: int, rows: int) -> Any:
    """A batch like `like` of `rows` rows: the `here` ones of `batch`, zeros behind them."""
    if isinstance(like, dict):
        return {
            name: _filled(like[name], batch[name] if here else None, here, rows) for name in like
        }
    if here == rows:
        return batch
    filled = np.zeros((rows, *like.shape[1:]), like.dtype.as_numpy_dtype)
    if here:
        filled[:here] = batch
    return filled


def _rows(batch_size: int, process_count: int) -> int:
    if batch_size < 1 or batch_size % process_count:
        raise UserError(f"batch_size {batch_size!r} does not divide over {process_count} processes")
    return batch_size // process_count


def _share(info: read.DatasetInfo, split: str, process_index: int, process_count: int) -> int:
    """How many records r of the split have r mod process_count == process_index."""
    return max(0, -(-(read.count(info, split) - process_index) // process_count))


def _records_in(size: int, shards: Iterable[read.Shard]) -> int:
    """How many stored records of average length fit into `size` bytes, at least one."""
    total = sum(os.path.getsize(shard.path) for shard in shards)
    return max(1, size * sum(shard.records for shard in shards) // max(total, 1))


def _plain(function: Callable) -> Callable:
    """Keeps TensorFlow from rewriting Python control flow: ours is all on options, decided once."""
    return tf.autograph.experimental.do_not_convert(function)


def _numpy(data: tf.data.Dataset) -> Iterator[dict[str, np.ndarray]]:
    options = tf.data.Options()
    options.deterministic = True
    options.autotune.ram_budget = 1 << 30
    # Clips are small: many at once, one thread each, beats many threads on one.
    options.threading.max_intra_op_parallelism = 1
    options.threading.private_threadpool_size = os.cpu_count() or 2
    return data.with_options(options).as_numpy_iterator()
