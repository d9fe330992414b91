"""Prepared sets as records. What is needed to read one lies beside it: neither raw files nor a
builder class.
"""

import dataclasses
import importlib.util
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxact.errors import UserError, missing_extra, unknown
from jaxact.skeletons import Layout

if TYPE_CHECKING:
    import tensorflow as tf

_PART = re.compile(r"(?P<split>[^\[\]]+)\[(?P<start>\d{1,2}%)?:(?P<end>\d{1,2}%)?\]")
FIELDS = ("id", "joints", "label")  # what is decoded unless more is asked for


@dataclasses.dataclass(frozen=True, slots=True)
class Shard:
    """A TFRecord file, or a part of it: `records` records after the first `skip`."""

    path: str
    records: int
    skip: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DatasetInfo:
    """What a prepared set holds.

    Attributes:
      name: as given to `prepare`.
      path: its folder.
      layout: the joints.
      labels: class names in label order.
      channels: what the last axis of the joints holds, e.g. ("x", "y", "score").
      splits: number of records of every split: protocol splits, "all", and the cells they are
          unions of.
      subsets: named label subsets for evaluation, e.g. kinetics_motion.
      test_only: the subsets that are evaluated on by a model trained on every class.
      licence: terms of the data.
      summary: what preparing it counted (frames, persons, skipped ...).
      unions: cells of every protocol split.
      shards: files of every cell.
      kind: what a record is: "skeleton" or "video". A record of pictures has the layout "picture",
          of no joints.
      leaks: test split -> how many of its clips are of a group (a recording, a scene) that is in
        training too; None where the split was drawn clip by clip and groups are unknown. Splits
        that do not leak are not here.
      stored: how the records keep what the files have, e.g. {"short_side": 256, "flow": None}.
    """

    name: str
    path: str
    layout: Layout
    labels: tuple[str, ...]
    channels: tuple[str, ...]
    splits: Mapping[str, int]
    subsets: Mapping[str, tuple[int, ...]]
    test_only: tuple[str, ...]
    licence: str
    summary: Mapping[str, Any]
    unions: Mapping[str, tuple[str, ...]]
    shards: Mapping[str, tuple[Shard, ...]]
    kind: str = "skeleton"
    leaks: Mapping[str, int | None] = dataclasses.field(default_factory=dict)
    stored: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def version(self) -> str:
        """Of the records: another one holds other numbers."""
        return Path(self.path).name


def data_root(data_dir: str | os.PathLike[str] = "") -> Path:
    """The folder of prepared sets: `data_dir`, else $TFDS_DATA_DIR, else ~/tensorflow_datasets."""
    given = os.fspath(data_dir) or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    return Path(given).expanduser()


def prepared(data_dir: str | os.PathLike[str] = "") -> list[str]:
    """Names of the sets prepared under `data_dir`."""
    root = data_root(data_dir)
    found = {
        path.parent.parent.relative_to(root).as_posix() for path in root.glob("*/*/metadata.json")
    }
    found |= {
        path.parent.parent.relative_to(root).as_posix() for path in root.glob("*/*/*/metadata.json")
    }
    return sorted(
        name for name in found if not any(part.startswith(".") for part in name.split("/"))
    )


def version_folder(name: str, data_dir: str | os.PathLike[str] = "") -> Path | None:
    """Folder of the newest prepared version of a set, or None."""
    versions = (data_root(data_dir) / name).glob("*.*.*/metadata.json")
    folders = [path.parent for path in versions if path.parent.name.replace(".", "").isdigit()]
    return max(folders, key=lambda path: tuple(map(int, path.name.split("."))), default=None)


def describe(name: str, data_dir: str | os.PathLike[str] = "") -> DatasetInfo:
    """What the prepared set `name` holds.

    Raises:
      UserError: the set is unknown, or not prepared under `data_dir`.
    """
    from jaxact.datasets import DATASETS

    folder = version_folder(name, data_dir)
    if folder is None:
        available = prepared(data_dir)
        if name.split("/")[0] not in DATASETS:
            raise unknown("dataset", name, sorted({*DATASETS, *available}))
        raise UserError(
            f"dataset {name!r} is not prepared in {str(data_root(data_dir))!r} (prepared there: "
            f"{', '.join(available) or 'none'}); prepare it with {command(name, data_dir)!r}"
        )
    return read_info(folder)


def command(name: str, data_dir: str | os.PathLike[str] = "") -> str:
    """The command line that prepares `name`."""
    from jaxact.datasets import DATASETS

    head, _, config = name.partition("/")
    raw = " --raw DIR" if DATASETS[head].NEEDS_RAW else ""
    named = (
        f" --name {config or 'NAME'}"
        if DATASETS[head].NAMED and (config or DATASETS[head].NAME_NEEDED)
        else ""
    )
    return f"jaxact prepare {head}{named}{raw} --data-dir {data_root(data_dir)}"


