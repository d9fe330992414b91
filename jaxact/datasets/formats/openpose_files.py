"""The JSON files that OpenPose writes, one per frame.

<clip>/<any name>_<number>_keypoints.json     one folder per clip
<clip>_<number>_keypoints.json                or all clips in one folder
"""

import glob
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxact.datasets.formats.json_file import load_json
from jaxact.errors import UserError
from jaxact.skeletons import get_layout

LAYOUTS = {18: "openpose-18", 25: "body-25"}  # by the number of joints
POSES = ("pose_keypoints_2d", "pose_keypoints")  # OpenPose 1.1 and older use the second key
_FRAME = re.compile(r"(.+)_(\d+)_keypoints\.json")

People = Float[np.ndarray, "m v 3"]


def frame_files(raw: Path, clip: str, why: str) -> dict[int, Path]:
    """The files of a clip by frame number.

    Args:
        raw: Folder that holds the files, or the clip's own folder.
        clip: Name of the clip.
        why: Why the files are expected; the beginning of an error message.

    Raises:
        UserError: There are no files, or a folder holds those of two clips.
    """
    folder = raw / clip
    if folder.is_dir():
        files = _only_clip_in(folder)
    else:
        files = {}
        for path in sorted(raw.glob(f"{glob.escape(clip)}_*_keypoints.json")):
            match = _FRAME.fullmatch(path.name)
            if match and match[1] == clip:
                files[int(match[2])] = path
    if not files:
        raise UserError(
            f"{why}, but {str(raw)!r} has no frames {clip}/<name>_<number>_keypoints.json or "
            f"{clip}_<number>_keypoints.json"
        )
    return files


def _only_clip_in(folder: Path) -> dict[int, Path]:
    """The files in a clip's own folder by frame number; their common name does not matter."""
    files: dict[int, Path] = {}
    name = ""
    for path in sorted(folder.glob("*_keypoints.json")):
        match = _FRAME.fullmatch(path.name)
        if not match:
            continue
        if name and match[1] != name:
            raise UserError(
                f"{str(folder)!r} has frames of two clips, {name!r} and {match[1]!r}; "
                "wanted a folder for each"
            )
        name = match[1]
        files[int(match[2])] = path
    return files


def read_people(content: Any, path: str, joints: int) -> People:
    """The people of one frame, in the order of its file.

    Args:
        content: The parsed JSON.
        path: Name of the file, for errors.
        joints: Number of joints that every pose must have.

    Returns:
        x, y and score of each joint.

    Raises:
        UserError: The content is not a frame of OpenPose, or a pose has another number of joints.
    """
    people = content.get("people") if isinstance(content, Mapping) else None
    if not isinstance(people, list):
        raise UserError(f"{path!r} has no list of people; wanted a frame of OpenPose")
    poses = np.zeros((len(people), joints, 3), np.float32)
    for slot, person in enumerate(people):
        numbers = find_pose(person)
        if numbers is None:
            raise UserError(f"{path!r}: people[{slot}] has no {POSES[0]}")
        if len(numbers) != 3 * joints:
            raise UserError(
                f"{path!r}: people[{slot}] has {len(numbers)} numbers, "
                f"wanted {3 * joints}: x, y, score"
            )
        try:
            poses[slot] = np.array(numbers, np.float32).reshape(joints, 3)
        except (TypeError, ValueError) as error:
            raise UserError(
                f"{path!r}: people[{slot}] holds something that is not a number"
            ) from error
    return poses


def find_pose(person: Any) -> Sequence[Any] | None:
    """The list of numbers of a person's pose; None if there is none."""
    if not isinstance(person, Mapping):
        return None
    for key in POSES:
        if isinstance(person.get(key), list):
            return person[key]
    return None


def stack_frames(frames: Mapping[int, np.ndarray], joints: int) -> Float[np.ndarray, "t m v 3"]:
    """One array of all frames from the first number to the last.

    Args:
        frames: Frame number -> its people [m, v, 3]; at least one frame.
        joints: Number of joints.

    Returns:
        Joints with at least one person slot. Empty slots and frames without a file are zero.
    """
    first, last = min(frames), max(frames)
    slots = max(1, *(len(people) for people in frames.values()))
    stacked = np.zeros((last - first + 1, slots, joints, 3), np.float32)
    for number, people in frames.items():
        stacked[number - first, : len(people)] = people
    return stacked


def count_joints(clips: Iterable[Mapping[int, Path]], layout: str | None, where: str) -> int:
    """Number of joints of the first person in any clip.

    Args:
        clips: The files of each clip by frame number.
        layout: Layout whose joints count if there is no person.
        where: Name of the place, for errors.

    Raises:
        UserError: There is no person and no layout.
    """
    for files in clips:
        for path in files.values():
            content = load_json(path)
            people = content.get("people") if isinstance(content, Mapping) else None
            if not isinstance(people, list) or not people:
                continue
            numbers = find_pose(people[0])
            if numbers:
                return len(numbers) // 3
    if layout:
        return len(get_layout(layout).joints)
    raise UserError(
        f"no frame {where} has a person; name the joints (--layout body-25 or openpose-18)"
    )
