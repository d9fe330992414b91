"""What a network attended to in a clip: joints, segments, or both (Figures 3 to 5 of the STA-GCN
paper).
"""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8

from jaxact.errors import UserError, unknown
from jaxact.plots import skeleton_animation, style
from jaxact.plots.attention_panels import (
    ROW,
    Attention,
    Scene,
    bar,
    beside,
    colours,
    over_time,
    people,
    place,
    rows,
)
from jaxact.plots.video import Footage
from jaxact.skeletons import Layout

FIGURES = ("joints", "segments", "both")
STILLS = 6  # frames of `joints` in a picture that does not move; the others show the middle one of each segment
_PANEL, _SIDE, _WIDTH = (
    (2.2, 2.6),
    2.1,
    11.0,
)  # inches: of a frame, of a panel beside the map, of the least picture
_FILM = 4.4  # inches: width of a film
_ABOUT = {
    "joints": "discs: H, from 0 at the least to 1 at the most attended joint of a frame",
    "segments": "bars: confidence, hatched where the prediction goes without the segment",
}


def attention(
    shown: Attention,
    layout: Layout,
    out: str | os.PathLike[str],
    figure: str = "both",
    fps: float | int = 30.0,
    title: str = "",
    *,
    scores: bool | None = None,
) -> None:
    """Writes what a network attended to: a picture of key frames, or a film.

    "joints": discs at the joints, the hotter the larger and the brighter; under key frames the heat
    of every joint over time, its mean gate, and what the other joints take from it. "segments": of
    each segment its middle frame, its class, and a bar as long as its confidence, grey and hatched
    where the prediction goes without it. "both": the two in one.

    Args:
      shown: the numbers.
      layout: of the joints.
      out: a picture file, or a GIF or MP4 of every frame.
      figure: one of `FIGURES`.
      fps: frames a second of the record, above 0.
      title: written above, one or two lines of it.
      scores: whether the last channel is a score, see `clips.animation`.

    Raises:
      UserError: an unknown figure, shapes that do not fit, no visible joint, a suffix that is none
        of these, or a missing package.
    """
    if figure not in FIGURES:
        raise unknown("figure", figure, FIGURES)
    if not fps > 0:
        raise UserError(f"fps must be above 0, got {fps!r}")
    if shown.heat.shape != shown.joints.shape[:3] or len(shown.heat) % len(shown.confidence):
        raise UserError(
            f"joints of shape {shown.joints.shape} want a heat of {shown.joints.shape[:3]} and segments of "
            f"equal length, got {shown.heat.shape} and {len(shown.confidence)} segments"
        )
    if shown.pictures is None:
        scene = skeleton_animation.stage(shown.joints, layout, scores=scores)
    else:
        scene = Footage(shown.joints, (shown.joints != 0).any(-1), layout, shown.pictures)
    if os.path.splitext(os.fspath(out))[1].lower() in skeleton_animation.SUFFIXES:
        count = int(np.flatnonzero(scene.visible.any((1, 2)))[-1]) + 1
        steps = np.diff(shown.frames[:count])
        steps = steps[steps >= 0]  # a clip that is played again goes back
        rate = 1.0 / steps.mean() if steps.any() else 1.0
        skeleton_animation.write(
            _film(shown, scene, figure, fps, title, count), count, out, float(fps * rate)
        )
    else:
        _stills(shown, scene, figure, out, fps, title)


def key_frames(visible: Bool[np.ndarray, "t m v"], parts: int) -> list[int]:
    """Of each of `parts` equal parts of a clip the middle frame, or the one next to it in which
    somebody is seen.
    """
    found, edges = [], np.linspace(0, len(visible), parts + 1).round().astype(int)
    for start, end in zip(edges[:-1], np.maximum(edges[1:], edges[:-1] + 1), strict=True):
        middle = start + (end - start) // 2
        seen = start + np.flatnonzero(visible[start:end].any((1, 2)))
        found.append(
            int(
                seen[np.argmin(np.abs(seen - middle))]
                if len(seen)
                else min(middle, len(visible) - 1)
            )
        )
    return found


