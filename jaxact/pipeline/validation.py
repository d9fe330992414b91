"""Checks of the `clip` and `augment` sections, each option alone, together, and for the records."""

from collections.abc import Mapping, Sequence
from typing import Any

from jaxact.config.inputs import ClipConfig, choices
from jaxact.errors import UserError, unknown
from jaxact.pipeline import joint_ops, normalisation, person_selection, streams
from jaxact.skeletons import Layout

CHOICES = choices(ClipConfig)
AUGMENT_RANGES = {
    "window": (0, float("inf")),
    "crop_frames": (0, float("inf")),
    "rotate": (0, float("inf")),
    "rescale": (0, 1),
    "jitter": (0, float("inf")),
    "drop_joints": (0, 1),
}


def check(
    *,
    clip: Mapping[str, Any],
    augment: Mapping[str, Any] | None,
    layout: Layout,
    channels: Sequence[str],
) -> None:
    """Raises UserError for options that are unknown, out of range, or unfit for these records."""
    for name, available in CHOICES.items():
        if clip[name] not in available:
            raise unknown(f"clip.{name}", clip[name], available)
    streams.parse(clip["stream"])
    for name in ("frames", "persons", "views"):
        if clip[name] < 1:
            raise UserError(f"clip.{name} is {clip[name]!r}, but must be at least 1")
    if not 0 < clip["fps"] < float("inf"):
        raise UserError(f"clip.fps is {clip['fps']!r}, but must be frames per second above 0")
    if not 0 <= clip["seconds"] < float("inf"):
        raise UserError(f"clip.seconds is {clip['seconds']!r}, but must be at least 0")
    if not 0 < clip["share"] <= 1:
        raise UserError(f"clip.share is {clip['share']!r}, but must be above 0 and at most 1")
    if clip["share"] < 1 and clip["sampling"] != "crop_resize":
        raise UserError(
            f"clip.share={clip['share']} needs clip.sampling='crop_resize', "
            f"got {clip['sampling']!r}"
        )
    _check_records(clip, layout, channels)
    if augment is not None:
        _check_augment_values(augment)
        _check_frame_sampling(clip, augment)
        _check_augment_fits(clip, augment, layout)


def _check_records(clip: Mapping[str, Any], layout: Layout, channels: Sequence[str]) -> None:
    """Raises UserError for clip options that the records' joints do not allow."""
    if joint_ops.spatial_dims(channels) not in (2, 3):
        raise UserError(
            f"records hold {tuple(channels)}, but joints need two or three coordinates and "
            "optionally a score"
        )
    person_selection.check(person=clip["person"], channels=channels)
    detected_pose_options = {"min_score": clip["min_score"], "scale": clip["scale"] == "frame"}
    for name, is_set in detected_pose_options.items():
        if is_set and tuple(channels) != ("x", "y", "score"):
            raise UserError(
                f"clip.{name}={clip[name]!r} is for detected poses (x, y, score) in shares of the "
                f"picture; these records hold {tuple(channels)}"
            )
    if clip["center"] != "none" and clip["origin"] == "spine":
        normalisation.check_origin(layout=layout)
    if clip["align"]:
        normalisation.check_align(layout=layout, channels=channels)


def _check_augment_values(augment: Mapping[str, Any]) -> None:
    for name, (low, high) in AUGMENT_RANGES.items():
        if not low <= augment[name] <= high:
            raise UserError(
                f"augment.{name} is {augment[name]!r}, but must lie between {low} and {high}"
            )
    if not 0 < augment["crop"] <= 1:
        raise UserError(f"augment.crop is {augment['crop']!r}, but must be above 0 and at most 1")
    if augment["window_from"] not in ("clip", "padded"):
        raise unknown("augment.window_from", augment["window_from"], ("clip", "padded"))


def _check_frame_sampling(clip: Mapping[str, Any], augment: Mapping[str, Any]) -> None:
    """Raises UserError for augmentations that do not go with the clip's sampling."""
    sampling = clip["sampling"]
    if augment["window"] and sampling != "window":
        advice = "; use augment.crop"
        if sampling in ("uniform", "segments"):
            advice = ", which draws frames at random already; leave it 0"
        raise UserError(
            f"augment.window={augment['window']} cuts windows, "
            f"but clip.sampling is {sampling!r}{advice}"
        )
    if augment["crop"] < 1 and sampling not in ("resize", "crop_resize"):
        advice = ", which draws frames at random already"
        if sampling == "window":
            advice = "; use augment.window"
        raise UserError(
            f"augment.crop={augment['crop']} needs clip.sampling='resize' or 'crop_resize', "
            f"got {sampling!r}{advice}"
        )
    if augment["crop_frames"] and sampling != "crop_resize":
        raise UserError(
            f"augment.crop_frames={augment['crop_frames']} needs clip.sampling='crop_resize', "
            f"got {sampling!r}"
        )


def _check_augment_fits(
    clip: Mapping[str, Any], augment: Mapping[str, Any], layout: Layout
) -> None:
    """Raises UserError for augmentations without effect on these clips."""
    if augment["move_missing"] and not augment["move"]:
        raise UserError("augment.move_missing changes random moving, but augment.move is off")
    if augment["swap"] and clip["persons"] < 2:
        raise UserError(
            f"augment.swap exchanges two persons, but clip.persons is {clip['persons']}"
        )
    if augment["mirror"] and not layout.pairs:
        raise UserError(
            f"augment.mirror needs left/right pairs, but layout {layout.name!r} has none"
        )
