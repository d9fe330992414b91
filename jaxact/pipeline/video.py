"""Video records to examples: `train` for training, `evaluate` for evaluation; both are pure.

`evaluate` takes tensors or NumPy arrays. It needs TensorFlow for tensors only.

record {frames: JPEG [s], height, width, label, id} -> frame indices [t] -> decoded u8 [t, h', w',
c] -> the same window of each -> resized bilinearly, f32 [t, h, w, c] in [-1, 1] -> difference ->
mirrored (training) -> {inputs f32 [t, h, w, c], targets i32}

Only the frames of an example are decoded, each once. Scaling down does not smooth: store frames
with a short side not much larger than the network's input.

The options are fields of a config. Of the clip:
  frames: t, frames of an example.
  height, width: of an example, pixels.
  sampling: "uniform", evenly over the frames from the first to the last; "uniform_time", evenly
  over their times, for videos of variable frame rate; "segments", one of each of t equal parts,
  random in training, else the middle one.
  fit: "stretch", the whole frame whatever its shape; "crop", the largest centred window of the
  example's shape.
  stream: "rgb"; "difference" of frames; "flow", stored optical flow, two channels.
  motion: difference to the next "recorded" frame, or to the next "sampled" one.
  views: evaluation clips per record, their probabilities averaged; several need segments.
Of the augmentation, the same for every frame of a clip:
  crop: smallest random share of either side of the window, anywhere in the frame; 1 is off.
  mirror: left/right mirror with probability 1/2; only for labels without a side.
"""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped, UInt8

from jaxact.config.inputs import VideoClipConfig, choices
from jaxact.errors import UserError, unknown
from jaxact.pipeline import array_ops as ops
from jaxact.pipeline import images
from jaxact.pipeline.array_ops import Array
from jaxact.pipeline.resampling import random_offsets
from jaxact.pipeline.seeds import subseed

CHOICES = choices(VideoClipConfig)
CLIP = ("frames", "height", "width", "views", *CHOICES)
AUGMENT = ("crop", "mirror")

Index = Int[Array, " t"]
Window = Int[Array, "4"]  # top, left, height, width
Clip = Float[Array, "t h w c"]


def train(example: Mapping[str, Array], seed: Int[Array, "2"], **options: Any) -> dict[str, Array]:
    """A training example: `inputs` f32 [t, h, w, c] and `targets` i32.

    Args:
        example: a record; reads only its `fields`.
        seed: int64 pair (seed below 2**32, position). The same seed and record give the same bytes.
        options: fields of the clip and augment sections.
    """
    offset = random_offsets(options["frames"], subseed(seed, "segments"))
    index = _frame_index(example, offset, options)
    window = _window(example, options)
    if options["crop"] < 1.0:
        window = random_window(window, example, crop=options["crop"], seed=subseed(seed, "crop"))
    clip = _make_clip(example, index, window, options)
    if options["mirror"]:
        is_mirrored = ops.stateless_uniform([], subseed(seed, "mirror")) < 0.5
        clip = ops.cond(is_mirrored, lambda: mirror(clip, stream=options["stream"]), lambda: clip)
    return {
        "inputs": ops.ensure_shape(clip, input_shape(clip=options)),
        "targets": ops.cast(example["label"], np.int32),
    }


def evaluate(example: Mapping[str, Array], **options: Any) -> dict[str, Array]:
    """An evaluation example: `inputs` as of `eval_inputs`, `targets` i32 and `id`.

    Args:
        example: a record, as for `train`, with its `id`.
        options: fields of the clip section.
    """
    return {
        "inputs": eval_inputs(example, **options),
        "targets": ops.cast(example["label"], np.int32),
        "id": example["id"],
    }


