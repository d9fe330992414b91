"""A clip of any length becomes `frames` frames: a window with padding, linear resampling, a frame per segment."""

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
    length: Int[tf.Tensor, ""], *, window: int, frames: int, pad: str, seed: Int[tf.Tensor, "2"]
) -> Int[tf.Tensor, ""]:
    """Where a random window starts, every place equally likely.

    A clip of at least `window` frames is cropped; a shorter one lies at a random place among empty frames. With
    pad="replay" the window lies in the clip replayed to `frames` frames, as ST-GCN's training clips do.
    """
    if pad == "replay":
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


def random_share(crop: float, seed: Int[tf.Tensor, "2"]) -> tuple[Float[tf.Tensor, ""], Float[tf.Tensor, ""]]:
    """A random (start, share) for `resize`: the share uniform in [`crop`, 1], its place uniform in what is left."""
    draw = tf.random.stateless_uniform([2], seed)
    share = crop + (1.0 - crop) * draw[0]
    return (1.0 - share) * draw[1], share


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
