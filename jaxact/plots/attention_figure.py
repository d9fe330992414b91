"""Attention of an STA-GCN in a clip: joints, segments, or both (Figures 3 to 5 of its paper)."""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8

from jaxact.errors import UserError, unknown
from jaxact.plots import skeleton_animation, style
from jaxact.plots.animation_files import is_animation, write_animation
from jaxact.plots.attention_maps import AttentionMaps
from jaxact.plots.attention_panels import (
    ROW,
    Scene,
    add_axes,
    draw_heat_over_time,
    draw_people,
    draw_segment_bar,
    heat_colours,
    joint_bar_panels,
    joint_rows,
)
from jaxact.plots.video import FootageScene
from jaxact.skeletons import Layout

FIGURES = ("joints", "segments", "both")
STILLS = 6  # frames of a still "joints" figure; the others show the middle frame of each segment
# In inches:
_PANEL = (2.2, 2.6)  # a frame
_SIDE_PANEL = 2.1  # a panel beside the map over time
_MIN_WIDTH = 11.0  # the narrowest still picture
_VIDEO_WIDTH = 4.4
_ABOUT = {
    "joints": "discs: H, from 0 at the least to 1 at the most attended joint of a frame",
    "segments": "bars: confidence, hatched where a segment is excluded from the prediction",
}


def attention(
    maps: AttentionMaps,
    layout: Layout,
    out: str | os.PathLike[str],
    figure: str = "both",
    fps: float | int = 30.0,
    title: str = "",
    *,
    images: UInt8[np.ndarray, "t h w 3"] | None = None,
    scores: bool | None = None,
) -> None:
    """Draws attention maps: a picture of key frames, or an animation of every frame.

    "joints" draws discs at the joints; hotter joints have larger and brighter discs. Below the key
    frames are the heat of every joint over time, its mean gate, and the attention it receives.
    "segments" draws the middle frame of each segment, its class, and a bar of its confidence; the
    bars of excluded segments are grey and hatched. "both" combines the two.

    Args:
        maps: the attention maps.
        layout: joint layout.
        out: a picture file, or a GIF or MP4 with every frame.
        figure: one of `FIGURES`.
        fps: frames per second of the record, above 0.
        title: one or two lines of text above the picture.
        images: video image of each frame, RGB; `maps.joints` are then pixels of it. None draws the
            skeletons alone.
        scores: whether the last channel is a score, see `skeleton_animation.animation`.

    Raises:
        UserError: an unknown figure, shapes that do not match, no visible joint, an unknown suffix,
            or a missing package.
    """
    if figure not in FIGURES:
        raise unknown("figure", figure, FIGURES)
    if not fps > 0:
        raise UserError(f"fps must be above 0, got {fps!r}")
    shape, segments = maps.joints.shape, len(maps.confidence)
    if maps.heat.shape != shape[:3] or len(maps.heat) % segments:
        raise UserError(
            f"joints of shape {shape} want a heat of {shape[:3]} and segments of equal length, "
            f"got {maps.heat.shape} and {segments} segments"
        )
    if images is None:
        scene = skeleton_animation.make_scene(maps.joints, layout, scores=scores)
    else:
        scene = FootageScene(maps.joints, (maps.joints != 0).any(-1), layout, images)
    if not is_animation(out):
        _draw_stills(maps, scene, figure, out, fps, title)
        return
    count = int(np.flatnonzero(scene.visible.any((1, 2)))[-1]) + 1
    steps = np.diff(maps.frames[:count])
    steps = steps[steps >= 0]  # a looped clip jumps back
    rate = 1.0 / steps.mean() if steps.any() else 1.0
    rendered = _render_frames(maps, scene, figure, fps, title, count)
    write_animation(rendered, count, out, float(fps * rate))


def key_frames(visible: Bool[np.ndarray, "t m v"], parts: int) -> list[int]:
    """Returns the middle frame of each of `parts` equal parts of a clip.

    Where no person is visible in the middle frame, the nearest frame of the part with one is taken.
    """
    edges = np.linspace(0, len(visible), parts + 1).round().astype(int)
    frames = []
    for start, end in zip(edges[:-1], np.maximum(edges[1:], edges[:-1] + 1), strict=True):
        middle = start + (end - start) // 2
        occupied = start + np.flatnonzero(visible[start:end].any((1, 2)))
        if len(occupied):
            frame = occupied[np.argmin(np.abs(occupied - middle))]
        else:
            frame = min(middle, len(visible) - 1)
        frames.append(int(frame))
    return frames


