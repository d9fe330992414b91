"""`ctr/NAME`: archives of CTR-GCN and those after it: x_train [n, t, m v 3], y_train one-hot,
x_test and y_test.

Classes are numbers, unless FILE.labels.txt beside FILE.npz names one per line.
"""

import functools
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jaxact.datasets.formats.joint_arrays import without_padding
from jaxact.datasets.formats.label_table import group_by_splits, read_class_names
from jaxact.datasets.formats.npz_rows import Rows
from jaxact.datasets.preparation.builder import (
    RawClip,
    RawDataset,
    Record,
    SkeletonBuilder,
    skeleton_record,
)
from jaxact.errors import UserError
from jaxact.skeletons import Layout, get_layout

NTU = 2 * 25 * 3  # numbers in a frame of the archives of NTU RGB+D


class Ctr(SkeletonBuilder):
    """An archive in the form of CTR-GCN: joints [t, m, v, 3] without the empty frames that pad the
    end.

    One clip is read at a time; a compressed archive is read by one process.
    """

    EXPECTS = "one .npz of x_train [n, t, m v 3], y_train one-hot [n, classes], x_test and y_test"
    LICENCE = "that of the data the archive was made from"
    NAMED = True
    COMPRESS = True

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One source per row; it has no name but its number."""
        if not raw.is_file() or raw.suffix != ".npz":
            raise UserError(f"{str(raw)!r} is no .npz file; expected {cls.EXPECTS}")
        ids, labels, splits, facts = [], [], [], []
        rows = {split: open_rows(str(raw), f"x_{split}") for split in ("train", "test")}
        width = rows["train"].shape[-1]
        chosen = _layout(layout, width, str(raw))
        for split, x in rows.items():
            if len(x.shape) != 3 or x.shape[2] != width:
                raise UserError(
                    f"{str(raw)!r}: x_{split} has the shape {x.shape}, wanted [n, t, {width}]"
                )
            numbers = read_classes(str(raw), f"y_{split}", len(x))
            ids += [f"{split}_{index:06d}" for index in range(len(x))]
            labels += numbers
            splits += [(split,)] * len(x)
            facts += [{"index": index, "split": split} for index in range(len(x))]
        return group_by_splits(
            ids=ids,
            paths=[str(raw)] * len(ids),
            labels=labels,
            splits=splits,
            names=read_class_names(raw.with_suffix(".labels.txt"), labels),
            layout=chosen,
            channels=("x", "y", "z"),
            facts=facts,
            single_process=any(x.streamed for x in rows.values()),
        )

    @staticmethod
    def parse(source: RawClip) -> Iterator[Record]:
        """One row."""
        facts = source.facts
        row = open_rows(source.path, f"x_{facts['split']}")[facts["index"]]
        joints = row.astype(np.float32).reshape(len(row), -1, facts["joints"], 3)
        yield skeleton_record(source, without_padding(joints))


def open_rows(path: str, key: str) -> Rows:
    """An array of the archive, kept open between clips; a file that is written anew is opened
    anew.
    """
    return _opened(path, key, os.stat(path).st_mtime_ns)


@functools.lru_cache(maxsize=2)
def _opened(path: str, key: str, changed: int) -> Rows:
    del changed
    return Rows(path, key)


def read_classes(path: str, key: str, count: int) -> list[int]:
    """Class numbers from one-hot rows.

    Raises:
      UserError: there are not as many rows as clips, or one of them is not one-hot.
    """
    rows = Rows(path, key)
    if len(rows.shape) != 2 or len(rows) != count:
        raise UserError(f"{path!r}: {key} has the shape {rows.shape}, wanted [{count}, classes]")
    labels = []
    for index in range(count):
        row = rows[index]
        if np.count_nonzero(row) != 1 or row.max() != 1:
            raise UserError(f"{path!r}: row {index} of {key} is not one-hot")
        labels.append(int(row.argmax()))
    return labels


def _layout(given: str | None, width: int, path: str) -> Layout:
    """The layout of frames of so many numbers, x, y and z of one person after the other."""
    if given is None and width != NTU:
        raise UserError(
            f"{path!r}: {width} numbers in a frame are not NTU RGB+D's {NTU}; name the joints (--layout NAME)"
        )
    layout = get_layout(given or "ntu-25")
    if width % (3 * len(layout.joints)):
        raise UserError(
            f"{path!r}: {width} numbers in a frame are not x, y and z of {len(layout.joints)} joints ({layout.name})"
        )
    return layout
