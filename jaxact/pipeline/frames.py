"""A clip of any length becomes `frames` frames: a window with padding, linear resampling, or one frame of each part."""

import tensorflow as tf
from jaxtyping import Bool, Float, Int

Clip = tuple[Float[tf.Tensor, "t m v c"], Bool[tf.Tensor, "t m v"]]


def window(
    joints: Float[tf.Tensor, "s m v c"],
    present: Bool[tf.Tensor, "s m v"],
    *,
    frames: int,
    pad: str,
    start: int | Int[tf.Tensor, ""] = 0,
) -> Clip:
    """Takes `frames` frames from `start` on.

    Args:
      pad: what lies before and after the clip: "zero" empty frames, "replay" the clip again and again (ST-GCN's
        section 4.1 replays from the start; its released arrays hold zeros).
      start: first frame taken; a negative one leaves that many frames of padding in front.
    """
    if pad == "replay":
        index = (tf.range(frames) + start) % tf.shape(joints)[0]
        return tf.gather(joints, index), tf.gather(present, index)
    first, end = tf.maximum(start, 0), tf.maximum(start + frames, 0)
    joints, present = joints[first:end], present[first:end]
    front = tf.minimum(first - start, frames)
    around = [front, frames - front - tf.shape(joints)[0]]
    joints, present = tf.pad(joints, [around, [0, 0], [0, 0], [0, 0]]), tf.pad(present, [around, [0, 0], [0, 0]])
    return tf.ensure_shape(joints, [frames, *[None] * 3]), tf.ensure_shape(present, [frames, None, None])


def random_start(
    length: Int[tf.Tensor, ""], *, window: int, frames: int, padded: bool, seed: Int[tf.Tensor, "2"]
) -> Int[tf.Tensor, ""]:
    """Where a random window starts, every place equally likely.

    A clip of at least `window` frames is cropped; a shorter one lies at a random place among empty frames.

    Args:
      padded: the window lies anywhere in the clip padded to `frames` frames, as ST-GCN's training clips do. Where they
        are padded with zeros, the window of a short clip may be empty.
    """
    if padded:
        length = tf.maximum(length, max(frames, window))
    slack = length - window
    return tf.random.stateless_uniform([], seed, tf.minimum(0, slack), tf.maximum(0, slack) + 1, tf.int32)


def resize(
    joints: Float[tf.Tensor, "s m v c"],
    present: Bool[tf.Tensor, "s m v"],
    *,
    frames: int,
    start: float | Float[tf.Tensor, ""] = 0.0,
    share: float | Float[tf.Tensor, ""] = 1.0,
) -> Clip:
    """Resamples a share of the clip to `frames` frames by linear interpolation, first and last frame included.

    Empty frames at both ends are left out. Between two frames that both have a joint it is interpolated; where only
    one of them has it, it is taken from there, never mixed with a missing joint's zeros.

    Args:
      start: where the share begins, as a share of the clip, 0 to 1 - `share`.
      share: how much of the clip is taken, above 0 and at most 1.
    """
    first, last = _ends(present)
    place = start + share * tf.linspace(0.0, 1.0, frames)
    place = tf.cast(first, tf.float32) + tf.cast(last - first, tf.float32) * place
    return _between(joints, present, place, first, last)


def random_share(crop: float, seed: Int[tf.Tensor, "2"]) -> tuple[Float[tf.Tensor, ""], Float[tf.Tensor, ""]]:
    """A random (start, share) for `resize`: the share uniform in [`crop`, 1], its place uniform in what is left."""
    draw = tf.random.stateless_uniform([2], seed)
    share = crop + (1.0 - crop) * draw[0]
    return (1.0 - share) * draw[1], share


def crop_resize(
    joints: Float[tf.Tensor, "s m v c"],
    present: Bool[tf.Tensor, "s m v"],
    *,
    frames: int,
    start: Int[tf.Tensor, ""],
    length: Int[tf.Tensor, ""],
) -> Clip:
    """Resamples `length` whole frames from `start` on to `frames` frames, as a picture is made wider or narrower.

    Frame t of the outcome is taken at the place start + (t + 1/2) length / frames - 1/2, held within the crop. This is
    CTR-GCN's resizing, and what bilinear interpolation of pictures without aligned corners does. As in `resize`, a
    joint is never mixed with the zeros of a missing one; departs from CTR-GCN, which does mix them.
    """
    first, last = start, start + length - 1
    place = (tf.range(frames, dtype=tf.float32) + 0.5) * (tf.cast(length, tf.float32) / frames) - 0.5
    place = tf.clip_by_value(place + tf.cast(first, tf.float32), tf.cast(first, tf.float32), tf.cast(last, tf.float32))
    return _between(joints, present, place, first, last)


def random_crop(
    clip_length: Int[tf.Tensor, ""], *, crop: float, least: int, seed: Int[tf.Tensor, "2"]
) -> tuple[Int[tf.Tensor, ""], Int[tf.Tensor, ""]]:
    """A random (start, length) for `crop_resize`: floor(p clip_length) frames with p uniform in [`crop`, 1].

    At least `least` frames, or all of a shorter clip; every place equally likely.
    """
    share, place = tf.unstack(tf.random.stateless_uniform([2], seed))
    length = tf.cast(tf.cast(clip_length, tf.float32) * (crop + (1.0 - crop) * share), tf.int32)
    length = tf.minimum(tf.maximum(length, least), clip_length)
    return tf.cast(place * tf.cast(clip_length - length + 1, tf.float32), tf.int32), length


