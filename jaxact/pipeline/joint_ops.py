"""Operations on joints of which some are missing.

A clip is a pair (`joints` f32 [t, m, v, c], `present` bool [t, m, v]). In a record, a joint that is
zero in every channel is missing. From there on `present` marks the joints that exist, because a
present joint may lie at the origin: centring moves the centre joint there in every frame. Every
operation keeps missing joints at zero.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from jaxact.pipeline import array_ops as ops
from jaxact.pipeline.array_ops import Array


def spatial_dims(channels: Sequence[str]) -> int:
    """The number of coordinates: all channels, except a last one called "score"."""
    return len(channels) - (channels[-1] == "score")


def non_finite_to_missing(joints: Float[Array, "s m v c"]) -> Float[Array, "t m v c"]:
    """Sets joints with a NaN or infinite channel to zero, which is missing.

    A clip without frames becomes one empty frame.
    """
    is_finite = ops.is_finite(joints)
    joints = ops.cond(
        ops.reduce_all(is_finite),
        lambda: ops.identity(joints),
        lambda: ops.where(ops.reduce_all(is_finite, axis=-1, keepdims=True), joints, 0.0),
    )
    is_empty = ops.cast(ops.shape(joints)[0] == 0, np.int32)
    return ops.pad(joints, [[0, is_empty], [0, 0], [0, 0], [0, 0]])


def present(joints: Float[Array, "t m v c"]) -> Bool[Array, "t m v"]:
    """Which joints of a record exist: those that are not zero in every channel."""
    return ops.reduce_any(joints != 0.0, axis=-1)


def zero_missing(
    joints: Float[Array, "t m v c"], present: Bool[Array, "t m v"]
) -> Float[Array, "t m v c"]:
    """Sets the joints that are not present to zero."""
    return joints * ops.cast(present, np.float32)[..., None]


def linear(
    joints: Float[Array, "t m v c"], matrix: Float[Array, "*t d d"]
) -> Float[Array, "t m v c"]:
    """Multiplies each position, a column vector, by a matrix, one for the clip or one per frame.

    Channels beyond the d coordinates, a score, do not change. Missing joints stay zero.
    """
    channels, dims = joints.shape[-1], matrix.shape[-1]
    if channels > dims:
        matrix = ops.pad(matrix, [[0, 0]] * (len(matrix.shape) - 2) + [[0, channels - dims]] * 2)
        matrix = matrix + ops.diag([0.0] * dims + [1.0] * (channels - dims))
    # Use as few matrix products as possible: a broadcast batch of tiny ones is many times slower.
    rows = [-1, channels]
    if len(matrix.shape) > 2:
        rows = [ops.shape(joints)[0], *rows]
    product = ops.matmul(ops.reshape(joints, rows), matrix, transpose_b=True)
    return ops.ensure_shape(ops.reshape(product, ops.shape(joints)), joints.shape)


def translate(
    joints: Float[Array, "t m v c"], present: Bool[Array, "t m v"], shift: Float[Array, "*t d"]
) -> Float[Array, "t m v c"]:
    """Adds `shift`, one for the clip or one per frame, to the positions of the present joints.

    A score does not change.
    """
    channels, dims = joints.shape[-1], shift.shape[-1]
    shift = ops.pad(shift, [[0, 0]] * (len(shift.shape) - 1) + [[0, channels - dims]])[..., None, :]
    # Multiply presence by shift as a matrix product, which is far faster than a broadcast over a
    # last axis of three.
    rows = [-1, 1]
    if len(shift.shape) > 2:
        rows = [ops.shape(joints)[0], *rows]
    shifts = ops.matmul(ops.reshape(ops.cast(present, np.float32), rows), shift)
    return joints + ops.ensure_shape(ops.reshape(shifts, ops.shape(joints)), joints.shape)


def centre_image_coordinates(
    joints: Float[Array, "t m v 3"], *, min_score: float = 0.0
) -> Float[Array, "t m v 3"]:
    """Moves the origin of 2-D poses with scores from the picture's corner to its middle.

    Detected poses are stored as shares of the frame's width and height, 0 to 1. The released
    Kinetics-skeleton arrays hold x - 0.5 and y - 0.5, and zeros where the score is zero. Random
    moving turns about that origin.

    Args:
        min_score: a joint with a score at or below it, or a score of zero, becomes missing.
    """
    has_score = joints[..., 2] != 0.0
    if min_score:
        has_score = has_score & (joints[..., 2] > min_score)
    return translate(zero_missing(joints, has_score), has_score, ops.constant([-0.5, -0.5]))
