"""Estimated poses over images, beside the annotated joints: the errors that PCK counts."""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from jaxact.errors import UserError
from jaxact.plots import style
from jaxact.plots.skeleton_scene import Limbs
from jaxact.skeletons.pose_body import BODY

_COLUMNS = 5
_WIDTH = 2.7  # inches of an image


@dataclasses.dataclass(frozen=True, slots=True)
class PoseOverlay:
    """One image with an estimated and an annotated pose.

    Attributes:
        title, note: two lines above the image.
        image: RGB.
        estimated: (x, y, score) of the body's joints, in pixels of the image; the score is above 0
            where a joint was detected.
        annotated: the same of the annotation.
    """

    title: str
    note: str
    image: UInt8[np.ndarray, "h w 3"]
    estimated: Float[np.ndarray, "14 3"]
    annotated: Float[np.ndarray, "14 3"]


def pose_overlays(panels: Sequence[PoseOverlay], out: str | os.PathLike[str]) -> None:
    """Draws images, five in a row, with estimated poses as skeletons and annotations as rings.

    A line between a ring and its estimated joint is the error.

    Args:
        panels: at least one.
        out: PNG, SVG or PDF.

    Raises:
        UserError: no panel, an unknown suffix, or a missing package.
    """
    if not panels:
        raise UserError("no image to draw")
    columns, rows = min(len(panels), _COLUMNS), -(-len(panels) // _COLUMNS)
    aspect = max(panel.image.shape[0] / panel.image.shape[1] for panel in panels)
    height = _WIDTH * aspect + 0.4
    with style.context():
        figure = style.figure(_WIDTH * columns, height * rows)
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        for panel, axes in zip(panels, grid.flat, strict=False):
            _draw_panel(axes, panel)
        style.save(figure, out)


def _draw_panel(axes: Any, panel: PoseOverlay) -> None:
    from matplotlib.collections import LineCollection

    height, width = panel.image.shape[:2]
    axes.imshow(panel.image, extent=(0, width, height, 0), aspect="equal")
    detected, annotated = panel.estimated[:, 2] > 0, panel.annotated[:, 2] > 0
    pairs = np.stack([panel.estimated[:, :2], panel.annotated[:, :2]], axis=1)
    errors = list(pairs[detected & annotated])
    axes.add_collection(LineCollection(errors, colors="white", linewidths=0.7, alpha=0.8, zorder=2))
    limbs = Limbs(axes, BODY, 1, 1.6)
    limbs.move(panel.estimated[None, :, :2], np.zeros((1, len(BODY.joints))), detected[None])
    points = panel.annotated[annotated, :2].T
    # A white ring with a dark edge is visible on dark and on bright images.
    for colour, line_width in ((style.INK, 1.8), ("white", 1.0)):
        axes.scatter(
            *points, s=16, facecolors="none", edgecolors=colour, linewidths=line_width, zorder=5
        )
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_title(f"{style.shorten(panel.title, 30)}\n", fontsize=8.5, pad=3)
    axes.text(0.0, 1.02, panel.note, transform=axes.transAxes, fontsize=7.5, color=style.SOFT)
