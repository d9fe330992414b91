"""Random augmentations of a training clip.

Each comes as a function of explicit values, and as one that draws them. Draws are stateless: `seed`
is an int64 pair, and the same seed and clip give the same bytes. `seeds.subseed` gives every
operation its own numbers.
"""

import math

import tensorflow as tf
from jaxtyping import Bool, Float

from jaxact.pipeline import joint_ops
from jaxact.pipeline.normalisation import first_position
from jaxact.pipeline.resampling import Clip
from jaxact.pipeline.seeds import Seed, subseed
from jaxact.skeletons import Layout

Joints = Float[tf.Tensor, "t m v c"]
Present = Bool[tf.Tensor, "t m v"]

# ST-GCN, section 4.1 and its released code: the values from which random moving draws.
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
    """ST-GCN's random moving (section 4.1): rotates, scales and shifts x and y over the clip.

    (x, y)[t] := s[t] R(a[t]) (x, y)[t] + (tx[t], ty[t]). Each factor is linear between its values
    at the first and the last frame. It is the same for every person; other channels do not change.

    Args:
        angles: degrees, counter-clockwise where y points up.
        scales: factors.
        shifts_x: in units of the input.
        shifts_y: in units of the input.
        move_missing: also moves missing joints and padding away from zero, as the released code
            does. Departs from it by default: a missing joint stays zero, as in evaluation.
    """
    ends = tf.stack([angles * (math.pi / 180.0), scales, shifts_x, shifts_y])[:, :, None]
    ramp = tf.linspace(0.0, 1.0, tf.shape(joints)[0])
    angle, scale, shift_x, shift_y = tf.unstack(ends[:, 0] + (ends[:, 1] - ends[:, 0]) * ramp)
    cosine, sine = scale * tf.cos(angle), scale * tf.sin(angle)
    matrix = tf.reshape(tf.stack([cosine, -sine, sine, cosine], axis=1), [-1, 2, 2])
    shift = tf.stack([shift_x, shift_y], axis=1)
    if move_missing:
        present = tf.ones_like(present)
    return joint_ops.translate(joint_ops.linear(joints, matrix), present, shift)


def random_move(
    joints: Joints, present: Present, *, seed: Seed, move_missing: bool = False
) -> Joints:
    """`move` with the values of both ends drawn at random from ST-GCN's candidates."""
    draws = tf.unstack(tf.random.stateless_uniform([4, 2], seed))
    values = []
    for draw, candidates in zip(draws, (ANGLES, SCALES, SHIFTS, SHIFTS), strict=True):
        index = tf.cast(draw * len(candidates), tf.int32)
        values.append(tf.gather(tf.constant(candidates), index))
    angles, scales, shifts_x, shifts_y = values
    return move(
        joints,
        present,
        angles=angles,
        scales=scales,
        shifts_x=shifts_x,
        shifts_y=shifts_y,
        move_missing=move_missing,
    )


def rotation_matrix(angles: Float[tf.Tensor, " n"]) -> Float[tf.Tensor, "d d"]:
    """The rotation by one angle in the plane, or Rz Ry Rx by three angles about x, y, z.

    Args:
        angles: one or three, radians.
    """
    cosine, sine = tf.unstack(tf.cos(angles)), tf.unstack(tf.sin(angles))
    if len(cosine) == 1:
        return tf.reshape(tf.stack([cosine[0], -sine[0], sine[0], cosine[0]]), [2, 2])
    (cx, cy, cz), (sx, sy, sz) = cosine, sine
    entries = [
        *(cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx),
        *(sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx),
        *(-sy, cy * sx, cy * cx),
    ]
    return tf.reshape(tf.stack(entries), [3, 3])


def random_rotate(joints: Joints, *, rotate: float, dims: int, seed: Seed) -> Joints:
    """Rotates about the origin: about each axis (3-D) or in the plane (2-D).

    Angles are uniform in [-`rotate`, `rotate`] radians.
    """
    angles = tf.random.stateless_uniform([3 if dims == 3 else 1], seed, -rotate, rotate)
    return joint_ops.linear(joints, rotation_matrix(angles))