def read_info(folder: Path) -> DatasetInfo:
    """What the prepared version in `folder` holds.

    Raises:
      UserError: jaxact did not write it.
    """
    import tensorflow_datasets as tfds

    try:
        metadata = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
        stored = tfds.builder_from_directory(folder).info.splits
        layout = Layout.from_dict(metadata["layout"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{str(folder)!r} is not a set that jaxact prepared: {error}") from error
    counts = {cell: stored[cell].num_examples for cell in stored}
    unions = {name: tuple(cells) for name, cells in metadata["unions"].items()}
    shards = {
        cell: tuple(
            Shard(os.fspath(path), records)
            for path, records in zip(
                stored[cell].filepaths, stored[cell].shard_lengths, strict=True
            )
        )
        for cell in stored
    }
    return DatasetInfo(
        name=metadata["name"],
        path=os.fspath(folder),
        layout=layout,
        labels=tuple(metadata["labels"]),
        channels=tuple(metadata["channels"]),
        splits={
            **counts,
            **{name: sum(counts[cell] for cell in cells) for name, cells in unions.items()},
        },
        subsets={name: tuple(ids) for name, ids in metadata["subsets"].items()},
        test_only=tuple(metadata["test_only"]),
        licence=metadata["licence"],
        summary=metadata["summary"],
        unions=unions,
        shards=shards,
        kind=metadata.get("kind", "skeleton"),
        leaks=metadata.get("leaks", {}),
        stored=metadata.get("stored", {}),
    )


def shards(info: DatasetInfo, split: str) -> tuple[Shard, ...]:
    """The files of a split in their fixed order, or a part of them: "train[:95%]" and "train[95%:]"
    are disjoint and together "train". The cells of a split follow one another, so that the last 5 %
    are of few subjects, say.

    Raises:
      UserError: there is no such split; lists those there are. Or its part is empty.
    """
    part = _PART.fullmatch(split)
    name = part["split"] if part else split
    if name in info.unions:
        found = tuple(shard for cell in info.unions[name] for shard in info.shards[cell])
    elif name in info.shards:
        found = info.shards[name]
    else:
        raise unknown(f"split of {info.name!r}", name, info.unions)
    if part:
        total, before, inside = sum(shard.records for shard in found), 0, []
        start, end = (
            total * int(text[:-1]) // 100 for text in (part["start"] or "0%", part["end"] or "100%")
        )
        for shard in found:
            first, last = max(start - before, 0), min(end - before, shard.records)
            if last > first:
                inside.append(Shard(shard.path, last - first, first))
            before += shard.records
        found = tuple(inside)
        if not found:
            raise UserError(
                f"the part {split!r} of {info.name!r} is empty: {name!r} has {total} records"
            )
    return found


def count(info: DatasetInfo, split: str) -> int:
    """Number of records of a split, or of a part of one; see `shards`."""
    return sum(shard.records for shard in shards(info, split))


def serialized(
    info: DatasetInfo,
    split: str,
    *,
    shuffle_seed: int | Sequence[int] | None = None,
    cycle: int = 16,
) -> "tf.data.Dataset":
    """The records of a split as stored bytes, for a pipeline that shuffles before it decodes.

    Args:
      shuffle_seed: None keeps the fixed order, file after file. A seed (e.g. the pair of run seed
        and epoch) draws an order of the files and reads `cycle` of them in turn, so that cells mix.
        Either order is deterministic.
      cycle: files open at a time.
    """
    if importlib.util.find_spec("tensorflow") is None:
        raise missing_extra("tensorflow", "data", "reading a prepared dataset")
    import tensorflow as tf

    parts = shards(info, split)
    columns = (
        [shard.path for shard in parts],
        [shard.skip for shard in parts],
        [shard.records for shard in parts],
    )
    if shuffle_seed is None:
        return tf.data.Dataset.from_tensor_slices(columns).flat_map(read_part)
    order = np.random.default_rng(shuffle_seed).permutation(len(parts))
    files = tf.data.Dataset.from_tensor_slices(
        tuple([column[i] for i in order] for column in columns)
    )
    return files.interleave(read_part, cycle_length=min(cycle, len(parts)), block_length=1)


def read_part(path: "tf.Tensor", skip: "tf.Tensor", records: "tf.Tensor") -> "tf.data.Dataset":
    """The stored records of a `Shard`."""
    import tensorflow as tf

    return (
        tf.data.TFRecordDataset(path).skip(tf.cast(skip, tf.int64)).take(tf.cast(records, tf.int64))
    )


def fields(info: DatasetInfo) -> tuple[str, ...]:
    """What a record holds."""
    import tensorflow_datasets as tfds

    features: Any = tfds.builder_from_directory(info.path).info.features
    return tuple(features)


def parser(
    info: DatasetInfo, fields: Sequence[str] | None = FIELDS
) -> "Callable[[tf.Tensor], dict[str, tf.Tensor]]":
    """The function from stored bytes to a record; give it to `Dataset.map`.

    Args:
      fields: what to decode; None is everything.

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
        features = tfds.decode.PartialDecoding(dict.fromkeys(fields, True)).extract_features(
            features
        )

    def parse(example: "tf.Tensor") -> "dict[str, tf.Tensor]":
        # TFDS logs a deprecation of its own while this is traced.
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
    """The records of a split: {id: string, joints: f32 [t, m, v, c], label: i64} and whatever else
    `fields` names.

    Args:
      shuffle_seed: see `serialized`.
      fields: what to decode; None is everything.
      parallel: records decoded at a time; the order does not depend on it.

    Raises:
      UserError: the split or a field does not exist.
    """
    stored = serialized(info, split, shuffle_seed=shuffle_seed)
    return stored.map(parser(info, fields), num_parallel_calls=parallel, deterministic=True)
