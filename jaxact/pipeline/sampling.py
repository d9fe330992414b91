"""Which frames of a clip an example holds: a training example's are drawn, an evaluation view's are
fixed.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from jaxact.pipeline import array_ops as ops
from jaxact.pipeline import resampling as fr
from jaxact.pipeline.array_ops import Array
from jaxact.pipeline.seeds import subseed

VIEW_SHARE = (
    0.9  # with resize sampling and several views, the share of the clip that each view sees
)
VIEW_SEED = 255  # of what uniform sampling draws in evaluation


Joints = Float[Array, "s m v c"]
Present = Bool[Array, "s m v"]


def draw(
    joints: Joints, present: Present, *, seed: Int[Array, "2"], options: Mapping[str, Any]
) -> fr.Clip:
    """The frames of a training example; `options` are the fields of the clip and augment
    sections.
    """
    length, frames, sampling = ops.shape(joints)[0], options["frames"], options["sampling"]
    if sampling == "uniform":
        return fr.take(
            joints, present, fr.uniform(length, frames=frames, seed=subseed(seed, "uniform"))
        )
    if sampling == "segments":
        place = fr.random_places(frames, subseed(seed, "segments"))
        return fr.segments(joints, present, frames=frames, place=place)
    if sampling == "resize" and options["crop"] < 1.0:
        start, share = fr.random_share(options["crop"], subseed(seed, "crop"))
        return fr.resize(joints, present, frames=frames, start=start, share=share)
    if sampling == "crop_resize" and options["crop"] < 1.0:
        crop, least = options["crop"], options["crop_frames"]
        start, kept = fr.random_crop(length, crop=crop, least=least, seed=subseed(seed, "crop"))
        return fr.crop_resize(joints, present, frames=frames, start=start, length=kept)
    if sampling == "window" and options["window"]:
        pad, size = options["pad"], options["window"]
        padded = pad == "replay" or options["window_from"] == "padded"
        drawn = subseed(seed, "window")
        start = fr.random_start(length, window=size, frames=frames, padded=padded, seed=drawn)
        return fr.window(joints, present, frames=size, pad=pad, start=start)
    return view(joints, present, number=0, options={**options, "views": 1})


def view(joints: Joints, present: Present, *, number: int, options: Mapping[str, Any]) -> fr.Clip:
    """The frames of an evaluation view, its `number` below `views`; `options` are the fields of the
    clip section.

    One view is the first `frames` frames, the whole clip resampled, or its middle share. Several
    are windows of `frames` frames spread evenly from the clip's start to its end (all alike in a
    clip that is no longer), or resampled shares of at most `VIEW_SHARE` of the clip spread in the
    same way. Uniform sampling draws, for every view other frames and for every clip of one length
    the same; in a short clip view i begins at its i-th part. With segments a view takes the middle
    frame of each; several views spread their frames evenly over it.
    """
    frames, views, sampling = options["frames"], options["views"], options["sampling"]
    length, place = ops.shape(joints)[0], number / max(views - 1, 1)
    if sampling == "uniform":
        start = ops.where(length < views, number, number * length // views)
        seed = ops.constant([VIEW_SEED, number], np.int64)
        return fr.take(joints, present, fr.uniform(length, frames=frames, seed=seed, start=start))
    if sampling == "segments":
        return fr.segments(joints, present, frames=frames, place=(number + 0.5) / views)
    if sampling == "resize":
        share = VIEW_SHARE if views > 1 else 1.0
        return fr.resize(joints, present, frames=frames, start=place * (1.0 - share), share=share)
    if sampling == "crop_resize":
        start, kept = fr.middle(
            length, share=min(options["share"], VIEW_SHARE if views > 1 else 1.0)
        )
        start = _spread(place, length - kept) if views > 1 else start
        return fr.crop_resize(joints, present, frames=frames, start=start, length=kept)
    start = _spread(place, ops.maximum(length - frames, 0))
    return fr.window(joints, present, frames=frames, pad=options["pad"], start=start)


def _spread(place: float, slack: Int[Array, ""]) -> Int[Array, ""]:
    return ops.cast(ops.round(place * ops.cast(slack, np.float32)), np.int32)
