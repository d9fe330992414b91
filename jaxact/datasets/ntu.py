"""NTU RGB+D 60 and 120 (Shahroudy et al., CVPR 2016; Liu et al., TPAMI 2019): Kinect v2 `.skeleton`
files.
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

TRAIN_SUBJECTS_60 = frozenset(
    (1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38)
)
TRAIN_SUBJECTS_120 = TRAIN_SUBJECTS_60 | {
    *(
        45,
        46,
        47,
        49,
        50,
        52,
        53,
        54,
        55,
        56,
        57,
        58,
        59,
        70,
        74,
        78,
        80,
        81,
        82,
        83,
        84,
        85,
        86,
        89,
        91,
        92,
        93,
        94,
    ),
    *(95, 97, 98, 100, 103),
}
TRAIN_CAMERAS = frozenset((2, 3))

_NAME = re.compile(r"S(\d{3})C(\d{3})P(\d{3})R(\d{3})A(\d{3})")
_FACTS: tuple[str, ...] = ("setup", "camera", "subject", "replication")


@functools.cache
def missing() -> frozenset[str]:
    """Ids of the 535 clips whose skeletons the authors list as missing or incomplete, the 302 of
    NTU-60 among them.
    """
    lines = (
        resources.files("jaxact.datasets")
        .joinpath("lists/ntu_missing.txt")
        .read_text()
        .splitlines()
    )
    return frozenset(head + tail for head, *tails in map(str.split, lines) for tail in tails)


@functools.cache
def class_names() -> tuple[str, ...]:
    """The 120 class names, A1 first."""
    return tuple(
        resources.files("jaxact.datasets")
        .joinpath("lists/ntu_classes.txt")
        .read_text()
        .splitlines()
    )


class _Ntu(SkeletonBuilder, skip_registration=True):
    EXPECTS = "the skeleton files SsssCcccPpppRrrrAaaa.skeleton, in any subfolders"
    LICENCE = (
        "for academic research under the NTU ROSE Lab's release agreement; not to be redistributed"
    )
    SETUPS: ClassVar[int]
    CLASSES: ClassVar[int]

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One source per file that belongs to this set; in a shared folder the others are left
        alone.
        """
        sources = []
        for path in matching_files(raw, "*.skeleton", cls.EXPECTS):
            match = _NAME.fullmatch(path.stem)
            if not match:
                raise UserError(f"{str(path)!r} is not named SsssCcccPpppRrrrAaaa.skeleton")
            *values, action = map(int, match.groups())
            facts: dict[str, int] = dict(zip(_FACTS, values, strict=True))
            if not 1 <= action <= 120:
                raise UserError(
                    f"{str(path)!r}: action {action} is outside the list; NTU RGB+D has A001 to A120"
                )
            if action <= cls.CLASSES and facts["setup"] <= cls.SETUPS:
                cell = cls.cell(facts) + ("_missing" if path.stem in missing() else "")
                sources.append(RawClip(path.stem, str(path), cell, action - 1, facts))
        if not sources:
            raise UserError(
                f"no file under {str(raw)!r} belongs to {cls.name}, which has setups 1 to {cls.SETUPS} and actions "
                f"1 to {cls.CLASSES}"
            )
        return RawDataset(
            sources=sources,
            labels=class_names()[: cls.CLASSES],
            layout=get_layout("ntu-25"),
            unions=cls.protocols(),
        )

    @classmethod
    def cell(cls, facts: dict[str, int]) -> str:
        """The cell of a clip with these setup, camera and subject numbers."""
        raise NotImplementedError

    @classmethod
    def protocols(cls) -> dict[str, tuple[str, ...]]:
        """Protocol split -> cells."""
        raise NotImplementedError

    @staticmethod
    def parse(source: RawClip) -> Iterator[Record]:
        """The clip of one file."""
        joints, extras = read_skeleton(source.path)
        yield skeleton_record(source, joints, **extras, **source.facts)

    @classmethod
    def extras(cls, found: RawDataset) -> dict[str, Any]:
        """Who, where and when; which body is in which slot (0: none); how the sensor tracked each
        joint.
        """
        return {
            **{fact: tfds.features.Scalar(np.int32) for fact in _FACTS},
            "person_id": compressed_tensor((None, None), np.int64, "t m: the sensor's body number"),
            "tracking": compressed_tensor(
                (None, None, 25), np.uint8, "t m v: 0 not tracked, 1 inferred, 2 tracked"
            ),
        }


class Ntu60(_Ntu):
    """NTU RGB+D: 56 880 clips of 60 actions; joints [t, m, 25, 3] in metres, y up; X-Sub and
    X-View.

    The protocol splits leave out the 302 clips listed as missing skeletons, as published figures
    do; those with the suffix `_all` have them.
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
        cells = {
            (half, camera): f"{half}sub_camera{camera}"
            for half in ("train", "test")
            for camera in (1, 2, 3)
        }
        return _with_missing(
            {
                **{
                    f"xsub_{half}": [cells[half, c] for c in (1, 2, 3)]
                    for half in ("train", "test")
                },
                "xview_train": [
                    cells[half, c] for half in ("train", "test") for c in sorted(TRAIN_CAMERAS)
                ],
                "xview_test": [cells[half, 1] for half in ("train", "test")],
            }
        )


class Ntu120(_Ntu):
    """NTU RGB+D 120: 114 480 clips of 120 actions; joints [t, m, 25, 3] in metres, y up; X-Sub and
    X-Set.

    The protocol splits leave out the 535 clips listed as missing skeletons, as published figures
    do; those with the suffix `_all` have them.
    """

    SETUPS = 32
    CLASSES = 120

    @classmethod
    def cell(cls, facts: dict[str, int]) -> str:
        """The cell of a clip by its subject and setup."""
        return f"{_half(facts['subject'] in TRAIN_SUBJECTS_120)}sub_{_half(facts['setup'] % 2 == 0)}set"

    @classmethod
    def protocols(cls) -> dict[str, tuple[str, ...]]:
        """Cross-subject, and cross-setup with even setups for training."""
        halves = ("train", "test")
        return _with_missing(
            {
                **{
                    f"xsub_{half}": [f"{half}sub_{other}set" for other in halves] for half in halves
                },
                **{
                    f"xset_{half}": [f"{other}sub_{half}set" for other in halves] for half in halves
                },
            }
        )


def _half(train: bool) -> str:
    return "train" if train else "test"


def _with_missing(unions: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    """The splits as published, and with the clips of the missing list as `_all`."""
    return {
        **{split: tuple(cells) for split, cells in unions.items()},
        **{
            f"{split}_all": (*cells, *(f"{cell}_missing" for cell in cells))
            for split, cells in unions.items()
        },
    }
