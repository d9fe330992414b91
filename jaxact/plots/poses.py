"""Single frames of many clips side by side, each over its previous frame, to show findings."""

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
class PosePanel:
    """One frame of a clip.

    Attributes:
        title, note: two lines above the panel.
        points: coordinates of the frame's joints.
        present: which joints are present.
        previous, previous_present: the same of the previous frame, drawn pale; nothing is present
            where there is none.
    """

    title: str
    note: str
    points: Float[np.ndarray, "m v d"]
    present: Bool[np.ndarray, "m v"]
    previous: Float[np.ndarray, "m v d"]
    previous_present: Bool[np.ndarray, "m v"]


def poses(
    panels: Sequence[PosePanel], layout: Layout, out: str | os.PathLike[str], *, y_up: bool
) -> None:
    """Draws panels, four in a row, from the sensor's or camera's view; depth is left out.

    Args:
        panels: at least one.
        layout: joint layout of every panel.
        out: PNG, SVG or PDF.
        y_up: whether y grows upwards.

    Raises:
        UserError: no panel, an unknown suffix, or a missing package.
    """
    if not panels:
        raise UserError("no pose to draw")
    rows = -(-len(panels) // _COLUMNS)
    columns = min(len(panels), _COLUMNS)
    with style.context():
        figure = style.figure(_PANEL[0] * columns, _PANEL[1] * rows)
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in grid.flat[len(panels) :]:
            axes.set_axis_off()
        for panel, axes in zip(panels, grid.flat, strict=False):
            _draw_panel(axes, panel, layout, y_up)
        style.save(figure, out)


def _draw_panel(axes: Any, panel: PosePanel, layout: Layout, y_up: bool) -> None:
    from matplotlib.collections import LineCollection

    # As in an animation: a sensor's x axis points to its left where y is up.
    flip_x = y_up and panel.points.shape[-1] == 3
    turn = np.array((-1.0 if flip_x else 1.0, 1.0 if y_up else -1.0))
    points, previous = panel.points[..., :2] * turn, panel.previous[..., :2] * turn
    visible = np.concatenate([points[panel.present], previous[panel.previous_present]])
    low, high = np.zeros(2), np.ones(2)
    if len(visible):
        low, high = visible.min(0), visible.max(0)
    middle = 0.5 * (low + high)
    half = max(0.55 * float((high - low).max()), 1e-6)
    axes.set_xlim(middle[0] - half, middle[0] + half)
    axes.set_ylim(middle[1] - half, middle[1] + half)
    heights = []
    for person, present in zip(points, panel.present, strict=True):
        if present.any():
            heights.append(np.ptp(person[present, 1]))
    width = float(np.clip(2.8 * np.median(heights or [half]) / half, 0.8, 2.6))
    limbs = Limbs(axes, layout, len(points), width)
    start, end = limbs.bones.T
    drawn = panel.previous_present[:, start] & panel.previous_present[:, end]
    lines = list(np.stack([previous[:, start], previous[:, end]], axis=2)[drawn])
    colours = limbs.bone_colours[drawn].tolist()
    axes.add_collection(
        LineCollection(lines, colors=colours, linewidths=0.6 * width, alpha=0.4, zorder=2)
    )
    limbs.move(points, np.zeros(points.shape[:2]), panel.present)
    axes.set_aspect("equal")
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(f"{panel.title}\n", fontsize=9.5, pad=3)
    note = style.shorten(panel.note, 44)
    axes.text(0.0, 1.02, note, transform=axes.transAxes, fontsize=7.5, color=style.SOFT)
