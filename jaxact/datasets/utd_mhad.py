"""UTD-MHAD (Chen, Jafari and Kehtarnavaz, ICIP 2015): 27 actions, 8 subjects, Kinect v1.

Skeletons are in MATLAB files.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from jaxtyping import Float

from jaxact.datasets.formats.matlab import load_mat
from jaxact.datasets.preparation.builder import (
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
    "swipe left", "swipe right", "wave", "clap", "throw", "arm cross", "basketball shoot", "draw x",
    "draw circle clockwise", "draw circle counter clockwise", "draw triangle", "bowling", "boxing",
    "baseball swing", "tennis swing", "arm curl", "tennis serve", "push", "knock", "catch",
    "pick up and throw", "jog", "walk", "sit to stand", "stand to sit", "lunge", "squat",
)
# fmt: on
SUBJECTS = range(1, 9)
_NAME = re.compile(r"a(\d+)_s(\d+)_t(\d+)_skeleton")


class UtdMhad(SkeletonBuilder):
    """UTD-MHAD: joints [t, 1, 20, 3] in metres, y up, layout kinect-20.

    Odd subjects train, even subjects test.
    """

    EXPECTS = "the skeleton files a<action>_s<subject>_t<trial>_skeleton.mat"
    LICENCE = "freely available for research; cite Chen, Jafari and Kehtarnavaz, ICIP 2015"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per `.mat` file; the cells are the subjects."""
        raw_clips = []
        for path in matching_files(raw, "*_skeleton.mat", cls.EXPECTS):
            match = _NAME.fullmatch(path.stem)
            if not match:
                raise UserError(
                    f"{str(path)!r} is not named a<action>_s<subject>_t<trial>_skeleton.mat"
                )
            action, subject, trial = map(int, match.groups())
            if not 1 <= action <= len(LABELS):
                raise UserError(
                    f"{str(path)!r}: action {action} is outside the list; "
                    f"UTD-MHAD has 1 to {len(LABELS)}"
                )
            if subject not in SUBJECTS:
                raise UserError(
                    f"{str(path)!r}: subject {subject} is outside the list; UTD-MHAD has 1 to 8"
                )
            facts = {"subject": subject, "trial": trial}
            clip = path.stem.removesuffix("_skeleton")
            raw_clips.append(RawClip(clip, str(path), f"subject{subject}", action - 1, facts))
        return RawDataset(
            clips=raw_clips,
            labels=LABELS,
            layout=get_layout("kinect-20"),
            unions={
                "train": tuple(f"subject{subject}" for subject in SUBJECTS[::2]),
                "test": tuple(f"subject{subject}" for subject in SUBJECTS[1::2]),
            },
        )

    @staticmethod
    def parse(raw_clip: RawClip) -> Iterator[Record]:
        """The clip of one `.mat` file."""
        yield skeleton_record(raw_clip, read_mat(raw_clip.path), **raw_clip.facts)

    @classmethod
    def extras(cls, dataset: RawDataset) -> dict[str, Any]:
        """Subject 1 to 8 and trial 1 to 4."""
        return {"subject": tfds.features.Scalar(np.int32), "trial": tfds.features.Scalar(np.int32)}


def read_mat(path: str) -> Float[np.ndarray, "t 1 20 3"]:
    """Joints of one file, whose array `d_skel` is [joint, axis, frame].

    Raises:
        UserError: The file is not a MATLAB file, or the array has another shape.
    """
    joints = load_mat(path, "d_skel")["d_skel"]
    if joints.ndim != 3 or joints.shape[:2] != (20, 3):
        raise UserError(f"{path!r}: d_skel has the shape {joints.shape}, wanted (20, 3, frames)")
    return np.moveaxis(joints, 2, 0)[:, None].astype(np.float32)
