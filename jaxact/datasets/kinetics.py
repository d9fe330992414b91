"""Kinetics-Skeleton (Yan, Xiong and Lin, AAAI 2018): OpenPose joints of web video, 400 classes.

One JSON file per clip: {"data": [{"frame_index", "skeleton": [{"pose", "score"}, ...]}, ...],
"label", "label_index"}.
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
MAX_FRAMES = 10_000  # a larger frame index is an error of the file: clips have 300 frames

# fmt: off
# Kinetics-Motion: the 30 classes on which the paper's Table 4 evaluates a 400-class model.
MOTION = (
    6, 18, 43, 59, 75, 77, 88, 134, 148, 153, 156, 161, 169, 183, 255, 258, 260, 270, 280, 283,
    306, 311, 318, 330, 336, 339, 346, 358, 360, 393,
)
# fmt: on


@functools.cache
def class_names() -> tuple[str, ...]:
    """The 400 class names in label order."""
    names = resources.files("jaxact.datasets").joinpath("lists/kinetics_classes.txt")
    return tuple(names.read_text().splitlines())


class KineticsSkeleton(SkeletonBuilder):
    """Kinetics-Skeleton: joints [t, m, 18, (x, y, score)] of every OpenPose detection.

    x and y are in 0..1 of the picture, y down. People are in the order of the file, frame by frame,
    without identity over time. Frames count from the file's first index, 0 or 1. Frames that a file
    leaves out are empty.
    """

    EXPECTS = (
        "kinetics_train/<id>.json with kinetics_train_label.json, "
        "kinetics_val/<id>.json with kinetics_val_label.json"
    )
    LICENCE = "research use; the videos belong to their owners"
    COMPRESS = True

    @classmethod
    def find(cls, raw: Path, *, layout: str | None = None) -> RawDataset:
        """One clip per clip that the label files list with a skeleton."""
        raw_clips: list[RawClip] = []
        skipped = 0
        for half in ("train", "val"):
            label_file = raw / f"kinetics_{half}_label.json"
            if not label_file.is_file():
                continue
            listing = str(label_file)
            for clip, entry in _object(load_json(label_file), listing, None).items():
                clip_facts = _object(entry, listing, repr(clip))
                if clip_facts.get("has_skeleton") is False:
                    skipped += 1
                    continue
                label = _label(clip_facts, f"{listing!r}, {clip!r}")
                path = raw / f"kinetics_{half}" / f"{clip}.json"
                raw_clips.append(RawClip(clip, str(path), half, label))
        if not raw_clips:
            raise UserError(f"no clip is listed under {str(raw)!r}; expected {cls.EXPECTS}")
        return RawDataset(
            clips=raw_clips,
            labels=class_names(),
            layout=get_layout("openpose-18"),
            channels=XY_SCORE,
            unions={"test": ("val",)},
            subsets={"kinetics_motion": MOTION},
            test_only=("kinetics_motion",),
            dropped={"has_skeleton is false": skipped} if skipped else {},
        )

    @staticmethod
    def parse(raw_clip: RawClip) -> Iterator[Record]:
        """The clip of one file."""
        content = _object(load_json(raw_clip.path), raw_clip.path, None)
        if "label_index" in content or "label" in content:
            label = _label(content, repr(raw_clip.path))
            if label != raw_clip.label:
                raise UserError(
                    f"{raw_clip.path!r}: label_index is {label}, "
                    f"but the label file says {raw_clip.label}"
                )
        yield skeleton_record(raw_clip, read_frames(content.get("data"), raw_clip.path))


def read_frames(data: Any, path: str) -> Float[np.ndarray, "t m 18 3"]:
    """Every detection of a clip.

    Args:
        data: The file's "data": frames of frame_index and skeleton, which is a list of pose (x and
            y of each joint in turn) and score.
        path: Name of the file, for errors.

    Returns:
        x, y and score by frame and detection, zero where nobody was detected. There is at least
        one frame and one slot.

    Raises:
        UserError: The data has another structure; names the key.
    """
    people_of_frame: dict[int, list[Float[np.ndarray, "18 3"]]] = {}
    for number, frame in enumerate(_list(data, path, "data")):
        key = f"data[{number}]"
        content = _object(frame, path, key)
        index = content.get("frame_index")
        if not isinstance(index, int) or not 0 <= index <= MAX_FRAMES:
            raise UserError(
                f"{path!r}: {key}.frame_index is {index!r}, wanted a number from 0 to {MAX_FRAMES}"
            )
        if index in people_of_frame:
            raise UserError(f"{path!r}: {key}.frame_index {index} occurs twice")
        people = []
        for slot, person in enumerate(_list(content.get("skeleton"), path, f"{key}.skeleton")):
            people.append(_person(person, path, f"{key}.skeleton[{slot}]"))
        people_of_frame[index] = people
    first = 0 if 0 in people_of_frame else 1
    length = max(1, max(people_of_frame, default=0) - first + 1)
    slots = max(1, max(map(len, people_of_frame.values()), default=0))
    joints = np.zeros((length, slots, JOINTS, 3), np.float32)
    for index, people in people_of_frame.items():
        if people:
            joints[index - first, : len(people)] = people
    return joints


def _person(person: Any, path: str, key: str) -> Float[np.ndarray, "18 3"]:
    content = _object(person, path, key)
    pose = _numbers(content.get("pose"), 2 * JOINTS, path, f"{key}.pose")
    score = _numbers(content.get("score"), JOINTS, path, f"{key}.score")
    return np.concatenate([pose.reshape(JOINTS, 2), score[:, None]], axis=1)


def _numbers(value: Any, count: int, path: str, key: str) -> Float[np.ndarray, " count"]:
    numbers = _list(value, path, key)
    if len(numbers) != count:
        raise UserError(f"{path!r}: {key} has {len(numbers)} numbers, wanted {count}")
    try:
        return np.array(numbers, np.float32)
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
    """The class of a clip from its `label_index` or, without one, its `label`."""
    names = class_names()
    name = facts.get("label")
    index = facts.get("label_index")
    if index is None:
        if name not in names:
            raise unknown(f"label in {where}:", name, names)
        return names.index(name)
    if not isinstance(index, int) or not 0 <= index < len(names):
        raise UserError(
            f"{where}: label_index {index!r} is outside the list; "
            f"Kinetics has 0 to {len(names) - 1}"
        )
    if name is not None and name != names[index]:
        raise UserError(
            f"{where}: label {name!r} is not the name of label_index {index}, "
            f"which is {names[index]!r}"
        )
    return index
