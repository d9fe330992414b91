"""One skeleton record becomes one example: `train` for training, `evaluate` for evaluation. Both are pure.

record {joints [s, n, v, c], label, id} -> missing joints -> persons [s, m, v, c] -> place -> frames [t, m, v, c]
-> augmentation (training) -> stream -> {inputs f32 [t, m, v, c], targets i32}

Their keyword arguments are the fields of the `clip` and `augment` sections of a config, whose comments say what they
mean, and `layout` and `channels` of the dataset.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf
from jaxtyping import Int

from jaxact.errors import UserError, unknown
from jaxact.pipeline import augment as au
from jaxact.pipeline import frames as fr
from jaxact.pipeline import joints as jt
from jaxact.pipeline import persons as pe
from jaxact.pipeline import place, streams
from jaxact.skeletons import Layout

VIEW_SHARE = 0.9  # with resize sampling and several views, the share of the clip that each view sees


def train(
    example: Mapping[str, tf.Tensor],
    seed: Int[tf.Tensor, "2"],
    *,
    frames: int,
    persons: int,
    sampling: str,
    pad: str,
    person: str,
    stream: str,
    center: str,
    align: bool,
    scale: str,
    views: int,  # a section is passed whole; only evaluation has views
    window: int,
    move: bool,
    crop: float,
    rotate: float,
    rescale: float,
    jitter: float,
    mirror: bool,
    swap: bool,
    drop_joints: float,
    layout: Layout,
    channels: Sequence[str],
) -> dict[str, tf.Tensor]:
    """A training example: `inputs` f32 [t, m, v, c] with t = `window` or else `frames`, and `targets` i32.

    Args:
      example: a record; only `joints` and `label` are read.
      seed: int64 pair (seed below 2**32, position). The same seed and record give the same bytes.
    """
    options = {"center": center, "align": align, "scale": scale}
    clip = _placed(example, persons=persons, person=person, layout=layout, channels=channels, **options)
    dims = jt.space(channels)
    if sampling == "resize":
        whole = crop == 1.0
        start, share = (0.0, 1.0) if whole else fr.random_share(crop, au.subseed(seed, "crop"))
        clip = fr.resize(*clip, frames=frames, start=start, share=share)
    elif sampling == "segments":
        clip = fr.segments(*clip, frames=frames, place=fr.random_places(frames, au.subseed(seed, "segments")))
    elif window:
        length, drawn = tf.shape(clip[0])[0], au.subseed(seed, "window")
        start = fr.random_start(length, window=window, frames=frames, pad=pad, seed=drawn)
        clip = fr.window(*clip, frames=window, pad=pad, start=start)
    else:
        clip = fr.window(*clip, frames=frames, pad=pad)
    clip = au.augment(
        *clip,
        seed=seed,
        move=move,
        rotate=rotate,
        rescale=rescale,
        jitter=jitter,
        mirror=mirror,
        swap=swap,
        drop_joints=drop_joints,
        layout=layout,
        dims=dims,
    )
    inputs, _ = streams.stream(*clip, stream=stream, layout=layout, dims=dims)
    shape = [window or frames, persons, len(layout.joints), len(channels) * len(streams.check(stream))]
    return {"inputs": tf.ensure_shape(inputs, shape), "targets": tf.cast(example["label"], tf.int32)}


def evaluate(
    example: Mapping[str, tf.Tensor],
    *,
    frames: int,
    persons: int,
    sampling: str,
    pad: str,
    person: str,
    stream: str,
    center: str,
    align: bool,
    scale: str,
    views: int,
    layout: Layout,
    channels: Sequence[str],
) -> dict[str, tf.Tensor]:
    """An evaluation example: `inputs` f32 [views, t, m, v, c] with t = `frames`, `targets` i32 and `id`.

    One view is the first `frames` frames, or the whole clip resampled. Several are windows of `frames` frames spread
    evenly from the clip's start to its end (all alike in a clip that is no longer), or resampled shares of
    `VIEW_SHARE` of the clip spread in the same way. With sampling "segments" a view takes the middle frame of each
    segment; several views spread their frames evenly over it.
    """
    options = {"center": center, "align": align, "scale": scale}
    joints, present = _placed(example, persons=persons, person=person, layout=layout, channels=channels, **options)
    dims = jt.space(channels)
    inputs = []
    for view in range(views):
        place_of_view = view / max(views - 1, 1)
        if sampling == "resize":
            share = VIEW_SHARE if views > 1 else 1.0
            start = place_of_view * (1.0 - share)
            clip = fr.resize(joints, present, frames=frames, start=start, share=share)
        elif sampling == "segments":
            clip = fr.segments(joints, present, frames=frames, place=(view + 0.5) / views)
        else:
            slack = tf.cast(tf.maximum(tf.shape(joints)[0] - frames, 0), tf.float32)
            start = tf.cast(tf.round(place_of_view * slack), tf.int32)
            clip = fr.window(joints, present, frames=frames, pad=pad, start=start)
        inputs.append(streams.stream(*clip, stream=stream, layout=layout, dims=dims)[0])
    shape = [views, frames, persons, len(layout.joints), len(channels) * len(streams.check(stream))]
    targets = tf.cast(example["label"], tf.int32)
    return {"inputs": tf.ensure_shape(tf.stack(inputs), shape), "targets": targets, "id": example["id"]}


def input_shape(
    *, clip: Mapping[str, Any], layout: Layout, channels: Sequence[str], window: int = 0
) -> tuple[int, int, int, int]:
    """The shape [t, m, v, c] of one view of an input; `window` is that of the augment section where it is training."""
    width = len(channels) * len(streams.check(clip["stream"]))
    return (window or clip["frames"], clip["persons"], len(layout.joints), width)


def check(
    *, clip: Mapping[str, Any], augment: Mapping[str, Any] | None, layout: Layout, channels: Sequence[str]
) -> None:
    """Raises UserError for options that are unknown, out of range, or have no meaning for these records."""
    for name, available in (
        ("sampling", ("window", "resize", "segments")),
        ("pad", ("zero", "replay")),
        ("center", ("none", "frame", "first")),
        ("scale", ("none", "skeleton")),
    ):
        if clip[name] not in available:
            raise unknown(f"clip.{name}", clip[name], available)
    streams.check(clip["stream"])
    for name in ("frames", "persons", "views"):
        if clip[name] < 1:
            raise UserError(f"clip.{name} is {clip[name]!r}, but must be at least 1")
    if jt.space(channels) not in (2, 3):
        raise UserError(f"records hold {tuple(channels)}, but joints need two or three coordinates and perhaps a score")
    pe.check(person=clip["person"], channels=channels)
    if clip["align"]:
        place.check_align(layout=layout, channels=channels)
    if augment is not None:
        _check_augment(clip=clip, augment=augment, layout=layout)


def _check_augment(*, clip: Mapping[str, Any], augment: Mapping[str, Any], layout: Layout) -> None:
    resizes, sampling = clip["sampling"] == "resize", clip["sampling"]
    for name, low, high in (
        ("window", 0, float("inf")),
        ("rotate", 0, float("inf")),
        ("rescale", 0, 1),
        ("jitter", 0, float("inf")),
        ("drop_joints", 0, 1),
    ):
        if not low <= augment[name] <= high:
            raise UserError(f"augment.{name} is {augment[name]!r}, but must lie between {low} and {high}")
    if not 0 < augment["crop"] <= 1:
        raise UserError(f"augment.crop is {augment['crop']!r}, but must lie above 0 and at most at 1")
    if augment["window"] and sampling != "window":
        instead = "; use augment.crop" if resizes else ", which draws frames at random already; leave it 0"
        raise UserError(f"augment.window={augment['window']} cuts windows, but clip.sampling is {sampling!r}{instead}")
    if augment["crop"] < 1 and not resizes:
        instead = "; use augment.window" if sampling == "window" else ", which draws frames at random already"
        raise UserError(f"augment.crop={augment['crop']} needs clip.sampling='resize', got {sampling!r}{instead}")
    if augment["swap"] and clip["persons"] < 2:
        raise UserError(f"augment.swap exchanges two persons, but clip.persons is {clip['persons']}")
    if augment["mirror"] and not layout.pairs:
        raise UserError(f"augment.mirror needs left/right pairs, but layout {layout.name!r} has none")


def _placed(
    example: Mapping[str, tf.Tensor],
    *,
    persons: int,
    person: str,
    center: str,
    align: bool,
    scale: str,
    layout: Layout,
    channels: Sequence[str],
) -> fr.Clip:
    """The chosen people of a whole record, at their place."""
    joints, dims = jt.finite(example["joints"]), jt.space(channels)
    joints = tf.ensure_shape(joints, [None, None, len(layout.joints), len(channels)])
    joints = pe.choose(joints, persons=persons, person=person, channels=channels)
    if tuple(channels) == ("x", "y", "score"):
        joints = jt.from_frame_shares(joints)
    present = jt.present(joints)
    if center != "none":
        joints = place.centre(joints, present, center=center, layout=layout, dims=dims)
    if align:
        joints = place.align(joints, present, layout=layout)
    if scale == "skeleton":
        joints = place.unit_skeleton(joints, present, layout=layout, dims=dims)
    return joints, present
