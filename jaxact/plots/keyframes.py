"""Key frames of several videos: a row of images for each."""

import dataclasses
import os
from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from jaxact.errors import UserError
from jaxact.plots import style

_WIDTH = 2.6  # inches of an image


@dataclasses.dataclass(frozen=True, slots=True)
class KeyframeRow:
    """Key frames of one video.

    Attributes:
        title: text at the left.
        images: images [h w 3], RGB.
        seconds: time of each image.
    """

    title: str
    images: Sequence[UInt8[np.ndarray, "_ _ 3"]]
    seconds: Sequence[float]


def keyframe_sheet(rows: Sequence[KeyframeRow], out: str | os.PathLike[str]) -> None:
    """Draws rows of key frames, each image with its time.

    Args:
        rows: at least one row with at least one image.
        out: PNG, SVG or PDF.

    Raises:
        UserError: no image, an unknown suffix, or a missing package.
    """
    columns = max((len(row.images) for row in rows), default=0)
    if not columns:
        raise UserError("no image to draw")
    heights = []
    for row in rows:
        aspect = max(image.shape[0] / image.shape[1] for image in row.images)
        heights.append(_WIDTH * aspect + 0.25)
    with style.context():
        figure = style.figure(_WIDTH * columns + 0.3, sum(heights))
        grid = figure.subplots(len(rows), columns, squeeze=False, height_ratios=heights)
        for row, row_axes in zip(rows, grid, strict=True):
            for axes in row_axes:
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set_visible(False)
            for axes, image, time in zip(row_axes, row.images, row.seconds, strict=False):
                axes.imshow(image)
                axes.set_xlabel(f"{time:.2f} s", fontsize=8.5, color=style.SOFT)
            row_axes[0].set_ylabel(style.shorten(row.title, 30), fontsize=10, weight="bold")
        style.save(figure, out)
