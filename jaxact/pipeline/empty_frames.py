"""Frames in which somebody is missing: dropped, or filled by playing what there is again."""

import numpy as np
from jaxtyping import Bool, Float

from jaxact.pipeline import array_ops as ops
from jaxact.pipeline.array_ops import Array
from jaxact.pipeline.resampling import Clip, take

Joints = Float[Array, "s m v c"]
Present = Bool[Array, "s m v"]


def fill(joints: Joints, present: Present, *, empty: str, frames: int) -> Clip:
    """What becomes of empty frames.

    Args:
      empty: "keep" them; "drop" those in which nobody is (SGN and CTR-GCN); "drop_main" those
        without the main person (pyskl); "loop" each person alone to `frames` frames (2s-AGCN).
    """
    if empty == "drop":
        return drop(joints, present)
    if empty == "drop_main":
        return drop_main(joints, present)
    if empty == "loop":
        return loop(joints, present, frames=frames)
    return joints, present


def drop(joints: Joints, present: Present) -> Clip:
    """The clip without the frames in which nobody is; one in which nobody is at all stays as it
    is.
    """
    return take(joints, present, _kept(ops.reduce_any(present, axis=(1, 2))))


def drop_main(joints: Joints, present: Present) -> Clip:
    """The clip without the frames in which the main person is missing, and that person first.

    The main person is the second one where they are there in more frames than the first, else the
    first.
    """
    there = ops.reduce_any(present, axis=2)
    if int(joints.shape[1]) > 1:
        counts = ops.reduce_sum(ops.cast(there[:, :2], np.int32), axis=0)
        rest = list(range(2, int(joints.shape[1])))
        order = ops.where(counts[1] > counts[0], [1, 0, *rest], [0, 1, *rest])
        joints, present, there = (ops.gather(x, order, axis=1) for x in (joints, present, there))
    return take(joints, present, _kept(there[:, 0]))


def loop(joints: Joints, present: Present, *, frames: int) -> Clip:
    """Plays what there is of each person again and again to `frames` frames; a longer clip is cut
    there.

    A person who is missing in the first frame has all their frames moved together to the start
    first. What is played ends with the person's last frame; gaps before it are kept. People of
    unequal length thus drift apart, as in the released arrays of 2s-AGCN.
    """
    joints, present = joints[:frames], present[:frames]
    there = ops.reduce_any(present, axis=2)
    length = ops.shape(there)[0]
    moved = ~there[0] & ops.reduce_any(there, axis=0)
    together = ops.argsort(ops.cast(~there, np.int32), axis=0, stable=True)
    order = ops.where(moved, together, ops.range(length)[:, None])
    behind_last = length - ops.argmax(there[::-1], axis=0, output_type=np.int32)
    played = ops.where(moved, ops.reduce_sum(ops.cast(there, np.int32), axis=0), behind_last)
    # By person first, so that each has frames of their own.
    turn = ops.transpose(ops.range(frames)[:, None] % played)
    source = ops.gather(ops.transpose(order), turn, batch_dims=1)
    joints = ops.gather(ops.transpose(joints, [1, 0, 2, 3]), source, batch_dims=1)
    present = ops.gather(ops.transpose(present, [1, 0, 2]), source, batch_dims=1)
    return ops.transpose(joints, [1, 0, 2, 3]), ops.transpose(present, [1, 0, 2])


def _kept(there: Bool[Array, " t"]) -> Array:
    """The numbers of the frames that stay: all of them where none would, so that a clip is never
    without frames.
    """
    return ops.where(there | ~ops.reduce_any(there))[:, 0]
