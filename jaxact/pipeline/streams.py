"""The input streams of skeleton models: joints, bones, the motion of each, and joints seen from a
partner.
"""

from jaxtyping import Bool, Float

from jaxact.errors import unknown
from jaxact.pipeline import array_ops as ops
from jaxact.pipeline.array_ops import Array
from jaxact.pipeline.joints import keep
from jaxact.pipeline.resampling import Clip
from jaxact.skeletons import Layout

STREAMS = ("joint", "bone", "joint_motion", "bone_motion", "joint_second_diff", "partner")


def stream(
    joints: Float[Array, "t m v c"],
    present: Bool[Array, "t m v"],
    *,
    stream: str,
    layout: Layout,
    dims: int,
) -> tuple[Float[Array, "t m v d"], Bool[Array, "t m v"]]:
    """The stream called `stream`; those of "joint+bone", say, one behind the other along the
    channels.
    """
    parts, anywhere = [], ops.zeros_like(present)
    for name in check(stream):
        clip = joints, present
        if name.startswith("bone"):
            clip = bones(*clip, layout=layout, dims=dims)
        if name == "partner":
            clip = partner(*clip, layout=layout, dims=dims)
        if name.endswith("motion"):
            clip = motion(*clip, dims=dims)
        if name.endswith("second_diff"):
            clip = second_difference(*clip, dims=dims)
        parts.append(clip[0])
        anywhere = anywhere | clip[1]
    return ops.concat(parts, axis=-1), anywhere


def check(stream: str) -> list[str]:
    """The names in `stream`; raises UserError for one that is none of `STREAMS`."""
    names = stream.split("+")
    for name in names:
        if name not in STREAMS:
            raise unknown("stream", name, STREAMS)
    return names


def bones(
    joints: Float[Array, "t m v c"], present: Bool[Array, "t m v"], *, layout: Layout, dims: int
) -> Clip:
    """Each joint minus its parent in `layout.bones`; the root's bone is zero, a score is the mean
    of the two ends'.

    Departs from the released preprocessing, which subtracts plainly: a bone with a missing end is
    itself missing, for the difference to a missing joint's zeros is no bone of the body.
    """
    parents = [parent for _, parent in layout.bones]
    present = present & ops.gather(present, parents, axis=2)
    return _difference(ops.gather(joints, parents, axis=2), joints, present, dims)


def motion(joints: Float[Array, "t m v c"], present: Bool[Array, "t m v"], *, dims: int) -> Clip:
    """m[t] = x[t+1] - x[t], zero in the last frame; a score is the mean of the two frames'.

    Departs from the released preprocessing in the same way as `bones`: a joint that either frame
    lacks has no motion, instead of a leap to or from the origin.
    """
    later = ops.concat([joints[1:], ops.zeros_like(joints[:1])], axis=0)
    present = present & ops.concat([present[1:], ops.zeros_like(present[:1])], axis=0)
    return _difference(joints, later, present, dims)


def second_difference(
    joints: Float[Array, "t m v c"], present: Bool[Array, "t m v"], *, dims: int
) -> Clip:
    """m[t] = x[t] - (x[t+1] + x[t-1]) / 2, zero in the first and the last frame; a score is the
    mean of the three.

    The motion stream of the two-stream network that ST-GCN's authors released later. Missing where
    one of the three frames lacks the joint.
    """
    around, there = [], present
    for shift in (-1, 1):
        around.append(ops.roll(joints, shift, axis=0))
        there = there & ops.roll(present, shift, axis=0)
    inner = ops.range(ops.shape(joints)[0])
    inside = (inner > 0) & (inner < ops.shape(joints)[0] - 1)
    there = there & inside[:, None, None]
    mean = (around[0] + around[1]) / 2.0
    change = joints[..., :dims] - mean[..., :dims]
    if joints.shape[-1] > dims:
        change = ops.concat([change, (joints[..., dims:] + 2.0 * mean[..., dims:]) / 3.0], axis=-1)
    return keep(change, there), there


def partner(
    joints: Float[Array, "t m v c"], present: Bool[Array, "t m v"], *, layout: Layout, dims: int
) -> Clip:
    """Each joint minus the centre joint of the next person in the same frame, of the first one for
    the last.

    Between two people: where a hand is, seen from the other's body. Missing where the other is, and
    for one person all zero.
    """
    others, there = (
        ops.roll(array, -1, axis=1)[:, :, layout.centre, None] for array in (joints, present)
    )
    present = present & there & (joints.shape[1] > 1)
    return _difference(others, joints, present, dims)


def _difference(start: Array, end: Array, present: Array, dims: int) -> Clip:
    change = end[..., :dims] - start[..., :dims]
    if start.shape[-1] > dims:
        change = ops.concat([change, (end[..., dims:] + start[..., dims:]) / 2.0], axis=-1)
    return keep(change, present), present
