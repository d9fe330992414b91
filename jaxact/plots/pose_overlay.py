"""People found in pictures, beside where they were marked: what a PCK looks like."""

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
_WIDTH = 2.7  # inches of a picture


@dataclasses.dataclass(frozen=True, slots=True)
class Overlay:
    """One picture.

    Attributes:
      title, note: two lines above it.
      picture: RGB.
      found, true: (x, y, anything above 0) of the body's joints, in pixels of the picture.
    """

    title: str
    note: str
    picture: UInt8[np.ndarray, "h w 3"]
    found: Float[np.ndarray, "14 3"]
    true: Float[np.ndarray, "14 3"]


def overlays(panels: Sequence[Overlay], out: str | os.PathLike[str]) -> None:
    """Draws the pictures, five in a row: what was found as a skeleton, what was marked as white
    rings.

    A ring and the joint that was found for it are joined by a line, which is the error.

    Args:
      panels: at least one.
      out: PNG, SVG or PDF.

    Raises:
      UserError: no panel, another suffix, or a missing package.
    """
    if not panels:
        raise UserError("no picture to draw")
    columns, rows = min(len(panels), _COLUMNS), -(-len(panels) // _COLUMNS)
    tall = _WIDTH * max(panel.picture.shape[0] / panel.picture.shape[1] for panel in panels) + 0.4
    with style.context():
        drawing = style.figure(_WIDTH * columns, tall * rows)
        grid = drawing.subplots(rows, columns, squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        for panel, axes in zip(panels, grid.flat, strict=False):
            _draw(axes, panel)
        style.save(drawing, out)


def _draw(axes: Any, panel: Overlay) -> None:
    from matplotlib.collections import LineCollection

    height, width = panel.picture.shape[:2]
    axes.imshow(panel.picture, extent=(0, width, height, 0), aspect="equal")
    found, true = panel.found[:, 2] > 0, panel.true[:, 2] > 0
    errors = np.stack([panel.found[:, :2], panel.true[:, :2]], axis=1)[found & true]
    axes.add_collection(
        LineCollection(list(errors), colors="white", linewidths=0.7, alpha=0.8, zorder=2)
    )
    limbs = Limbs(axes, BODY, 1, 1.6)
    limbs.move(panel.found[None, :, :2], np.zeros((1, len(BODY.joints))), found[None])
    for colour, wide in (
        (style.INK, 1.8),
        ("white", 1.0),
    ):  # a ring that shows on dark and on bright
        axes.scatter(
            *panel.true[true, :2].T,
            s=16,
            facecolors="none",
            edgecolors=colour,
            linewidths=wide,
            zorder=5,
        )
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_title(f"{style.shorten(panel.title, 30)}\n", fontsize=8.5, pad=3)
    axes.text(0.0, 1.02, panel.note, transform=axes.transAxes, fontsize=7.5, color=style.SOFT)
