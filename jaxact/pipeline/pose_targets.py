"""What the pose network should answer: a Gaussian at every joint, a field of unit vectors along
every limb.

A cell of the maps is 8 x 8 pixels of the picture; values are those at the middles of the cells.
"""

import tensorflow as tf
from jaxtyping import Float

from jaxact.skeletons.pose_body import BODY, LIMBS

STRIDE = 8  # pixels to a cell, each way
TRUNCATED = 4.6052  # a Gaussian's exponent beyond which it is 0, that is, below 0.01

People = tuple[
    Float[tf.Tensor, "m 14 2"], Float[tf.Tensor, "m 14"]
]  # places in pixels; 0 missing, 1 hidden, 2 seen


def gaussians(
    people: People, *, sigma: float, rows: int, columns: int
) -> Float[tf.Tensor, "i j 14"]:
    """S: exp(-d^2 / (2 sigma^2)) at distance d from the nearest person's joint, 0 where that is
    below 0.01.

    Args:
      people: joints in pixels.
      sigma: pixels.
      rows, columns: cells; d is measured from their middles.
    """
    places, seen = people
    offset = _cells(rows, columns)[:, :, None, None] * STRIDE - places
    exponent = tf.reduce_sum(tf.square(offset), axis=-1) / (2.0 * sigma**2)
    maps = tf.where((exponent <= TRUNCATED) & (seen > 0), tf.exp(-exponent), 0.0)
    empty = tf.zeros([rows, columns, 1, len(BODY.joints)])
    return tf.ensure_shape(
        tf.reduce_max(tf.concat([maps, empty], axis=2), axis=2), (rows, columns, len(BODY.joints))
    )


def affinity_fields(
    people: People, *, thickness: float, rows: int, columns: int
) -> Float[tf.Tensor, "i j 26"]:
    """L: the unit vector along a limb in cells at most `thickness` cells away from it; people who
    overlap are averaged.

    Args:
      people: joints in pixels.
      thickness: cells.
      rows, columns: cells.

    Returns:
      x and y of each limb in turn. A limb whose ends fall on one place has no direction and leaves
      no trace.
    """
    places, seen = people
    starts, ends = (list(side) for side in zip(*LIMBS, strict=True))
    start, end = (tf.gather(places, side, axis=1) / STRIDE for side in (starts, ends))
    length = tf.norm(end - start, axis=-1)
    there = (
        (tf.gather(seen, starts, axis=1) > 0)
        & (tf.gather(seen, ends, axis=1) > 0)
        & (length > 1e-3)
    )
    unit = tf.math.divide_no_nan(end - start, length[..., None])
    offset = _cells(rows, columns)[:, :, None, None] - start
    along = tf.clip_by_value(tf.reduce_sum(offset * unit, axis=-1), 0.0, length)
    near = tf.norm(offset - along[..., None] * unit, axis=-1) <= thickness
    on = tf.cast(near & there, tf.float32)
    total = tf.reduce_sum(on[..., None] * unit, axis=2)
    mean = tf.math.divide_no_nan(total, tf.reduce_sum(on, axis=2)[..., None])
    return tf.reshape(mean, (rows, columns, 2 * len(LIMBS)))


def _cells(rows: int, columns: int) -> Float[tf.Tensor, "i j 2"]:
    """Middles (x, y) of the cells, in cells."""
    x, y = tf.meshgrid(
        tf.range(columns, dtype=tf.float32) + 0.5, tf.range(rows, dtype=tf.float32) + 0.5
    )
    return tf.stack([x, y], axis=-1)