def _stills(
    shown: Attention,
    scene: Scene,
    figure: str,
    out: str | os.PathLike[str],
    fps: float | int,
    title: str,
) -> None:
    parts = STILLS if figure == "joints" else len(shown.confidence)
    chosen, tall = key_frames(scene.visible, parts), ROW * len(rows(scene)[0])
    head, bars, width = 0.85, 0.0 if figure == "joints" else 0.8, max(_PANEL[0] * parts, _WIDTH)
    column = width / parts
    panel = _high(scene, column - 0.3, _PANEL[1])
    height = head + panel + bars + (0.15 if figure == "segments" else 1.1 + tall)
    with style.context():
        drawing = style.figure(width, height, layout=None)
        about = "    ".join(_ABOUT.values()) if figure == "both" else _ABOUT[figure]
        _write(
            drawing,
            style.shorten(title.replace("\n", ", "), int(10 * width)),
            0.1,
            fontsize=12,
            weight="bold",
        )
        _write(drawing, about, 0.36, fontsize=9, color=style.SOFT)
        for part, t in enumerate(chosen):
            left, bottom = part * column + 0.15, height - head - panel
            axes = place(drawing, left, bottom, column - 0.3, panel)
            people(axes, scene, None if figure == "segments" else shown.heat)(t)
            label = f"{shown.frames[t] / fps:.2f} s" if scene.visible[t].any() else "nobody is seen"
            axes.text(
                0, 1.01, f"segment {part + 1}, {label}" if bars else label, transform=axes.transAxes
            )
            if bars:
                bar(place(drawing, left, bottom - bars, column - 0.3, bars - 0.05), shown, part)
        if figure != "segments":
            panels = beside(shown, scene)
            wide = width - 2.0 - _SIDE * len(panels)
            drawn = over_time(place(drawing, 1.35, 0.55, wide, tall), shown, scene, chosen, fps)
            scale = drawing.colorbar(
                drawn, cax=place(drawing, 1.47 + wide, 0.55, 0.1, tall), ticks=(0, 0.5, 1)
            )
            scale.outline.set_visible(False)
            for number, draw in enumerate(panels):
                draw(place(drawing, 2.1 + wide + number * _SIDE, 0.55, _SIDE - 0.25, tall))
        style.save(drawing, out)


def _film(
    shown: Attention, scene: Scene, figure: str, fps: float | int, title: str, count: int
) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """The pictures of the film, one by one; a line under the segments tells which one is on."""
    parts, width = len(shown.confidence), _FILM
    tall = _high(scene, width, 0.95 * width)
    scale, bars, head = (
        0.0 if figure == "segments" else 0.6,
        0.0 if figure == "joints" else 0.85,
        0.7,
    )
    column, length = (width - 0.3) / parts, len(shown.heat) // parts
    with style.context():
        drawing = style.figure(width, head + tall + bars + scale, dpi=110, layout=None)
        heading = "\n".join(style.shorten(line, 37) for line in title.split("\n"))
        _write(drawing, heading, 0.1, fontsize=11, weight="bold")
        clock = drawing.text(
            1 - 0.15 / width, 0.0, "", fontsize=9, color=style.SOFT, ha="right", va="top"
        )
        clock.set_y(1 - 0.12 / drawing.get_size_inches()[1])
        show = people(
            place(drawing, 0.0, scale + bars, width, tall),
            scene,
            shown.heat if scale else None,
            size=1.4,
        )
        lines = []
        for part in range(parts if bars else 0):
            axes = place(drawing, 0.15 + part * column, scale, column - 0.12, bars - 0.05)
            bar(axes, shown, part)
            lines += axes.plot([], [], color=style.INK, linewidth=2.0, clip_on=False)
        if scale:
            _scale(drawing, width)
        for t in range(count):
            show(t)
            for part, line in enumerate(lines):
                if t >= part * length:
                    line.set_data([0, min((t + 1) / length - part, 1)], [0.28, 0.28])
            clock.set_text(f"{shown.frames[t] / fps:.2f} s")
            drawing.canvas.draw()
            yield np.asarray(drawing.canvas.buffer_rgba())[..., :3].copy()


def _high(scene: Scene, width: float, usual: float) -> float:
    """How high a scene is drawn that is `width` wide: as its video is, or as `usual`."""
    if not isinstance(scene, Footage):
        return usual
    high, wide = scene.pictures.shape[1:3]
    return min(width * high / wide, 1.3 * usual)


def _scale(drawing: Any, width: float) -> None:
    from matplotlib.cm import ScalarMappable

    axes = place(drawing, 0.15, 0.38, width - 0.3, 0.1)
    scale = drawing.colorbar(
        ScalarMappable(cmap=colours()), cax=axes, orientation="horizontal", ticks=()
    )
    scale.outline.set_visible(False)
    axes.text(0, -0.9, "H 0, least attended", transform=axes.transAxes, fontsize=9, va="top")
    axes.text(
        1, -0.9, "1, most of the frame", transform=axes.transAxes, fontsize=9, va="top", ha="right"
    )


def _write(drawing: Any, text: str, below: float, **options: Any) -> None:
    """A line at the left, its top `below` inches under the picture's upper edge."""
    width, height = drawing.get_size_inches()
    drawing.text(0.15 / width, 1 - below / height, text, va="top", **options)
