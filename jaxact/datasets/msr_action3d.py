"""MSR-Action3D (Li, Zhang and Liu, CVPR Workshops 2010): 20 actions, 10 subjects, Kinect v1.

Skeletons are in text files.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from jaxtyping import Float

from jaxact.datasets.formats.number_table import read_numbers
from jaxact.datasets.preparation.builder import (
    XYZ,
    RawClip,
    RawDataset,
    Record,
    SkeletonBuilder,
    matching_files,
    skeleton_record,
)
from jaxact.errors import UserError
from jaxact.skeletons import get_layout

# fmt: off
LABELS = (
    "high arm wave", "horizontal arm wave", "hammer", "hand catch", "forward punch", "high throw",
    "draw x", "draw tick", "draw circle", "hand clap", "two hand wave", "side boxing", "bend",
    "forward kick", "side kick", "jogging", "tennis swing", "tennis serve", "golf swing",
    "pick up and throw",
)
# fmt: on
SUBJECTS = range(1, 11)
# The three action sets, by the action numbers of the file names.
SETS = {
    "as1": (2, 3, 5, 6, 10, 13, 18, 20),
    "as2": (1, 4, 7, 8, 9, 11, 12, 14),
    "as3": (6, 14, 15, 16, 17, 18, 19, 20),
}
JOINTS = 20
_NAME = re.compile(r"a(\d+)_s(\d+)_e(\d+)_skeleton(3D)?")
_CELL = re.compile(r"subject(\d+)_sets(\d*)")


class MsrAction3d(SkeletonBuilder):
    """MSR-Action3D: joints [t, 1, 20, (x, y, z, score)] of the files, layout kinect-20-msr.

    Files `_skeleton3D` hold metres, files `_skeleton` pixels and depth. Odd subjects train, even
    subjects test. `as1_train` and `as1_test` are the eight actions of the first action set.
    """

    EXPECTS = (
        "the files a<action>_s<subject>_e<take>_skeleton3D.txt (metres) "
        "or ..._skeleton.txt (pixels)"
    )
    LICENCE = "research use; ask the authors"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per file; a cell holds a subject's clips of the same action sets."""
        raw_clips = []
        units = set()
        for path in matching_files(raw, "a*_skeleton*.txt", cls.EXPECTS):
            match = _NAME.fullmatch(path.stem)
            if not match:
                raise UserError(
                    f"{str(path)!r} is not named a<action>_s<subject>_e<take>_skeleton3D.txt"
                )
            units.add(match[4])
            action, subject, take = map(int, match.groups()[:3])
            if not 1 <= action <= len(LABELS):
                raise UserError(
                    f"{str(path)!r}: action {action} is outside the list; "
                    f"MSR-Action3D has 1 to {len(LABELS)}"
                )
            if subject not in SUBJECTS:
                raise UserError(
                    f"{str(path)!r}: subject {subject} is outside the list; "
                    "MSR-Action3D has 1 to 10"
                )
            sets = "".join(name[2:] for name, actions in SETS.items() if action in actions)
            cell = f"subject{subject}_sets{sets}"
            facts = {"subject": subject, "take": take}
            clip = path.stem.split("_skeleton")[0]
            raw_clips.append(RawClip(clip, str(path), cell, action - 1, facts))
        if len(units) > 1:
            raise UserError(
                f"{str(raw)!r} has files in metres and in pixels; "
                f"give the folder of one kind: {cls.EXPECTS}"
            )
        return RawDataset(
            clips=raw_clips,
            labels=LABELS,
            layout=get_layout("kinect-20-msr"),
            channels=(*XYZ, "score"),
            unions=_unions(sorted({raw_clip.cell for raw_clip in raw_clips})),
        )

    @staticmethod
    def parse(raw_clip: RawClip) -> Iterator[Record]:
        """The clip of one file."""
        yield skeleton_record(raw_clip, read_clip(raw_clip.path), **raw_clip.facts)

    @classmethod
    def extras(cls, dataset: RawDataset) -> dict[str, Any]:
        """Subject 1 to 10 and take 1 to 3."""
        return {"subject": tfds.features.Scalar(np.int32), "take": tfds.features.Scalar(np.int32)}


def _unions(cells: list[str]) -> dict[str, tuple[str, ...]]:
    """The cells of each split: all actions, and those of each action set."""
    splits = ["train", "test"]
    splits += [f"{name}_{half}" for name in SETS for half in ("train", "test")]
    unions: dict[str, tuple[str, ...]] = dict.fromkeys(splits, ())
    for cell in cells:
        match = _CELL.fullmatch(cell)
        assert match
        half = "train" if int(match[1]) % 2 else "test"
        unions[half] += (cell,)
        for name in SETS:
            if name[2:] in match[2]:
                unions[f"{name}_{half}"] += (cell,)
    return unions


def read_clip(path: str) -> Float[np.ndarray, "t 1 20 4"]:
    """Joints of one file, which has 20 rows of x, y, z and confidence per frame.

    Raises:
        UserError: The rows are not complete frames of four numbers.
    """
    rows = read_numbers(path, 4)
    if len(rows) % JOINTS:
        raise UserError(
            f"{path!r} has {len(rows)} rows, which are not whole frames of {JOINTS} joints"
        )
    return rows.reshape(-1, 1, JOINTS, 4).astype(np.float32)