def random_rescale(joints: Joints, *, rescale: float, dims: int, seed: Seed) -> Joints:
    """Scales each spatial axis by its own factor, uniform in [1 - `rescale`, 1 + `rescale`]."""
    factors = tf.random.stateless_uniform([dims], seed, 1.0 - rescale, 1.0 + rescale)
    return joint_ops.linear(joints, tf.linalg.diag(factors))


def random_jitter(
    joints: Joints, present: Present, *, jitter: float, dims: int, seed: Seed
) -> Joints:
    """Adds normal noise of standard deviation `jitter` to every present joint's coordinates."""
    stddev = [jitter] * dims + [0.0] * (joints.shape[-1] - dims)
    noise = tf.random.stateless_normal(tf.shape(joints), seed, stddev=stddev)
    return joints + joint_ops.zero_missing(noise, present)


def mirror(
    joints: Joints,
    present: Present,
    *,
    mirrored: bool | Bool[tf.Tensor, ""] = True,
    layout: Layout,
    dims: int,
) -> Clip:
    """Mirrors the clip: x changes sign about the first person's centre joint, sides are exchanged.

    The mirror is at that joint's position in the first frame that has it, so that a centred clip
    stays centred.
    """
    axis = tf.cast(mirrored, tf.float32) * tf.one_hot(0, dims)
    shift = 2.0 * axis * first_position(joints, present, joint=layout.centre, dims=dims)
    order = tf.where(mirrored, list(layout.mirrored()), list(range(len(layout.joints))))
    joints, present = tf.gather(joints, order, axis=2), tf.gather(present, order, axis=2)
    joints = joint_ops.linear(joints, tf.linalg.diag(1.0 - 2.0 * axis))
    return joint_ops.translate(joints, present, shift), present


def random_mirror(
    joints: Joints, present: Present, *, layout: Layout, dims: int, seed: Seed
) -> Clip:
    """`mirror` with probability 1/2."""
    return mirror(joints, present, mirrored=_coin_flip(seed), layout=layout, dims=dims)


def swap(joints: Joints, present: Present, *, swapped: bool | Bool[tf.Tensor, ""] = True) -> Clip:
    """Exchanges the first two persons, if the clip has both."""
    order = list(range(int(joints.shape[1])))
    has_both = tf.reduce_all(tf.reduce_any(present[:, :2], axis=(0, 2)))
    order = tf.where(has_both & swapped, [1, 0, *order[2:]], order)
    return tf.gather(joints, order, axis=1), tf.gather(present, order, axis=1)


def random_swap(joints: Joints, present: Present, *, seed: Seed) -> Clip:
    """`swap` with probability 1/2."""
    return swap(joints, present, swapped=_coin_flip(seed))


def random_drop_joints(joints: Joints, present: Present, *, drop_joints: float, seed: Seed) -> Clip:
    """Makes each joint of each person missing for the whole clip with probability `drop_joints`."""
    is_kept = tf.random.stateless_uniform(tf.shape(present)[1:], seed) >= drop_joints
    present = present & is_kept
    return joint_ops.zero_missing(joints, present), present


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
    """Applies every augmentation that is switched on.

    The arguments are fields of the `augment` section, whose comments give their units.
    """
    if mirror:
        mirror_seed = subseed(seed, "mirror")
        joints, present = random_mirror(joints, present, layout=layout, dims=dims, seed=mirror_seed)
    if rotate:
        joints = random_rotate(joints, rotate=rotate, dims=dims, seed=subseed(seed, "rotate"))
    if rescale:
        joints = random_rescale(joints, rescale=rescale, dims=dims, seed=subseed(seed, "rescale"))
    if move:
        move_seed = subseed(seed, "move")
        joints = random_move(joints, present, seed=move_seed, move_missing=move_missing)
    if jitter:
        jitter_seed = subseed(seed, "jitter")
        joints = random_jitter(joints, present, jitter=jitter, dims=dims, seed=jitter_seed)
    if swap:
        joints, present = random_swap(joints, present, seed=subseed(seed, "swap"))
    if drop_joints:
        drop_seed = subseed(seed, "drop_joints")
        joints, present = random_drop_joints(
            joints, present, drop_joints=drop_joints, seed=drop_seed
        )
    return joints, present


def _coin_flip(seed: Seed) -> Bool[tf.Tensor, ""]:
    return tf.random.stateless_uniform([], seed) < 0.5
