"""Targets of the pose network: joint heatmaps and part affinity fields.

A cell of the maps is 8 x 8 pixels of the picture; values are taken at the cells' centres.
"""

import tensorflow as tf
from jaxtyping import Float

from jaxact.pipeline.pose_joints import People
from jaxact.skeletons.pose_body import BODY, LIMBS

STRIDE = 8  # pixels of a cell along each axis
MAX_EXPONENT = 4.6052  # exponent of a Gaussian from which on it is below 0.01 and set to 0


def heatmaps(
    people: People, *, sigma: float, rows: int, columns: int
) -> Float[tf.Tensor, "i j 14"]:
    """S: exp(-d^2 / (2 sigma^2)) at distance d from the nearest person's joint, 0 below 0.01.

    Args:
        people: joints in pixels.
        sigma: pixels.
        rows: number of cells; d is measured from their centres.
        columns: number of cells.
    """
    positions, visibility = people
    offset = _cell_centres(rows, columns)[:, :, None, None] * STRIDE - positions
    exponent = tf.reduce_sum(tf.square(offset), axis=-1) / (2.0 * sigma**2)
    is_near = (exponent <= MAX_EXPONENT) & (visibility > 0)
    maps = tf.where(is_near, tf.exp(-exponent), 0.0)
    nobody = tf.zeros([rows, columns, 1, len(BODY.joints)])
    maximum = tf.reduce_max(tf.concat([maps, nobody], axis=2), axis=2)
    return tf.ensure_shape(maximum, (rows, columns, len(BODY.joints)))


def part_affinity_fields(
    people: People, *, thickness: float, rows: int, columns: int
) -> Float[tf.Tensor, "i j 26"]:
    """L: the unit vector along a limb, in cells at most `thickness` cells away from it.

    Where people overlap, their vectors are averaged.

    Args:
        people: joints in pixels.
        thickness: cells.
        rows: number of cells.
        columns: number of cells.

    Returns:
        x and y of each limb in turn. A limb of length zero has no direction, so its field is zero.
    """
    positions, visibility = people
    start_joints = [start for start, _ in LIMBS]
    end_joints = [end for _, end in LIMBS]
    start = tf.gather(positions, start_joints, axis=1) / STRIDE
    end = tf.gather(positions, end_joints, axis=1) / STRIDE
    length = tf.norm(end - start, axis=-1)
    has_start = tf.gather(visibility, start_joints, axis=1) > 0
    has_end = tf.gather(visibility, end_joints, axis=1) > 0
    has_limb = has_start & has_end & (length > 1e-3)
    unit = tf.math.divide_no_nan(end - start, length[..., None])
    offset = _cell_centres(rows, columns)[:, :, None, None] - start
    along = tf.clip_by_value(tf.reduce_sum(offset * unit, axis=-1), 0.0, length)
    is_near = tf.norm(offset - along[..., None] * unit, axis=-1) <= thickness
    weight = tf.cast(is_near & has_limb, tf.float32)
    total = tf.reduce_sum(weight[..., None] * unit, axis=2)
    mean = tf.math.divide_no_nan(total, tf.reduce_sum(weight, axis=2)[..., None])
    return tf.reshape(mean, (rows, columns, 2 * len(LIMBS)))


def _cell_centres(rows: int, columns: int) -> Float[tf.Tensor, "i j 2"]:
    """The centres (x, y) of the cells, in cells."""
    columns_x = tf.range(columns, dtype=tf.float32) + 0.5
    rows_y = tf.range(rows, dtype=tf.float32) + 0.5
    x, y = tf.meshgrid(columns_x, rows_y)
    return tf.stack([x, y], axis=-1)
