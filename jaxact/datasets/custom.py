"""`custom/NAME`: clips of your own, as a folder with a table, or packed in one `.npz`.

Folder:
    labels.csv            header `id,label,split`; a clip may be in several splits: "split1_train;split2_test"
    <id>.npy              joints [t, v, c] or [t, m, v, c]
    <id>.npz              the same under the key `joints` (or the file's only key)
    <id>.json             the same as nested lists, alone or under the key `joints`
    dataset.json          optional: {"labels": [...], "layout": name or object, "channels": ["x", "y", "score"]}

Packed `.npz`: `x` [sum of t, m, v, c] (or without m), `offset` [n + 1], `label` [n], `class_names`, `split` [n, s]
with 1 train, 2 test and 0 unused for splits 1 to s, or [n] names as in the table; optional `id` [n] and `channels`.

Without a list of labels the classes are the labels that occur, sorted. With one, the label column holds names or
numbers from 0. Two channels are x and y; three are x, y, score in an image layout (OpenPose, COCO, JHMDB) and x, y, z
elsewhere.
"""

import csv
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxact.datasets.arrays import clip_array, joints_of, load_clip, packed_arrays, where_of
from jaxact.datasets.builder import XY, XY_SCORE, XYZ, Found, Record, SkeletonBuilder, Source, record
from jaxact.datasets.kinetics import load_json
from jaxact.errors import UserError, unknown
from jaxact.skeletons import LAYOUTS, Layout, get_layout

COLUMNS = ("id", "label", "split")
SUFFIXES = (".npz", ".npy", ".json")
IMAGE_LAYOUTS = ("openpose-18", "coco-17", "jhmdb-15")
_SPLIT = re.compile(r"[A-Za-z0-9_]+")


class Custom(SkeletonBuilder):
    """A set of your own; joints [t, m, v, c] as the files have them."""

    EXPECTS = (
        "a folder of <id>.npz, .npy or .json clips with a labels.csv of id,label,split, or one packed .npz with "
        "x, offset, label, class_names and split"
    )
    LICENCE = "yours to state"
    NAMED = True

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> Found:
        """One source per row of the table, or per clip of the packed file."""
        if raw.is_dir():
            return _find_folder(raw, layout, cls.EXPECTS)
        if raw.suffix == ".npz":
            return _find_packed(raw, layout)
        raise UserError(f"{str(raw)!r} is neither a folder nor an .npz file; expected {cls.EXPECTS}")

    @staticmethod
    def parse(source: Source) -> Iterator[Record]:
        """One clip."""
        facts, where, joints = source.facts, where_of(source), joints_of(source)
        if joints.shape[2:] != (facts["joints"], facts["channels"]):
            raise UserError(
                f"{where}: {joints.shape[2]} joints of {joints.shape[3]} channels, wanted {facts['joints']} of "
                f"{facts['channels']} as in layout {facts['layout']!r} and the set's first clip"
            )
        yield record(source, joints)


def _find_folder(raw: Path, layout: str | None, expects: str) -> Found:
    tables = sorted(raw.glob("*.csv"))
    if len(tables) != 1:
        raise UserError(f"{len(tables)} .csv files in {str(raw)!r}; expected {expects}")
    rows = _rows(tables[0])
    about = load_json(raw / "dataset.json") if (raw / "dataset.json").is_file() else {}
    if not isinstance(about, dict) or (odd := set(about) - {"labels", "layout", "channels"}):
        given = f"the fields {sorted(odd)}" if isinstance(about, dict) else repr(about)[:60]
        raise UserError(f"{str(raw / 'dataset.json')!r} holds {given}; wanted an object of labels, layout and channels")
    names = about.get("labels") or _sorted_names(row["label"] for row in rows)
    paths = [_clip_path(raw, row["id"], tables[0]) for row in rows]
    first = clip_array(load_clip(str(paths[0])), repr(str(paths[0])))
    given = Layout.from_dict(about["layout"]) if isinstance(about.get("layout"), dict) else about.get("layout")
    joints = layout_of(layout or given, first.shape[2])
    labels = [_label(row["label"], names, f"{str(tables[0])!r}, {row['id']!r}") for row in rows]
    return _found(
        ids=[row["id"] for row in rows],
        paths=[str(path) for path in paths],
        labels=labels,
        splits=[_split_names(row["split"], f"{str(tables[0])!r}, {row['id']!r}") for row in rows],
        names=names,
        layout=joints,
        channels=channels_of(about.get("channels"), joints, first.shape[3]),
    )


def _rows(table: Path) -> list[dict[str, str]]:
    with open(table, newline="", encoding="utf-8-sig") as file:
        try:
            reader = csv.DictReader(file, skipinitialspace=True, strict=True)
            header = tuple(reader.fieldnames or ())
            rows = list(reader)
        except (csv.Error, UnicodeDecodeError) as error:
            raise UserError(f"{str(table)!r} is not a CSV table: {error}") from error
    if not set(COLUMNS) <= set(header):
        raise UserError(f"{str(table)!r} has the columns {', '.join(header) or 'none'}; wanted {', '.join(COLUMNS)}")
    for number, row in enumerate(rows, 2):
        if empty := [column for column in COLUMNS if not (row[column] or "").strip()]:
            raise UserError(f"{str(table)!r}, row {number}: no {empty[0]}")
    if not rows:
        raise UserError(f"{str(table)!r} lists no clips")
    return [{column: row[column].strip() for column in COLUMNS} for row in rows]


def _clip_path(raw: Path, clip: str, table: Path) -> Path:
    for suffix in SUFFIXES:
        if (path := raw / f"{clip}{suffix}").is_file():
            return path
    raise UserError(f"{str(table)!r} lists {clip!r}, but {str(raw)!r} has no {clip}.npz, .npy or .json")


