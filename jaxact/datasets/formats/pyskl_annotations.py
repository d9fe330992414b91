"""Annotation pickles of pyskl and mmaction2.

A file is {"split": {name: [id, ...]}, "annotations": [{...}, ...]}, or in older versions the bare
list of annotations. An annotation has `frame_dir` (older: `filename`), `label`, `total_frames`,
`keypoint` [m, t, v, c] and, where poses were estimated in images, `keypoint_score` [m, t, v] and
`img_shape` (height, width).
"""

import functools
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxact.datasets.formats import safe_pickle
from jaxact.errors import UserError

Annotation = Mapping[str, Any]


def read_file(path: str) -> Any:
    """The content of a file; that of the last file stays in memory until the file changes."""
    return _read(path, os.stat(path).st_mtime_ns)


@functools.lru_cache(maxsize=1)
def _read(path: str, modified: int) -> Any:
    del modified  # part of the cache key
    return safe_pickle.load(path)


def read_annotations(path: str) -> list[Annotation]:
    """The annotations of a file of either version, or of one that is a single annotation.

    Raises:
        UserError: The file holds something else.
    """
    content = read_file(path)
    annotations: Any = content
    if isinstance(content, dict):
        annotations = [content] if "keypoint" in content else content.get("annotations")
    if (
        isinstance(annotations, list)
        and annotations
        and all(isinstance(annotation, dict) for annotation in annotations)
    ):
        return annotations
    kind = f"a {type(content).__name__}"
    if isinstance(content, dict):
        kind = f"the keys {sorted(map(str, content))}"
    raise UserError(
        f"{path!r} holds {kind}; wanted split and annotations, or a list of annotations"
    )


def annotation_id(annotation: Annotation, path: str, index: int) -> str:
    """The name of an annotation's clip.

    Args:
        annotation: The annotation.
        path: Its file, for errors.
        index: Its position in the file, for errors.

    Raises:
        UserError: The annotation has no name.
    """
    name = annotation.get("frame_dir") or annotation.get("filename")
    if not isinstance(name, str):
        keys = ", ".join(map(str, annotation)) or "nothing"
        raise UserError(f"{path!r}, annotation {index}: no frame_dir; it has {keys}")
    return name


def keypoint_shape(annotation: Annotation, where: str) -> tuple[int, ...]:
    """The shape [m, t, v, c] of an annotation's keypoints.

    Args:
        annotation: The annotation.
        where: Its file and name, for errors.

    Raises:
        UserError: There are no keypoints, or they have another shape.
    """
    joints = annotation.get("keypoint")
    if joints is None and "raw_file" in annotation:
        raise UserError(
            f"{where}: its keypoints are in {str(annotation['raw_file'])!r}; "
            "files that refer to other files are not supported"
        )
    if not isinstance(joints, np.ndarray):
        raise UserError(f"{where}: keypoint is a {type(joints).__name__}, wanted [m, t, v, 2 or 3]")
    if joints.ndim != 4 or joints.shape[3] not in (2, 3):
        raise UserError(f"{where}: keypoint has the shape {joints.shape}, wanted [m, t, v, 2 or 3]")
    return joints.shape


def read_joints(
    annotation: Annotation, where: str, *, scored: bool, shares: bool
) -> Float[np.ndarray, "t m v c"]:
    """Joints of one annotation, with one empty slot if it has no person.

    Args:
        annotation: The annotation.
        where: Its file and name, for errors.
        scored: Append keypoint_score as a channel.
        shares: Divide x and y by the width and height of img_shape.

    Raises:
        UserError: An array is missing or does not fit the others.
    """
    people, frames, count, space = keypoint_shape(annotation, where)
    joints = np.asarray(annotation["keypoint"]).astype(np.float32)
    total = annotation.get("total_frames", frames)
    if total != frames:
        raise UserError(f"{where}: total_frames is {total!r}, but keypoint has {frames} frames")
    same_scores = ("keypoint_score" in annotation) == scored
    same_size = space == 3 or bool(annotation.get("img_shape")) == shares
    if not same_scores or not same_size:
        raise UserError(
            f"{where}: keypoint_score or img_shape is present in some annotations but not in others"
        )
    if shares:
        joints[..., :2] /= _image_size(annotation, where)
    if scored:
        scores = np.asarray(annotation["keypoint_score"])
        if scores.shape != (people, frames, count):
            raise UserError(
                f"{where}: keypoint_score has the shape {scores.shape}, "
                f"wanted {(people, frames, count)}"
            )
        joints = np.concatenate([joints, scores[..., None].astype(np.float32)], axis=-1)
    if not people:
        return np.zeros((frames, 1, count, joints.shape[3]), np.float32)
    return joints.transpose(1, 0, 2, 3)


def _image_size(annotation: Annotation, where: str) -> Float[np.ndarray, "2"]:
    """Width and height of the image in pixels."""
    size = annotation["img_shape"]
    positive = all(isinstance(side, int | np.integer) and side > 0 for side in size)
    if len(size) != 2 or not positive:
        raise UserError(f"{where}: img_shape is {size!r}, wanted (height, width)")
    return np.array([size[1], size[0]], np.float32)
