"""Accuracy per class as bars."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from jaxact.errors import UserError
from jaxact.plots import style


def per_class_bars(
    accuracy: Float[np.ndarray, " n"],
    labels: Sequence[str],
    out: str | os.PathLike[str],
    counts: Int[np.ndarray, " n"] | None = None,
    title: str = "Accuracy per class",
) -> None:
    """Draws the accuracy of every class, best first; classes without a clip (NaN) come last.

    Args:
        accuracy: fractions in [0, 1]; NaN where a class has no clip.
        labels: class names in order.
        out: picture file.
        counts: clips of each class, written behind its bar.
        title: the heading.

    Raises:
        UserError: a number of accuracies other than that of the labels.
    """
    accuracy = np.asarray(accuracy, float)
    if accuracy.shape != (len(labels),) or not len(labels):
        raise UserError(
            f"{len(labels)} labels want as many accuracies, got an array of shape {accuracy.shape}"
        )
    order = np.argsort(np.nan_to_num(-accuracy, nan=1.0), kind="stable")
    rows = len(labels) if len(labels) <= 60 else 50
    columns = [order[start : start + rows] for start in range(0, len(order), rows)]
    mean = float(np.nanmean(accuracy)) if np.isfinite(accuracy).any() else float("nan")
    row_height = 0.2 if rows > 30 else 0.26
    width = 2.4 + 2.9 * len(columns) + 0.6 * (len(columns) == 1)
    with style.context():
        figure = style.figure(width, row_height * rows + 1.1)
        panels = figure.subplots(1, len(columns), squeeze=False)[0]
        for axes, classes in zip(panels, columns, strict=True):
            names = [str(labels[index]) for index in classes]
            _draw_bars(axes, 100 * accuracy[classes], names, rows, 100 * mean)
            if counts is not None:
                _write_counts(axes, counts[classes])
        panels[0].set_title(f"{title}    mean {100 * mean:.1f} %", fontsize=11.5)
        style.save(figure, out)


def _draw_bars(axes: Any, percent: np.ndarray, names: list[str], rows: int, mean: float) -> None:
    positions = np.arange(len(names))
    font_size = 8.5 if rows <= 30 else 7.0
    # Both the colour and the end of a bar show whether a class is below the mean.
    colours = [style.CYCLE[0] if value >= mean else style.CYCLE[1] for value in percent]
    axes.barh(positions, np.nan_to_num(percent), height=0.72, color=colours, linewidth=0)
    axes.axvline(mean, color=style.INK, linewidth=0.9, linestyle=(0, (4, 3)))
    room = 12 if rows <= 30 else 18  # percent that a number needs inside its bar
    for position, value in zip(positions, percent, strict=True):
        x, text, colour = value + 1.5, f"{value:.0f}", style.INK
        if np.isnan(value):
            x, text = 1.5, "no clip"
        elif value > room:
            x, colour = 1.5, style.PAPER
        options: dict[str, Any] = {"fontsize": font_size - 0.5, "color": colour}
        axes.text(x, position, text, va="center", ha="left", **options)
    axes.set_yticks(positions, [style.shorten(name, 30) for name in names], fontsize=font_size)
    axes.set_ylim(rows - 0.4, -0.6)
    axes.set_xlim(0, 100)
    axes.set_xlabel("accuracy, %")
    axes.spines["left"].set_visible(False)
    axes.tick_params(length=0)


def _write_counts(axes: Any, counts: np.ndarray) -> None:
    """Writes the number of clips behind each bar."""
    options: dict[str, Any] = {"va": "center", "fontsize": 7, "color": style.SOFT}
    for position, count in enumerate(counts):
        axes.text(101.5, position, f"{int(count)}", **options)
    axes.text(101.5, -1.0, "clips", **options)
