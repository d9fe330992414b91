"""SBU Kinect Interaction (Yun et al., CVPR Workshops 2012): two people, 8 interactions, 5 folds."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds
from jaxtyping import Float, Int

from jaxact.datasets.formats.number_table import read_numbers
from jaxact.datasets.preparation.builder import (
    RawClip,
    RawDataset,
    Record,
    SkeletonBuilder,
    compressed_tensor,
    matching_files,
    skeleton_record,
)
from jaxact.errors import UserError
from jaxact.skeletons import get_layout

# fmt: off
LABELS = (
    "approaching", "departing", "kicking", "pushing", "shaking hands", "hugging",
    "exchanging object", "punching",
)
# fmt: on
FOLDS = (
    ("s01s02", "s03s04", "s05s02", "s06s04"),
    ("s02s03", "s02s07", "s03s05", "s05s03"),
    ("s01s03", "s01s07", "s07s01", "s07s03"),
    ("s02s01", "s02s06", "s03s02", "s03s06"),
    ("s04s02", "s04s03", "s04s06", "s06s02", "s06s03"),
)
FIELDS = 1 + 2 * 15 * 3

# Metres = ORIGIN + numbers in the file * PER_UNIT. The authors call x and y pixels, but with these
# factors bone lengths vary least over a clip (by 2.3 %, against 5.2 % for the numbers of the file),
# so they are the millimetres of the camera.
ORIGIN = np.array([1.28, 0.96, 0.0], np.float32)
PER_UNIT = np.array([-2.56, -1.92, 1.28], np.float32)


class Sbu(SkeletonBuilder):
    """SBU Kinect Interaction: joints [t, 2, 15, 3] in metres from the camera, y up, kinect-15.

    The files hold x and y in 0..1 of the picture, y down, and z in another unit; a joint of zeros
    is missing. `fold1_test` is the first of the authors' five folds, `fold1_train` the other four.
    """

    VERSION = tfds.core.Version("2.0.0")
    RELEASE_NOTES: ClassVar = {"2.0.0": "metres, y up", "1.0.0": "the numbers of the files"}

    EXPECTS = "the files sXXsYY/<class 01 to 08>/<take>/skeleton_pos.txt"
    LICENCE = "unknown; ask the authors"

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per take; the cells are the folds."""
        fold_of_pair = {}
        for fold, pairs in enumerate(FOLDS, 1):
            for pair in pairs:
                fold_of_pair[pair] = f"fold{fold}"
        raw_clips = []
        for path in matching_files(raw, "skeleton_pos.txt", cls.EXPECTS):
            pair, action, take = path.parts[-4:-1] if len(path.parts) >= 4 else ("", "", "")
            if pair not in fold_of_pair:
                raise UserError(
                    f"{str(path)!r}: {pair!r} is in none of the five folds; expected {cls.EXPECTS}"
                )
            if not action.isdigit() or not 1 <= int(action) <= len(LABELS):
                raise UserError(
                    f"{str(path)!r}: class {action!r} is outside the list; SBU has 01 to 08"
                )
            clip = f"{pair}/{action}/{take}"
            raw_clips.append(RawClip(clip, str(path), fold_of_pair[pair], int(action) - 1))
        folds = [f"fold{number}" for number in range(1, len(FOLDS) + 1)]
        unions = {}
        for fold in folds:
            unions[f"{fold}_train"] = tuple(other for other in folds if other != fold)
        for fold in folds:
            unions[f"{fold}_test"] = (fold,)
        return RawDataset(
            clips=raw_clips, labels=LABELS, layout=get_layout("kinect-15"), unions=unions
        )

    @staticmethod
    def parse(raw_clip: RawClip) -> Iterator[Record]:
        """One take."""
        joints, frame_numbers = read_rows(raw_clip.path)
        yield skeleton_record(raw_clip, to_metres(joints), frame_number=frame_numbers)

    @classmethod
    def extras(cls, dataset: RawDataset) -> dict[str, Any]:
        """The number of each frame in the recording; numbers may be skipped."""
        return {"frame_number": compressed_tensor((None,), np.int32)}


def to_metres(joints: Float[np.ndarray, "t 2 15 3"]) -> Float[np.ndarray, "t 2 15 3"]:
    """Joints of a file in metres from the camera; missing joints stay zero."""
    present = joints.any(-1, keepdims=True)
    return np.where(present, ORIGIN + joints * PER_UNIT, 0)


def read_rows(path: str) -> tuple[Float[np.ndarray, "t 2 15 3"], Int[np.ndarray, " t"]]:
    """Joints and frame numbers of one file.

    A row is the frame number and the joints of persons 1 and 2, separated by commas.

    Raises:
        UserError: A row has another length or holds something that is not a number; names the
            line.
    """
    table = read_numbers(path, FIELDS, ",")
    joints = table[:, 1:].reshape(len(table), 2, 15, 3).astype(np.float32)
    return joints, table[:, 0].astype(np.int32)
