"""Kinetics-Skeleton (Yan, Xiong and Lin, AAAI 2018): OpenPose joints of 400 classes of web video,
one JSON per clip.
"""

import functools
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxact.datasets.formats.json_file import load_json
from jaxact.datasets.preparation.builder import (
    XY_SCORE,
    RawClip,
    RawDataset,
    Record,
    SkeletonBuilder,
    skeleton_record,
)
from jaxact.errors import UserError, unknown
from jaxact.skeletons import get_layout

JOINTS = 18
LONGEST = 10_000  # a frame index beyond it is an error of the file: clips are 300 frames long

# Kinetics-Motion: the 30 classes that the paper's Table 4 evaluates a 400-class model on.
MOTION = (
    *(
        6,
        18,
        43,
        59,
        75,
        77,
        88,
        134,
        148,
        153,
        156,
        161,
        169,
        183,
        255,
        258,
        260,
        270,
        280,
        283,
        306,
        311,
        318,
        330,
    ),
    *(336, 339, 346, 358, 360, 393),
)


@functools.cache
def class_names() -> tuple[str, ...]:
    """The 400 class names in label order."""
    return tuple(
        resources.files("jaxact.datasets")
        .joinpath("lists/kinetics_classes.txt")
        .read_text()
        .splitlines()
    )


class KineticsSkeleton(SkeletonBuilder):
    """Kinetics-Skeleton: every OpenPose detection; joints [t, m, 18, (x, y, score)], x and y in
    0..1, y down.

    Persons are in the order of the file, frame by frame, without identity over time. Frames count
    from the file's first index, 0 or 1; frames that a file leaves out are empty.
    """

    EXPECTS = "kinetics_train/<id>.json with kinetics_train_label.json, kinetics_val/<id>.json with kinetics_val_label.json"
    LICENCE = "research use; the videos belong to their owners"
    COMPRESS = True

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One source per clip that the label files list with a skeleton."""
        sources: list[RawClip] = []
        without = 0
        for half in ("train", "val"):
            listing = raw / f"kinetics_{half}_label.json"
            if not listing.is_file():
                continue
            for clip, entry in _object(load_json(listing), str(listing), None).items():
                facts = _object(entry, str(listing), repr(clip))
                if facts.get("has_skeleton") is False:
                    without += 1
                    continue
                label = _label(facts, f"{str(listing)!r}, {clip!r}")
                sources.append(
                    RawClip(clip, str(raw / f"kinetics_{half}" / f"{clip}.json"), half, label)
                )
        if not sources:
            raise UserError(f"no clip is listed under {str(raw)!r}; expected {cls.EXPECTS}")
        return RawDataset(
            sources=sources,
            labels=class_names(),
            layout=get_layout("openpose-18"),
            channels=XY_SCORE,
            unions={"test": ("val",)},
            subsets={"kinetics_motion": MOTION},
            test_only=("kinetics_motion",),
            dropped={"has_skeleton is false": without} if without else {},
        )

    @staticmethod
    def parse(source: RawClip) -> Iterator[Record]:
        """The clip of one file."""
        content = _object(load_json(source.path), source.path, None)
        if "label_index" in content or "label" in content:
            label = _label(content, repr(source.path))
            if label != source.label:
                raise UserError(
                    f"{source.path!r}: label_index is {label}, but the label file says {source.label}"
                )
        yield skeleton_record(source, read_frames(content.get("data"), source.path))


def read_frames(data: Any, path: str) -> Float[np.ndarray, "t m 18 3"]:
    """Every detection of a clip.

    Args:
      data: what the file has under "data": frames of frame_index and skeleton, a list of pose (x
        and y of each joint in turn) and score.
      path: of the file, for complaints.

    Returns:
      x, y and score by frame and detection, zero where nobody was detected; one frame and one slot
      at least.

    Raises:
      UserError: the shape is another; names the key.
    """
    frames = _list(data, path, "data")
    found: dict[int, list] = {}
    for number, frame in enumerate(frames):
        key = f"data[{number}]"
        content = _object(frame, path, key)
        index = content.get("frame_index")
        if not isinstance(index, int) or not 0 <= index <= LONGEST:
            raise UserError(
                f"{path!r}: {key}.frame_index is {index!r}, wanted a number from 0 to {LONGEST}"
            )
        if index in found:
            raise UserError(f"{path!r}: {key}.frame_index {index} is there twice")
        found[index] = [
            _person(person, path, f"{key}.skeleton[{slot}]")
            for slot, person in enumerate(_list(content.get("skeleton"), path, f"{key}.skeleton"))
        ]
    first = 0 if 0 in found else 1
    length = max(max(found, default=0) - first + 1, 1)
    joints = np.zeros(
        (length, max(map(len, found.values()), default=0) or 1, JOINTS, 3), np.float32
    )
    for index, people in found.items():
        if people:
            joints[index - first, : len(people)] = people
    return joints


def _person(person: Any, path: str, key: str) -> Float[np.ndarray, "18 3"]:
    content = _object(person, path, key)
    pose = _numbers(content.get("pose"), 2 * JOINTS, path, f"{key}.pose")
    score = _numbers(content.get("score"), JOINTS, path, f"{key}.score")
    return np.concatenate([pose.reshape(JOINTS, 2), score[:, None]], axis=1)


def _numbers(values: Any, count: int, path: str, key: str) -> Float[np.ndarray, " count"]:
    given = _list(values, path, key)
    if len(given) != count:
        raise UserError(f"{path!r}: {key} has {len(given)} numbers, wanted {count}")
    try:
        return np.array(given, np.float32)
    except (TypeError, ValueError) as error:
        raise UserError(f"{path!r}: {key} holds something that is not a number") from error


def _list(value: Any, path: str, key: str) -> list:
    if not isinstance(value, list):
        raise UserError(f"{path!r}: {key} is {_kind(value)}, wanted a list")
    return value


def _object(value: Any, path: str, key: str | None) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UserError(f"{path!r}: {key or 'the file'} is {_kind(value)}, wanted an object")
    return value


def _kind(value: Any) -> str:
    return "missing" if value is None else f"a {type(value).__name__}"


def _label(facts: dict[str, Any], where: str) -> int:
    names = class_names()
    name, index = facts.get("label"), facts.get("label_index")
    if index is None:
        if name not in names:
            raise unknown(f"label in {where}:", name, names)
        return names.index(name)
    if not isinstance(index, int) or not 0 <= index < len(names):
        raise UserError(
            f"{where}: label_index {index!r} is outside the list; Kinetics has 0 to {len(names) - 1}"
        )
    if name is not None and name != names[index]:
        raise UserError(
            f"{where}: label {name!r} is not the name of label_index {index}, which is {names[index]!r}"
        )
    return index
