"""What sets that the user describes have in common.

A table of clips, class names, splits, and the choice of the joint layout and the channels.
"""

import csv
import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxact.datasets.formats.json_file import load_json
from jaxact.datasets.preparation.builder import XY, XY_SCORE, XYZ, RawClip, RawDataset
from jaxact.errors import UserError, unknown
from jaxact.skeletons import LAYOUTS, Layout, get_layout

COLUMNS = ("id", "label", "split")
IMAGE_LAYOUTS = ("openpose-18", "body-25", "coco-17", "jhmdb-15")
# The layouts of other projects' files that do not name one, by their number of joints.
USUAL_LAYOUTS = {17: "coco-17", 18: "openpose-18", 25: "ntu-25"}
_SPLIT = re.compile(r"[A-Za-z0-9_]+")


def find_table(raw: Path, expects: str) -> Path:
    """The one .csv file of a folder.

    Args:
        raw: The folder.
        expects: What the folder should hold, for errors.

    Raises:
        UserError: There is no .csv file, or more than one.
    """
    tables = sorted(raw.glob("*.csv"))
    if len(tables) != 1:
        raise UserError(f"{len(tables)} .csv files in {str(raw)!r}; expected {expects}")
    return tables[0]


def read_csv(table: Path) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    """Header and rows of a CSV table.

    Raises:
        UserError: The file is not a CSV table.
    """
    try:
        with open(table, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, skipinitialspace=True, strict=True)
            return tuple(reader.fieldnames or ()), list(reader)
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{str(table)!r} is not a CSV table: {error}") from error


def read_table(table: Path) -> list[dict[str, str]]:
    """The id, label and split of each row of a table.

    Raises:
        UserError: The file is not a CSV table, lacks a column, has no rows, or a row has an empty
            field.
    """
    header, lines = read_csv(table)
    if not set(COLUMNS) <= set(header):
        raise UserError(
            f"{str(table)!r} has the columns {', '.join(header) or 'none'}; "
            f"wanted {', '.join(COLUMNS)}"
        )
    rows = []
    for number, line in enumerate(lines, 2):
        row = {column: (line[column] or "").strip() for column in COLUMNS}
        for column, value in row.items():
            if not value:
                raise UserError(f"{str(table)!r}, row {number}: no {column}")
        rows.append(row)
    if not rows:
        raise UserError(f"{str(table)!r} lists no clips")
    return rows


def read_description(raw: Path, fields: Sequence[str]) -> dict[str, Any]:
    """The fields of a folder's dataset.json; empty if there is no such file.

    Raises:
        UserError: The file is not an object, or has other fields than `fields`.
    """
    path = raw / "dataset.json"
    if not path.is_file():
        return {}
    description = load_json(path)
    expected = f"wanted an object of {', '.join(fields[:-1])} and {fields[-1]}"
    if not isinstance(description, dict):
        raise UserError(f"{str(path)!r} holds {repr(description)[:60]}; {expected}")
    extra = set(description) - set(fields)
    if extra:
        raise UserError(f"{str(path)!r} holds the fields {sorted(extra)}; {expected}")
    return description


def read_class_names(path: Path, labels: Iterable[int]) -> tuple[str, ...]:
    """Class names of a set whose labels are numbers.

    Args:
        path: A file with one name per line; if it does not exist, the numbers are the names.
        labels: The labels of all clips.

    Raises:
        UserError: A label has no line, or two lines are equal.
    """
    highest = max(labels, default=-1)
    if not path.is_file():
        return tuple(str(label) for label in range(highest + 1))
    names = [line.strip() for line in path.read_text(encoding="utf-8").split("\n")]
    if not names[-1]:
        names.pop()
    if highest >= len(names):
        raise UserError(
            f"{str(path)!r} names {len(names)} classes, but a clip has the label {highest}"
        )
    if len(set(names)) != len(names) or "" in names:
        raise UserError(f"{str(path)!r}: class names must differ and not be empty")
    return tuple(names)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ListedClip:
    """A clip of a list.

    Attributes:
        id: Name of the clip.
        path: Its file.
        label: Its class.
        splits: Its splits.
        facts: What else the parser needs; plain values.
    """

    id: str
    path: str
    label: int
    splits: tuple[str, ...]
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def group_by_splits(
    clips: Sequence[ListedClip],
    *,
    names: Sequence[str],
    layout: Layout,
    channels: tuple[str, ...],
    **fields: Any,
) -> RawDataset:
    """The raw data set, in which clips of the same splits share a cell.

    Args:
        clips: The clips.
        names: Names of the classes.
        layout: Joint layout of all clips.
        channels: Meaning of the last axis of all clips.
        **fields: Further fields of the result.
    """
    shape = {"joints": len(layout.joints), "channels": len(channels), "layout": layout.name}
    cells: dict[tuple[str, ...], str] = {}
    for splits in sorted({clip.splits for clip in clips}):
        cells[splits] = f"cell{len(cells)}"
    raw_clips = []
    for clip in clips:
        facts = {**shape, **clip.facts}
        raw_clips.append(RawClip(clip.id, clip.path, cells[clip.splits], clip.label, facts))
    unions: dict[str, tuple[str, ...]] = {}
    for splits, cell in cells.items():
        for split in splits:
            unions[split] = (*unions.get(split, ()), cell)
    return RawDataset(
        clips=raw_clips,
        labels=tuple(names),
        layout=layout,
        channels=channels,
        unions=dict(sorted(unions.items())),
        **fields,
    )


