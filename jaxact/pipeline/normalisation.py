"""Normalisation of position, orientation and size of the people in a clip."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from jaxact.errors import UserError
from jaxact.pipeline import array_ops as ops
from jaxact.pipeline import joint_ops
from jaxact.pipeline.array_ops import Array
from jaxact.skeletons import Layout


def normalise(
    joints: Float[Array, "t m v c"],
    present: Bool[Array, "t m v"],
    *,
    layout: Layout,
    dims: int,
    options: Mapping[str, Any],
) -> Float[Array, "t m v c"]:
    """Flips, centres, aligns and scales the joints as the clip section asks for.

    Args:
        layout: layout of the joints.
        dims: number of coordinates.
        options: the fields of the clip section; reads `flip_y`, `center`, `origin`, `align` and
            `scale`.
    """
    if options["flip_y"]:
        joints = joint_ops.linear(joints, ops.diag([1.0, -1.0, 1.0][:dims]))
    if options["center"] != "none":
        joints = centre(
            joints,
            present,
            center=options["center"],
            origin_joint=options["origin"],
            layout=layout,
            dims=dims,
        )
    if options["align"]:
        joints = align(joints, present, layout=layout)
    if options["scale"] == "skeleton":
        joints = unit_skeleton(joints, present, layout=layout, dims=dims)
    elif options["scale"] == "frame":
        joints = joint_ops.linear(joints, 2.0 * ops.eye(dims))
    return joints


def first_position(
    joints: Float[Array, "t m v c"], present: Bool[Array, "t m v"], *, joint: int, dims: int
) -> Float[Array, " d"]:
    """Position of the first person's joint in the first frame that has it; zero if none has."""
    # Without such a frame argmax is 0, where the missing joint is zero: no special case is needed.
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
        center: "first": the joint's position in the first frame that has it, which preserves the
            clip's path; "frame": its position in each frame. A frame without that joint uses the
            first frame that has it.
        origin_joint: "centre", the layout's, or "spine", the upper joint of its spine: SpineMid of
            NTU RGB+D.
        layout: layout of the joints.
        dims: number of coordinates.
    """
    joint = layout.centre
    if origin_joint == "spine" and layout.spine:
        joint = layout.spine[1]
    origin = first_position(joints, present, joint=joint, dims=dims)
    if center == "frame":
        origin = ops.where(present[:, 0, joint, None], joints[:, 0, joint, :dims], origin)
    return joint_ops.translate(joints, present, -origin)


def align(
    joints: Float[Array, "t m v c"], present: Bool[Array, "t m v"], *, layout: Layout
) -> Float[Array, "t m v c"]:
    """Rotates 3-D joints: the first person's spine onto z, then the shoulders onto x.

    Two rotations about the origin, as in the preprocessing of 2s-AGCN and pyskl: lower to upper
    spine onto z, then left to right shoulder onto x (which tilts the spine again where the two are
    not at right angles). Both vectors are those of the first frame that has all four joints. There
    is no rotation without such a frame, or where a vector already points along its axis or exactly
    against it.
    """
    assert layout.spine and layout.shoulders
    indices = [*layout.spine, *layout.shoulders]
    is_complete = ops.reduce_all(ops.gather(present[:, 0], indices, axis=1), axis=1)
    pose = ops.gather(ops.gather(joints[:, 0], ops.argmax(is_complete)), indices)
    pose = pose * ops.cast(ops.reduce_any(is_complete), np.float32)
    lower, upper, right, left = ops.unstack(pose)
    upright = rotation_between(upper - lower, ops.constant([0.0, 0.0, 1.0]))
    shoulders = ops.matvec(upright, right - left)
    across = rotation_between(shoulders, ops.constant([1.0, 0.0, 0.0]))
    return joint_ops.linear(joints, across @ upright)


def rotation_between(source: Float[Array, "3"], target: Float[Array, "3"]) -> Float[Array, "3 3"]:
    """The rotation that takes the direction of `source` to that of `target` (Rodrigues).

    R = I + sin(a) K + (1 - cos(a)) K K, with K the cross product's matrix of the unit vector normal
    to both; the identity where the two are parallel, opposite or zero.
    """
    normal = ops.cross(source, target)
    normal_length = ops.norm(normal)
    lengths = ops.norm(source) * ops.norm(target)
    x, y, z = ops.unstack(ops.divide_no_nan(normal, normal_length))
    o = ops.zeros([])
    cross = ops.reshape(ops.stack([o, -z, y, z, o, -x, -y, x, o]), [3, 3])
    sine = ops.divide_no_nan(normal_length, lengths)
    cosine = ops.divide_no_nan(ops.reduce_sum(source * target), lengths)
    return ops.eye(3) + sine * cross + (1.0 - cosine) * cross @ cross


def unit_skeleton(
    joints: Float[Array, "t m v c"], present: Bool[Array, "t m v"], *, layout: Layout, dims: int
) -> Float[Array, "t m v c"]:
    """Divides by the skeleton's size: the clip's mean bone length times the number of bones.

    The mean is over all bones with both ends present, over all frames and people. A clip without
    one keeps its size.
    """
    bones = [(joint, parent) for joint, parent in layout.bones if joint != parent]
    ends = [joint for joint, _ in bones]
    roots = [parent for _, parent in bones]
    both_present = ops.gather(present, ends, axis=2) & ops.gather(present, roots, axis=2)
    weights = ops.cast(both_present, np.float32)
    positions = joints[..., :dims]
    vectors = ops.gather(positions, ends, axis=2) - ops.gather(positions, roots, axis=2)
    lengths = ops.sqrt(ops.reduce_sum(vectors * vectors, axis=-1))
    mean = ops.divide_no_nan(ops.reduce_sum(lengths * weights), ops.reduce_sum(weights))
    size = mean * len(bones)
    size = ops.where(size > 0.0, size, 1.0)
    return joint_ops.linear(joints, ops.eye(dims) / size)


def check_origin(*, layout: Layout) -> None:
    """Raises UserError if the layout has no spine."""
    if layout.spine is None:
        raise UserError(
            f"clip.origin='spine' needs a layout with a spine, but {layout.name!r} has none; "
            "use clip.origin='centre'"
        )


def check_align(*, layout: Layout, channels: Sequence[str]) -> None:
    """Raises UserError for 2-D joints, or a layout without spine or shoulders."""
    if joint_ops.spatial_dims(channels) != 3:
        raise UserError(
            f"align rotates 3-D joints, but these records hold {tuple(channels)}; "
            "leave clip.align off"
        )
    if layout.spine is None or layout.shoulders is None:
        missing = [name for name in ("spine", "shoulders") if getattr(layout, name) is None]
        raise UserError(
            f"align needs a layout with spine and shoulders, "
            f"but {layout.name!r} has no {' and '.join(missing)}"
        )
