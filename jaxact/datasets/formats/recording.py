"""Reads clips of joints from a file or folder of any supported format, for prediction.

An array file holds joints [t, v, c] or, with a person axis, [m, t, v, c] or [t, m, v, c]: the
shorter of the two leading axes is the person axis. An NTU `.skeleton` file is one clip, and so is a
folder of OpenPose's JSON frames. A pyskl pickle holds many.
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from jaxact.datasets.formats import (
    joint_arrays,
    label_table,
    ntu_skeleton_file,
    openpose_files,
    pyskl_annotations,
    video_file,
    video_poses,
)
from jaxact.datasets.formats.json_file import load_json
from jaxact.datasets.formats.video_poses import PoseEstimator
from jaxact.datasets.preparation.builder import XY, XY_SCORE, XYZ
from jaxact.errors import UserError

SUFFIXES = (".npy", ".npz", ".json", ".skeleton", ".pkl", ".pickle")
KINDS = ".npy, .npz, .json, .skeleton, .pkl, or a folder of OpenPose's JSON frames"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A clip of joints.

    Attributes:
        name: Name of the file, or of the clip in it.
        joints: Joints of every frame and person; missing ones are zero.
        layout: Name of the joint layout; None if the file does not state it.
        channels: Meaning of the last axis; None if the file does not state it.
        person_id: Identity of the person in each slot, if the file states it.
    """

    name: str
    joints: Float[np.ndarray, "t m v c"]
    layout: str | None = None
    channels: tuple[str, ...] | None = None
    person_id: Int[np.ndarray, "t m"] | None = None


def read(path: str | Path, *, image_size: tuple[int, int] | None = None) -> list[Recording]:
    """The clips of a file or folder.

    Args:
        path: The file or folder.
        image_size: Image (width, height) in pixels, for 2-D poses whose file does not state it.

    Raises:
        UserError: The path does not exist, is of another format, or is broken.
    """
    path = Path(path)
    try:
        recordings = _read(path)
    except OSError as error:
        raise UserError(f"cannot read {str(path)!r}: {error.strerror}") from error
    return [_normalise_pixels(recording, image_size, str(path)) for recording in recordings]


def read_video(path: str | Path, estimator: PoseEstimator) -> Recording:
    """The people of a video, the same joints as in a record of `skeletons_from_video`.

    Args:
        path: The video file.
        estimator: Estimates the poses in its frames.

    Raises:
        UserError: There is no such file, it cannot be used as a video, or nobody is in it.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"no file {str(path)!r}: wanted a video")
    if path.suffix.lower() in SUFFIXES:
        raise UserError(f"{str(path)!r} holds joints already; --pose estimates those of videos")
    joints = video_poses.estimate_poses(str(path), estimator).joints
    if not joints.any():
        raise UserError(
            f"the pose estimator {estimator.about.get('from', '')!r} detects nobody in the "
            f"{len(joints)} frames of {str(path)!r}, so there is nothing to classify; "
            "a lower threshold or another --pose may detect people"
        )
    return Recording(name=path.stem, joints=joints, layout=estimator.layout, channels=XY_SCORE)


def _read(path: Path) -> list[Recording]:
    """The clips as the file holds them."""
    suffix = path.suffix.lower()
    if path.is_dir():
        return [_openpose_folder(path)]
    if suffix == ".skeleton":
        joints, extras = ntu_skeleton_file.read_skeleton(str(path))
        return [
            Recording(
                name=path.stem,
                joints=joints,
                layout="ntu-25",
                channels=XYZ,
                person_id=extras["person_id"],
            )
        ]
    if suffix in (".npy", ".npz", ".json"):
        joints = people_second(joint_arrays.load_clip(str(path)), repr(str(path)))
        return [Recording(name=path.stem, joints=joints)]
    if suffix in (".pkl", ".pickle"):
        count = len(pyskl_annotations.read_annotations(str(path)))
        return [_annotation(str(path), index) for index in range(count)]
    if suffix in video_file.SUFFIXES and path.is_file():
        raise UserError(
            f"{str(path)!r} is a video, and the network reads joints; estimate the poses with "
            "--pose SPEC, such as --pose mediapipe:FILE.task or the run of a pose network"
        )
    raise UserError(f"{str(path)!r} is not a clip of joints; wanted {KINDS}")


def people_second(joints: np.ndarray, where: str) -> Float[np.ndarray, "t m v c"]:
    """Joints [t, v, c], [m, t, v, c] or [t, m, v, c] with the person axis second.

    Args:
        joints: The array; of two leading axes, the shorter is the person axis.
        where: Name of the file, for errors.

    Raises:
        UserError: The array has another shape, or its leading axes are equally long.
    """
    if joints.ndim == 4 and joints.shape[0] == joints.shape[1] != 1:
        raise UserError(
            f"{where}: joints of the shape {joints.shape} have as many people as frames; "
            "cut the clip"
        )
    if joints.ndim == 4 and joints.shape[0] < joints.shape[1]:
        joints = joints.swapaxes(0, 1)
    return joint_arrays.clip_array(joints, where)


def _openpose_folder(folder: Path) -> Recording:
    files = openpose_files.frame_files(folder.parent, folder.name, f"{str(folder)!r} is a folder")
    contents = {number: load_json(file) for number, file in files.items()}
    count = _first_joint_count(contents.values())
    if count is None:
        raise UserError(f"{str(folder)!r}: its frames have no person")
    if count not in openpose_files.LAYOUTS:
        raise UserError(f"{str(folder)!r}: its people have {count} joints, wanted 18 or 25")
    frames = {
        number: openpose_files.read_people(content, str(files[number]), count)
        for number, content in contents.items()
    }
    return Recording(
        name=folder.name,
        joints=openpose_files.stack_frames(frames, count),
        layout=openpose_files.LAYOUTS[count],
        channels=XY_SCORE,
    )


def _first_joint_count(frames: Any) -> int | None:
    """Number of joints of the first person in any frame; None if there is no person."""
    for frame in frames:
        people = frame.get("people") if isinstance(frame, dict) else None
        if not isinstance(people, list):
            continue
        for person in people:
            if isinstance(person, dict):
                return len(openpose_files.find_pose(person) or ()) // 3
    return None


def _annotation(path: str, index: int) -> Recording:
    annotation = pyskl_annotations.read_annotations(path)[index]
    name = pyskl_annotations.annotation_id(annotation, path, index)
    where = f"{path!r}, {name!r}"
    scored = "keypoint_score" in annotation
    planar = pyskl_annotations.keypoint_shape(annotation, where)[3] == 2
    shares = planar and bool(annotation.get("img_shape"))
    joints = pyskl_annotations.read_joints(annotation, where, scored=scored, shares=shares)
    channels = XY if planar else XYZ
    if scored:
        channels = (*channels, "score")
    layout = label_table.USUAL_LAYOUTS.get(joints.shape[2])
    return Recording(name=name, joints=joints, layout=layout, channels=channels)


def _normalise_pixels(
    recording: Recording, image_size: tuple[int, int] | None, where: str
) -> Recording:
    """Divides pixels of scored poses by the image size, as in prepared sets."""
    if recording.channels != XY_SCORE:
        return recording
    if np.nanmax(np.abs(recording.joints[..., :2]), initial=0.0) <= 4.0:
        return recording  # already in 0..1 of the image
    if image_size is None:
        raise UserError(
            f"{where!r} holds joints in pixels; wanted the image size too "
            "(--image-size WIDTH,HEIGHT)"
        )
    divisors = np.array([*image_size, 1.0], np.float32)
    return dataclasses.replace(recording, joints=recording.joints / divisors)
