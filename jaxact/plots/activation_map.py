"""Activation map of a clip drawn over its skeletons: a disc per joint, sized by its strength."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxact.errors import UserError
from jaxact.plots import skeleton_animation, style
from jaxact.plots.animation_files import is_animation, write_animation
from jaxact.plots.skeleton_scene import FloorScene, PlaneScene
from jaxact.skeletons import Layout

STILLS = 6  # frames in a still picture
_COLOUR = "#e69f00"
_PANEL = (2.2, 2.5)  # inches
_HEADING = 0.4  # inches


def activation_map(
    joints: Float[np.ndarray, "t m v c"],
    strength: Float[np.ndarray, "..."],
    layout: Layout,
    out: str | os.PathLike[str],
    fps: float | int = 30.0,
    title: str = "",
    *,
    scores: bool | None = None,
) -> None:
    """Draws a clip with a disc at each visible joint; its area is proportional to the strength.

    Args:
        joints: see `animation`.
        strength: strength of each joint [t, m, v], at least 0; 1 is that of an average joint.
        layout: joint layout.
        out: a GIF or MP4 with every frame, or a picture file with `STILLS` frames of the clip.
        fps: frames per second, above 0.
        title: text above the picture.
        scores: whether the last channel is a score, see `animation`.

    Raises:
        UserError: shapes that do not match, an unknown suffix, no visible joint, or a missing
            package.
    """
    if strength.shape != joints.shape[:3]:
        raise UserError(
            f"joints of shape {joints.shape} want a strength of {joints.shape[:3]}, "
            f"got {strength.shape}"
        )
    scene = skeleton_animation.make_scene(joints, layout, scores=scores)
    if not is_animation(out):
        _draw_stills(scene, strength, out, fps, title)
        return
    overlay = _disc_overlay(scene, strength, radius=5.0)
    images = skeleton_animation.render_frames(scene, fps, title, overlay=overlay)
    write_animation(images, len(joints), out, fps)


def _draw_stills(
    scene: FloorScene | PlaneScene,
    strength: np.ndarray,
    out: str | os.PathLike[str],
    fps: float | int,
    title: str,
) -> None:
    frames = np.unique(np.linspace(0, len(strength) - 1, STILLS).round().astype(int)).tolist()
    panel_width, panel_height = _PANEL
    width, height = panel_width * len(frames), panel_height + _HEADING
    overlay = _disc_overlay(scene, strength, radius=4.0)
    with style.context():
        figure = style.figure(width, height, layout=None)
        figure.text(0.1 / width, 0.97, title, fontsize=12, weight="bold", va="top")
        for column, t in enumerate(frames):
            box = (column / len(frames), 0.0, 1 / len(frames), panel_height / height)
            axes = figure.add_axes(box)
            axes.set_axis_off()
            scene.prepare(axes)(t)
            overlay(axes)(t)
            axes.text(
                0.97, 0.97, f"{t / fps:.2f} s", transform=axes.transAxes, fontsize=9,
                color=style.SOFT, va="top", ha="right",
            )  # fmt: skip
        style.save(figure, out)


def _disc_overlay(
    scene: FloorScene | PlaneScene, strength: np.ndarray, radius: float
) -> Callable[[Any], Callable[[int], None]]:
    """Returns a function that adds discs to axes; `radius` in points is an average joint's."""
    points = scene.drawn()

    def prepare(axes: Any) -> Callable[[int], None]:
        discs = axes.scatter([], [], color=_COLOUR, alpha=0.45, linewidths=0, zorder=2.5)

        def show(t: int) -> None:
            visible = scene.visible[t]
            discs.set_offsets(points[t][visible])
            discs.set_sizes((2 * radius) ** 2 * strength[t][visible])

        return show

    return prepare
