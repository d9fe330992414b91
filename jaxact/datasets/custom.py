"""`custom/NAME`: clips of your own, as a folder with a table, or packed in one `.npz`.

Folder:
    labels.csv            header `id,label,split`; a clip may be in several splits: "split1_train;split2_test"
    <id>.npy              joints [t, v, c] or [t, m, v, c]
    <id>.npz              the same under the key `joints` (or the file's only key)
    <id>.json             the same as nested lists, alone or under the key `joints`
    dataset.json          optional: {"labels": [...], "layout": name or object, "channels": ["x", "y", "score"]}

Packed `.npz`: `x` [sum of t, m, v, c] (or without m), `offset` [n + 1], `label` [n], `class_names`,
`split` [n, s] with 1 train, 2 test and 0 unused for splits 1 to s, or [n] names as in the table;
optional `id` [n] and `channels`.

Without a list of labels the classes are the labels that occur, sorted. With one, the label column
holds names or numbers from 0. Two channels are x and y; three are x, y, score in an image layout
(OpenPose, COCO, JHMDB) and x, y, z elsewhere.
"""

import itertools
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


class Custom(SkeletonBuilder):
    """A set of your own; joints [t, m, v, c] as the files have them."""

    EXPECTS = (
        "a folder of <id>.npz, .npy or .json clips with a labels.csv of id,label,split, or one packed .npz with "
        "x, offset, label, class_names and split"
    )
    LICENCE = "yours to state"
    NAMED = True

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One source per row of the table, or per clip of the packed file."""
        if raw.is_dir():
            return _find_folder(raw, layout, cls.EXPECTS)
        if raw.suffix == ".npz":
            return _find_packed(raw, layout)
        raise UserError(
            f"{str(raw)!r} is neither a folder nor an .npz file; expected {cls.EXPECTS}"
        )

    @staticmethod
    def parse(source: RawClip) -> Iterator[Record]:
        """One clip."""
        facts, where, joints = source.facts, where_of(source), joints_of(source)
        if joints.shape[2:] != (facts["joints"], facts["channels"]):
            raise UserError(
                f"{where}: {joints.shape[2]} joints of {joints.shape[3]} channels, wanted {facts['joints']} of "
                f"{facts['channels']} as in layout {facts['layout']!r} and the set's first clip"
            )
        yield skeleton_record(source, joints)


def _find_folder(raw: Path, layout: str | None, expects: str) -> RawDataset:
    table = find_table(raw, expects)
    rows = read_table(table)
    about = read_description(raw, ("labels", "layout", "channels"))
    names = about.get("labels") or sort_labels(row["label"] for row in rows)
    paths = [_clip_path(raw, row["id"], table) for row in rows]
    first = clip_array(load_clip(str(paths[0])), repr(str(paths[0])))
    given = (
        Layout.from_dict(about["layout"])
        if isinstance(about.get("layout"), dict)
        else about.get("layout")
    )
    joints = choose_layout(layout or given, first.shape[2])
    labels = [label_index(row["label"], names, f"{str(table)!r}, {row['id']!r}") for row in rows]
    return group_by_splits(
        ids=[row["id"] for row in rows],
        paths=[str(path) for path in paths],
        labels=labels,
        splits=[parse_splits(row["split"], f"{str(table)!r}, {row['id']!r}") for row in rows],
        names=names,
        layout=joints,
        channels=choose_channels(about.get("channels"), joints, first.shape[3]),
    )


def _clip_path(raw: Path, clip: str, table: Path) -> Path:
    for suffix in SUFFIXES:
        if (path := raw / f"{clip}{suffix}").is_file():
            return path
    raise UserError(
        f"{str(table)!r} lists {clip!r}, but {str(raw)!r} has no {clip}.npz, .npy or .json"
    )


def _find_packed(raw: Path, layout: str | None) -> RawDataset:
    content = packed_arrays(str(raw))
    lacking = [key for key in ("x", "offset", "label", "split") if key not in content]
    if lacking:
        raise UserError(
            f"{str(raw)!r} lacks {', '.join(lacking)}; a packed set has x, offset, label, class_names and split"
        )
    x, offset, label, split = (content[key] for key in ("x", "offset", "label", "split"))
    count = len(label)
    if (
        offset.shape != (count + 1,)
        or offset[0] != 0
        or offset[-1] != len(x)
        or (np.diff(offset) < 1).any()
    ):
        raise UserError(
            f"{str(raw)!r}: offset must rise from 0 to the {len(x)} frames of x in {count + 1} values"
        )
    if len(split) != count or split.ndim > 2:
        raise UserError(
            f"{str(raw)!r}: split has the shape {split.shape}, wanted one row for each of {count} clips"
        )
    first = clip_array(x[: offset[1]], repr(str(raw)))
    joints = choose_layout(layout, first.shape[2])
    names = [str(name) for name in content.get("class_names", sort_labels(map(str, label)))]
    digits = max(len(str(count - 1)), 4)
    ids = (
        [str(name) for name in content["id"]]
        if "id" in content
        else [f"{i:0{digits}d}" for i in range(count)]
    )
    return group_by_splits(
        ids=ids,
        paths=[str(raw)] * count,
        labels=[
            label_index(str(value), names, f"{str(raw)!r}, clip {i}")
            for i, value in enumerate(label)
        ],
        splits=[_packed_split(row, f"{str(raw)!r}, clip {i}") for i, row in enumerate(split)],
        names=names,
        layout=joints,
        channels=choose_channels(content.get("channels"), joints, first.shape[3]),
        facts=[{"start": int(a), "stop": int(b)} for a, b in itertools.pairwise(offset)],
    )


def _packed_split(row: np.ndarray | np.generic, where: str) -> tuple[str, ...]:
    if row.ndim == 0 and not np.issubdtype(row.dtype, np.integer):
        return parse_splits(str(row), where)
    flags = row.reshape(-1)
    if not np.isin(flags, (0, 1, 2)).all():
        raise UserError(
            f"{where}: split is {flags.tolist()}, wanted 1 (train), 2 (test) or 0 (unused)"
        )
    halves = ("", "train", "test")
    named = [
        halves[flag] if row.ndim == 0 else f"split{number}_{halves[flag]}"
        for number, flag in enumerate(flags, 1)
    ]
    return tuple(name for name, flag in zip(named, flags, strict=True) if flag)
