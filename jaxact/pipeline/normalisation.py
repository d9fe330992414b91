"""Where a person stands, which way they face and how tall they are, taken out of the joints."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from jaxact.errors import UserError
from jaxact.pipeline import array_ops as ops
from jaxact.pipeline import joints as jt
from jaxact.pipeline.array_ops import Array
from jaxact.skeletons import Layout


def origin(
    joints: Float[Array, "t m v c"], present: Bool[Array, "t m v"], *, joint: int, dims: int
) -> Float[Array, " d"]:
    """Position of a joint of the first person in the first frame that has it; zero where none
    has.
    """
    # A missing joint is zero, so that argmax's 0 for "nowhere" needs no case of its own.
    return ops.gather(joints[:, 0, joint, :dims], ops.argmax(present[:, 0, joint]))


def centre(
    joints: Float[Array, "t m v c"],
    present: Bool[Array, "t m v"],
    *,
    center: str,
    origin_joint: str = "centre",
    layout: Layout,
    dims: int,
) -> Float[Array, "t m v c"]:
    """Subtracts a joint of the first person from every present joint of every person.

    Args:
      center: "first": of the first frame that has the joint, so that the clip keeps its path;
        "frame": of each frame. A frame without that joint falls back on the first one that has it.
      origin_joint: "centre", the layout's, or "spine", the upper joint of its spine: SpineMid of
          NTU RGB+D.
    """
    joint = layout.spine[1] if origin_joint == "spine" and layout.spine else layout.centre
    point = origin(joints, present, joint=joint, dims=dims)
    if center == "frame":
        point = ops.where(present[:, 0, joint, None], joints[:, 0, joint, :dims], point)
    return jt.translate(joints, present, -point)


def align(
    joints: Float[Array, "t m v c"], present: Bool[Array, "t m v"], *, layout: Layout
) -> Float[Array, "t m v c"]:
    """Turns 3-D joints so that the first person first stands along z with the shoulders along x.

    Two rotations about the origin, as in the preprocessing of 2s-AGCN and pyskl: lower to upper
    spine onto z, then left to right shoulder onto x (which tilts the spine again where the two are
    not at right angles). Both are read from the first frame that has all four joints; without one,
    or where a vector already points along its axis or exactly against it, nothing is turned.
    """
    assert layout.spine and layout.shoulders
    needed = [*layout.spine, *layout.shoulders]
    four = ops.gather(present[:, 0], needed, axis=1)
    complete = ops.reduce_all(four, axis=1)
    pose = ops.gather(ops.gather(joints[:, 0], ops.argmax(complete)), needed)
    pose = pose * ops.cast(ops.reduce_any(complete), np.float32)
    lower, upper, right, left = ops.unstack(pose)
    upright = turn(upper - lower, ops.constant([0.0, 0.0, 1.0]))
    across = turn(ops.matvec(upright, right - left), ops.constant([1.0, 0.0, 0.0]))
    return jt.linear(joints, across @ upright)


def turn(source: Float[Array, "3"], target: Float[Array, "3"]) -> Float[Array, "3 3"]:
    """The rotation about their common normal that takes the direction of `source` to that of
    `target` (Rodrigues).

    R = I + sin(a) K + (1 - cos(a)) K K, with K the cross product's matrix of the unit normal; the
    identity where the two are parallel, opposite or zero.
    """
    normal = ops.cross(source, target)
    sine, cosine = ops.norm(normal), ops.reduce_sum(source * target)
    size = ops.norm(source) * ops.norm(target)
    x, y, z = ops.unstack(ops.divide_no_nan(normal, sine))
    o = ops.zeros([])
    cross = ops.reshape(ops.stack([o, -z, y, z, o, -x, -y, x, o]), [3, 3])
    sine, cosine = ops.divide_no_nan(sine, size), ops.divide_no_nan(cosine, size)
    return ops.eye(3) + sine * cross + (1.0 - cosine) * cross @ cross


def unit_skeleton(
    joints: Float[Array, "t m v c"], present: Bool[Array, "t m v"], *, layout: Layout, dims: int
) -> Float[Array, "t m v c"]:
    """Divides by the whole skeleton's length: the clip's mean bone length times the number of
    bones.

    Bones with both ends present count, over all frames and persons; a clip without one keeps its
    size.
    """
    bones = [(joint, parent) for joint, parent in layout.bones if joint != parent]
    ends, roots = [joint for joint, _ in bones], [parent for _, parent in bones]
    both = ops.cast(
        ops.gather(present, ends, axis=2) & ops.gather(present, roots, axis=2), np.float32
    )
    positions = joints[..., :dims]
    vectors = ops.gather(positions, ends, axis=2) - ops.gather(positions, roots, axis=2)
    lengths = ops.sqrt(ops.reduce_sum(vectors * vectors, axis=-1))
    size = ops.divide_no_nan(ops.reduce_sum(lengths * both), ops.reduce_sum(both)) * len(bones)
    size = ops.where(size > 0.0, size, 1.0)
    return jt.linear(joints, ops.eye(dims) / size)


def check_origin(*, layout: Layout) -> None:
    """Raises UserError where the layout has no spine to measure from."""
    if layout.spine is None:
        raise UserError(
            f"clip.origin='spine' needs a layout with a spine, but {layout.name!r} has none; use clip.origin='centre'"
        )


def check_align(*, layout: Layout, channels: Sequence[str]) -> None:
    """Raises UserError where view alignment cannot be done: 2-D joints, or a layout without spine
    or shoulders.
    """
    if jt.space(channels) != 3:
        raise UserError(
            f"align turns 3-D joints, but these records hold {tuple(channels)}; leave clip.align off"
        )
    if layout.spine is None or layout.shoulders is None:
        lacking = " and ".join(
            name for name in ("spine", "shoulders") if getattr(layout, name) is None
        )
        raise UserError(
            f"align needs a layout with spine and shoulders, but {layout.name!r} has no {lacking}"
        )
