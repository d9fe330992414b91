"""Joints of the pose network's body: made from other layouts, and mapped back to the picture."""

from typing import Any

import numpy as np
from jaxtyping import Float

from jaxact.pipeline import array_ops as ops
from jaxact.pipeline.array_ops import Array
from jaxact.skeletons import Layout
from jaxact.skeletons.pose_body import body_matrix

# Positions (x, y) in pixels, and visibility: 0 missing, 1 hidden, 2 visible.
People = tuple[Float[Array, "m 14 2"], Float[Array, "m 14"]]


def body_joints(joints: Float[Array, "m v 3"], layout: Layout) -> People:
    """The fourteen joints of people in any layout that converts to `body-14`.

    A joint takes the lowest visibility of its source joints; it is missing if the layout has none.

    Args:
        joints: (x, y, visibility) in pixels.
        layout: layout of the joints.
    """
    matrix = body_matrix(layout)
    positions = ops.einsum("jv,mvc->mjc", np.asarray(matrix, np.float32), joints[..., :2])
    is_source = matrix > 0
    visibility = ops.reduce_min(ops.where(is_source[None], joints[:, None, :, 2], np.inf), axis=2)
    visibility = ops.where(is_source.any(axis=1)[None], visibility, 0.0)
    return ops.where(visibility[..., None] > 0, positions, 0.0), visibility


def undo_letterbox(
    people: Float[np.ndarray, "n v 3"], zoom: Any, corner: Any
) -> Float[np.ndarray, "n v 3"]:
    """Maps joints in a letterboxed picture back to the picture's own pixels.

    Args:
        people: (x, y, score); a joint without a positive score is missing and becomes zero.
        zoom: scale of the picture, one number or one along x and y.
        corner: x and y of the picture's top left corner.
    """
    present = people[..., 2:] > 0
    positions = np.where(present, (people[..., :2] - corner) / zoom, 0)
    return np.concatenate([positions, people[..., 2:]], axis=-1)
