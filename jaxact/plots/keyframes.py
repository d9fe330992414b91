"""Pictures in rows: a few moments of each of several videos."""

import dataclasses
import os
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from jaxact.errors import UserError
from jaxact.plots import style

_WIDTH = 2.6  # inches of a picture


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """Moments of a video.

    Attributes:
      title: on the left.
      pictures: [h w 3] each, RGB.
      seconds: their times.
    """

    title: str
    pictures: Sequence[UInt8[np.ndarray, "_ _ 3"]]
    seconds: Sequence[float]


def sheet(rows: Sequence[Row], out: str | os.PathLike[str]) -> None:
    """Draws the rows one below the other, each picture with its time.

    Args:
      rows: at least one, of at least one picture.
      out: PNG, SVG or PDF.

    Raises:
      UserError: nothing to draw, another suffix, or a missing package.
    """
    columns = max((len(row.pictures) for row in rows), default=0)
    if not columns:
        raise UserError("no picture to draw")
    tall = [
        _WIDTH * max(picture.shape[0] / picture.shape[1] for picture in row.pictures) + 0.25
        for row in rows
    ]
    with style.context():
        drawing = style.figure(_WIDTH * columns + 0.3, sum(tall))
        grid = drawing.subplots(len(rows), columns, squeeze=False, height_ratios=tall)
        for row, line in zip(rows, grid, strict=True):
            for axes in line:
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set_visible(False)
            for axes, picture, time in zip(line, row.pictures, row.seconds, strict=False):
                axes.imshow(picture)
                axes.set_xlabel(f"{time:.2f} s", fontsize=8.5, color=style.SOFT)
            line[0].set_ylabel(style.shorten(row.title, 30), fontsize=10, weight="bold")
        style.save(drawing, out)
