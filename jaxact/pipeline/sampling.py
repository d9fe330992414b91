"""Which frames of a clip an example holds: random ones in training, fixed ones in evaluation."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from jaxact.pipeline import array_ops as ops
from jaxact.pipeline import resampling
from jaxact.pipeline.array_ops import Array
from jaxact.pipeline.resampling import Clip
from jaxact.pipeline.seeds import subseed

VIEW_SHARE = 0.9  # share of the clip in each of several views, with resize sampling
VIEW_SEED = 255  # seed of uniform sampling in evaluation

Joints = Float[Array, "s m v c"]
Present = Bool[Array, "s m v"]


def train_frames(
    joints: Joints, present: Present, *, seed: Int[Array, "2"], options: Mapping[str, Any]
) -> Clip:
    """The frames of a training example.

    Args:
        options: the fields of the clip and augment sections.
    """
    length = ops.shape(joints)[0]
    frames, sampling = options["frames"], options["sampling"]
    if sampling == "uniform":
        index = resampling.uniform(length, frames=frames, seed=subseed(seed, "uniform"))
        return resampling.take(joints, present, index)
    if sampling == "segments":
        offset = resampling.random_offsets(frames, subseed(seed, "segments"))
        return resampling.segments(joints, present, frames=frames, offset=offset)
    if sampling == "resize" and options["crop"] < 1.0:
        start, share = resampling.random_share(options["crop"], subseed(seed, "crop"))
        return resampling.resize(joints, present, frames=frames, start=start, share=share)
    if sampling == "crop_resize" and options["crop"] < 1.0:
        start, crop_length = resampling.random_crop(
            length,
            crop=options["crop"],
            min_frames=options["crop_frames"],
            seed=subseed(seed, "crop"),
        )
        return resampling.crop_resize(
            joints, present, frames=frames, start=start, length=crop_length
        )
    if sampling == "window" and options["window"]:
        pad, window = options["pad"], options["window"]
        start = resampling.random_start(
            length,
            window=window,
            frames=frames,
            padded=pad == "replay" or options["window_from"] == "padded",
            seed=subseed(seed, "window"),
        )
        return resampling.window(joints, present, frames=window, pad=pad, start=start)
    return view_frames(joints, present, view=0, options={**options, "views": 1})


def view_frames(joints: Joints, present: Present, *, view: int, options: Mapping[str, Any]) -> Clip:
    """The frames of one evaluation view.

    A single view is the first `frames` frames, the whole clip resampled, or its middle share.
    Several views are windows of `frames` frames spread evenly from the clip's start to its end (all
    alike if the clip is not longer), or resampled shares of at most `VIEW_SHARE` of the clip spread
    in the same way. Uniform sampling draws other frames for every view, and the same ones for all
    clips of one length; in a short clip view i begins at its i-th part. With segments a view takes
    the middle frame of each; several views spread their frames evenly over it.

    Args:
        view: number of the view, below `views`.
        options: the fields of the clip section.
    """
    frames, views, sampling = options["frames"], options["views"], options["sampling"]
    length = ops.shape(joints)[0]
    position = view / max(views - 1, 1)
    if sampling == "uniform":
        start = ops.where(length < views, view, view * length // views)
        seed = ops.constant([VIEW_SEED, view], np.int64)
        index = resampling.uniform(length, frames=frames, seed=seed, start=start)
        return resampling.take(joints, present, index)
    if sampling == "segments":
        return resampling.segments(joints, present, frames=frames, offset=(view + 0.5) / views)
    max_share = VIEW_SHARE if views > 1 else 1.0
    if sampling == "resize":
        start = position * (1.0 - max_share)
        return resampling.resize(joints, present, frames=frames, start=start, share=max_share)
    if sampling == "crop_resize":
        share = min(options["share"], max_share)
        start, crop_length = resampling.centre_crop(length, share=share)
        if views > 1:
            start = _scale_and_round(position, length - crop_length)
        return resampling.crop_resize(
            joints, present, frames=frames, start=start, length=crop_length
        )
    start = _scale_and_round(position, ops.maximum(length - frames, 0))
    return resampling.window(joints, present, frames=frames, pad=options["pad"], start=start)


def _scale_and_round(position: float, slack: Int[Array, ""]) -> Int[Array, ""]:
    return ops.cast(ops.round(position * ops.cast(slack, np.float32)), np.int32)