def eval_inputs(example: Mapping[str, Array], **options: Any) -> Float[Array, "views t h w c"]:
    """The inputs of an evaluation example, f32 [views, t, h, w, c].

    Args:
        example: a record's pictures, height, width and, for "uniform_time", times.
        options: fields of the clip section. View n of `views` takes each segment's frame at (n +
            1/2) / views of it.
    """
    views = options["views"]
    window = _window(example, options)
    clips = []
    for number in range(views):
        index = _frame_index(example, (number + 0.5) / views, options)
        clips.append(_make_clip(example, index, window, options))
    return ops.ensure_shape(ops.stack(clips), (views, *input_shape(clip=options)))


def fields(clip: Mapping[str, Any], *, stored: Collection[str], dataset: str) -> tuple[str, ...]:
    """The fields of a record that are decoded.

    Args:
        clip: fields of the clip section.
        stored: fields of the set's records.
        dataset: name of the set.

    Raises:
        UserError: the records have no optical flow.
    """
    if clip["stream"] == "flow" and "flow" not in stored:
        raise UserError(
            f"clip.stream='flow' needs stored flow; prepare {dataset!r} again "
            "with --flow dis or farneback"
        )
    names = ("id", "label", "height", "width", _picture_field(clip))
    if clip["sampling"] == "uniform_time":
        return (*names, "times")
    return names


