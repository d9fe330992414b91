"""The input streams of skeleton models: joints, bones, their motions, and the partner stream."""

from jaxtyping import Bool, Float

from jaxact.errors import unknown
from jaxact.pipeline import array_ops as ops
from jaxact.pipeline.array_ops import Array
from jaxact.pipeline.joint_ops import zero_missing
from jaxact.pipeline.resampling import Clip
from jaxact.skeletons import Layout

STREAMS = ("joint", "bone", "joint_motion", "bone_motion", "joint_second_diff", "partner")


def compute(
    joints: Float[Array, "t m v c"],
    present: Bool[Array, "t m v"],
    *,
    stream: str,
    layout: Layout,
    dims: int,
) -> tuple[Float[Array, "t m v d"], Bool[Array, "t m v"]]:
    """The stream called `stream`; of "joint+bone", say, both are concatenated along the channels.

    Args:
        stream: one of `STREAMS`, or several joined by "+".
        layout: layout of the joints.
        dims: number of coordinates.

    Returns:
        The values, and where any of the streams has one.
    """
    values = []
    any_present = ops.zeros_like(present)
    for name in parse(stream):
        clip = joints, present
        if name.startswith("bone"):
            clip = bones(*clip, layout=layout, dims=dims)
        if name == "partner":
            clip = partner(*clip, layout=layout, dims=dims)
        if name.endswith("motion"):
            clip = motion(*clip, dims=dims)
        if name.endswith("second_diff"):
            clip = second_difference(*clip, dims=dims)
        values.append(clip[0])
        any_present = any_present | clip[1]
    return ops.concat(values, axis=-1), any_present


def parse(stream: str) -> list[str]:
    """The names in `stream`; raises UserError for one that is not in `STREAMS`."""
    names = stream.split("+")
    for name in names:
        if name not in STREAMS:
            raise unknown("stream", name, STREAMS)
    return names


def bones(
    joints: Float[Array, "t m v c"], present: Bool[Array, "t m v"], *, layout: Layout, dims: int
) -> Clip:
    """Each joint minus its parent in `layout.bones`; the root's bone is zero.

    A score is the mean of both ends'. Departs from the released preprocessing, which subtracts
    without a mask: a bone with a missing end is itself missing, because the difference to a missing
    joint's zeros is not a bone.
    """
    parents = [parent for _, parent in layout.bones]
    present = present & ops.gather(present, parents, axis=2)
    return _difference(ops.gather(joints, parents, axis=2), joints, present, dims)


def motion(joints: Float[Array, "t m v c"], present: Bool[Array, "t m v"], *, dims: int) -> Clip:
    """m[t] = x[t+1] - x[t], zero in the last frame; a score is the mean of the two frames'.

    Departs from the released preprocessing in the same way as `bones`: a joint that is missing in
    either frame has no motion, instead of a jump to or from the origin.
    """
    next_joints = ops.concat([joints[1:], ops.zeros_like(joints[:1])], axis=0)
    present = present & ops.concat([present[1:], ops.zeros_like(present[:1])], axis=0)
    return _difference(joints, next_joints, present, dims)


def second_difference(
    joints: Float[Array, "t m v c"], present: Bool[Array, "t m v"], *, dims: int
) -> Clip:
    """m[t] = x[t] - (x[t+1] + x[t-1]) / 2, zero in the first and the last frame.

    A score is the mean of the three frames'. This is the motion stream of the two-stream network
    that ST-GCN's authors released later. The value is missing where one of the three frames lacks
    the joint.
    """
    previous_joints = ops.roll(joints, 1, axis=0)
    next_joints = ops.roll(joints, -1, axis=0)
    present = present & ops.roll(present, -1, axis=0) & ops.roll(present, 1, axis=0)
    frame = ops.range(ops.shape(joints)[0])
    is_inner = (frame > 0) & (frame < ops.shape(joints)[0] - 1)
    present = present & is_inner[:, None, None]
    mean = (previous_joints + next_joints) / 2.0
    values = joints[..., :dims] - mean[..., :dims]
    if joints.shape[-1] > dims:
        score = (joints[..., dims:] + 2.0 * mean[..., dims:]) / 3.0
        values = ops.concat([values, score], axis=-1)
    return zero_missing(values, present), present


def partner(
    joints: Float[Array, "t m v c"], present: Bool[Array, "t m v"], *, layout: Layout, dims: int
) -> Clip:
    """Each joint minus the centre joint of the next person in the same frame.

    The last person's next is the first. Between two people: where a hand is relative to the other's
    body. Missing where the other person's centre joint is, and all zero for a single person.
    """
    centres = ops.roll(joints, -1, axis=1)[:, :, layout.centre, None]
    has_centre = ops.roll(present, -1, axis=1)[:, :, layout.centre, None]
    present = present & has_centre & (joints.shape[1] > 1)
    return _difference(centres, joints, present, dims)


def _difference(start: Array, end: Array, present: Array, dims: int) -> Clip:
    values = end[..., :dims] - start[..., :dims]
    if start.shape[-1] > dims:
        score = (end[..., dims:] + start[..., dims:]) / 2.0
        values = ops.concat([values, score], axis=-1)
    return zero_missing(values, present), present