def parse_splits(text: str, where: str) -> tuple[str, ...]:
    """Sorted names of splits from "one;another".

    Args:
        text: The names.
        where: Where the text is from, for errors.

    Raises:
        UserError: A name has other characters than letters, digits and _, or is reserved.
    """
    names = sorted({name.strip() for name in text.split(";")})
    for name in names:
        reserved = name == "all" or re.fullmatch(r"cell\d+", name)
        if reserved or not _SPLIT.fullmatch(name):
            raise UserError(
                f"{where}: {name!r} cannot name a split; use letters, digits and _, "
                "but not all or cell0"
            )
    return tuple(names)


def choose_layout(
    choice: str | Layout | None, joints: int, usual: Mapping[int, str] | None = None
) -> Layout:
    """The chosen joint layout, or the usual one for the number of joints.

    Args:
        choice: Name or layout; None picks the usual one.
        joints: Number of joints of the clips.
        usual: Number of joints -> name of the usual layout.

    Raises:
        UserError: There is no choice and no usual layout, or the layout has another number of
            joints.
    """
    if not choice and usual:
        choice = usual.get(joints)
    if not choice:
        names = [name for name, layout in LAYOUTS.items() if len(layout.joints) == joints]
        raise UserError(
            "the set needs its joint layout (--layout NAME or FILE.json); "
            f"with {joints} joints: "
            f"{', '.join(names) or 'none, describe your own in a JSON file'}"
        )
    layout = choice if isinstance(choice, Layout) else get_layout(choice)
    if len(layout.joints) != joints:
        raise UserError(
            f"the clips have {joints} joints, but layout {layout.name!r} has {len(layout.joints)}"
        )
    return layout


def choose_channels(choice: Any, layout: Layout, count: int) -> tuple[str, ...]:
    """The chosen channel names, or the usual ones for the number of channels.

    Args:
        choice: Names; None picks the usual ones of the layout.
        layout: Joint layout of the clips.
        count: Number of channels of the clips.

    Raises:
        UserError: The number of names differs, or the number of channels has no usual meaning.
    """
    if choice is not None:
        channels = tuple(map(str, choice))
        if len(channels) != count:
            raise UserError(
                f"the clips have {count} channels, but channels names {len(channels)}: "
                f"{', '.join(channels)}"
            )
        return channels
    if count == 3 and layout.name in IMAGE_LAYOUTS:
        return XY_SCORE
    if count == 3:
        return XYZ
    if count == 2:
        return XY
    raise UserError(
        f"the clips have {count} channels; 2 (x, y) and 3 need no names, "
        "others need `channels` in dataset.json"
    )


def sort_labels(labels: Iterable[str]) -> list[str]:
    """The different labels in order: numbers by value, then other labels by name."""

    def order(label: str) -> tuple[int, int, str]:
        if label.isdigit():
            return 0, int(label), ""
        return 1, 0, label

    return sorted(set(labels), key=order)


def label_index(value: str, names: Sequence[str], where: str) -> int:
    """Index of a class from its name or its number.

    Args:
        value: The name or number.
        names: Names of all classes.
        where: Where the value is from, for errors.

    Raises:
        UserError: There is no such class.
    """
    if value in names:
        return list(names).index(value)
    if value.isdigit() and int(value) < len(names):
        return int(value)
    raise unknown(f"label in {where}:", value, names)
