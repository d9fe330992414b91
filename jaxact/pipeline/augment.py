"""Random changes of a training clip. Each comes as what it does, given the choices, and as how the
choices are drawn.

Draws are stateless: `seed` is an int64 pair, and the same seed and clip give the same bytes.
`seeds.subseed` gives every operation numbers of its own.
"""

import math

import tensorflow as tf
from jaxtyping import Bool, Float

from jaxact.pipeline import joints as jt
from jaxact.pipeline.normalisation import origin
from jaxact.pipeline.resampling import Clip
from jaxact.pipeline.seeds import Seed, subseed
from jaxact.skeletons import Layout

Joints = Float[tf.Tensor, "t m v c"]
Present = Bool[tf.Tensor, "t m v"]

# ST-GCN, section 4.1 and its released code: what a key frame of random moving draws from.
ANGLES = (-10.0, -5.0, 0.0, 5.0, 10.0)  # degrees
SCALES = (0.9, 1.0, 1.1)
SHIFTS = (-0.2, -0.1, 0.0, 0.1, 0.2)  # shares of the frame


def move(
    joints: Joints,
    present: Present,
    *,
    angles: Float[tf.Tensor, "2"],
    scales: Float[tf.Tensor, "2"],
    shifts_x: Float[tf.Tensor, "2"],
    shifts_y: Float[tf.Tensor, "2"],
    move_missing: bool = False,
) -> Joints:
    """ST-GCN's random moving (section 4.1): a camera that turns, nears and shifts evenly over the
    clip.

    (x, y)[t] := s[t] R(a[t]) (x, y)[t] + (tx[t], ty[t]), each factor linear between its two values,
    which stand at the first and the last frame. The same for every person; other channels are
    untouched.

    Args:
      angles: degrees, counter-clockwise where y points up.
      scales: factors.
      shifts_x: in units of the input.
      shifts_y: in units of the input.
      move_missing: also moves missing joints and padding away from zero, as the released code does.
        Departs from it by default: a missing joint stays zero, as it will be in evaluation.
    """
    nodes = tf.stack([angles * (math.pi / 180.0), scales, shifts_x, shifts_y])[:, :, None]
    ramp = tf.linspace(0.0, 1.0, tf.shape(joints)[0])
    angle, scale, shift_x, shift_y = tf.unstack(nodes[:, 0] + (nodes[:, 1] - nodes[:, 0]) * ramp)
    cosine, sine = scale * tf.cos(angle), scale * tf.sin(angle)
    matrix = tf.reshape(tf.stack([cosine, -sine, sine, cosine], axis=1), [-1, 2, 2])
    moved = tf.ones_like(present) if move_missing else present
    return jt.translate(jt.linear(joints, matrix), moved, tf.stack([shift_x, shift_y], axis=1))


def random_move(
    joints: Joints, present: Present, *, seed: Seed, move_missing: bool = False
) -> Joints:
    """`move` with every value of both key frames drawn at random from ST-GCN's candidates."""
    draws = tf.unstack(tf.random.stateless_uniform([4, 2], seed))
    angles, scales, shifts_x, shifts_y = (
        tf.gather(tf.constant(candidates), tf.cast(draw * len(candidates), tf.int32))
        for draw, candidates in zip(draws, (ANGLES, SCALES, SHIFTS, SHIFTS), strict=True)
    )
    nodes = {"angles": angles, "scales": scales, "shifts_x": shifts_x, "shifts_y": shifts_y}
    return move(joints, present, **nodes, move_missing=move_missing)


def rotation(angles: Float[tf.Tensor, " n"]) -> Float[tf.Tensor, "d d"]:
    """The rotation matrix of one angle in the plane, or Rz Ry Rx of three angles about the axes x,
    y, z (radians).
    """
    cosine, sine = tf.unstack(tf.cos(angles)), tf.unstack(tf.sin(angles))
    if len(cosine) == 1:
        return tf.reshape(tf.stack([cosine[0], -sine[0], sine[0], cosine[0]]), [2, 2])
    (cx, cy, cz), (sx, sy, sz) = cosine, sine
    rows = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        [-sy, cy * sx, cy * cx],
    ]
    return tf.reshape(tf.stack([entry for row in rows for entry in row]), [3, 3])


def random_rotate(joints: Joints, *, rotate: float, dims: int, seed: Seed) -> Joints:
    """Rotates about the origin by angles uniform in [-`rotate`, `rotate`] radians: about each axis,
    or in the plane.
    """
    angles = tf.random.stateless_uniform([3 if dims == 3 else 1], seed, -rotate, rotate)
    return jt.linear(joints, rotation(angles))


