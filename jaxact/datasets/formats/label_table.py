"""What sets that a user describes have in common: a table of clips, class names, splits, and the
choice of a layout.
"""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxact.datasets.kinetics import load_json
from jaxact.datasets.preparation.builder import XY, XY_SCORE, XYZ, Found, Source
from jaxact.errors import UserError, unknown
from jaxact.skeletons import LAYOUTS, Layout, get_layout

COLUMNS = ("id", "label", "split")
IMAGE_LAYOUTS = ("openpose-18", "body-25", "coco-17", "jhmdb-15")
# What files of other projects mean by a number of joints where they do not say.
USUAL_LAYOUTS = {17: "coco-17", 18: "openpose-18", 25: "ntu-25"}
_SPLIT = re.compile(r"[A-Za-z0-9_]+")


def find_table(raw: Path, expects: str) -> Path:
    """The one .csv file of a folder."""
    tables = sorted(raw.glob("*.csv"))
    if len(tables) != 1:
        raise UserError(f"{len(tables)} .csv files in {str(raw)!r}; expected {expects}")
    return tables[0]


def read_table(table: Path) -> list[dict[str, str]]:
    """Rows of id, label and split.

    Raises:
      UserError: not a CSV table, without these columns or without rows, or a row lacks one of them.
    """
    with open(table, newline="", encoding="utf-8-sig") as file:
        try:
            reader = csv.DictReader(file, skipinitialspace=True, strict=True)
            header = tuple(reader.fieldnames or ())
            rows = list(reader)
        except (csv.Error, UnicodeDecodeError) as error:
            raise UserError(f"{str(table)!r} is not a CSV table: {error}") from error
    if not set(COLUMNS) <= set(header):
        raise UserError(
            f"{str(table)!r} has the columns {', '.join(header) or 'none'}; wanted {', '.join(COLUMNS)}"
        )
    for number, row in enumerate(rows, 2):
        if empty := [column for column in COLUMNS if not (row[column] or "").strip()]:
            raise UserError(f"{str(table)!r}, row {number}: no {empty[0]}")
    if not rows:
        raise UserError(f"{str(table)!r} lists no clips")
    return [{column: row[column].strip() for column in COLUMNS} for row in rows]


def description(raw: Path, fields: Sequence[str]) -> dict[str, Any]:
    """The folder's dataset.json, an object of these fields; empty where there is none."""
    path = raw / "dataset.json"
    about = load_json(path) if path.is_file() else {}
    if not isinstance(about, dict) or (odd := set(about) - set(fields)):
        given = f"the fields {sorted(odd)}" if isinstance(about, dict) else repr(about)[:60]
        wanted = f"{', '.join(fields[:-1])} and {fields[-1]}"
        raise UserError(f"{str(path)!r} holds {given}; wanted an object of {wanted}")
    return about


def listed_names(path: Path, labels: Iterable[int]) -> tuple[str, ...]:
    """Class names of sets that know numbers only: the lines of `path` where it exists, else the
    numbers themselves.

    Raises:
      UserError: a label has no line, or two lines are equal.
    """
    highest = max(labels, default=-1)
    if not path.is_file():
        return tuple(map(str, range(highest + 1)))
    names = path.read_text(encoding="utf-8").split("\n")
    names = [name.strip() for name in names[: -1 if not names[-1].strip() else None]]
    if highest >= len(names):
        raise UserError(
            f"{str(path)!r} names {len(names)} classes, but a clip has the label {highest}"
        )
    if len(set(names)) != len(names) or "" in names:
        raise UserError(f"{str(path)!r}: class names must differ and not be empty")
    return tuple(names)


def grouped(
    *,
    ids: Sequence[str],
    paths: Sequence[str],
    labels: Sequence[int],
    splits: Sequence[tuple[str, ...]],
    names: Sequence[str],
    layout: Layout,
    channels: tuple[str, ...],
    facts: Sequence[Mapping[str, Any]] | None = None,
    **fields: Any,
) -> Found:
    """What was found, by clip; clips that are in the same splits share a cell. `fields` are further
    ones of `Found`.
    """
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
    return Found(
        sources=sources,
        labels=tuple(names),
        layout=layout,
        channels=channels,
        unions=unions,
        **fields,
    )


def split_names(text: str, where: str) -> tuple[str, ...]:
    """Names of splits from "one;another"."""
    names = sorted({name.strip() for name in text.split(";")})
    for name in names:
        if not _SPLIT.fullmatch(name) or name == "all" or re.fullmatch(r"cell\d+", name):
            raise UserError(
                f"{where}: {name!r} cannot name a split; use letters, digits and _, and neither all nor cell0"
            )
    return tuple(names)


def choose_layout(
    given: str | Layout | None, joints: int, usual: Mapping[int, str] | None = None
) -> Layout:
    """The layout that was given, or the usual one of so many joints.

    Raises:
      UserError: none was given and none is usual, or it has another number of joints.
    """
    given = given or (usual or {}).get(joints)
    if isinstance(given, Layout):
        layout = given
    elif given:
        layout = get_layout(given)
    else:
        fitting = [name for name, layout in LAYOUTS.items() if len(layout.joints) == joints]
        raise UserError(
            f"the set needs its joint layout (--layout NAME or FILE.json); with {joints} joints: "
            f"{', '.join(fitting) or 'none, describe your own in a JSON file'}"
        )
    if len(layout.joints) != joints:
        raise UserError(
            f"the clips have {joints} joints, but layout {layout.name!r} has {len(layout.joints)}"
        )
    return layout


def choose_channels(given: Any, layout: Layout, count: int) -> tuple[str, ...]:
    """Names of the channels that were given, or what so many mean in this layout.

    Raises:
      UserError: another number was given, or the number has no usual meaning.
    """
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


def sorted_names(labels: Iterable[str]) -> list[str]:
    """The labels that occur, numbers as numbers."""
    return sorted(
        set(labels), key=lambda name: (0, int(name), "") if name.isdigit() else (1, 0, name)
    )


def label_number(value: str, names: Sequence[str], where: str) -> int:
    """A label's place among the names, from its name or its number."""
    if value in names:
        return list(names).index(value)
    if value.isdigit() and int(value) < len(names):
        return int(value)
    raise unknown(f"label in {where}:", value, names)
