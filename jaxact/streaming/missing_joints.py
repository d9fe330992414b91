"""Missing joints of estimated poses."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float


def drop_missing(
    poses: Float[np.ndarray, "n v 3"], shape: Sequence[int], *, threshold: float = 0.0
) -> Float[np.ndarray, "m v 3"]:
    """Sets joints outside the picture or without a score to zero, and drops empty people.

    Args:
        poses: x and y in pixels, and a score.
        shape: shape of the image, height first.
        threshold: joints with a score below it are missing; at 0, those with the score 0.
    """
    height, width = shape[:2]
    positions, scores = poses[..., :2], poses[..., 2]
    in_image = ((positions >= 0) & (positions <= (width, height))).all(axis=-1)
    present = in_image & (scores > 0) & (scores >= threshold)
    poses = np.where(present[..., None], poses, 0)
    return poses[present.any(axis=1)].astype(np.float32)
