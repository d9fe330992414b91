"""What is told of an upload: the network's answer to each clip, and the skeleton as a page draws
it.
"""

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from jaxact.errors import UserError
from jaxact.inference import predictor, stagcn_attention
from jaxact.plots import drawing_poses, skeleton_animation
from jaxact.serve import uploads
from jaxact.skeletons import LAYOUTS

CLIPS = 20  # of an upload
WINDOWS = 2000  # of a clip
DRAWN = 900  # frames of a clip; of a longer one every n-th


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked about an upload.

    Attributes:
      layout: name of the joints' layout, where the file does not tell.
      image_size: (width, height) in pixels, for joints in pixels whose file does not tell.
      window: frames of a window; 0: the clip is answered whole, and only so.
      stride: frames between windows; 0 for half a window.
      top: classes told.
    """

    layout: str | None = None
    image_size: tuple[int, int] | None = None
    window: int = 0
    stride: int = 0
    top: int = 5


def asked(fields: Mapping[str, str]) -> Asked:
    """Options from the fields of a form; an empty field is one that is not there.

    Raises:
      UserError: an unknown field or layout, or no number where one is wanted.
    """
    known = ("layout", "image-size", "window", "stride", "top")
    if unknown := sorted(set(fields) - set(known)):
        raise UserError(f"unknown field {unknown[0]!r}; available: file, {', '.join(known)}")
    given = {name: value.strip() for name, value in fields.items() if value.strip()}
    layout = given.get("layout")
    if (
        layout is not None and layout not in LAYOUTS
    ):  # a name only: a path would be one of this machine
        raise UserError(f"unknown layout {layout!r}; available: {', '.join(LAYOUTS)}")
    size = given.get("image-size")
    width, *height = (
        (_number("image-size", side, 1) for side in size.split(",")) if size else (0, 0)
    )
    if len(height) != 1:
        raise UserError(f"image-size is {size!r}; wanted pixels such as 1280,720")
    return Asked(
        layout=layout,
        image_size=(width, height[0]) if size else None,
        window=_number("window", given.get("window", "0"), 0),
        stride=_number("stride", given.get("stride", "0"), 0),
        top=_number("top", given.get("top", "5"), 1),
    )


def _number(name: str, text: str, least: int) -> int:
    if (
        not text.strip().isascii()
        or not text.strip().isdigit()
        or not least <= int(text[:10]) <= 1_000_000
    ):
        raise UserError(f"{name} is {text!r}; wanted a whole number from {least}")
    return int(text)


def about(net: predictor.Predictor) -> dict[str, Any]:
    """The network in JSON values: what a page says of it before anything is asked."""
    trained = net.net
    skeleton = net.kind == "skeleton"
    return {
        "network": trained.config.model.name,
        "reads": net.kind,
        "step": trained.step,
        "frames": trained.config.clip.frames,
        "labels": list(trained.labels),
        "layout": trained.layout.name if skeleton else None,
        "channels": list(trained.channels) if skeleton else None,
        "layouts": list(LAYOUTS) if skeleton else [],
    }


def warm(net: predictor.Predictor) -> None:
    """Compiles and imports what answers need, before there are threads.

    The first upload then does not wait for it; and while TFDS is imported, other threads cannot
    import.

    Raises:
      UserError: the network reads what no upload holds.
    """
    config = net.net.config.clip
    if net.kind == "video":
        net.check_videos()
        shape = (config.views, config.frames, config.height, config.width, 3)
        clip = predictor.Clip("warm", 2, lambda start, stop: np.zeros(shape, np.float32))
        _told(net, clip, Asked(window=1))
        return
    from jaxact.datasets.formats.recording import Recording

    shape = (max(config.frames, 2), 1, len(net.net.layout.joints), len(net.net.channels))
    joints = np.random.default_rng(0).uniform(0.1, 0.9, shape).astype(np.float32)
    found = Recording(name="warm", joints=joints)
    _told(net, net.joints(found), Asked(window=len(joints) - 1))
    _seen(net, found, Asked())


def answer(
    net: predictor.Predictor, path: Path, options: Asked, *, limit: int
) -> list[dict[str, Any]]:
    """Everything told of an upload, a mapping of JSON values for each of its clips.

    Args:
      net: the network.
      path: the upload, in a folder of its own, which may be written in.
      options: what is asked.
      limit: bytes of an upload.

    Returns:
      For each clip `name`, `frames`, `top` of the clip seen whole, `windows` (`start`, `stop` and
      `top` of each), `timeline` (`labels` that lead anywhere, and their `probabilities` by window)
      and `skeleton`, see `drawing`.

    Raises:
      UserError: the upload cannot be read, or is not what the network reads.
    """
    places = uploads.opened(path, kind=net.kind, limit=limit)
    if net.kind == "video":
        return [_told(net, net.video(places[0]), options)]
    from jaxact.datasets.formats import recording

    found = [
        clip for place in places for clip in recording.read(place, image_size=options.image_size)
    ]
    if len(found) > CLIPS:
        raise UserError(
            f"{path.name!r} holds {len(found)} clips; at most {CLIPS} are answered at once"
        )
    return [
        _told(net, net.joints(clip, layout=options.layout), options)
        | {"skeleton": _seen(net, clip, options)}
        for clip in found
    ]


def _told(net: predictor.Predictor, clip: predictor.Clip, options: Asked) -> dict[str, Any]:
    count = len(predictor.spans(clip.frames, options.window, options.stride))
    if count > WINDOWS:
        raise UserError(
            f"{clip.name!r} has {count} windows; at most {WINDOWS} are answered: a longer stride gives fewer"
        )
    whole = net.ask(clip)
    if not np.isfinite(whole.windows).all():
        raise UserError(
            f"{clip.name!r} holds numbers so large that the network has no finite answer to them"
        )
    told = {"name": clip.name, "frames": clip.frames, "top": _top(whole.top(options.top))}
    if not options.window:
        return told | {"windows": [], "timeline": None}
    parts = net.ask(clip, window=options.window, stride=options.stride)
    parts = dataclasses.replace(parts, windows=np.nan_to_num(parts.windows))
    leading = np.bincount(parts.windows.argmax(1), minlength=len(parts.labels))
    rows = np.argsort(-leading - parts.probabilities, kind="stable")[: options.top]
    return told | {
        "windows": [
            {"start": start, "stop": stop, "top": _top(parts.top(options.top, number))}
            for number, (start, stop) in enumerate(parts.spans)
        ],
        "timeline": {
            "labels": [parts.labels[row] for row in rows],
            "probabilities": np.round(parts.windows[:, rows], 4).astype(float).tolist(),
        },
    }


def _top(ranks: Sequence[tuple[str, float]]) -> list[dict[str, Any]]:
    return [{"label": label, "probability": round(share, 6)} for label, share in ranks]


def _seen(net: predictor.Predictor, found: Any, options: Asked) -> dict[str, Any] | None:
    """The skeleton of a clip, with what was attended to where the network attends; None where
    nobody is seen.
    """
    trained = net.net
    joints = predictor.as_trained(found, trained, options.layout)
    record = {"id": found.name.encode(), "joints": joints, "label": 0}
    if found.person_id is not None:
        record["person_id"] = found.person_id
    attended = None
    if stagcn_attention.attends(trained):
        with contextlib.suppress(
            UserError
        ):  # a clip too short to be cut into segments is drawn without
            attended = stagcn_attention.look(trained, record)
    try:
        if attended is not None:
            return drawing(attended.joints, trained, frames=attended.frames, heat=attended.heat)
        return drawing(joints, trained)
    except UserError:  # nobody is seen: there is an answer, but no picture
        return None


def drawing(
    joints: Float[np.ndarray, "t m v c"],
    net: Any,
    *,
    frames: np.ndarray | None = None,
    heat: np.ndarray | None = None,
) -> dict[str, Any]:
    """A clip as it is drawn on a plane, in JSON values.

    Args:
      joints: in the network's layout.
      net: the `jaxact.runs.trained_model.Trained`.
      frames: number in the recording of each frame; None: all in order.
      heat: [t, m, v], how much each joint is attended to, 0 to 1.

    Returns:
      `box` (width and height), `points` [t, m, v] of x and y in it from its upper left, None where
      a joint is missing, `frames` (their numbers), `edges` of the layout, `sides` and names
      (`joints`) of the joints, `heat` or None.

    Raises:
      UserError: no joint is seen in any frame.
    """
    every = -(-len(joints) // DRAWN)
    joints = joints[::every]
    number = np.arange(len(joints)) * every if frames is None else frames[::every]
    scene = skeleton_animation.stage(joints, net.layout, scores=net.channels[-1] == "score")
    points, box = _boxed(scene.drawn(), scene.visible)
    return {
        "box": box,
        "points": _or_none(points, scene.visible),
        "frames": number.tolist(),
        "edges": [list(edge) for edge in net.layout.edges],
        "sides": drawing_poses.sides(net.layout),
        "joints": list(net.layout.joints),
        "heat": None if heat is None else np.round(heat[::every].astype(float), 3).tolist(),
    }


def _boxed(
    points: Float[np.ndarray, "t m v 2"], visible: Bool[np.ndarray, "t m v"]
) -> tuple[Float[np.ndarray, "t m v 2"], list[float]]:
    """Points from the upper left of the box that all of them need, whose longer side is 1; and the
    box.
    """
    seen = points[visible]
    low, high = seen.min(0), seen.max(0)
    scale = max(float((high - low).max()), 1e-9)
    placed = np.stack([points[..., 0] - low[0], high[1] - points[..., 1]], -1) / scale
    return placed, np.round((high - low) / scale, 4).tolist()


def _or_none(points: Float[np.ndarray, "t m v 2"], visible: Bool[np.ndarray, "t m v"]) -> list[Any]:
    rounded = np.where(visible[..., None], np.round(points, 4), 0.0).tolist()
    return [
        [
            [place if seen else None for place, seen in zip(*person, strict=True)]
            for person in zip(places, there, strict=True)
        ]
        for places, there in zip(rounded, visible.tolist(), strict=True)
    ]
