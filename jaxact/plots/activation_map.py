"""A network's response to a clip, drawn over its skeletons: a disc at each joint, the larger the
stronger.
"""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxact.errors import UserError
from jaxact.plots import skeleton_animation, style
from jaxact.plots.skeleton_scene import Plane, Space
from jaxact.skeletons import Layout

STILLS = 6  # frames in a picture that does not move
_COLOUR = "#e69f00"
_PANEL = (2.2, 2.5)  # inches


def response(
    joints: Float[np.ndarray, "t m v c"],
    strength: Float[np.ndarray, "..."],
    layout: Layout,
    out: str | os.PathLike[str],
    fps: float | int = 30.0,
    title: str = "",
    *,
    scores: bool | None = None,
) -> None:
    """Writes the clip with a disc at each visible joint, its radius proportional to the root of the
    strength.

    Args:
      joints: see `animation`.
      strength: [t, m, v], from 0; 1 is the strength of an average joint.
      layout: of the joints.
      out: a GIF or MP4 of every frame, or a picture file with `STILLS` frames spread over the clip.
      fps: frames a second, above 0.
      title: written above the picture.
      scores: whether the last channel is a score, see `animation`.

    Raises:
      UserError: shapes that do not fit, a suffix that is none of these, no visible joint, or a
          missing package.
    """
    if strength.shape != joints.shape[:3]:
        raise UserError(
            f"joints of shape {joints.shape} want a strength of {joints.shape[:3]}, got {strength.shape}"
        )
    scene = skeleton_animation.stage(joints, layout, scores=scores)
    if os.path.splitext(os.fspath(out))[1].lower() in skeleton_animation.SUFFIXES:
        beside = _discs(scene, strength, radius=5.0)
        skeleton_animation.write(
            skeleton_animation.film(scene, fps, title, beside=beside), len(joints), out, fps
        )
    else:
        _stills(scene, strength, out, fps, title)


def _stills(
    scene: Space | Plane,
    strength: np.ndarray,
    out: str | os.PathLike[str],
    fps: float | int,
    title: str,
) -> None:
    chosen = np.unique(np.linspace(0, len(strength) - 1, STILLS).round().astype(int)).tolist()
    with style.context():
        width, height = _PANEL
        drawing = style.figure(width * len(chosen), height + 0.4, layout=None)
        top = height / (height + 0.4)
        drawing.text(0.1 / (width * len(chosen)), 0.97, title, fontsize=12, weight="bold", va="top")
        for position, t in enumerate(chosen):
            axes = drawing.add_axes((position / len(chosen), 0.0, 1 / len(chosen), top))
            axes.set_axis_off()
            scene.prepare(axes)(t)
            _discs(scene, strength, radius=4.0)(axes)(t)
            axes.text(0.97, 0.97, f"{t / fps:.2f} s", transform=axes.transAxes, fontsize=9, color=style.SOFT,
                      va="top", ha="right")  # fmt: skip
        style.save(drawing, out)


def _discs(
    scene: Space | Plane, strength: np.ndarray, radius: float
) -> Callable[[Any], Callable[[int], None]]:
    """Prepares axes for the discs, `radius` points that of an average joint."""
    points = scene.drawn()

    def prepare(axes: Any) -> Callable[[int], None]:
        discs = axes.scatter([], [], color=_COLOUR, alpha=0.45, linewidths=0, zorder=2.5)

        def show(t: int) -> None:
            seen = scene.visible[t]
            discs.set_offsets(points[t][seen])
            discs.set_sizes((2 * radius) ** 2 * strength[t][seen])

        return show

    return prepare
