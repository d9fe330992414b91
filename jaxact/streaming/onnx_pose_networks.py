"""Pose networks that users have as ONNX files: what each reads, and what its outputs mean.

| network | input | outputs |
| --- | --- | --- |
| MoveNet MultiPose | `[1, h, w, 3]`, RGB 0..255, h and w multiples of 32 | `[1, 6, 56]` |
| RTMO | `[1, 3, h, w]`, BGR 0..255 | boxes `[1, n, 5]`, joints `[1, n, 17, 3]` |
| YOLO-pose | `[1, 3, h, w]`, RGB 0..1 | `[1, 56, anchors]` |

Each keeps the aspect ratio of the image and pads the rest: MoveNet and RTMO on the right and below,
YOLO around it. Each gives the 17 joints of COCO.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float, Int

from jaxact.pipeline import images

GREY = 114  # padding of RTMO and YOLO
MOVENET_SIDE = 256  # longer side of MoveNet's input where the file leaves it open
SIDE = 640  # both sides of the other inputs where the file leaves them open
STEP = 32  # sides of MoveNet's input are multiples of it
JOINTS = 17

Prepared = tuple[np.ndarray, np.ndarray, np.ndarray]  # input, zoom, corner


@dataclasses.dataclass(frozen=True, slots=True)
class People:
    """What a network detects, in pixels of its input.

    Attributes:
        joints: x, y and score.
        scores: of the people.
        boxes: left, top, right and bottom.
    """

    joints: Float[np.ndarray, "n 17 3"]
    scores: Float[np.ndarray, " n"]
    boxes: Float[np.ndarray, "n 4"]


@dataclasses.dataclass(frozen=True, slots=True)
class PoseNetwork:
    """A kind of pose network.

    Attributes:
        name: of the network.
        signature: input and outputs, for errors.
        channels_last: whether the input is `[1, h, w, 3]`.
        matches: whether outputs of these shapes are those of the network.
        prepare: maps an RGB image and the input's height and width, 0 where the file leaves them
            open, to the input `[h, w, 3]`, its zoom along x and y, and the corner of the image.
        decode: maps the outputs, and the input's height and width, to people.
        overlap: intersection over union above which the person with the lower score is dropped;
            None where the network drops them itself.
    """

    name: str
    signature: str
    channels_last: bool
    matches: Callable[[Sequence[tuple[int, ...]]], bool]
    prepare: Callable[[np.ndarray, tuple[int, int]], Prepared]
    decode: Callable[[Sequence[np.ndarray], tuple[int, int]], People]
    overlap: float | None = None


def _prepare_movenet(image: np.ndarray, size: tuple[int, int]) -> Prepared:
    if all(size):
        fitted, zoom = images.fit(image, size)
    else:
        fitted, zoom = images.fit(image, (MOVENET_SIDE, MOVENET_SIDE))
        height, width = fitted.shape[:2]
        size = (-(-height // STEP) * STEP, -(-width // STEP) * STEP)
    inputs = np.zeros((*size, 3), np.float32)
    inputs[: fitted.shape[0], : fitted.shape[1]] = fitted
    return inputs, zoom, np.zeros(2)


def _prepare_rtmo(image: np.ndarray, size: tuple[int, int]) -> Prepared:
    size = (size[0] or SIDE, size[1] or SIDE)
    fitted, zoom = images.fit(image, size)
    inputs = np.full((*size, 3), GREY, np.float32)
    inputs[: fitted.shape[0], : fitted.shape[1]] = fitted[..., ::-1]
    return inputs, zoom, np.zeros(2)


def _prepare_yolo(image: np.ndarray, size: tuple[int, int]) -> Prepared:
    size = (size[0] or SIDE, size[1] or SIDE)
    fitted, zoom = images.fit(image, size)
    rows, columns = fitted.shape[:2]
    top, left = (size[0] - rows) // 2, (size[1] - columns) // 2
    inputs = np.full((*size, 3), GREY / 255, np.float32)
    inputs[top : top + rows, left : left + columns] = fitted / np.float32(255)
    return inputs, zoom, np.array([left, top], np.float64)


def _decode_movenet(outputs: Sequence[np.ndarray], size: tuple[int, int]) -> People:
    """A row is 17 x (y, x, score), then top, left, bottom, right, score; in 0..1 of the input."""
    rows = outputs[0][0]
    height, width = size
    joints = rows[:, : 3 * JOINTS].reshape(-1, JOINTS, 3)[..., [1, 0, 2]] * (width, height, 1)
    boxes = rows[:, [52, 51, 54, 53]] * (width, height, width, height)
    return People(joints, rows[:, 55], boxes)


def _decode_rtmo(outputs: Sequence[np.ndarray], size: tuple[int, int]) -> People:
    """A box is left, top, right, bottom and score."""
    boxes, joints = sorted((output[0] for output in outputs), key=np.ndim)
    return People(joints, boxes[:, 4], boxes[:, :4])


def _decode_yolo(outputs: Sequence[np.ndarray], size: tuple[int, int]) -> People:
    """A column is x, y of the box's centre, its width, its height, a score, 17 x (x, y, score)."""
    rows = outputs[0][0].T
    centres, sides = rows[:, :2], rows[:, 2:4]
    boxes = np.concatenate([centres - sides / 2, centres + sides / 2], axis=1)
    return People(rows[:, 5:].reshape(-1, JOINTS, 3), rows[:, 4], boxes)


