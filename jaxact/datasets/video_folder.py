"""`video_folder`: clips of your own, in folders named after their classes, or as a table says.

Folders:
    <class>/<clip>.mp4                  any container; folders further down belong to the class
    train/<class>/..., test/<class>/    the same for each split, where all folders are called train, test, val ...
Table, a .csv file or the only one in the folder:
    path,label[,split][,group]          paths from the table's folder; a clip may be in several splits: "a_train;b_test"

A `group` says what clips were cut from one recording. Without one a split that is drawn clip by
clip is all there is beside the splits that the table names.
"""

import csv
import os
from pathlib import Path

from jaxact.datasets.formats.label_table import parse_splits, sort_labels
from jaxact.datasets.preparation import random_splits
from jaxact.datasets.preparation.builder import RawDataset
from jaxact.datasets.preparation.video_builder import VideoBuilder, video_dataset, video_files
from jaxact.errors import UserError

HALVES = ("train", "test", "val", "valid", "validation")
COLUMNS = ("path", "label", "split", "group")


class VideoFolder(VideoBuilder):
    """Clips of your own: JPEG frames."""

    EXPECTS = (
        "videos in folders named after their classes, or a table of path,label[,split][,group]"
    )
    LICENCE = "yours to state"
    NAMED = True
    NAME_NEEDED = False

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One source per row of the table, or per video in the folders."""
        if not raw.is_dir():
            return _from_table(raw)
        tables = sorted(raw.glob("*.csv"))
        if len(tables) > 1:
            raise UserError(
                f"{len(tables)} .csv files in {str(raw)!r}; give the one that is meant as --raw"
            )
        return _from_table(tables[0]) if tables else _from_folders(raw, cls.EXPECTS)


def _from_folders(raw: Path, expects: str) -> RawDataset:
    paths = video_files(raw, expects)
    parts = [path.relative_to(raw).parts for path in paths]
    halved = all(part[0] in HALVES for part in parts)
    for path, part in zip(paths, parts, strict=True):
        if len(part) < 2 + halved:
            raise UserError(f"{str(path)!r} lies in no folder of a class; expected {expects}")
    names = sort_labels(part[halved] for part in parts)
    return video_dataset(
        ids=[path.relative_to(raw).with_suffix("").as_posix() for path in paths],
        paths=[str(path) for path in paths],
        labels=[names.index(part[halved]) for part in parts],
        names=names,
        splits=[part[:1] if halved else () for part in parts],
        groups=[""] * len(paths),
    )


def _from_table(table: Path) -> RawDataset:
    rows = _read(table)
    names = sort_labels(row["label"] for row in rows)
    return video_dataset(
        ids=[os.path.splitext(row["path"])[0] for row in rows],
        paths=[str(table.parent / row["path"]) for row in rows],
        labels=[names.index(row["label"]) for row in rows],
        names=names,
        splits=[_splits(row["split"], f"{str(table)!r}, {row['path']!r}") for row in rows],
        groups=[row["group"] for row in rows],
    )


def _read(table: Path) -> list[dict[str, str]]:
    """Rows with all of `COLUMNS`, "" where the table has no such column."""
    try:
        with open(table, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, skipinitialspace=True, strict=True)
            header = tuple(reader.fieldnames or ())
            rows = [
                {column: (row.get(column) or "").strip() for column in COLUMNS} for row in reader
            ]
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{str(table)!r} is not a CSV table: {error}") from error
    if not {"path", "label"} <= set(header) <= set(COLUMNS):
        raise UserError(
            f"{str(table)!r} has the columns {', '.join(header) or 'none'}; wanted path, label, perhaps split and group"
        )
    for number, row in enumerate(rows, 2):
        if empty := [column for column in ("path", "label") if not row[column]]:
            raise UserError(f"{str(table)!r}, row {number}: no {empty[0]}")
    if not rows:
        raise UserError(f"{str(table)!r} lists no clips")
    return rows


def _splits(text: str, where: str) -> tuple[str, ...]:
    names = parse_splits(text, where) if text else ()
    for name in names:
        if name.rpartition("_")[0] in (random_splits.BY_CLIP, random_splits.BY_GROUP):
            raise UserError(
                f"{where}: the split {name!r} is drawn by `prepare`; give it another name"
            )
    return names
