"""Which options of the `clip` and `augment` sections make sense, alone, together, and for a data
set's records.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from jaxact.errors import UserError, unknown
from jaxact.pipeline import joints as jt
from jaxact.pipeline import normalisation, streams
from jaxact.pipeline import person_selection as pe
from jaxact.skeletons import Layout

CHOICES = {
    "sampling": ("window", "resize", "crop_resize", "segments", "uniform"),
    "pad": ("zero", "replay"),
    "empty": ("keep", "drop", "drop_main", "loop"),
    "motion": ("sampled", "recorded"),
    "center": ("none", "frame", "first"),
    "origin": ("centre", "spine"),
    "scale": ("none", "skeleton", "frame"),
}


def check(
    *,
    clip: Mapping[str, Any],
    augment: Mapping[str, Any] | None,
    layout: Layout,
    channels: Sequence[str],
) -> None:
    """Raises UserError for options that are unknown, out of range, or have no meaning for these
    records.
    """
    for name, available in CHOICES.items():
        if clip[name] not in available:
            raise unknown(f"clip.{name}", clip[name], available)
    streams.check(clip["stream"])
    for name in ("frames", "persons", "views"):
        if clip[name] < 1:
            raise UserError(f"clip.{name} is {clip[name]!r}, but must be at least 1")
    if not 0 < clip["share"] <= 1:
        raise UserError(f"clip.share is {clip['share']!r}, but must lie above 0 and at most at 1")
    if clip["share"] < 1 and clip["sampling"] != "crop_resize":
        raise UserError(
            f"clip.share={clip['share']} needs clip.sampling='crop_resize', got {clip['sampling']!r}"
        )
    _check_records(clip=clip, layout=layout, channels=channels)
    if augment is not None:
        _check_augment(clip=clip, augment=augment, layout=layout)


def _check_records(*, clip: Mapping[str, Any], layout: Layout, channels: Sequence[str]) -> None:
    if jt.space(channels) not in (2, 3):
        raise UserError(
            f"records hold {tuple(channels)}, but joints need two or three coordinates and perhaps a score"
        )
    pe.check(person=clip["person"], channels=channels)
    for name, asked in (("min_score", clip["min_score"]), ("scale", clip["scale"] == "frame")):
        if asked and tuple(channels) != ("x", "y", "score"):
            raise UserError(
                f"clip.{name}={clip[name]!r} is for detected poses (x, y, score), shares of the picture; "
                f"these records hold {tuple(channels)}"
            )
    if clip["center"] != "none" and clip["origin"] == "spine":
        normalisation.check_origin(layout=layout)
    if clip["align"]:
        normalisation.check_align(layout=layout, channels=channels)


def _check_augment(*, clip: Mapping[str, Any], augment: Mapping[str, Any], layout: Layout) -> None:
    sampling = clip["sampling"]
    for name, low, high in (
        ("window", 0, float("inf")),
        ("crop_frames", 0, float("inf")),
        ("rotate", 0, float("inf")),
        ("rescale", 0, 1),
        ("jitter", 0, float("inf")),
        ("drop_joints", 0, 1),
    ):
        if not low <= augment[name] <= high:
            raise UserError(
                f"augment.{name} is {augment[name]!r}, but must lie between {low} and {high}"
            )
    if not 0 < augment["crop"] <= 1:
        raise UserError(
            f"augment.crop is {augment['crop']!r}, but must lie above 0 and at most at 1"
        )
    if augment["window_from"] not in ("clip", "padded"):
        raise unknown("augment.window_from", augment["window_from"], ("clip", "padded"))
    if augment["window"] and sampling != "window":
        draws = sampling in ("uniform", "segments")
        instead = (
            ", which draws frames at random already; leave it 0" if draws else "; use augment.crop"
        )
        raise UserError(
            f"augment.window={augment['window']} cuts windows, but clip.sampling is {sampling!r}{instead}"
        )
    if augment["crop"] < 1 and sampling not in ("resize", "crop_resize"):
        instead = (
            "; use augment.window"
            if sampling == "window"
            else ", which draws frames at random already"
        )
        raise UserError(
            f"augment.crop={augment['crop']} needs clip.sampling='resize' or 'crop_resize', got {sampling!r}{instead}"
        )
    if augment["crop_frames"] and sampling != "crop_resize":
        raise UserError(
            f"augment.crop_frames={augment['crop_frames']} needs clip.sampling='crop_resize', got {sampling!r}"
        )
    if augment["move_missing"] and not augment["move"]:
        raise UserError("augment.move_missing is a way of random moving, but augment.move is off")
    if augment["swap"] and clip["persons"] < 2:
        raise UserError(
            f"augment.swap exchanges two persons, but clip.persons is {clip['persons']}"
        )
    if augment["mirror"] and not layout.pairs:
        raise UserError(
            f"augment.mirror needs left/right pairs, but layout {layout.name!r} has none"
        )
