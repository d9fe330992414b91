"""What a prepared data set holds: its layout, labels, splits and files.

Everything is read from the files beside the records. Neither the raw files nor the builder class
are needed.
"""

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxact.errors import UserError, unknown
from jaxact.skeletons import Layout


@dataclasses.dataclass(frozen=True, slots=True)
class Shard:
    """A TFRecord file, or a part of it: `records` records after the first `skip`."""

    path: str
    records: int
    skip: int = 0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DatasetInfo:
    """What a prepared data set holds.

    Attributes:
        name: the name passed to `prepare`.
        path: folder of the data set.
        layout: joint layout of every record.
        labels: class names in label order.
        channels: names of the channels on the last axis of the joints, e.g. ("x", "y", "score").
        splits: split -> number of records, for the protocol splits, "all" and the cells that they
          are unions of.
        subsets: named label subsets for evaluation, e.g. kinetics_motion.
        test_only: subsets on which a model trained on every class is evaluated.
        licence: terms of the data.
        summary: counts collected by `prepare` (frames, persons, skipped ...).
        unions: protocol split -> its cells.
        shards: cell -> its files.
        kind: kind of a record: "skeleton", "video" or "pose". A record of pictures has the layout
          "picture", which has no joints.
        leaks: test split -> number of its clips whose group (a recording, a scene) is also in
          training. None where the split was drawn clip by clip and groups are unknown. Splits
          without leaks are not listed.
        stored: how the records encode the files' content, e.g. {"short_side": 256, "flow": None}.
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
        """Version of the records. Records of another version hold other numbers."""
        return Path(self.path).name


def data_root(data_dir: str | os.PathLike[str] = "") -> Path:
    """The folder of prepared sets: `data_dir`, else $TFDS_DATA_DIR, else ~/tensorflow_datasets."""
    folder = os.fspath(data_dir) or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    return Path(folder).expanduser()


def prepared_names(data_dir: str | os.PathLike[str] = "") -> list[str]:
    """Names of the data sets prepared under `data_dir`."""
    root = data_root(data_dir)
    names = set()
    for pattern in ("*/*/metadata.json", "*/*/*/metadata.json"):  # name/version, kind/name/version
        for file in root.glob(pattern):
            folder = file.parent.parent.relative_to(root)
            if not any(part.startswith(".") for part in folder.parts):
                names.add(folder.as_posix())
    return sorted(names)


def version_folder(name: str, data_dir: str | os.PathLike[str] = "") -> Path | None:
    """Folder of the newest prepared version of a data set, or None."""
    folders = {}
    for file in (data_root(data_dir) / name).glob("*.*.*/metadata.json"):
        version = file.parent.name
        if version.replace(".", "").isdigit():
            folders[tuple(map(int, version.split(".")))] = file.parent
    return folders[max(folders)] if folders else None


def load(name: str, data_dir: str | os.PathLike[str] = "") -> DatasetInfo:
    """Finds the prepared data set `name` and reads its info.

    Raises:
        UserError: the data set is unknown, or not prepared under `data_dir`.
    """
    from jaxact.datasets import DATASETS

    folder = version_folder(name, data_dir)
    if folder is not None:
        return read(folder)
    available = prepared_names(data_dir)
    if name.split("/")[0] not in DATASETS:
        raise unknown("dataset", name, sorted({*DATASETS, *available}))
    raise UserError(
        f"dataset {name!r} is not prepared in {str(data_root(data_dir))!r} (prepared there: "
        f"{', '.join(available) or 'none'}); prepare it with {prepare_command(name, data_dir)!r}"
    )


def prepare_command(name: str, data_dir: str | os.PathLike[str] = "") -> str:
    """The command line that prepares `name`."""
    from jaxact.datasets import DATASETS

    kind, _, own_name = name.partition("/")
    builder = DATASETS[kind]
    words = ["jaxact prepare", kind]
    if builder.NAMED and (own_name or builder.NAME_NEEDED):
        words.append(f"--name {own_name or 'NAME'}")
    if builder.NEEDS_RAW:
        words.append("--raw DIR")
    words.append(f"--data-dir {data_root(data_dir)}")
    return " ".join(words)


def read(folder: Path) -> DatasetInfo:
    """Reads the info of the prepared version in `folder`.

    Raises:
        UserError: jaxact did not write it.
    """
    import tensorflow_datasets as tfds

    try:
        metadata = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
        tfds_splits = tfds.builder_from_directory(folder).info.splits
        layout = Layout.from_dict(metadata["layout"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{str(folder)!r} is not a set that jaxact prepared: {error}") from error
    sizes, shards = {}, {}
    for cell in tfds_splits:
        split = tfds_splits[cell]
        sizes[cell] = split.num_examples
        files = zip(split.filepaths, split.shard_lengths, strict=True)
        shards[cell] = tuple(Shard(os.fspath(path), length) for path, length in files)
    unions = {split: tuple(cells) for split, cells in metadata["unions"].items()}
    for split, cells in unions.items():
        sizes[split] = sum(sizes[cell] for cell in cells)
    return DatasetInfo(
        name=metadata["name"],
        path=os.fspath(folder),
        layout=layout,
        labels=tuple(metadata["labels"]),
        channels=tuple(metadata["channels"]),
        splits=sizes,
        subsets={subset: tuple(ids) for subset, ids in metadata["subsets"].items()},
        test_only=tuple(metadata["test_only"]),
        licence=metadata["licence"],
        summary=metadata["summary"],
        unions=unions,
        shards=shards,
        kind=metadata.get("kind", "skeleton"),
        leaks=metadata.get("leaks", {}),
        stored=metadata.get("stored", {}),
    )
