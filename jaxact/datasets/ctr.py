"""`ctr/NAME`: archives in the format of CTR-GCN.

FILE.npz           x_train [n, t, m v 3], y_train one-hot [n, classes], x_test and y_test
FILE.labels.txt    optional: names of the classes, one per line; else they are numbers
"""

import functools
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jaxact.datasets.formats.joint_arrays import without_padding
from jaxact.datasets.formats.label_table import ListedClip, group_by_splits, read_class_names
from jaxact.datasets.formats.npz_rows import Rows
from jaxact.datasets.preparation.builder import (
    XYZ,
    RawClip,
    RawDataset,
    Record,
    SkeletonBuilder,
    skeleton_record,
)
from jaxact.errors import UserError
from jaxact.skeletons import Layout, get_layout

NTU_WIDTH = 2 * 25 * 3  # numbers per frame in archives of NTU RGB+D


class Ctr(SkeletonBuilder):
    """An archive in the format of CTR-GCN: joints [t, m, v, 3] without the empty last frames.

    One clip is read at a time. One process reads a compressed archive.
    """

    EXPECTS = "one .npz of x_train [n, t, m v 3], y_train one-hot [n, classes], x_test and y_test"
    LICENCE = "that of the data the archive was made from"
    NAMED = True
    COMPRESS = True

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per row, named by its number."""
        path = str(raw)
        if not raw.is_file() or raw.suffix != ".npz":
            raise UserError(f"{path!r} is not an .npz file; expected {cls.EXPECTS}")
        arrays = {split: open_rows(path, f"x_{split}") for split in ("train", "test")}
        width = arrays["train"].shape[-1]
        joint_layout = _choose_layout(layout, width, path)
        clips: list[ListedClip] = []
        streamed = False
        for split, rows in arrays.items():
            if len(rows.shape) != 3 or rows.shape[2] != width:
                raise UserError(
                    f"{path!r}: x_{split} has the shape {rows.shape}, wanted [n, t, {width}]"
                )
            streamed = streamed or rows.streamed
            for index, label in enumerate(read_classes(path, f"y_{split}", len(rows))):
                clips.append(
                    ListedClip(
                        id=f"{split}_{index:06d}",
                        path=path,
                        label=label,
                        splits=(split,),
                        facts={"index": index, "split": split},
                    )
                )
        labels = [clip.label for clip in clips]
        return group_by_splits(
            clips,
            names=read_class_names(raw.with_suffix(".labels.txt"), labels),
            layout=joint_layout,
            channels=XYZ,
            single_process=streamed,
        )

    @staticmethod
    def parse(raw_clip: RawClip) -> Iterator[Record]:
        """One row."""
        facts = raw_clip.facts
        row = open_rows(raw_clip.path, f"x_{facts['split']}")[facts["index"]]
        joints = row.astype(np.float32).reshape(len(row), -1, facts["joints"], 3)
        yield skeleton_record(raw_clip, without_padding(joints))


def open_rows(path: str, key: str) -> Rows:
    """An array of the archive; it stays open between clips until the file changes."""
    return _open_rows(path, key, os.stat(path).st_mtime_ns)


@functools.lru_cache(maxsize=2)
def _open_rows(path: str, key: str, modified: int) -> Rows:
    del modified  # part of the cache key
    return Rows(path, key)


def read_classes(path: str, key: str, count: int) -> list[int]:
    """Class numbers from one-hot rows.

    Args:
        path: The archive.
        key: Name of the one-hot array.
        count: Number of clips.

    Raises:
        UserError: The array does not have `count` rows, or one of them is not one-hot.
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


def _choose_layout(name: str | None, width: int, path: str) -> Layout:
    """The joint layout of frames of `width` numbers: x, y and z of the joints of each person."""
    if name is None and width != NTU_WIDTH:
        raise UserError(
            f"{path!r}: {width} numbers in a frame are not NTU RGB+D's {NTU_WIDTH}; "
            "name the joints (--layout NAME)"
        )
    layout = get_layout(name or "ntu-25")
    if width % (3 * len(layout.joints)):
        raise UserError(
            f"{path!r}: {width} numbers in a frame are not x, y and z of "
            f"{len(layout.joints)} joints ({layout.name})"
        )
    return layout
