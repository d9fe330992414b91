"""Prepared records to batches of NumPy arrays.

Training: files of a process's share, in an order drawn for the epoch -> shuffle -> next epoch ->
skip -> position -> decode and `train` of the records' modality -> batch -> prefetch. Records are
skipped before they are decoded, and whole epochs are skipped by starting at the right one. Resuming
therefore costs no more than reading past a part of one epoch. Order and augmentation depend on
(seed, position) alone: a resumed run sees the bytes an uninterrupted one would.

Evaluation: one pass in stored order. Every record is in exactly one row of one process; the other
rows are padding, which `mask` marks.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from jaxact import skeletons
from jaxact.datasets import dataset_info, records
from jaxact.errors import UserError
from jaxact.pipeline import epochs, joint_ops, person_selection
from jaxact.pipeline.modality import PERSON_ID, modality_of
from jaxact.pipeline.padding import padded_batches
from jaxact.pipeline.tf_data import numpy_iterator, without_autograph

PREFETCH_BYTES = 1 << 29  # smaller batches are prefetched in twos, larger ones singly
SHUFFLE_BYTES = 1 << 30  # limit on the stored records in the shuffle buffer


def train_batches(
    info: dataset_info.DatasetInfo,
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

    A batch may span two epochs. With several processes each example belongs to one process, which
    shuffles its own share. The shares' lengths may differ by one, so the epochs of processes drift
    apart slowly.

    Args:
        batch_size: examples per step over all processes; a process yields `batch_size /
            process_count` rows.
        seed: seed of order and augmentation, in [0, 2**32).
        clip: the fields of the clip section.
        augment: the fields of the augment section.
        start_step: number of steps to skip.
        shuffle_buffer: records that are mixed at a time; fewer where they would take more than
            `SHUFFLE_BYTES`.

    Returns:
        Iterator of {inputs f32 [b, t, m, v, c], targets i32 [b]}. Inputs of videos are [b, t, h, w,
        c]. Inputs of pictures with people are [b, h, w, c], and their targets a dict of maps.

    Raises:
        UserError: an unusable option, an unknown or empty split, or a batch size that the number of
            processes does not divide.
    """
    modality = modality_of(info)
    modality.check(clip=clip, augment=augment)
    rows = _rows_per_process(batch_size, process_count)
    if not 0 <= seed < 2**32:
        raise UserError(f"seed is {seed!r}, but must lie in [0, 2**32)")
    if shuffle_buffer < 1:
        raise UserError(f"data.shuffle_buffer is {shuffle_buffer!r}, but must be at least 1")
    shards = records.shards(info, split)
    record_count = records.count(info, split)
    share = epochs.process_share(record_count, process_index, process_count)
    if not share:
        raise UserError(
            f"split {split!r} of {info.name!r} has {record_count} records, "
            f"too few for {process_count} processes"
        )
    first_epoch, offset = divmod(start_step * rows, share)
    decode = records.parser(info, modality.fields(clip))

    def make_example(position: tf.Tensor, stored: tf.Tensor) -> dict[str, tf.Tensor]:
        global_position = position * process_count + process_index
        example_seed = tf.stack([tf.constant(seed, tf.int64), global_position])
        return modality.train(decode(stored), example_seed, clip=clip, augment=augment)

    stored = epochs.shuffled_epochs(
        shards,
        first_epoch,
        seed=seed,
        shuffle_buffer=min(shuffle_buffer, share, epochs.records_in(SHUFFLE_BYTES, shards)),
        process_index=process_index,
        process_count=process_count,
    )
    positions = tf.data.Dataset.range(start_step * rows, epochs.ENDLESS)
    data = tf.data.Dataset.zip(positions, stored.skip(offset))
    data = data.map(without_autograph(make_example), num_parallel_calls=tf.data.AUTOTUNE)
    data = data.batch(rows, drop_remainder=True)
    return numpy_iterator(data.prefetch(_prefetch_count((rows, *modality.input_shape(clip)))))


