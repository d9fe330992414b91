"""Joints with gaps: what is missing, where it is, and which channels are space.

A clip is a pair (`joints` f32 [t, m, v, c], `present` bool [t, m, v]). In a record a joint that is zero in every channel
is missing. From there on `present` says so, because a present joint may well come to lie at the origin: centring puts
the centre joint there in every frame. Every operation keeps missing joints at zero.
"""

from collections.abc import Callable, Sequence

import tensorflow as tf
from jaxtyping import Bool, Float


def space(channels: Sequence[str]) -> int:
    """How many of the channels are coordinates: all of them, or all but a last one called "score"."""
    return len(channels) - (channels[-1] == "score")


def finite(joints: Float[tf.Tensor, "t m v c"]) -> Float[tf.Tensor, "t m v c"]:
    """Makes a joint with a NaN or infinite channel a missing one, and a clip without frames one empty frame."""
    good = tf.reduce_all(tf.math.is_finite(joints), axis=-1, keepdims=True)
    joints = tf.where(good, joints, 0.0)
    return tf.pad(joints, [[0, tf.cast(tf.shape(joints)[0] == 0, tf.int32)], [0, 0], [0, 0], [0, 0]])


def present(joints: Float[tf.Tensor, "t m v c"]) -> Bool[tf.Tensor, "t m v"]:
    """Which joints of a record are there: those that are not zero in every channel."""
    return tf.reduce_any(joints != 0.0, axis=-1)


def keep(joints: Float[tf.Tensor, "t m v c"], present: Bool[tf.Tensor, "t m v"]) -> Float[tf.Tensor, "t m v c"]:
    """Sets the joints that are not present to zero."""
    return tf.where(present[..., None], joints, 0.0)


def on_space(
    joints: Float[tf.Tensor, "t m v c"], dims: int, change: Callable[[tf.Tensor], tf.Tensor]
) -> Float[tf.Tensor, "t m v c"]:
    """Applies `change` to the first `dims` channels; a score is never moved, turned or scaled."""
    if joints.shape[-1] == dims:
        return change(joints)
    return tf.concat([change(joints[..., :dims]), joints[..., dims:]], axis=-1)


def linear(
    joints: Float[tf.Tensor, "t m v c"], matrix: Float[tf.Tensor, "d d"], dims: int
) -> Float[tf.Tensor, "t m v c"]:
    """Multiplies each position, a column vector, by `matrix`. Missing joints need no care: zero stays zero."""

    def product(positions: tf.Tensor) -> tf.Tensor:
        # One flat product: a broadcast batch of tiny ones is many times slower.
        flat = tf.matmul(tf.reshape(positions, [-1, dims]), matrix, transpose_b=True)
        return tf.ensure_shape(tf.reshape(flat, tf.shape(positions)), positions.shape)

    return on_space(joints, dims, product)


def from_frame_shares(joints: Float[tf.Tensor, "t m v c"]) -> Float[tf.Tensor, "t m v c"]:
    """Moves the origin of 2-D poses with scores from the picture's corner to its middle.

    Detected poses are stored as shares of the frame's width and height, 0 to 1. The released Kinetics-skeleton arrays
    hold x - 0.5 and y - 0.5, and zeros where the score is zero; random moving turns about that origin.
    """
    moved = joints - tf.constant([0.5, 0.5, 0.0])
    return tf.where(joints[..., 2:] == 0.0, tf.constant([0.0, 0.0, 1.0]) * joints, moved)