def random_rescale(joints: Joints, *, rescale: float, dims: int, seed: Seed) -> Joints:
    """Stretches each spatial axis by its own factor, uniform in [1 - `rescale`, 1 + `rescale`]."""
    factors = tf.random.stateless_uniform([dims], seed, 1.0 - rescale, 1.0 + rescale)
    return jt.linear(joints, tf.linalg.diag(factors))


def random_jitter(
    joints: Joints, present: Present, *, jitter: float, dims: int, seed: Seed
) -> Joints:
    """Adds normal noise of standard deviation `jitter` to every coordinate of every present
    joint.
    """
    noise = tf.random.stateless_normal(
        tf.shape(joints), seed, stddev=[jitter] * dims + [0.0] * (joints.shape[-1] - dims)
    )
    return joints + jt.keep(noise, present)


def mirror(
    joints: Joints,
    present: Present,
    *,
    mirrored: bool | Bool[tf.Tensor, ""] = True,
    layout: Layout,
    dims: int,
) -> Clip:
    """The clip in a mirror: x changes sign about the first person's centre joint, left and right
    joints change places.

    The mirror stands where that joint is in the first frame that has it, so that a centred clip
    stays centred.
    """
    axis = tf.cast(mirrored, tf.float32) * tf.one_hot(0, dims)
    shift = 2.0 * axis * origin(joints, present, joint=layout.centre, dims=dims)
    order = tf.where(mirrored, list(layout.mirrored()), list(range(len(layout.joints))))
    joints, present = tf.gather(joints, order, axis=2), tf.gather(present, order, axis=2)
    return jt.translate(
        jt.linear(joints, tf.linalg.diag(1.0 - 2.0 * axis)), present, shift
    ), present


def random_mirror(
    joints: Joints, present: Present, *, layout: Layout, dims: int, seed: Seed
) -> Clip:
    """`mirror` with probability 1/2."""
    return mirror(joints, present, mirrored=_heads(seed), layout=layout, dims=dims)


def swap(joints: Joints, present: Present, *, swapped: bool | Bool[tf.Tensor, ""] = True) -> Clip:
    """Exchanges the first two persons, where the clip has both."""
    order = list(range(int(joints.shape[1])))
    both = tf.reduce_all(tf.reduce_any(present[:, :2], axis=(0, 2)))
    order = tf.where(both & swapped, [1, 0, *order[2:]], order)
    return tf.gather(joints, order, axis=1), tf.gather(present, order, axis=1)


def random_swap(joints: Joints, present: Present, *, seed: Seed) -> Clip:
    """`swap` with probability 1/2."""
    return swap(joints, present, swapped=_heads(seed))


def random_drop_joints(joints: Joints, present: Present, *, drop_joints: float, seed: Seed) -> Clip:
    """Makes each joint of each person missing for the whole clip with probability `drop_joints`."""
    kept = tf.random.stateless_uniform(tf.shape(present)[1:], seed) >= drop_joints
    present = present & kept
    return jt.keep(joints, present), present


def augment(
    joints: Joints,
    present: Present,
    *,
    seed: Seed,
    move: bool,
    move_missing: bool,
    rotate: float,
    rescale: float,
    jitter: float,
    mirror: bool,
    swap: bool,
    drop_joints: float,
    layout: Layout,
    dims: int,
) -> Clip:
    """All changes that are asked for, with the fields of the `augment` section; see its comments
    for their units.
    """
    clip = joints, present
    if mirror:
        clip = random_mirror(*clip, layout=layout, dims=dims, seed=subseed(seed, "mirror"))
    if rotate:
        clip = (
            random_rotate(clip[0], rotate=rotate, dims=dims, seed=subseed(seed, "rotate")),
            clip[1],
        )
    if rescale:
        clip = (
            random_rescale(clip[0], rescale=rescale, dims=dims, seed=subseed(seed, "rescale")),
            clip[1],
        )
    if move:
        clip = random_move(*clip, seed=subseed(seed, "move"), move_missing=move_missing), clip[1]
    if jitter:
        clip = random_jitter(*clip, jitter=jitter, dims=dims, seed=subseed(seed, "jitter")), clip[1]
    if swap:
        clip = random_swap(*clip, seed=subseed(seed, "swap"))
    if drop_joints:
        clip = random_drop_joints(*clip, drop_joints=drop_joints, seed=subseed(seed, "drop_joints"))
    return clip


def _heads(seed: Seed) -> Bool[tf.Tensor, ""]:
    return tf.random.stateless_uniform([], seed) < 0.5
