"""NTU RGB+D 60 (Shahroudy et al., CVPR 2016) and 120 (Liu et al., TPAMI 2019).

Kinect v2 skeletons in `.skeleton` files.
"""

import functools
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from jaxact.datasets.formats.ntu_skeleton_file import read_skeleton
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
TRAIN_SUBJECTS_60 = frozenset(
    (1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38)
)
TRAIN_SUBJECTS_120 = TRAIN_SUBJECTS_60 | {
    45, 46, 47, 49, 50, 52, 53, 54, 55, 56, 57, 58, 59, 70, 74, 78, 80, 81, 82, 83, 84, 85, 86, 89,
    91, 92, 93, 94, 95, 97, 98, 100, 103,
}
# fmt: on
TRAIN_CAMERAS = (2, 3)
CAMERAS = (1, 2, 3)
HALVES = ("train", "test")

_NAME = re.compile(r"S(\d{3})C(\d{3})P(\d{3})R(\d{3})A(\d{3})")
_FACTS = ("setup", "camera", "subject", "replication")


@functools.cache
def missing_skeletons() -> frozenset[str]:
    """Ids of the 535 clips whose skeletons the authors list as missing or incomplete.

    302 of them belong to NTU RGB+D 60.
    """
    ids = set()
    for line in _read_list("ntu_missing.txt"):
        prefix, *suffixes = line.split()
        for suffix in suffixes:
            ids.add(prefix + suffix)
    return frozenset(ids)


@functools.cache
def class_names() -> tuple[str, ...]:
    """The 120 class names, A1 first."""
    return tuple(_read_list("ntu_classes.txt"))


def _read_list(name: str) -> list[str]:
    return resources.files("jaxact.datasets").joinpath(f"lists/{name}").read_text().splitlines()


class _Ntu(SkeletonBuilder, skip_registration=True):
    EXPECTS = "the skeleton files SsssCcccPpppRrrrAaaa.skeleton, in any subfolders"
    LICENCE = (
        "for academic research under the NTU ROSE Lab's release agreement; not to be redistributed"
    )
    SETUPS: ClassVar[int]
    CLASSES: ClassVar[int]

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per file of this set; files of the other set are ignored."""
        raw_clips = []
        for path in matching_files(raw, "*.skeleton", cls.EXPECTS):
            match = _NAME.fullmatch(path.stem)
            if not match:
                raise UserError(f"{str(path)!r} is not named SsssCcccPpppRrrrAaaa.skeleton")
            *values, action = map(int, match.groups())
            facts: dict[str, int] = dict(zip(_FACTS, values, strict=True))
            if not 1 <= action <= 120:
                raise UserError(
                    f"{str(path)!r}: action {action} is outside the list; "
                    "NTU RGB+D has A001 to A120"
                )
            if action > cls.CLASSES or facts["setup"] > cls.SETUPS:
                continue
            cell = cls.cell(facts)
            if path.stem in missing_skeletons():
                cell += "_missing"
            raw_clips.append(RawClip(path.stem, str(path), cell, action - 1, facts))
        if not raw_clips:
            raise UserError(
                f"no file under {str(raw)!r} belongs to {cls.name}, "
                f"which has setups 1 to {cls.SETUPS} and actions 1 to {cls.CLASSES}"
            )
        return RawDataset(
            clips=raw_clips,
            labels=class_names()[: cls.CLASSES],
            layout=get_layout("ntu-25"),
            unions=cls.protocols(),
        )

    @classmethod
    def cell(cls, facts: dict[str, int]) -> str:
        """The cell of a clip with this setup, camera and subject."""
        raise NotImplementedError

    @classmethod
    def protocols(cls) -> dict[str, tuple[str, ...]]:
        """Split of a protocol -> its cells."""
        raise NotImplementedError

    @staticmethod
    def parse(raw_clip: RawClip) -> Iterator[Record]:
        """The clip of one file."""
        joints, extras = read_skeleton(raw_clip.path)
        yield skeleton_record(raw_clip, joints, **extras, **raw_clip.facts)

    @classmethod
    def extras(cls, dataset: RawDataset) -> dict[str, Any]:
        """Numbers of the file name, body number of each slot and tracking state of each joint.

        The body number is 0 in an empty slot.
        """
        features: dict[str, Any] = {fact: tfds.features.Scalar(np.int32) for fact in _FACTS}
        features["person_id"] = compressed_tensor(
            (None, None), np.int64, "t m: the sensor's body number"
        )
        features["tracking"] = compressed_tensor(
            (None, None, 25), np.uint8, "t m v: 0 not tracked, 1 inferred, 2 tracked"
        )
        return features


class Ntu60(_Ntu):
    """NTU RGB+D: 56 880 clips of 60 actions; joints [t, m, 25, 3] in metres, y up.

    The protocols are X-Sub and X-View. Their splits leave out the 302 clips listed as missing
    skeletons, as published results do; splits with the suffix `_all` include them.
    """

    SETUPS = 17
    CLASSES = 60

    @classmethod
    def cell(cls, facts: dict[str, int]) -> str:
        """The cell of a clip by its subject and camera."""
        return f"{_half(facts['subject'] in TRAIN_SUBJECTS_60)}sub_camera{facts['camera']}"

    @classmethod
    def protocols(cls) -> dict[str, tuple[str, ...]]:
        """Cross-subject, and cross-view with cameras 2 and 3 for training."""
        splits: dict[str, list[str]] = {}
        for half in HALVES:
            splits[f"xsub_{half}"] = [f"{half}sub_camera{camera}" for camera in CAMERAS]
        splits["xview_train"] = [
            f"{half}sub_camera{camera}" for half in HALVES for camera in TRAIN_CAMERAS
        ]
        splits["xview_test"] = [f"{half}sub_camera1" for half in HALVES]
        return _with_missing(splits)


class Ntu120(_Ntu):
    """NTU RGB+D 120: 114 480 clips of 120 actions; joints [t, m, 25, 3] in metres, y up.

    The protocols are X-Sub and X-Set. Their splits leave out the 535 clips listed as missing
    skeletons, as published results do; splits with the suffix `_all` include them.
    """

    SETUPS = 32
    CLASSES = 120

    @classmethod
    def cell(cls, facts: dict[str, int]) -> str:
        """The cell of a clip by its subject and setup."""
        subject_half = _half(facts["subject"] in TRAIN_SUBJECTS_120)
        setup_half = _half(facts["setup"] % 2 == 0)
        return f"{subject_half}sub_{setup_half}set"

    @classmethod
    def protocols(cls) -> dict[str, tuple[str, ...]]:
        """Cross-subject, and cross-setup with even setups for training."""
        splits: dict[str, list[str]] = {}
        for half in HALVES:
            splits[f"xsub_{half}"] = [f"{half}sub_{other}set" for other in HALVES]
        for half in HALVES:
            splits[f"xset_{half}"] = [f"{other}sub_{half}set" for other in HALVES]
        return _with_missing(splits)


def _half(train: bool) -> str:
    return "train" if train else "test"


def _with_missing(splits: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    """The published splits, and each with the clips of the missing list as `_all`."""
    unions = {split: tuple(cells) for split, cells in splits.items()}
    for split, cells in splits.items():
        unions[f"{split}_all"] = (*cells, *(f"{cell}_missing" for cell in cells))
    return unions
