"""`custom/NAME`: clips of your own, as a folder with a table, or packed in one `.npz`.

Folder:
    labels.csv            header `id,label,split`; several splits: "split1_train;split2_test"
    <id>.npy              joints [t, v, c] or [t, m, v, c]
    <id>.npz              the same under the key `joints` (or the file's only key)
    <id>.json             the same as nested lists, alone or under the key `joints`
    dataset.json          optional: {"labels": [...], "layout": name or object,
                          "channels": ["x", "y", "score"]}

Packed `.npz`: `x` [sum of t, m, v, c] (or without m), `offset` [n + 1], `label` [n], `class_names`,
and `split`: [n, s] with 1 train, 2 test and 0 unused for splits 1 to s, or [n] names as in the
table. `id` [n] and `channels` are optional.

Without a list of labels, the classes are the labels that occur, sorted. With a list, the label
column holds names or numbers from 0. Two channels are x and y. Three are x, y, score in an image
layout (OpenPose, COCO, JHMDB) and x, y, z in other layouts.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jaxact.datasets.formats.joint_arrays import (
    clip_array,
    joints_of,
    load_clip,
    packed_arrays,
    where_of,
)
from jaxact.datasets.formats.label_table import (
    ListedClip,
    choose_channels,
    choose_layout,
    find_table,
    group_by_splits,
    label_index,
    parse_splits,
    read_description,
    read_table,
    sort_labels,
)
from jaxact.datasets.preparation.builder import (
    RawClip,
    RawDataset,
    Record,
    SkeletonBuilder,
    skeleton_record,
)
from jaxact.errors import UserError
from jaxact.skeletons import Layout

SUFFIXES = (".npz", ".npy", ".json")
PACKED_KEYS = ("x", "offset", "label", "split")
HALVES = {1: "train", 2: "test"}  # 0 is unused


class Custom(SkeletonBuilder):
    """A set of your own: joints [t, m, v, c] as the files hold them."""

    EXPECTS = (
        "a folder of <id>.npz, .npy or .json clips with a labels.csv of id,label,split, "
        "or one packed .npz with x, offset, label, class_names and split"
    )
    LICENCE = "yours to state"
    NAMED = True

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per row of the table, or per clip of the packed file."""
        if raw.is_dir():
            return _find_folder(raw, layout, cls.EXPECTS)
        if raw.suffix == ".npz":
            return _find_packed(raw, layout)
        raise UserError(
            f"{str(raw)!r} is neither a folder nor an .npz file; expected {cls.EXPECTS}"
        )

    @staticmethod
    def parse(raw_clip: RawClip) -> Iterator[Record]:
        """One clip."""
        facts = raw_clip.facts
        joints = joints_of(raw_clip)
        if joints.shape[2:] != (facts["joints"], facts["channels"]):
            raise UserError(
                f"{where_of(raw_clip)}: {joints.shape[2]} joints of {joints.shape[3]} channels, "
                f"wanted {facts['joints']} of {facts['channels']} "
                f"as in layout {facts['layout']!r} and the set's first clip"
            )
        yield skeleton_record(raw_clip, joints)


def _find_folder(raw: Path, layout: str | None, expects: str) -> RawDataset:
    """The clips of a folder with a table."""
    table = find_table(raw, expects)
    rows = read_table(table)
    description = read_description(raw, ("labels", "layout", "channels"))
    names = description.get("labels") or sort_labels(row["label"] for row in rows)
    paths = [_clip_path(raw, row["id"], table) for row in rows]
    first = clip_array(load_clip(str(paths[0])), repr(str(paths[0])))
    described_layout = description.get("layout")
    if isinstance(described_layout, dict):
        described_layout = Layout.from_dict(described_layout)
    joint_layout = choose_layout(layout or described_layout, first.shape[2])
    clips = []
    for row, path in zip(rows, paths, strict=True):
        where = f"{str(table)!r}, {row['id']!r}"
        clips.append(
            ListedClip(
                id=row["id"],
                path=str(path),
                label=label_index(row["label"], names, where),
                splits=parse_splits(row["split"], where),
            )
        )
    channels = choose_channels(description.get("channels"), joint_layout, first.shape[3])
    return group_by_splits(clips, names=names, layout=joint_layout, channels=channels)


def _clip_path(raw: Path, clip: str, table: Path) -> Path:
    """The file of a clip."""
    for suffix in SUFFIXES:
        path = raw / f"{clip}{suffix}"
        if path.is_file():
            return path
    raise UserError(
        f"{str(table)!r} lists {clip!r}, but {str(raw)!r} has no {clip}.npz, .npy or .json"
    )


def _find_packed(raw: Path, layout: str | None) -> RawDataset:
    """The clips of a packed file."""
    path = str(raw)
    arrays = packed_arrays(path)
    _check_packed(arrays, path)
    frames = arrays["x"]
    offset = arrays["offset"]
    labels = arrays["label"]
    splits = arrays["split"]
    first = clip_array(frames[: offset[1]], repr(path))
    joint_layout = choose_layout(layout, first.shape[2])
    if "class_names" in arrays:
        names = [str(name) for name in arrays["class_names"]]
    else:
        names = sort_labels(map(str, labels))
    digits = max(len(str(len(labels) - 1)), 4)
    clips = []
    for index, label in enumerate(labels):
        where = f"{path!r}, clip {index}"
        name = str(arrays["id"][index]) if "id" in arrays else f"{index:0{digits}d}"
        clips.append(
            ListedClip(
                id=name,
                path=path,
                label=label_index(str(label), names, where),
                splits=_packed_splits(splits[index], where),
                facts={"start": int(offset[index]), "stop": int(offset[index + 1])},
            )
        )
    channels = choose_channels(arrays.get("channels"), joint_layout, first.shape[3])
    return group_by_splits(clips, names=names, layout=joint_layout, channels=channels)


def _check_packed(arrays: dict[str, np.ndarray], path: str) -> None:
    """Raises an error if an array of a packed file is absent or does not fit the others."""
    absent = [key for key in PACKED_KEYS if key not in arrays]
    if absent:
        raise UserError(
            f"{path!r} lacks {', '.join(absent)}; "
            "a packed set has x, offset, label, class_names and split"
        )
    frames = len(arrays["x"])
    count = len(arrays["label"])
    offset = arrays["offset"]
    complete = offset.shape == (count + 1,) and offset[0] == 0 and offset[-1] == frames
    if not complete or (np.diff(offset) < 1).any():
        raise UserError(
            f"{path!r}: offset must rise from 0 to the {frames} frames of x in {count + 1} values"
        )
    split = arrays["split"]
    if len(split) != count or split.ndim > 2:
        raise UserError(
            f"{path!r}: split has the shape {split.shape}, wanted one row for each of {count} clips"
        )


def _packed_splits(row: np.ndarray | np.generic, where: str) -> tuple[str, ...]:
    """Names of a clip's splits from one row of the array `split`: names, one flag, or flags."""
    if row.ndim == 0 and not np.issubdtype(row.dtype, np.integer):
        return parse_splits(str(row), where)
    flags = row.reshape(-1)
    if not np.isin(flags, (0, 1, 2)).all():
        raise UserError(
            f"{where}: split is {flags.tolist()}, wanted 1 (train), 2 (test) or 0 (unused)"
        )
    names = []
    for number, flag in enumerate(flags, 1):
        if flag:
            prefix = "" if row.ndim == 0 else f"split{number}_"
            names.append(f"{prefix}{HALVES[int(flag)]}")
    return tuple(names)
