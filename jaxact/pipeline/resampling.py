"""A clip of any length becomes `frames` frames: a window with padding, linear resampling, or one
frame of each part.
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
      pad: what lies before and after the clip: "zero" empty frames, "replay" the clip again and
        again (ST-GCN's section 4.1 replays from the start; its released arrays hold zeros).
      start: first frame taken; a negative one leaves that many frames of padding in front.
    """
    if pad == "replay":
        index = (ops.range(frames) + start) % ops.shape(joints)[0]
        return ops.gather(joints, index), ops.gather(present, index)
    first, end = ops.maximum(start, 0), ops.maximum(start + frames, 0)
    joints, present = joints[first:end], present[first:end]
    front = ops.minimum(first - start, frames)
    around = [front, frames - front - ops.shape(joints)[0]]
    joints, present = (
        ops.pad(joints, [around, [0, 0], [0, 0], [0, 0]]),
        ops.pad(present, [around, [0, 0], [0, 0]]),
    )
    return ops.ensure_shape(joints, [frames, *[None] * 3]), ops.ensure_shape(
        present, [frames, None, None]
    )


def random_start(
    length: Int[Array, ""], *, window: int, frames: int, padded: bool, seed: Int[Array, "2"]
) -> Int[Array, ""]:
    """Where a random window starts, every place equally likely.

    A clip of at least `window` frames is cropped; a shorter one lies at a random place among empty
    frames.

    Args:
      padded: the window lies anywhere in the clip padded to `frames` frames, as ST-GCN's training
        clips do. Where they are padded with zeros, the window of a short clip may be empty.
    """
    if padded:
        length = ops.maximum(length, max(frames, window))
    slack = length - window
    return ops.stateless_uniform(
        [], seed, ops.minimum(0, slack), ops.maximum(0, slack) + 1, np.int32
    )


def resize(
    joints: Float[Array, "s m v c"],
    present: Bool[Array, "s m v"],
    *,
    frames: int,
    start: float | Float[Array, ""] = 0.0,
    share: float | Float[Array, ""] = 1.0,
) -> Clip:
    """Resamples a share of the clip to `frames` frames by linear interpolation, first and last
    frame included.

    Empty frames at both ends are left out. Between two frames that both have a joint it is
    interpolated; where only one of them has it, it is taken from there, never mixed with a missing
    joint's zeros.

    Args:
      start: where the share begins, as a share of the clip, 0 to 1 - `share`.
      share: how much of the clip is taken, above 0 and at most 1.
    """
    first, last = _ends(present)
    place = start + share * ops.linspace(0.0, 1.0, frames)
    place = ops.cast(first, np.float32) + ops.cast(last - first, np.float32) * place
    return _between(joints, present, place, first, last)


def random_share(crop: float, seed: Int[Array, "2"]) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """A random (start, share) for `resize`: the share uniform in [`crop`, 1], its place uniform in
    what is left.
    """
    draw = ops.stateless_uniform([2], seed)
    share = crop + (1.0 - crop) * draw[0]
    return (1.0 - share) * draw[1], share


def crop_resize(
    joints: Float[Array, "s m v c"],
    present: Bool[Array, "s m v"],
    *,
    frames: int,
    start: Int[Array, ""],
    length: Int[Array, ""],
) -> Clip:
    """Resamples `length` whole frames from `start` on to `frames` frames, as a picture is made
    wider or narrower.

    Frame t of the outcome is taken at the place start + (t + 1/2) length / frames - 1/2, held
    within the crop. This is CTR-GCN's resizing, and what bilinear interpolation of pictures without
    aligned corners does. As in `resize`, a joint is never mixed with the zeros of a missing one;
    departs from CTR-GCN, which does mix them.
    """
    first, last = start, start + length - 1
    place = (ops.range(frames, dtype=np.float32) + 0.5) * (
        ops.cast(length, np.float32) / frames
    ) - 0.5
    place = ops.clip_by_value(
        place + ops.cast(first, np.float32), ops.cast(first, np.float32), ops.cast(last, np.float32)
    )
    return _between(joints, present, place, first, last)


def random_crop(
    clip_length: Int[Array, ""], *, crop: float, least: int, seed: Int[Array, "2"]
) -> tuple[Int[Array, ""], Int[Array, ""]]:
    """A random (start, length) for `crop_resize`: floor(p clip_length) frames with p uniform in
    [`crop`, 1].

    At least `least` frames, or all of a shorter clip; every place equally likely.
    """
    share, place = ops.unstack(ops.stateless_uniform([2], seed))
    length = ops.cast(ops.cast(clip_length, np.float32) * (crop + (1.0 - crop) * share), np.int32)
    length = ops.minimum(ops.maximum(length, least), clip_length)
    return ops.cast(place * ops.cast(clip_length - length + 1, np.float32), np.int32), length