def _matches_rtmo(shapes: Sequence[tuple[int, ...]]) -> bool:
    if len(shapes) != 2:
        return False
    boxes, joints = sorted(shapes, key=len)
    count = boxes[1:2]
    return boxes == (1, *count, 5) and joints == (1, *count, JOINTS, 3)


def _matches_yolo(shapes: Sequence[tuple[int, ...]]) -> bool:
    return len(shapes) == 1 and len(shapes[0]) == 3 and shapes[0][:2] == (1, 56)


NETWORKS = (
    PoseNetwork(
        name="movenet multipose",
        signature="MoveNet MultiPose ([1, h, w, 3] to [1, 6, 56])",
        channels_last=True,
        matches=lambda shapes: list(shapes) == [(1, 6, 56)],
        prepare=_prepare_movenet,
        decode=_decode_movenet,
    ),
    PoseNetwork(
        name="rtmo",
        signature="RTMO ([1, 3, h, w] to boxes [1, n, 5] and joints [1, n, 17, 3])",
        channels_last=False,
        matches=_matches_rtmo,
        prepare=_prepare_rtmo,
        decode=_decode_rtmo,
        overlap=0.65,
    ),
    PoseNetwork(
        name="yolo-pose",
        signature="YOLO-pose ([1, 3, h, w] to [1, 56, anchors])",
        channels_last=False,
        matches=_matches_yolo,
        prepare=_prepare_yolo,
        decode=_decode_yolo,
        overlap=0.7,
    ),
)


def select(people: People, *, count: int, threshold: float, overlap: float | None) -> list[int]:
    """Returns the people with the highest scores, the highest first, without duplicates.

    Args:
        people: the people.
        count: most people.
        threshold: least score of a person.
        overlap: see `PoseNetwork`.
    """
    selected: list[int] = []
    order: Int[np.ndarray, " n"] = np.argsort(-people.scores, kind="stable")
    for index in order[people.scores[order] >= threshold].tolist():
        if len(selected) == count:
            break
        duplicate = False
        if overlap is not None and selected:
            shares = _intersection_over_union(people.boxes[index], people.boxes[selected])
            duplicate = bool((shares > overlap).any())
        if not duplicate:
            selected.append(index)
    return selected


def _intersection_over_union(
    box: Float[np.ndarray, "4"], boxes: Float[np.ndarray, "k 4"]
) -> Float[np.ndarray, " k"]:
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:], boxes[:, 2:])
    intersection = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(box[2:] - box[:2]) + np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return intersection / np.maximum(areas - intersection, 1e-9)
