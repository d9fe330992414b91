"""Frames of a camera: a JPEG in, and the result of a frame as JSON values."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import UInt8

from jaxact.errors import UserError
from jaxact.pipeline.images import need_pillow
from jaxact.plots import layout_drawing
from jaxact.skeletons import get_layout
from jaxact.streaming.processor import FrameResult, Person

TOP = 5  # classes per person


def decode_jpeg(content: bytes, *, max_side: int) -> UInt8[np.ndarray, "h w 3"]:
    """Decodes a JPEG to RGB.

    Args:
        content: the file.
        max_side: largest width and height in pixels.

    Raises:
        UserError: no JPEG, a damaged one, or one that is too large.
    """
    image = need_pillow()
    try:
        with image.open(io.BytesIO(content), formats=("JPEG",)) as picture:
            width, height = picture.size
            if max(width, height) > max_side:
                raise UserError(
                    f"the frame has {width} x {height} pixels; "
                    f"at most {max_side} x {max_side} are read"
                )
            return np.asarray(picture.convert("RGB"))
    except (OSError, SyntaxError, image.DecompressionBombError, Warning) as error:
        raise UserError("the frame is not a readable JPEG") from error


def layout_json(name: str) -> dict[str, Any]:
    """Returns what the page needs to draw people of a layout."""
    layout = get_layout(name)
    return {
        "layout": layout.name,
        "edges": [list(edge) for edge in layout.edges],
        "sides": layout_drawing.joint_sides(layout),
    }


def result_json(result: FrameResult, labels: Sequence[str]) -> dict[str, Any]:
    """Returns the people of a frame.

    Args:
        result: the result.
        labels: class names.

    Returns:
        `people`: for each their `id`, `joints` (x and y in 0..1 from the upper left corner of the
        frame, or None), `label` (None while no class is probable enough), its `probability`, and
        `top`, the most probable classes; `ranked`, the ids of the classified people, the most
        important first; and `notes`.
    """
    people = [_person_json(person, result.size, labels) for person in result.people]
    return {"people": people, "ranked": list(result.ranked), "notes": list(result.notes)}


def _person_json(person: Person, size: tuple[int, int], labels: Sequence[str]) -> dict[str, Any]:
    height, width = size
    points = np.round(np.clip(person.joints[:, :2] / (width, height), 0, 1), 4).tolist()
    joints = []
    for point, score in zip(points, person.joints[:, 2], strict=True):
        joints.append(point if score > 0 else None)
    values: dict[str, Any] = {
        "id": person.id,
        "joints": joints,
        "label": None,
        "probability": None,
        "top": [],
    }
    prediction = person.prediction
    if prediction is None:
        return values
    probabilities = np.nan_to_num(prediction.probabilities).astype(float)
    for index in np.argsort(-probabilities, kind="stable")[:TOP]:
        share = round(float(probabilities[index]), 6)
        values["top"].append({"label": labels[index], "probability": share})
    if prediction.label is not None:
        values["label"] = labels[prediction.label]
        values["probability"] = round(float(probabilities[prediction.label]), 6)
    return values