def _find_packed(raw: Path, layout: str | None) -> Found:
    content = packed_arrays(str(raw))
    lacking = [key for key in ("x", "offset", "label", "split") if key not in content]
    if lacking:
        raise UserError(
            f"{str(raw)!r} lacks {', '.join(lacking)}; a packed set has x, offset, label, class_names and split"
        )
    x, offset, label, split = (content[key] for key in ("x", "offset", "label", "split"))
    count = len(label)
    if offset.shape != (count + 1,) or offset[0] != 0 or offset[-1] != len(x) or (np.diff(offset) < 1).any():
        raise UserError(f"{str(raw)!r}: offset must rise from 0 to the {len(x)} frames of x in {count + 1} values")
    if len(split) != count or split.ndim > 2:
        raise UserError(f"{str(raw)!r}: split has the shape {split.shape}, wanted one row for each of {count} clips")
    first = clip_array(x[: offset[1]], repr(str(raw)))
    joints = layout_of(layout, first.shape[2])
    names = [str(name) for name in content.get("class_names", _sorted_names(map(str, label)))]
    digits = max(len(str(count - 1)), 4)
    ids = [str(name) for name in content["id"]] if "id" in content else [f"{i:0{digits}d}" for i in range(count)]
    return _found(
        ids=ids,
        paths=[str(raw)] * count,
        labels=[_label(str(value), names, f"{str(raw)!r}, clip {i}") for i, value in enumerate(label)],
        splits=[_packed_split(row, f"{str(raw)!r}, clip {i}") for i, row in enumerate(split)],
        names=names,
        layout=joints,
        channels=channels_of(content.get("channels"), joints, first.shape[3]),
        facts=[{"start": int(a), "stop": int(b)} for a, b in itertools.pairwise(offset)],
    )


def _packed_split(row: np.ndarray | np.generic, where: str) -> tuple[str, ...]:
    if row.ndim == 0 and not np.issubdtype(row.dtype, np.integer):
        return _split_names(str(row), where)
    flags = row.reshape(-1)
    if not np.isin(flags, (0, 1, 2)).all():
        raise UserError(f"{where}: split is {flags.tolist()}, wanted 1 (train), 2 (test) or 0 (unused)")
    halves = ("", "train", "test")
    named = [halves[flag] if row.ndim == 0 else f"split{number}_{halves[flag]}" for number, flag in enumerate(flags, 1)]
    return tuple(name for name, flag in zip(named, flags, strict=True) if flag)


def _found(
    *,
    ids: Sequence[str],
    paths: Sequence[str],
    labels: Sequence[int],
    splits: Sequence[tuple[str, ...]],
    names: Sequence[str],
    layout: Layout,
    channels: tuple[str, ...],
    facts: Sequence[dict[str, int]] | None = None,
) -> Found:
    """Clips that are in the same splits share a cell."""
    shape = {"joints": len(layout.joints), "channels": len(channels), "layout": layout.name}
    groups = {group: f"cell{number}" for number, group in enumerate(sorted(set(splits)))}
    sources = [
        Source(clip, path, groups[group], label, {**shape, **(facts[i] if facts else {})})
        for i, (clip, path, group, label) in enumerate(zip(ids, paths, splits, labels, strict=True))
    ]
    unions = {
        split: tuple(cell for group, cell in groups.items() if split in group)
        for split in sorted({split for group in groups for split in group})
    }
    return Found(sources=sources, labels=tuple(names), layout=layout, channels=channels, unions=unions)


def _split_names(text: str, where: str) -> tuple[str, ...]:
    names = sorted({name.strip() for name in text.split(";")})
    for name in names:
        if not _SPLIT.fullmatch(name) or name == "all" or re.fullmatch(r"cell\d+", name):
            raise UserError(
                f"{where}: {name!r} cannot name a split; use letters, digits and _, and neither all nor cell0"
            )
    return tuple(names)


def layout_of(given: str | Layout | None, joints: int) -> Layout:
    if isinstance(given, Layout):
        layout = given
    elif given:
        layout = get_layout(given)
    else:
        fitting = [name for name, layout in LAYOUTS.items() if len(layout.joints) == joints]
        raise UserError(
            f"a custom set needs its joint layout (--layout NAME or FILE.json); with {joints} joints: "
            f"{', '.join(fitting) or 'none, describe your own in a JSON file'}"
        )
    if len(layout.joints) != joints:
        raise UserError(f"the clips have {joints} joints, but layout {layout.name!r} has {len(layout.joints)}")
    return layout


def channels_of(given: Any, layout: Layout, count: int) -> tuple[str, ...]:
    if given is not None:
        channels = tuple(map(str, given))
        if len(channels) != count:
            raise UserError(
                f"the clips have {count} channels, but channels names {len(channels)}: {', '.join(channels)}"
            )
        return channels
    if count == 3:
        return XY_SCORE if layout.name in IMAGE_LAYOUTS else XYZ
    if count == 2:
        return XY
    raise UserError(
        f"the clips have {count} channels; 2 (x, y) and 3 are known, others need `channels` in dataset.json"
    )


def _sorted_names(labels: Any) -> list[str]:
    names = set(labels)
    return sorted(names, key=lambda name: (0, int(name), "") if name.isdigit() else (1, 0, name))


def _label(value: str, names: Sequence[str], where: str) -> int:
    if value in names:
        return list(names).index(value)
    if value.isdigit() and int(value) < len(names):
        return int(value)
    raise unknown(f"label in {where}:", value, names)