def input_shape(*, clip: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """The shape [t, h, w, c] of one view of an input."""
    channels = 2 if clip["stream"] == "flow" else 3
    return (clip["frames"], clip["height"], clip["width"], channels)


def check(*, clip: Mapping[str, Any], augment: Mapping[str, Any] | None) -> None:
    """Raises UserError for options that are missing, unknown, out of range, or in conflict."""
    for section, names, options in (("clip", CLIP, clip), ("augment", AUGMENT, augment)):
        for name in names:
            if options is not None and name not in options:
                raise UserError(
                    f"the records are videos, but the config's options lack {section}.{name}"
                )
    for name, available in CHOICES.items():
        if clip[name] not in available:
            raise unknown(f"clip.{name}", clip[name], available)
    for name in ("frames", "height", "width", "views"):
        if clip[name] < 1:
            raise UserError(f"clip.{name} is {clip[name]!r}, but must be at least 1")
    if clip["views"] > 1 and clip["sampling"] != "segments":
        raise UserError(
            f"clip.views={clip['views']} needs clip.sampling='segments', "
            f"got {clip['sampling']!r}, which takes the same frames every time"
        )
    if augment is not None and not 0 < augment["crop"] <= 1:
        raise UserError(f"augment.crop is {augment['crop']!r}, but must be above 0 and at most 1")


def uniform(length: Int[Array, ""], *, frames: int) -> Index:
    """Frame round(i (length - 1) / (frames - 1)) for each i below `frames`, halves up.

    For one frame it is the first. Clips of fewer frames repeat some.
    """
    steps = max(frames - 1, 1)
    return (2 * ops.range(frames) * (length - 1) + steps) // (2 * steps)


def uniform_time(times: Float[Array, " s"], *, frames: int) -> Index:
    """The nearest frame to each of `frames` times, evenly from the first frame's to the last's."""
    sample_times = ops.linspace(times[0], times[-1], frames)
    return ops.searchsorted((times[1:] + times[:-1]) / 2.0, sample_times)


def segments(length: Int[Array, ""], *, frames: int, offset: float | Float[Array, " t"]) -> Index:
    """Frame floor((i + offset) length / frames) for each i below `frames`.

    Args:
        length: frames of the clip.
        frames: number of segments.
        offset: position in the segment, in [0, 1): one for all, or one for each.
    """
    share = (ops.range(frames, dtype=np.float32) + offset) / frames
    return ops.minimum(ops.cast(share * ops.cast(length, np.float32), np.int32), length - 1)


def random_window(
    window: Window, example: Mapping[str, Array], *, crop: float, seed: Int[Array, "2"]
) -> Window:
    """A random share of the window's sides, uniform in [`crop`, 1], anywhere in the frame."""
    share, top, left = ops.unstack(ops.stateless_uniform([3], seed))
    size = ops.cast(window[2:], np.float32) * (crop + (1.0 - crop) * share)
    size = ops.maximum(ops.cast(ops.round(size), np.int32), 1)
    slack = ops.cast(_size(example) - size + 1, np.float32)
    corner = ops.cast(ops.stack([top, left]) * slack, np.int32)
    return ops.concat([corner, size], axis=0)


def mirror(clip: Clip, *, stream: str) -> Clip:
    """Mirrors every frame: reverses the columns, and the sign of optical flow along x."""
    mirrored = ops.reverse(clip, axis=[2])
    if stream == "flow":
        return mirrored * ops.constant([-1.0, 1.0])
    return mirrored


def decode_frames(pictures: Shaped[Array, " s"], *, stream: str) -> UInt8[Array, "s h w c"]:
    """Decodes JPEG files of one size; optical flow is stored as x, left, and y, right."""
    if stream != "flow":
        return images.decode(pictures, channels=3)
    halves = ops.split(images.decode(pictures, channels=1), 2, axis=2)
    return ops.concat(halves, axis=3)


def _make_clip(
    example: Mapping[str, Array], index: Index, window: Window, options: Mapping[str, Any]
) -> Clip:
    """The frames with these indices, or their differences."""
    if options["stream"] != "difference":
        return _pictures(example, index, window, options)
    if options["motion"] == "sampled":
        clip = _pictures(example, index, window, options)
        return ops.concat([clip[1:] - clip[:-1], ops.zeros_like(clip[:1])], axis=0)
    last = ops.shape(example["frames"])[0] - 1
    index_pairs = ops.concat([index, ops.minimum(index + 1, last)], axis=0)
    current, following = ops.split(_pictures(example, index_pairs, window, options), 2)
    return following - current


def _pictures(
    example: Mapping[str, Array],
    index: Int[Array, " n"],
    window: Window,
    options: Mapping[str, Any],
) -> Float[Array, "n h w c"]:
    """The window of the frames with these indices, resized, in [-1, 1]."""
    unique_index, inverse = ops.unique(index)
    encoded = ops.gather(example[_picture_field(options)], unique_index)
    frames = decode_frames(encoded, stream=options["stream"])
    top, left, height, width = ops.unstack(window)
    # Repeat frames here, while they are bytes: at the end it would cost another copy of the whole
    # example.
    frames = ops.gather(frames[:, top : top + height, left : left + width], inverse)
    return images.resize(frames, (options["height"], options["width"])) / 127.5 - 1.0


def _picture_field(options: Mapping[str, Any]) -> str:
    """The field of a record that holds the pictures."""
    return "flow" if options["stream"] == "flow" else "frames"


def _frame_index(
    example: Mapping[str, Array],
    offset: float | Float[Array, " t"],
    options: Mapping[str, Any],
) -> Index:
    """The indices of an example's frames; `offset` is the position in each segment."""
    frames, sampling = options["frames"], options["sampling"]
    if sampling == "uniform_time":
        return uniform_time(example["times"], frames=frames)
    length = ops.shape(example[_picture_field(options)])[0]
    if sampling == "uniform":
        return uniform(length, frames=frames)
    return segments(length, frames=frames, offset=offset)


def _window(example: Mapping[str, Array], options: Mapping[str, Any]) -> Window:
    """The part of a frame in an example: the whole, or the largest centred one of its shape."""
    size = _size(example)
    if options["fit"] == "stretch":
        return ops.concat([ops.zeros_like(size), size], axis=0)
    shape = ops.constant([options["height"], options["width"]], np.float32)
    scale = ops.reduce_min(ops.cast(size, np.float32) / shape)
    window_size = ops.maximum(ops.cast(ops.round(shape * scale), np.int32), 1)
    window_size = ops.minimum(window_size, size)
    return ops.concat([(size - window_size) // 2, window_size], axis=0)


def _size(example: Mapping[str, Array]) -> Int[Array, "2"]:
    """Height and width of the stored frames."""
    height, width = example["height"], example["width"]
    return ops.stack([ops.cast(height, np.int32), ops.cast(width, np.int32)])