def middle(clip_length: Int[tf.Tensor, ""], *, share: float) -> tuple[Int[tf.Tensor, ""], Int[tf.Tensor, ""]]:
    """The (start, length) of the middle of a clip: floor((1 - `share`) clip_length / 2) frames fewer at either end."""
    start = tf.cast(tf.cast(clip_length, tf.float64) * (1.0 - share) / 2.0, tf.int32)
    return start, clip_length - 2 * start


def uniform(
    length: Int[tf.Tensor, ""], *, frames: int, seed: Int[tf.Tensor, "2"], start: Int[tf.Tensor, ""] | None = None
) -> Int[tf.Tensor, " t"]:
    """Which frames of a clip uniform sampling takes (PoseConv3D and pyskl): one random frame of each of `frames` parts.

    A clip of n frames is cut at floor(i n / `frames`). Between n = `frames` and 2 `frames` the parts would hold one or
    two frames; there, n - `frames` of the `frames` + 1 gaps before, between and behind the frames taken, chosen at
    random, each leave out one frame. A shorter clip is played from a random frame on, again and again.

    Args:
      start: the frame that a short clip is played from, in place of a random one.
    """
    draws, steps = tf.random.stateless_uniform([frames + 1], seed), tf.range(frames)
    if start is None:
        start = tf.cast(draws[-1] * tf.cast(length, tf.float32), tf.int32)
    again = (steps + start) % length
    chosen = tf.argsort(tf.argsort(draws)) < length - frames
    one_or_two = steps + tf.cumsum(tf.cast(chosen, tf.int32))[:-1]
    edges = tf.range(frames + 1) * length // frames
    sizes = tf.cast(edges[1:] - edges[:-1], tf.float32)
    one_each = edges[:-1] + tf.cast(draws[:-1] * sizes, tf.int32)
    return tf.where(length < frames, again, tf.where(length < 2 * frames, one_or_two, one_each))


def take(joints: Float[tf.Tensor, "s m v c"], present: Bool[tf.Tensor, "s m v"], index: Int[tf.Tensor, " t"]) -> Clip:
    """The frames of these numbers."""
    return tf.gather(joints, index), tf.gather(present, index)


def _between(
    joints: tf.Tensor, present: tf.Tensor, place: Float[tf.Tensor, " t"], first: tf.Tensor, last: tf.Tensor
) -> Clip:
    """The clip at places between its frames, by linear interpolation of the joints that both neighbours have."""
    # A place that is a frame up to rounding is that frame: its missing joints must not come from a neighbour.
    nearest = tf.round(place)
    place = tf.where(tf.abs(place - nearest) < 1e-3, nearest, place)
    before, after = tf.floor(place), tf.math.ceil(place)
    weight = (place - before)[:, None, None]
    before = tf.clip_by_value(tf.cast(before, tf.int32), first, last)
    after = tf.clip_by_value(tf.cast(after, tf.int32), first, last)
    here, there = tf.gather(present, before), tf.gather(present, after)
    weight = tf.where(here & there, weight, tf.cast(there & ~here, tf.float32))[..., None]
    left, right = tf.gather(joints, before), tf.gather(joints, after)
    # A joint that is missing in both is zero in both, and so is what lies between.
    return left + weight * (right - left), here | there


def segments(
    joints: Float[tf.Tensor, "s m v c"],
    present: Bool[tf.Tensor, "s m v"],
    *,
    frames: int,
    place: float | Float[tf.Tensor, " t"] = 0.5,
) -> Clip:
    """Cuts the clip into `frames` segments of equal length and takes one frame of each (Shahroudy et al. 2016, 4.2).

    Segment i of a clip of n frames is [i n / frames, (i + 1) n / frames); a clip of fewer frames repeats some. Empty
    frames at both ends are left out.

    Args:
      place: where in its segment a frame is taken, in [0, 1): one place for all, or one for each.
    """
    first, last = _ends(present)
    share = (tf.range(frames, dtype=tf.float32) + place) / frames
    index = first + tf.cast(tf.floor(share * tf.cast(last - first + 1, tf.float32)), tf.int32)
    index = tf.minimum(index, last)  # a product of two rounded numbers may reach the end
    return tf.gather(joints, index), tf.gather(present, index)


def random_places(frames: int, seed: Int[tf.Tensor, "2"]) -> Float[tf.Tensor, " t"]:
    """A random `place` for each of the `segments`, uniform in [0, 1)."""
    return tf.random.stateless_uniform([frames], seed)


def _ends(present: Bool[tf.Tensor, "s m v"]) -> tuple[Int[tf.Tensor, ""], Int[tf.Tensor, ""]]:
    """The first and the last frame that has a joint; those of the whole clip where none has."""
    filled = tf.reduce_any(present, axis=(1, 2))
    first = tf.argmax(filled, output_type=tf.int32)
    return first, tf.shape(present)[0] - 1 - tf.argmax(filled[::-1], output_type=tf.int32)
