"""Frames in which somebody is missing: keep them, drop them, or loop each person's frames."""

import numpy as np
from jaxtyping import Bool, Float

from jaxact.pipeline import array_ops as ops
from jaxact.pipeline.array_ops import Array
from jaxact.pipeline.resampling import Clip, take

Joints = Float[Array, "s m v c"]
Present = Bool[Array, "s m v"]


def handle(joints: Joints, present: Present, *, empty: str, frames: int) -> Clip:
    """Applies the clip section's `empty` option.

    Args:
        empty: "keep" empty frames; "drop" frames without anybody (SGN and CTR-GCN); "drop_main"
            frames without the main person (pyskl); "loop" each person alone to `frames` frames
            (2s-AGCN).
        frames: length to which people are looped.
    """
    if empty == "drop":
        return drop(joints, present)
    if empty == "drop_main":
        return drop_main(joints, present)
    if empty == "loop":
        return loop(joints, present, frames=frames)
    return joints, present


def drop(joints: Joints, present: Present) -> Clip:
    """The clip without the frames in which nobody is present; an empty clip does not change."""
    return take(joints, present, _indices(ops.reduce_any(present, axis=(1, 2))))


def drop_main(joints: Joints, present: Present) -> Clip:
    """The clip without the frames in which the main person is missing; that person comes first.

    The main person is the second one if they are present in more frames than the first, else the
    first.
    """
    in_frame = ops.reduce_any(present, axis=2)
    if int(joints.shape[1]) > 1:
        counts = ops.reduce_sum(ops.cast(in_frame[:, :2], np.int32), axis=0)
        others = list(range(2, int(joints.shape[1])))
        order = ops.where(counts[1] > counts[0], [1, 0, *others], [0, 1, *others])
        joints = ops.gather(joints, order, axis=1)
        present = ops.gather(present, order, axis=1)
        in_frame = ops.gather(in_frame, order, axis=1)
    return take(joints, present, _indices(in_frame[:, 0]))


def loop(joints: Joints, present: Present, *, frames: int) -> Clip:
    """Repeats each person's frames to a length of `frames`; a longer clip is cut there.

    If a person is missing in the first frame, all their frames are first moved together to the
    start. The loop ends with the person's last frame; gaps before it remain. People of different
    lengths thus drift apart, as in the released arrays of 2s-AGCN.
    """
    joints, present = joints[:frames], present[:frames]
    in_frame = ops.reduce_any(present, axis=2)
    length = ops.shape(in_frame)[0]
    is_compacted = ~in_frame[0] & ops.reduce_any(in_frame, axis=0)
    compacted = ops.argsort(ops.cast(~in_frame, np.int32), axis=0, stable=True)
    order = ops.where(is_compacted, compacted, ops.range(length)[:, None])
    frame_count = ops.reduce_sum(ops.cast(in_frame, np.int32), axis=0)
    end = length - ops.argmax(in_frame[::-1], axis=0, output_type=np.int32)
    period = ops.where(is_compacted, frame_count, end)
    # Put the person axis first, so that each person has their own indices.
    phase = ops.transpose(ops.range(frames)[:, None] % period)
    source = ops.gather(ops.transpose(order), phase, batch_dims=1)
    joints = ops.gather(ops.transpose(joints, [1, 0, 2, 3]), source, batch_dims=1)
    present = ops.gather(ops.transpose(present, [1, 0, 2]), source, batch_dims=1)
    return ops.transpose(joints, [1, 0, 2, 3]), ops.transpose(present, [1, 0, 2])


def _indices(is_selected: Bool[Array, " t"]) -> Array:
    """Indices of the selected frames; of all frames if none is, so that no clip becomes empty."""
    return ops.where(is_selected | ~ops.reduce_any(is_selected))[:, 0]
