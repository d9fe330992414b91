"""`video_folder`: video clips of your own, in folders named after their classes, or in a table.

Folders:
    <class>/<clip>.mp4                  any container; deeper folders belong to the class
    train/<class>/..., test/<class>/    the same for each split, if all folders are called train,
                                        test, val ...
Table, a .csv file or the only one in the folder:
    path,label[,split][,group]          paths from the table's folder; a clip may be in several
                                        splits: "a_train;b_test"

A `group` identifies the recording from which clips were cut. Without groups, the only drawn split
is the one that ignores recordings.
"""

import os
from pathlib import Path

from jaxact.datasets.formats.label_table import parse_splits, read_csv, sort_labels
from jaxact.datasets.preparation import random_splits
from jaxact.datasets.preparation.builder import RawDataset
from jaxact.datasets.preparation.video_builder import VideoBuilder, video_dataset, video_files
from jaxact.errors import UserError

HALVES = ("train", "test", "val", "valid", "validation")
COLUMNS = ("path", "label", "split", "group")
REQUIRED = ("path", "label")


class VideoFolder(VideoBuilder):
    """Video clips of your own: JPEG frames."""

    EXPECTS = (
        "videos in folders named after their classes, or a table of path,label[,split][,group]"
    )
    LICENCE = "yours to state"
    NAMED = True
    NAME_NEEDED = False

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per row of the table, or per video in the folders."""
        if not raw.is_dir():
            return _from_table(raw)
        tables = sorted(raw.glob("*.csv"))
        if len(tables) > 1:
            raise UserError(
                f"{len(tables)} .csv files in {str(raw)!r}; give the one to use as --raw"
            )
        if tables:
            return _from_table(tables[0])
        return _from_folders(raw, cls.EXPECTS)


def _from_folders(raw: Path, expects: str) -> RawDataset:
    """The videos of a folder, with classes and splits from the folder names."""
    paths = [path.relative_to(raw) for path in video_files(raw, expects)]
    has_halves = all(path.parts[0] in HALVES for path in paths)
    depth = 1 if has_halves else 0  # of the class folder
    for path in paths:
        if len(path.parts) < depth + 2:
            raise UserError(f"{str(raw / path)!r} is in no folder of a class; expected {expects}")
    names = sort_labels(path.parts[depth] for path in paths)
    return video_dataset(
        ids=[path.with_suffix("").as_posix() for path in paths],
        paths=[str(raw / path) for path in paths],
        labels=[names.index(path.parts[depth]) for path in paths],
        names=names,
        splits=[path.parts[:depth] for path in paths],
        groups=[""] * len(paths),
    )


def _from_table(table: Path) -> RawDataset:
    """The videos of a table."""
    rows = _read(table)
    names = sort_labels(row["label"] for row in rows)
    ids, paths, labels, splits, groups = [], [], [], [], []
    for row in rows:
        path = row["path"]
        ids.append(os.path.splitext(path)[0])
        paths.append(str(table.parent / path))
        labels.append(names.index(row["label"]))
        splits.append(_splits(row["split"], f"{str(table)!r}, {path!r}"))
        groups.append(row["group"])
    return video_dataset(
        ids=ids, paths=paths, labels=labels, names=names, splits=splits, groups=groups
    )


def _read(table: Path) -> list[dict[str, str]]:
    """Rows with all of `COLUMNS`; "" for a column that the table does not have."""
    header, lines = read_csv(table)
    if not set(REQUIRED) <= set(header) <= set(COLUMNS):
        raise UserError(
            f"{str(table)!r} has the columns {', '.join(header) or 'none'}; "
            "wanted path, label, perhaps split and group"
        )
    rows = []
    for number, line in enumerate(lines, 2):
        row = {column: (line.get(column) or "").strip() for column in COLUMNS}
        for column in REQUIRED:
            if not row[column]:
                raise UserError(f"{str(table)!r}, row {number}: no {column}")
        rows.append(row)
    if not rows:
        raise UserError(f"{str(table)!r} lists no clips")
    return rows


def _splits(text: str, where: str) -> tuple[str, ...]:
    """Names of a clip's splits, none of which may be drawn by `prepare`."""
    if not text:
        return ()
    names = parse_splits(text, where)
    for name in names:
        if name.rpartition("_")[0] in (random_splits.BY_CLIP, random_splits.BY_GROUP):
            raise UserError(
                f"{where}: the split {name!r} is drawn by `prepare`; give it another name"
            )
    return names
