"""One video record becomes one example: `train` for training, `evaluate` for evaluation. Both are
pure.

`evaluate` takes tensors or NumPy arrays; only with tensors it needs TensorFlow.

record {frames: JPEG [s], height, width, label, id} -> which frames [t] -> decoded u8 [t, h', w', c]
-> one window of all of them -> resized bilinearly, f32 [t, h, w, c] in [-1, 1] -> difference ->
mirrored (training) -> {inputs f32 [t, h, w, c], targets i32}

Only the frames that an example holds are decoded, each of them once. Scaling down is not smoothed:
store frames at a short side not far above what the network sees.

The options are fields of a config. Of the clip:
  frames: t, frames of an example. height, width: of an example, pixels. sampling: "uniform", evenly
  over the frames from the first to the last; "uniform_time", evenly over the time that they
    take, for videos of variable rate; "segments", one of each of t equal parts, drawn in training,
    the middle one else.
  fit: "stretch", the whole frame whatever its shape; "crop", the largest window of the example's
  shape, in the middle. stream: "rgb"; "difference" of frames; "flow", stored optical flow, two
  channels. motion: difference to the next "recorded" frame, or to the next "sampled" one. views:
  evaluation clips per record, their probabilities averaged; several need segments.
Of the augmentation, alike for every frame of a clip:
  crop: smallest random share of either side of the window that is kept, anywhere in the frame; 1 is
  off. mirror: left/right mirror with probability 1/2; only where labels have no side.
"""

import functools
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped, UInt8

from jaxact.errors import UserError, unknown
from jaxact.pipeline import array_ops as ops
from jaxact.pipeline import images
from jaxact.pipeline.array_ops import Array
from jaxact.pipeline.resampling import random_places
from jaxact.pipeline.seeds import subseed

CHOICES = {
    "sampling": ("segments", "uniform", "uniform_time"),
    "fit": ("crop", "stretch"),
    "stream": ("difference", "flow", "rgb"),
    "motion": ("recorded", "sampled"),
}
CLIP = ("frames", "height", "width", "views", *CHOICES)
AUGMENT = ("crop", "mirror")

Index = Int[Array, " t"]
Window = Int[Array, "4"]  # top, left, height, width
Clip = Float[Array, "t h w c"]


def train(example: Mapping[str, Array], seed: Int[Array, "2"], **options: Any) -> dict[str, Array]:
    """A training example: `inputs` f32 [t, h, w, c] and `targets` i32.

    Args:
      example: a record; only `fields` of it are read.
      seed: int64 pair (seed below 2**32, position). The same seed and record give the same bytes.
      options: of the clip and of the augmentation.
    """
    place = random_places(options["frames"], subseed(seed, "segments"))
    index = _index(example, place=place, options=options)
    window = _window(example, options)
    if options["crop"] < 1.0:
        window = random_window(window, example, crop=options["crop"], seed=subseed(seed, "crop"))
    clip = _clip(example, index, window, options)
    if options["mirror"]:
        mirrored = ops.stateless_uniform([], subseed(seed, "mirror")) < 0.5
        clip = ops.cond(mirrored, lambda: mirror(clip, stream=options["stream"]), lambda: clip)
    clip = ops.ensure_shape(clip, input_shape(clip=options))
    return {"inputs": clip, "targets": ops.cast(example["label"], np.int32)}


def evaluate(example: Mapping[str, Array], **options: Any) -> dict[str, Array]:
    """An evaluation example: `inputs` f32 [views, t, h, w, c], `targets` i32 and `id`.

    Args:
      example: a record, as for `train`, with its `id`.
      options: of the clip. View n of `views` takes each segment's frame at (n + 1/2) / views of it.
    """
    views, window = options["views"], _window(example, options)
    inputs = [
        _clip(
            example, _index(example, place=(number + 0.5) / views, options=options), window, options
        )
        for number in range(views)
    ]
    stacked = ops.ensure_shape(ops.stack(inputs), (views, *input_shape(clip=options)))
    return {"inputs": stacked, "targets": ops.cast(example["label"], np.int32), "id": example["id"]}


def fields(clip: Mapping[str, Any], *, stored: Collection[str], name: str) -> tuple[str, ...]:
    """What is read of a record.

    Args:
      stored: what the records of the set hold.
      name: of the set.

    Raises:
      UserError: the records have no optical flow.
    """
    if clip["stream"] == "flow" and "flow" not in stored:
        raise UserError(
            f"clip.stream='flow' needs stored flow; prepare {name!r} again with --flow dis or farneback"
        )
    pictures = "flow" if clip["stream"] == "flow" else "frames"
    times = ("times",) if clip["sampling"] == "uniform_time" else ()
    return ("id", "label", "height", "width", pictures, *times)


