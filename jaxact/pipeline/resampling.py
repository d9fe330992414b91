"""Resampling of a clip of any length to a fixed number of frames.

A window with padding, linear interpolation, or one frame of each part.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from jaxact.pipeline import array_ops as ops
from jaxact.pipeline.array_ops import Array

Clip = tuple[Float[Array, "t m v c"], Bool[Array, "t m v"]]


def window(
    joints: Float[Array, "s m v c"],
    present: Bool[Array, "s m v"],
    *,
    frames: int,
    pad: str,
    start: int | Int[Array, ""] = 0,
) -> Clip:
    """Takes `frames` frames from `start` on.

    Args:
        frames: number of frames.
        pad: what is before and after the clip: "zero" empty frames, "replay" repetitions of the
            clip (ST-GCN's section 4.1 replays from the start; its released arrays hold zeros).
        start: index of the first frame; if negative, as many frames of padding come first.
    """
    if pad == "replay":
        index = (ops.range(frames) + start) % ops.shape(joints)[0]
        return take(joints, present, index)
    first, end = ops.maximum(start, 0), ops.maximum(start + frames, 0)
    joints, present = joints[first:end], present[first:end]
    before = ops.minimum(first - start, frames)
    padding = [before, frames - before - ops.shape(joints)[0]]
    joints = ops.pad(joints, [padding, [0, 0], [0, 0], [0, 0]])
    present = ops.pad(present, [padding, [0, 0], [0, 0]])
    return (
        ops.ensure_shape(joints, [frames, None, None, None]),
        ops.ensure_shape(present, [frames, None, None]),
    )


def random_start(
    length: Int[Array, ""], *, window: int, frames: int, padded: bool, seed: Int[Array, "2"]
) -> Int[Array, ""]:
    """A random start for `window`, uniform over all positions.

    A clip of at least `window` frames is cropped. A shorter one gets a random position among empty
    frames.

    Args:
        length: frames of the clip.
        window: frames of the window.
        frames: length to which `padded` clips are padded.
        padded: whether the window lies anywhere in the padded clip, as in ST-GCN's training. If
            clips are padded with zeros, the window of a short clip may be empty.
    """
    if padded:
        length = ops.maximum(length, max(frames, window))
    slack = length - window
    low, high = ops.minimum(0, slack), ops.maximum(0, slack) + 1
    return ops.stateless_uniform([], seed, low, high, np.int32)


def resize(
    joints: Float[Array, "s m v c"],
    present: Bool[Array, "s m v"],
    *,
    frames: int,
    start: float | Float[Array, ""] = 0.0,
    share: float | Float[Array, ""] = 1.0,
) -> Clip:
    """Resamples a share of the clip to `frames` frames by linear interpolation.

    The first and the last frame of the share are included. Empty frames at both ends of the clip
    are ignored. A joint is interpolated between two frames that both have it. If only one of them
    has it, that frame's value is used: it is never mixed with a missing joint's zeros.

    Args:
        frames: number of frames.
        start: where the share begins, as a share of the clip, 0 to 1 - `share`.
        share: how much of the clip is used, in (0, 1].
    """
    first, last = _bounds(present)
    times = start + share * ops.linspace(0.0, 1.0, frames)
    times = ops.cast(first, np.float32) + ops.cast(last - first, np.float32) * times
    return interpolate(joints, present, times, first, last)


def random_share(crop: float, seed: Int[Array, "2"]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """A random (start, share) for `resize`: share uniform in [`crop`, 1], start in the rest."""
    draws = ops.stateless_uniform([2], seed)
    share = crop + (1.0 - crop) * draws[0]
    return (1.0 - share) * draws[1], share


def crop_resize(
    joints: Float[Array, "s m v c"],
    present: Bool[Array, "s m v"],
    *,
    frames: int,
    start: Int[Array, ""],
    length: Int[Array, ""],
) -> Clip:
    """Resamples `length` whole frames from `start` on to `frames` frames, as images are resized.

    Frame t of the result is at time start + (t + 1/2) length / frames - 1/2, clipped to the crop.
    This is CTR-GCN's resizing, and bilinear interpolation of images without aligned corners. As in
    `resize`, a joint is never mixed with the zeros of a missing one; departs from CTR-GCN, which
    does mix them.
    """
    first, last = start, start + length - 1
    scale = ops.cast(length, np.float32) / frames
    times = (ops.range(frames, dtype=np.float32) + 0.5) * scale - 0.5
    times = times + ops.cast(first, np.float32)
    times = ops.clip_by_value(times, ops.cast(first, np.float32), ops.cast(last, np.float32))
    return interpolate(joints, present, times, first, last)


def random_crop(
    clip_length: Int[Array, ""], *, crop: float, min_frames: int, seed: Int[Array, "2"]
) -> tuple[Int[Array, ""], Int[Array, ""]]:
    """A random (start, length) for `crop_resize`: floor(p clip_length) frames, p in [`crop`, 1].

    p and the start are uniform. There are at least `min_frames` frames, or all of a shorter clip.
    """
    share, position = ops.unstack(ops.stateless_uniform([2], seed))
    length = ops.cast(ops.cast(clip_length, np.float32) * (crop + (1.0 - crop) * share), np.int32)
    length = ops.minimum(ops.maximum(length, min_frames), clip_length)
    start = ops.cast(position * ops.cast(clip_length - length + 1, np.float32), np.int32)
    return start, length


def centre_crop(
    clip_length: Int[Array, ""], *, share: float
) -> tuple[Int[Array, ""], Int[Array, ""]]:
    """The (start, length) of the middle of a clip.

    It lacks floor((1 - `share`) clip_length / 2) frames at either end.
    """
    start = ops.cast(ops.cast(clip_length, np.float64) * (1.0 - share) / 2.0, np.int32)
    return start, clip_length - 2 * start


def uniform(
    length: Int[Array, ""],
    *,
    frames: int,
    seed: Int[Array, "2"],
    start: Int[Array, ""] | None = None,
) -> Int[Array, " t"]:
    """The frame indices of uniform sampling: one random frame of each of `frames` parts.

    This is the sampling of PoseConv3D and pyskl. A clip of n frames is cut at floor(i n /
    `frames`). Between n = `frames` and 2 `frames` the parts would hold one or two frames; then n -
    `frames` of the `frames` + 1 gaps before, between and after the sampled frames, chosen at
    random, each skip one frame. A shorter clip is looped from a random frame on.

    Args:
        length: n.
        frames: number of frames to sample.
        start: frame from which a short clip is looped; None draws it.
    """
    draws = ops.stateless_uniform([frames + 1], seed)
    steps = ops.range(frames)
    if start is None:
        start = ops.cast(draws[-1] * ops.cast(length, np.float32), np.int32)
    looped = (steps + start) % length
    has_skip = ops.argsort(ops.argsort(draws)) < length - frames
    with_skips = steps + ops.cumsum(ops.cast(has_skip, np.int32))[:-1]
    edges = ops.range(frames + 1) * length // frames
    sizes = ops.cast(edges[1:] - edges[:-1], np.float32)
    one_each = edges[:-1] + ops.cast(draws[:-1] * sizes, np.int32)
    return ops.where(length < frames, looped, ops.where(length < 2 * frames, with_skips, one_each))


def segments(
    joints: Float[Array, "s m v c"],
    present: Bool[Array, "s m v"],
    *,
    frames: int,
    offset: float | Float[Array, " t"] = 0.5,
) -> Clip:
    """Cuts the clip into `frames` equal segments and takes one frame of each.

    As in Shahroudy et al. 2016, 4.2. Segment i of a clip of n frames is [i n / frames, (i + 1) n /
    frames); a clip of fewer frames repeats some. Empty frames at both ends are ignored.

    Args:
        frames: number of segments.
        offset: position of the frame in its segment, in [0, 1): one for all, or one for each.
    """
    first, last = _bounds(present)
    share = (ops.range(frames, dtype=np.float32) + offset) / frames
    index = first + ops.cast(ops.floor(share * ops.cast(last - first + 1, np.float32)), np.int32)
    index = ops.minimum(index, last)  # a product of two rounded numbers may reach the end
    return take(joints, present, index)


def random_offsets(frames: int, seed: Int[Array, "2"]) -> Float[Array, " t"]:
    """A random `offset` for each of the `segments`, uniform in [0, 1)."""
    return ops.stateless_uniform([frames], seed)


def take(
    joints: Float[Array, "s m v c"], present: Bool[Array, "s m v"], index: Int[Array, " t"]
) -> Clip:
    """The frames with these indices."""
    return ops.gather(joints, index), ops.gather(present, index)


def interpolate(
    joints: Float[Array, "s m v c"],
    present: Bool[Array, "s m v"],
    times: Float[Array, " t"],
    first: Int[Array, ""] | int,
    last: Int[Array, ""] | int,
) -> Clip:
    """The clip at fractional frame numbers, by linear interpolation.

    A joint that only one of the two neighbouring frames has takes that frame's value: it is never
    mixed with a missing joint's zeros.

    Args:
        times: frame numbers.
        first: lowest frame number that is read.
        last: highest frame number that is read.
    """
    # Snap a time that is a frame up to rounding: its missing joints must not come from a
    # neighbour.
    nearest = ops.round(times)
    times = ops.where(ops.abs(times - nearest) < 1e-3, nearest, times)
    floor, ceil = ops.floor(times), ops.ceil(times)
    weight = (times - floor)[:, None, None]
    before = ops.clip_by_value(ops.cast(floor, np.int32), first, last)
    after = ops.clip_by_value(ops.cast(ceil, np.int32), first, last)
    in_before, in_after = ops.gather(present, before), ops.gather(present, after)
    only_after = ops.cast(in_after & ~in_before, np.float32)
    weight = ops.where(in_before & in_after, weight, only_after)[..., None]
    left, right = ops.gather(joints, before), ops.gather(joints, after)
    # A joint that is missing in both is zero in both, so the result is zero too.
    return left + weight * (right - left), in_before | in_after


def _bounds(present: Bool[Array, "s m v"]) -> tuple[Int[Array, ""], Int[Array, ""]]:
    """The first and the last frame that has a joint; those of the whole clip if none has."""
    has_joint = ops.reduce_any(present, axis=(1, 2))
    first = ops.argmax(has_joint, output_type=np.int32)
    last = ops.shape(present)[0] - 1 - ops.argmax(has_joint[::-1], output_type=np.int32)
    return first, last
