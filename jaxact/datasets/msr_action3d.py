"""MSR-Action3D (Li, Zhang and Liu, CVPR Workshops 2010): 20 actions, 10 subjects, Kinect v1
skeletons in text files.
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

LABELS = (
    *(
        "high arm wave",
        "horizontal arm wave",
        "hammer",
        "hand catch",
        "forward punch",
        "high throw",
        "draw x",
    ),
    *(
        "draw tick",
        "draw circle",
        "hand clap",
        "two hand wave",
        "side boxing",
        "bend",
        "forward kick",
        "side kick",
    ),
    *("jogging", "tennis swing", "tennis serve", "golf swing", "pick up and throw"),
)
SUBJECTS = range(1, 11)
# The three action sets, by the numbers that the files bear.
SETS = {
    "as1": (2, 3, 5, 6, 10, 13, 18, 20),
    "as2": (1, 4, 7, 8, 9, 11, 12, 14),
    "as3": (6, 14, 15, 16, 17, 18, 19, 20),
}
JOINTS = 20
_NAME = re.compile(r"a(\d+)_s(\d+)_e(\d+)_skeleton(3D)?")


class MsrAction3d(SkeletonBuilder):
    """MSR-Action3D: joints [t, 1, 20, (x, y, z, score)] as the files have them, layout
    kinect-20-msr.

    The files `_skeleton3D` hold metres, the files `_skeleton` pixels and depth. Odd subjects train,
    even subjects test; `as1_train` and `as1_test` are the eight actions of the first action set.
    """

    EXPECTS = "the files a<action>_s<subject>_e<take>_skeleton3D.txt (metres) or ..._skeleton.txt (pixels)"
    LICENCE = "research use; ask the authors"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One source per file; the cells are a subject's clips in the same action sets."""
        sources, kinds = [], set()
        for path in matching_files(raw, "a*_skeleton*.txt", cls.EXPECTS):
            match = _NAME.fullmatch(path.stem)
            if not match:
                raise UserError(
                    f"{str(path)!r} is not named a<action>_s<subject>_e<take>_skeleton3D.txt"
                )
            kinds.add(match[4])
            action, subject, take = map(int, match.groups()[:3])
            if not 1 <= action <= len(LABELS):
                raise UserError(
                    f"{str(path)!r}: action {action} is outside the list; MSR-Action3D has 1 to {len(LABELS)}"
                )
            if subject not in SUBJECTS:
                raise UserError(
                    f"{str(path)!r}: subject {subject} is outside the list; MSR-Action3D has 1 to 10"
                )
            sets = "".join(name[2:] for name, actions in SETS.items() if action in actions)
            facts = {"subject": subject, "take": take}
            name = path.stem.split("_skeleton")[0]
            sources.append(
                RawClip(name, str(path), f"subject{subject}_sets{sets}", action - 1, facts)
            )
        if len(kinds) > 1:
            raise UserError(
                f"{str(raw)!r} has files in metres and in pixels; give the folder of one kind: {cls.EXPECTS}"
            )
        cells = sorted({source.cell for source in sources})
        halves = {
            "train": [c for c in cells if _subject(c) % 2],
            "test": [c for c in cells if _subject(c) % 2 == 0],
        }
        return RawDataset(
            sources=sources,
            labels=LABELS,
            layout=get_layout("kinect-20-msr"),
            channels=(*XYZ, "score"),
            unions={
                **{half: tuple(members) for half, members in halves.items()},
                **{
                    f"{name}_{half}": tuple(
                        cell for cell in members if name[2:] in cell.split("_sets")[1]
                    )
                    for name in SETS
                    for half, members in halves.items()
                },
            },
        )

    @staticmethod
    def parse(source: RawClip) -> Iterator[Record]:
        """The clip of one file."""
        yield skeleton_record(source, read_clip(source.path), **source.facts)

    @classmethod
    def extras(cls, found: RawDataset) -> dict[str, Any]:
        """Subject 1 to 10 and take 1 to 3."""
        return {"subject": tfds.features.Scalar(np.int32), "take": tfds.features.Scalar(np.int32)}


def read_clip(path: str) -> Float[np.ndarray, "t 1 20 4"]:
    """Joints of one file: a row of x, y, z and confidence per joint, 20 rows per frame.

    Raises:
      UserError: the rows are not whole frames of four numbers.
    """
    rows = read_numbers(path, 4)
    if len(rows) % JOINTS:
        raise UserError(
            f"{path!r} has {len(rows)} rows, which are not whole frames of {JOINTS} joints"
        )
    return rows.reshape(-1, 1, JOINTS, 4).astype(np.float32)


def _subject(cell: str) -> int:
    return int(cell.removeprefix("subject").split("_")[0])
