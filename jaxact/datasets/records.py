"""Reads the records of prepared data sets as `tf.data`."""

import importlib.util
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxact.datasets.dataset_info import DatasetInfo, Shard
from jaxact.errors import UserError, missing_extra, unknown

if TYPE_CHECKING:
    import tensorflow as tf

_PART = re.compile(r"(?P<split>[^\[\]]+)\[(?P<start>\d{1,2}%)?:(?P<end>\d{1,2}%)?\]")
FIELDS = ("id", "joints", "label")  # fields decoded by default


def shards(info: DatasetInfo, split: str) -> tuple[Shard, ...]:
    """The files of a split, or of a part of it, in their fixed order.

    "train[:95%]" and "train[95%:]" are disjoint and together "train". The cells of a split follow
    one another, so the last 5 % may come from few subjects.

    Raises:
        UserError: there is no such split (the message lists the available ones), or the part is
          empty.
    """
    part = _PART.fullmatch(split)
    name = part["split"] if part else split
    if name in info.unions:
        files = [shard for cell in info.unions[name] for shard in info.shards[cell]]
    elif name in info.shards:
        files = list(info.shards[name])
    else:
        raise unknown(f"split of {info.name!r}", name, info.unions)
    if part is None:
        return tuple(files)
    total = sum(shard.records for shard in files)
    start = total * _percent(part["start"] or "0%") // 100
    end = total * _percent(part["end"] or "100%") // 100
    selected = []
    offset = 0  # records before the shard
    for shard in files:
        first = max(start - offset, 0)
        last = min(end - offset, shard.records)
        if last > first:
            selected.append(Shard(shard.path, last - first, first))
        offset += shard.records
    if not selected:
        raise UserError(
            f"the part {split!r} of {info.name!r} is empty: {name!r} has {total} records"
        )
    return tuple(selected)


def _percent(text: str) -> int:
    return int(text.removesuffix("%"))


def count(info: DatasetInfo, split: str) -> int:
    """Number of records of a split, or of a part of it (see `shards`)."""
    return sum(shard.records for shard in shards(info, split))


def serialized(
    info: DatasetInfo,
    split: str,
    *,
    shuffle_seed: int | Sequence[int] | None = None,
    cycle: int = 16,
) -> "tf.data.Dataset":
    """The serialized records of a split, for a pipeline that shuffles before it decodes.

    Args:
        shuffle_seed: None keeps the fixed order, file after file. A seed (e.g. the pair of run seed
          and epoch) shuffles the files and interleaves `cycle` of them, so that cells mix. Either
          order is deterministic.
        cycle: number of files that are open at a time.
    """
    if importlib.util.find_spec("tensorflow") is None:
        raise missing_extra("tensorflow", "data", "reading a prepared dataset")
    import tensorflow as tf

    files = list(shards(info, split))
    if shuffle_seed is not None:
        order = np.random.default_rng(shuffle_seed).permutation(len(files))
        files = [files[index] for index in order]
    columns = (
        [shard.path for shard in files],
        [shard.skip for shard in files],
        [shard.records for shard in files],
    )
    dataset = tf.data.Dataset.from_tensor_slices(columns)
    if shuffle_seed is None:
        return dataset.flat_map(read_shard)
    return dataset.interleave(read_shard, cycle_length=min(cycle, len(files)), block_length=1)


def read_shard(path: "tf.Tensor", skip: "tf.Tensor", records: "tf.Tensor") -> "tf.data.Dataset":
    """The serialized records of a `Shard`."""
    import tensorflow as tf

    dataset = tf.data.TFRecordDataset(path)
    return dataset.skip(tf.cast(skip, tf.int64)).take(tf.cast(records, tf.int64))


def fields(info: DatasetInfo) -> tuple[str, ...]:
    """Names of the fields of a record."""
    import tensorflow_datasets as tfds

    features: Any = tfds.builder_from_directory(info.path).info.features
    return tuple(features)


def parser(
    info: DatasetInfo, fields: Sequence[str] | None = FIELDS
) -> "Callable[[tf.Tensor], dict[str, tf.Tensor]]":
    """The function from a serialized record to its fields, for `Dataset.map`.

    Args:
        fields: fields to decode; None decodes all of them.

    Raises:
        UserError: a field is not in the record.
    """
    import absl.logging
    import tensorflow_datasets as tfds

    features: Any = tfds.builder_from_directory(info.path).info.features
    if fields is not None:
        for field in fields:
            if field not in features:
                raise unknown(f"field of {info.name!r}", field, features)
        decoding = tfds.decode.PartialDecoding(dict.fromkeys(fields, True))
        features = decoding.extract_features(features)

    def parse(example: "tf.Tensor") -> "dict[str, tf.Tensor]":
        # TFDS logs a deprecation warning of its own while this is traced.
        level = absl.logging.get_verbosity()
        absl.logging.set_verbosity(absl.logging.ERROR)
        try:
            return features.deserialize_example(example)
        finally:
            absl.logging.set_verbosity(level)

    return parse


def records(
    info: DatasetInfo,
    split: str,
    *,
    shuffle_seed: int | Sequence[int] | None = None,
    fields: Sequence[str] | None = FIELDS,
    parallel: int = 2,
) -> "tf.data.Dataset":
    """The decoded records of a split: {id: string, joints: f32 [t, m, v, c], label: i64}.

    Args:
        shuffle_seed: see `serialized`.
        fields: fields to decode; None decodes all of them.
        parallel: number of records decoded in parallel. Their order does not depend on it.

    Raises:
        UserError: the split or a field does not exist.
    """
    dataset = serialized(info, split, shuffle_seed=shuffle_seed)
    return dataset.map(parser(info, fields), num_parallel_calls=parallel, deterministic=True)