def middle(clip_length: Int[Array, ""], *, share: float) -> tuple[Int[Array, ""], Int[Array, ""]]:
    """The (start, length) of the middle of a clip: floor((1 - `share`) clip_length / 2) frames
    fewer at either end.
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
    """Which frames of a clip uniform sampling takes (PoseConv3D and pyskl): one random frame of
    each of `frames` parts.

    A clip of n frames is cut at floor(i n / `frames`). Between n = `frames` and 2 `frames` the
    parts would hold one or two frames; there, n - `frames` of the `frames` + 1 gaps before, between
    and behind the frames taken, chosen at random, each leave out one frame. A shorter clip is
    played from a random frame on, again and again.

    Args:
      start: the frame that a short clip is played from, in place of a random one.
    """
    draws, steps = ops.stateless_uniform([frames + 1], seed), ops.range(frames)
    if start is None:
        start = ops.cast(draws[-1] * ops.cast(length, np.float32), np.int32)
    again = (steps + start) % length
    chosen = ops.argsort(ops.argsort(draws)) < length - frames
    one_or_two = steps + ops.cumsum(ops.cast(chosen, np.int32))[:-1]
    edges = ops.range(frames + 1) * length // frames
    sizes = ops.cast(edges[1:] - edges[:-1], np.float32)
    one_each = edges[:-1] + ops.cast(draws[:-1] * sizes, np.int32)
    return ops.where(length < frames, again, ops.where(length < 2 * frames, one_or_two, one_each))


def take(
    joints: Float[Array, "s m v c"], present: Bool[Array, "s m v"], index: Int[Array, " t"]
) -> Clip:
    """The frames of these numbers."""
    return ops.gather(joints, index), ops.gather(present, index)


def _between(
    joints: Array, present: Array, place: Float[Array, " t"], first: Array, last: Array
) -> Clip:
    """The clip at places between its frames, by linear interpolation of the joints that both
    neighbours have.
    """
    # A place that is a frame up to rounding is that frame: its missing joints must not come from a
    # neighbour.
    nearest = ops.round(place)
    place = ops.where(ops.abs(place - nearest) < 1e-3, nearest, place)
    before, after = ops.floor(place), ops.ceil(place)
    weight = (place - before)[:, None, None]
    before = ops.clip_by_value(ops.cast(before, np.int32), first, last)
    after = ops.clip_by_value(ops.cast(after, np.int32), first, last)
    here, there = ops.gather(present, before), ops.gather(present, after)
    weight = ops.where(here & there, weight, ops.cast(there & ~here, np.float32))[..., None]
    left, right = ops.gather(joints, before), ops.gather(joints, after)
    # A joint that is missing in both is zero in both, and so is what lies between.
    return left + weight * (right - left), here | there


def segments(
    joints: Float[Array, "s m v c"],
    present: Bool[Array, "s m v"],
    *,
    frames: int,
    place: float | Float[Array, " t"] = 0.5,
) -> Clip:
    """Cuts the clip into `frames` segments of equal length and takes one frame of each (Shahroudy
    et al. 2016, 4.2).

    Segment i of a clip of n frames is [i n / frames, (i + 1) n / frames); a clip of fewer frames
    repeats some. Empty frames at both ends are left out.

    Args:
      place: where in its segment a frame is taken, in [0, 1): one place for all, or one for each.
    """
    first, last = _ends(present)
    share = (ops.range(frames, dtype=np.float32) + place) / frames
    index = first + ops.cast(ops.floor(share * ops.cast(last - first + 1, np.float32)), np.int32)
    index = ops.minimum(index, last)  # a product of two rounded numbers may reach the end
    return ops.gather(joints, index), ops.gather(present, index)


def random_places(frames: int, seed: Int[Array, "2"]) -> Float[Array, " t"]:
    """A random `place` for each of the `segments`, uniform in [0, 1)."""
    return ops.stateless_uniform([frames], seed)


def _ends(present: Bool[Array, "s m v"]) -> tuple[Int[Array, ""], Int[Array, ""]]:
    """The first and the last frame that has a joint; those of the whole clip where none has."""
    filled = ops.reduce_any(present, axis=(1, 2))
    first = ops.argmax(filled, output_type=np.int32)
    return first, ops.shape(present)[0] - 1 - ops.argmax(filled[::-1], output_type=np.int32)