def eval_batches(
    info: dataset_info.DatasetInfo,
    *,
    split: str,
    batch_size: int,
    clip: Mapping[str, Any],
    process_index: int = 0,
    process_count: int = 1,
    classes: Collection[int] | None = None,
) -> Iterator[dict[str, np.ndarray]]:
    """One pass over a split in stored order; every process yields the same number of full batches.

    Process i of n has the records i, i + n, i + 2n ... Rows beyond the last record are padding:
    zeros, `mask` False, an empty id.

    Args:
        batch_size: rows per batch over all processes; a process yields `batch_size /
            process_count` of them.
        clip: the fields of the clip section.
        classes: label ids to keep; None is all.

    Returns:
        Iterator of {inputs f32 [b, views, t, m, v, c], targets i32 [b], mask bool [b], id object
        [b]}. Inputs of videos are [b, views, t, h, w, c]. Pictures with people are as in training,
        with a view axis.

    Raises:
        UserError: an unusable option, an unknown split, a label id that the set does not have, or
            no record that matches.
    """
    modality = modality_of(info)
    modality.check(clip=clip, augment=None)
    rows = _rows_per_process(batch_size, process_count)
    stored = records.serialized(info, split)
    total = records.count(info, split)
    if classes is not None:
        stored, total = _filter_classes(info, split, stored, classes)
    if not total:
        subset = "" if classes is None else f" of the classes {sorted(classes)}"
        raise UserError(
            f"split {split!r} of {info.name!r} has no records{subset}; nothing can be evaluated"
        )
    decode = records.parser(info, modality.fields(clip))

    def make_example(stored: tf.Tensor) -> dict[str, tf.Tensor]:
        return modality.evaluate(decode(stored), clip=clip)

    data = stored.shard(process_count, process_index)
    data = data.map(without_autograph(make_example), num_parallel_calls=tf.data.AUTOTUNE)
    data = data.batch(rows)
    data = data.prefetch(_prefetch_count((rows, clip["views"], *modality.input_shape(clip))))
    return padded_batches(
        numpy_iterator(data),
        data.element_spec,
        batches=-(-total // (rows * process_count)),
        rows=rows,
    )


def gravity_radii(
    info: dataset_info.DatasetInfo, split: str, *, clip: Mapping[str, Any]
) -> tuple[float, ...]:
    """`skeletons.gravity_radii` of the people that `clip` selects from the records of a split."""
    modality = modality_of(info)
    modality.check(clip=clip, augment=None)

    def select(record: Mapping[str, tf.Tensor]) -> tf.Tensor:
        return person_selection.select(
            joint_ops.non_finite_to_missing(record["joints"]),
            persons=clip["persons"],
            person=clip["person"],
            channels=info.channels,
            ids=record.get(PERSON_ID),
        )

    data = records.records(info, split, fields=modality.fields(clip))
    clips = data.map(without_autograph(select)).as_numpy_iterator()
    radii = skeletons.gravity_radii(clips, channels=info.channels)
    return tuple(float(radius) for radius in radii)


def _prefetch_count(shape: tuple[int, ...]) -> int:
    """The number of float32 batches of this shape to prefetch."""
    return 2 if 4 * int(np.prod(shape)) < PREFETCH_BYTES else 1


def _filter_classes(
    info: dataset_info.DatasetInfo, split: str, stored: tf.data.Dataset, classes: Collection[int]
) -> tuple[tf.data.Dataset, int]:
    """The stored records of some classes, and their number."""
    unknown = sorted(set(classes) - set(range(len(info.labels))))
    if unknown:
        raise UserError(
            f"{info.name!r} has no label ids {unknown}; "
            f"its {len(info.labels)} labels are numbered from 0"
        )
    parse_label = records.parser(info, ("label",))
    label_ids = tf.constant(sorted(classes), tf.int64)

    def matches(record: tf.Tensor) -> tf.Tensor:
        return tf.reduce_any(parse_label(record)["label"] == label_ids)

    filtered = stored.filter(without_autograph(matches))
    count = filtered.reduce(np.int64(0), lambda total, _: total + 1)
    return filtered, int(count)


def _rows_per_process(batch_size: int, process_count: int) -> int:
    if batch_size < 1 or batch_size % process_count:
        raise UserError(f"batch_size {batch_size!r} does not divide over {process_count} processes")
    return batch_size // process_count