def input_shape(*, clip: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """The shape [t, h, w, c] of one view of an input."""
    return (clip["frames"], clip["height"], clip["width"], 2 if clip["stream"] == "flow" else 3)


def check(*, clip: Mapping[str, Any], augment: Mapping[str, Any] | None) -> None:
    """Raises UserError for options that are missing, unknown, out of range or have no meaning
    together.
    """
    for section, names, given in (("clip", CLIP, clip), ("augment", AUGMENT, augment)):
        if given is not None and (lacking := [name for name in names if name not in given]):
            raise UserError(
                f"the records are videos, but the config's options lack {section}.{lacking[0]}"
            )
    for name, available in CHOICES.items():
        if clip[name] not in available:
            raise unknown(f"clip.{name}", clip[name], available)
    for name in ("frames", "height", "width", "views"):
        if clip[name] < 1:
            raise UserError(f"clip.{name} is {clip[name]!r}, but must be at least 1")
    if clip["views"] > 1 and clip["sampling"] != "segments":
        raise UserError(
            f"clip.views={clip['views']} needs clip.sampling='segments', got {clip['sampling']!r}, which takes the "
            "same frames every time"
        )
    if augment is not None and not 0 < augment["crop"] <= 1:
        raise UserError(
            f"augment.crop is {augment['crop']!r}, but must lie above 0 and at most at 1"
        )


def uniform(length: Int[Array, ""], *, frames: int) -> Index:
    """Frame round(i (length - 1) / (frames - 1)) for each i below `frames`, halves up; the first
    for one frame.

    Clips of fewer frames repeat some.
    """
    steps = max(frames - 1, 1)
    return (2 * ops.range(frames) * (length - 1) + steps) // (2 * steps)


def uniform_time(times: Float[Array, " s"], *, frames: int) -> Index:
    """The frame nearest to each of `frames` moments spread evenly from the first frame's time to
    the last one's.
    """
    moments = ops.linspace(times[0], times[-1], frames)
    return ops.searchsorted((times[1:] + times[:-1]) / 2.0, moments)


def segments(length: Int[Array, ""], *, frames: int, place: float | Float[Array, " t"]) -> Index:
    """Frame floor((i + place) length / frames) for each i below `frames`; `place` in [0, 1), for
    all or for each.
    """
    share = (ops.range(frames, dtype=np.float32) + place) / frames
    return ops.minimum(ops.cast(share * ops.cast(length, np.float32), np.int32), length - 1)


def random_window(
    window: Window, example: Mapping[str, Array], *, crop: float, seed: Int[Array, "2"]
) -> Window:
    """A random share of the window's sides, uniform in [`crop`, 1], every place in the frame
    equally likely.
    """
    share, down, right = ops.unstack(ops.stateless_uniform([3], seed))
    size = ops.cast(window[2:], np.float32) * (crop + (1.0 - crop) * share)
    size = ops.maximum(ops.cast(ops.round(size), np.int32), 1)
    slack = ops.cast(_size(example) - size + 1, np.float32)
    return ops.concat([ops.cast(ops.stack([down, right]) * slack, np.int32), size], axis=0)


def mirror(clip: Clip, *, stream: str) -> Clip:
    """Every frame in a mirror: columns run backwards, and with them the x of optical flow."""
    turned = ops.reverse(clip, axis=[2])
    return turned * ops.constant([-1.0, 1.0]) if stream == "flow" else turned


def decoded(pictures: Shaped[Array, " s"], *, stream: str) -> UInt8[Array, "s h w c"]:
    """The pictures of JPEG files of one size; those of optical flow are x, to the left, and y."""
    if stream != "flow":
        return images.decode(pictures, channels=3)
    halves = ops.split(images.decode(pictures, channels=1), 2, axis=2)
    return ops.concat(halves, axis=3)


def _clip(
    example: Mapping[str, Array], index: Index, window: Window, options: Mapping[str, Any]
) -> Clip:
    """The frames of these numbers, or how they change."""
    look = functools.partial(_pictures, example, window, options)
    if options["stream"] != "difference":
        return look(index)
    if options["motion"] == "sampled":
        clip = look(index)
        return ops.concat([clip[1:] - clip[:-1], ops.zeros_like(clip[:1])], axis=0)
    last = ops.shape(example["frames"])[0] - 1
    both = look(ops.concat([index, ops.minimum(index + 1, last)], axis=0))
    first, second = ops.split(both, 2)
    return second - first


def _pictures(
    example: Mapping[str, Array],
    window: Window,
    options: Mapping[str, Any],
    index: Int[Array, " n"],
) -> Float[Array, "n h w c"]:
    kept, again = ops.unique(index)
    stored = example["flow" if options["stream"] == "flow" else "frames"]
    frames = decoded(ops.gather(stored, kept), stream=options["stream"])
    top, left, height, width = ops.unstack(window)
    # Repeated here, where a frame is bytes: at the end it would cost another copy of the whole
    # example.
    frames = ops.gather(frames[:, top : top + height, left : left + width], again)
    return images.resize(frames, (options["height"], options["width"])) / 127.5 - 1.0


def _index(
    example: Mapping[str, Array], *, place: float | Float[Array, " t"], options: Mapping[str, Any]
) -> Index:
    frames, sampling = options["frames"], options["sampling"]
    if sampling == "uniform_time":
        return uniform_time(example["times"], frames=frames)
    length = ops.shape(example["flow" if options["stream"] == "flow" else "frames"])[0]
    return (
        uniform(length, frames=frames)
        if sampling == "uniform"
        else segments(length, frames=frames, place=place)
    )


def _window(example: Mapping[str, Array], options: Mapping[str, Any]) -> Window:
    """The part of a frame that an example shows: all of it, or the largest one of its shape, in the
    middle.
    """
    size = _size(example)
    if options["fit"] == "stretch":
        return ops.concat([ops.zeros_like(size), size], axis=0)
    shape = ops.constant([options["height"], options["width"]], np.float32)
    scale = ops.reduce_min(ops.cast(size, np.float32) / shape)
    inner = ops.minimum(ops.maximum(ops.cast(ops.round(shape * scale), np.int32), 1), size)
    return ops.concat([(size - inner) // 2, inner], axis=0)


def _size(example: Mapping[str, Array]) -> Int[Array, "2"]:
    return ops.stack([ops.cast(example[name], np.int32) for name in ("height", "width")])
