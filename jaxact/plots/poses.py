"""Single frames of many clips side by side, each over the frame before it: what a finding looks
like.
"""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from jaxact.errors import UserError
from jaxact.plots import style
from jaxact.plots.skeleton_scene import Limbs
from jaxact.skeletons import Layout

_COLUMNS = 4
_PANEL = (2.7, 2.9)  # inches


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """One panel.

    Attributes:
      title, note: two lines above it.
      places, present: the frame.
      before, present_before: the frame before it, drawn pale; all absent where there is none.
    """

    title: str
    note: str
    places: Float[np.ndarray, "m v d"]
    present: Bool[np.ndarray, "m v"]
    before: Float[np.ndarray, "m v d"]
    present_before: Bool[np.ndarray, "m v"]


def poses(
    panels: Sequence[Pose], layout: Layout, out: str | os.PathLike[str], *, y_up: bool
) -> None:
    """Draws the panels, four in a row. Depth is left out: what is seen is what the sensor or camera
    saw.

    Args:
      panels: at least one.
      layout: of every panel.
      out: PNG, SVG or PDF.
      y_up: whether y grows upwards.

    Raises:
      UserError: no panel, another suffix, or a missing package.
    """
    if not panels:
        raise UserError("no pose to draw")
    rows = -(-len(panels) // _COLUMNS)
    columns = min(len(panels), _COLUMNS)
    with style.context():
        drawing = style.figure(_PANEL[0] * columns, _PANEL[1] * rows)
        grid = drawing.subplots(rows, columns, squeeze=False)
        for axes in grid.flat[len(panels) :]:
            axes.set_axis_off()
        for panel, axes in zip(panels, grid.flat, strict=False):
            _draw(axes, panel, layout, y_up)
        style.save(drawing, out)


def _draw(axes: Any, panel: Pose, layout: Layout, y_up: bool) -> None:
    from matplotlib.collections import LineCollection

    # As in an animation: a sensor's x runs to its left where y is up.
    turn = np.array((-1.0 if y_up and panel.places.shape[-1] == 3 else 1.0, 1.0 if y_up else -1.0))
    points, before = panel.places[..., :2] * turn, panel.before[..., :2] * turn
    seen = np.concatenate([points[panel.present], before[panel.present_before], np.zeros((0, 2))])
    low, high = (seen.min(0), seen.max(0)) if len(seen) else (np.zeros(2), np.ones(2))
    middle, half = 0.5 * (low + high), max(0.55 * float((high - low).max()), 1e-6)
    axes.set_xlim(middle[0] - half, middle[0] + half)
    axes.set_ylim(middle[1] - half, middle[1] + half)
    heights = [
        np.ptp(person[there, 1])
        for person, there in zip(points, panel.present, strict=True)
        if there.any()
    ]
    width = float(np.clip(2.8 * np.median(heights or [half]) / half, 0.8, 2.6))
    limbs = Limbs(axes, layout, len(points), width)
    start, end = limbs.bones.T
    shown = panel.present_before[:, start] & panel.present_before[:, end]
    lines = np.stack([before[:, start], before[:, end]], axis=2)[shown]
    colours = limbs.bone_colours[shown].tolist()
    axes.add_collection(
        LineCollection(list(lines), colors=colours, linewidths=0.6 * width, alpha=0.4, zorder=2)
    )
    limbs.move(points, np.zeros(points.shape[:2]), panel.present)
    axes.set_aspect("equal")
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(f"{panel.title}\n", fontsize=9.5, pad=3)
    axes.text(
        0.0,
        1.02,
        style.shorten(panel.note, 44),
        transform=axes.transAxes,
        fontsize=7.5,
        color=style.SOFT,
    )
