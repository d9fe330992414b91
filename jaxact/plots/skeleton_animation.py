"""Animated skeletons: a GIF or MP4 of one record, in 3-D from the sensor or in the image plane."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from jaxact.errors import UserError
from jaxact.plots import style
from jaxact.plots.animation_files import write_animation
from jaxact.plots.skeleton_scene import FloorScene, PlaneScene, VideoScene
from jaxact.skeletons import Layout

SIZE = (4.0, 4.2)  # inches
HEADING = 0.294  # inches at the top of the picture


def animation(
    joints: Float[np.ndarray, "t m v c"],
    layout: Layout,
    out: str | os.PathLike[str],
    fps: float | int = 30.0,
    title: str = "",
    *,
    scores: bool | None = None,
    y_up: bool | None = None,
    turn: float | int = 0.0,
    dpi: int = 110,
) -> None:
    """Draws a clip as an animation.

    Left limbs are blue, right limbs orange and the trunk dark; the other persons have lighter tones
    of the same colours. Missing joints, which are zero, and their bones are not drawn.

    Args:
        joints: two channels in image coordinates, three in sensor coordinates (x, y, depth), or x,
            y and a score.
        layout: joint layout.
        out: a .gif or .mp4 file.
        fps: frames per second, above 0.
        title: text above the picture.
        scores: whether the last channel is a score. None: it is one if all its values lie in
            [0, 1], the layout has no spine, and the joints are not all zero.
        y_up: whether y grows upwards. None: read from the layout's spine in the clip; without a
            spine, up in 3-D and down in 2-D.
        turn: degrees by which a 3-D scene is turned to its left.
        dpi: resolution; the picture has 440 x 462 pixels at 110.

    Raises:
        UserError: an unknown suffix, a shape that does not fit the layout, no visible joint, or a
            missing package.
    """
    rendered = frames(joints, layout, fps, title, scores=scores, y_up=y_up, turn=turn, dpi=dpi)
    write_animation(rendered, len(joints), out, fps)


def frames(
    joints: Float[np.ndarray, "t m v c"],
    layout: Layout,
    fps: float | int = 30.0,
    title: str = "",
    *,
    scores: bool | None = None,
    y_up: bool | None = None,
    turn: float | int = 0.0,
    dpi: int = 110,
) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """Renders the images that `animation` writes, one by one."""
    scene = make_scene(joints, layout, scores=scores, y_up=y_up, turn=turn)
    yield from render_frames(scene, fps, title, dpi=dpi)


def make_scene(
    joints: Float[np.ndarray, "t m v c"],
    layout: Layout,
    *,
    scores: bool | None = None,
    y_up: bool | None = None,
    turn: float | int = 0.0,
) -> FloorScene | PlaneScene:
    """Makes the scene of a clip; for the arguments see `animation`."""
    points, visible = _coordinates(np.asarray(joints), layout, scores)
    dims = points.shape[-1]
    if y_up is None:
        y_up = _is_y_up(points, visible, layout)
    # A half turn, never a mirror: a sensor's x axis points to its left where y is up, and to its
    # right where y is down.
    if dims == 3:
        points = points * ((-1.0, 1.0, -1.0) if y_up else (1.0, -1.0, -1.0))
        return FloorScene(points, visible, layout, turn)
    points = points * (1.0, 1.0 if y_up else -1.0)
    return PlaneScene(points, visible, layout)


def render_frames(
    scene: FloorScene | PlaneScene | VideoScene,
    fps: float | int,
    title: str = "",
    *,
    dpi: int = 110,
    size: tuple[float, float] = SIZE,
    overlay: Callable[..., Any] | None = None,
) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """Renders a scene's images one by one, with the title and the time above.

    Args:
        scene: the scene.
        fps, title, dpi: see `animation`.
        size: width and height of the image in inches, including `HEADING`.
        overlay: prepares axes like `scene.prepare`; it draws on top of the scene.
    """
    height = size[1]
    with style.context():
        figure = style.figure(*size, dpi=dpi, layout=None)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1 - HEADING / height))
        axes.set_axis_off()
        heading = style.shorten(title, 36)
        figure.text(0.035, 1 - 0.105 / height, heading, fontsize=12, weight="bold", va="top")
        clock = figure.text(
            0.965, 1 - 0.1176 / height, "", fontsize=9, color=style.SOFT, va="top", ha="right"
        )
        show_functions = [scene.prepare(axes)]
        if overlay is not None:
            show_functions.append(overlay(axes))
        for t in range(len(scene)):
            for show in show_functions:
                show(t)
            clock.set_text(f"{t / fps:.2f} s")
            yield style.rendered(figure)


def _coordinates(
    joints: np.ndarray, layout: Layout, scores: bool | None
) -> tuple[np.ndarray, np.ndarray]:
    """Returns coordinates [t, m, v, 2 or 3] and which joints are visible [t, m, v]."""
    count = len(layout.joints)
    valid = joints.ndim == 4 and joints.shape[2] == count and joints.shape[3] in (2, 3)
    if not valid or not len(joints):
        raise UserError(
            f"layout {layout.name!r} wants joints of shape [frames, persons, {count}, 2 or 3], "
            f"got {joints.shape}"
        )
    joints = joints.astype(float)
    three = joints.shape[3] == 3
    if three and scores is None:
        last, largest = joints[..., 2], np.abs(joints[..., :2]).max()
        in_unit_range = last.min() >= 0 and last.max() <= 1
        scores = bool(in_unit_range and layout.spine is None and largest > 0)
    visible = np.any(joints != 0, axis=-1) & np.all(np.isfinite(joints), axis=-1)
    if three and scores:
        visible &= joints[..., 2] > 0
        joints = joints[..., :2]
    if not visible.any():
        raise UserError("nothing to animate: every joint of the clip is zero (missing)")
    return joints, visible


def _is_y_up(points: np.ndarray, visible: np.ndarray, layout: Layout) -> bool:
    """Whether y grows upwards: read from the spine, else up in 3-D and down in 2-D."""
    if layout.spine is not None:
        lower, upper = layout.spine
        both = visible[..., lower] & visible[..., upper]
        if both.any():
            return bool(np.median((points[..., upper, 1] - points[..., lower, 1])[both]) > 0)
    return points.shape[-1] == 3