def _draw_stills(
    maps: AttentionMaps,
    scene: Scene,
    figure: str,
    out: str | os.PathLike[str],
    fps: float | int,
    title: str,
) -> None:
    parts = STILLS if figure == "joints" else len(maps.confidence)
    frames = key_frames(scene.visible, parts)
    width = max(_PANEL[0] * parts, _MIN_WIDTH)
    column = width / parts
    panel = _scene_height(scene, column - 0.3, _PANEL[1])
    heading = 0.85
    bars = 0.0 if figure == "joints" else 0.8
    heat_rows = ROW * len(joint_rows(scene)[0])
    below = 0.15 if figure == "segments" else 1.1 + heat_rows
    height = heading + panel + bars + below
    about = "    ".join(_ABOUT.values()) if figure == "both" else _ABOUT[figure]
    with style.context():
        drawing = style.figure(width, height, layout=None)
        one_line = style.shorten(title.replace("\n", ", "), int(10 * width))
        _write_line(drawing, one_line, 0.1, fontsize=12, weight="bold")
        _write_line(drawing, about, 0.36, fontsize=9, color=style.SOFT)
        for part, t in enumerate(frames):
            left, bottom = part * column + 0.15, height - heading - panel
            axes = add_axes(drawing, left, bottom, column - 0.3, panel)
            draw_people(axes, scene, None if figure == "segments" else maps.heat)(t)
            label = "no person" if not scene.visible[t].any() else f"{maps.frames[t] / fps:.2f} s"
            if figure != "joints":
                label = f"segment {part + 1}, {label}"
                bar_axes = add_axes(drawing, left, bottom - bars, column - 0.3, bars - 0.05)
                draw_segment_bar(bar_axes, maps, part)
            axes.text(0, 1.01, label, transform=axes.transAxes)
        if figure != "segments":
            _draw_joint_panels(drawing, maps, scene, frames, fps, heat_rows)
        style.save(drawing, out)


def _draw_joint_panels(
    drawing: Any,
    maps: AttentionMaps,
    scene: Scene,
    frames: list[int],
    fps: float | int,
    height: float,
) -> None:
    """Draws the heat over time at the bottom of a figure, and the panels beside it."""
    panels = joint_bar_panels(maps, scene)
    width = drawing.get_size_inches()[0] - 2.0 - _SIDE_PANEL * len(panels)
    axes = add_axes(drawing, 1.35, 0.55, width, height)
    image = draw_heat_over_time(axes, maps, scene, frames, fps)
    scale_axes = add_axes(drawing, 1.47 + width, 0.55, 0.1, height)
    scale = drawing.colorbar(image, cax=scale_axes, ticks=(0, 0.5, 1))
    scale.outline.set_visible(False)
    for number, draw in enumerate(panels):
        left = 2.1 + width + number * _SIDE_PANEL
        draw(add_axes(drawing, left, 0.55, _SIDE_PANEL - 0.25, height))


def _render_frames(
    maps: AttentionMaps, scene: Scene, figure: str, fps: float | int, title: str, count: int
) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """Renders the frames of an animation; a line below the bars marks the current segment."""
    segments, width = len(maps.confidence), _VIDEO_WIDTH
    panel = _scene_height(scene, width, 0.95 * width)
    scale = 0.0 if figure == "segments" else 0.6
    bars = 0.0 if figure == "joints" else 0.85
    height = 0.7 + panel + bars + scale
    column, length = (width - 0.3) / segments, len(maps.heat) // segments
    with style.context():
        drawing = style.figure(width, height, dpi=110, layout=None)
        heading = "\n".join(style.shorten(line, 37) for line in title.split("\n"))
        _write_line(drawing, heading, 0.1, fontsize=11, weight="bold")
        clock = drawing.text(
            1 - 0.15 / width, 1 - 0.12 / height, "",
            fontsize=9, color=style.SOFT, ha="right", va="top",
        )  # fmt: skip
        axes = add_axes(drawing, 0.0, scale + bars, width, panel)
        show = draw_people(axes, scene, None if figure == "segments" else maps.heat, size=1.4)
        if figure != "segments":
            _draw_heat_scale(drawing, width)
        lines = []
        if figure != "joints":
            for segment in range(segments):
                left = 0.15 + segment * column
                bar_axes = add_axes(drawing, left, scale, column - 0.12, bars - 0.05)
                draw_segment_bar(bar_axes, maps, segment)
                lines += bar_axes.plot([], [], color=style.INK, linewidth=2.0, clip_on=False)
        for t in range(count):
            show(t)
            for segment, line in enumerate(lines):
                if t >= segment * length:
                    line.set_data([0, min((t + 1) / length - segment, 1)], [0.28, 0.28])
            clock.set_text(f"{maps.frames[t] / fps:.2f} s")
            yield style.rendered(drawing)


def _scene_height(scene: Scene, width: float, usual: float) -> float:
    """Returns the height of a scene of this width: the video's aspect, or `usual` without one."""
    if not isinstance(scene, FootageScene):
        return usual
    image_height, image_width = scene.images.shape[1:3]
    return min(width * image_height / image_width, 1.3 * usual)


def _draw_heat_scale(drawing: Any, width: float) -> None:
    from matplotlib.cm import ScalarMappable

    axes = add_axes(drawing, 0.15, 0.38, width - 0.3, 0.1)
    mappable = ScalarMappable(cmap=heat_colours())
    scale = drawing.colorbar(mappable, cax=axes, orientation="horizontal", ticks=())
    scale.outline.set_visible(False)
    options: dict[str, Any] = {"transform": axes.transAxes, "fontsize": 9, "va": "top"}
    axes.text(0, -0.9, "H 0, least attended", **options)
    axes.text(1, -0.9, "1, most of the frame", ha="right", **options)


def _write_line(drawing: Any, text: str, below: float, **options: Any) -> None:
    """Writes a line at the left, its top `below` inches under the figure's upper edge."""
    width, height = drawing.get_size_inches()
    drawing.text(0.15 / width, 1 - below / height, text, va="top", **options)
