"""Confusion matrix of a classifier, for 2 to 400 classes."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Int

from jaxact.errors import UserError
from jaxact.plots import style

# Largest number of classes with a percentage in each cell, with grid lines, with names.
_MAX_NUMBERED = 30
_MAX_GRID = 60
_MAX_NAMED = 120


def confusion_matrix(
    counts: Int[np.ndarray, "n n"],
    labels: Sequence[str],
    out: str | os.PathLike[str],
    title: str = "Confusion matrix",
) -> None:
    """Draws the share of each true class (a row) that was predicted as each class (a column).

    Cells show percentages up to 30 classes, and axes show names up to 120; beyond that classes are
    numbered. From 61 classes on, the most confused pairs are listed beside the matrix. Rows of
    classes without a clip are grey.

    Args:
        counts: clips by [truth, prediction], at least 0.
        labels: class names in order.
        out: picture file.
        title: start of the heading; top-1 accuracy and the number of clips are added.

    Raises:
        UserError: counts that are not square or do not match the labels.
    """
    counts = np.asarray(counts)
    classes = len(labels)
    if counts.shape != (classes, classes) or not classes:
        raise UserError(
            f"a confusion matrix of {classes} labels wants counts [{classes}, {classes}], "
            f"got {counts.shape}"
        )
    total = counts.sum(axis=1, keepdims=True)
    shares = np.where(total > 0, counts / np.maximum(total, 1), np.nan)
    with style.context():
        cell = float(np.clip(9.0 / classes, 0.022, 0.55))
        longest = max(map(len, labels)) if classes <= _MAX_NAMED else 4
        font_size = float(np.clip(cell * 38, 4.6, 9.5))
        margin = 0.8 + 0.0085 * font_size * min(longest, 34)
        side = max(cell * classes, 2.6)
        width = side + margin + 0.9
        if classes > _MAX_GRID:
            listing = 3.6
            figure = style.figure(width + listing, side + margin + 0.9)
            axes, list_axes = figure.subplots(1, 2, width_ratios=(width, listing))
            _list_confused_pairs(list_axes, counts, total, labels)
        else:
            figure = style.figure(width, side + margin + 0.5)
            axes = figure.add_subplot(1, 1, 1)
        _draw_cells(figure, axes, shares, font_size)
        _label_axes(axes, labels, font_size)
        correct, clips = int(np.trace(counts)), int(counts.sum())
        heading = f"{title}    top-1 {100 * correct / max(clips, 1):.1f} % of {clips} clips"
        fit = (side + 0.9) / (0.097 * len(heading))  # available width over the heading's
        axes.set_title(heading, fontsize=11.5 * min(fit, 1.0))
        style.save(figure, out)


def _draw_cells(figure: Any, axes: Any, shares: np.ndarray, font_size: float) -> None:
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm

    classes = len(shares)
    # A cell fades to white, but a disc has to stand out from the background.
    light = ["#ffffff", "#c6dbee"] if classes <= _MAX_NAMED else ["#9fc3e3"]
    colours = LinearSegmentedColormap.from_list("jaxact", [*light, "#5a9bcf", "#0b5a96", "#062f55"])
    colours = colours.with_extremes(bad="#e9eaec")
    # Without numbers in the cells, a square root makes small shares visible.
    norm = PowerNorm(1.0 if classes <= _MAX_NUMBERED else 0.5, 0.0, 1.0)
    if classes <= _MAX_NAMED:
        artist = axes.imshow(shares, cmap=colours, norm=norm, interpolation="nearest")
    else:
        artist = _draw_discs(axes, shares, cmap=colours, norm=norm)
    if classes <= _MAX_NUMBERED:
        _write_percentages(axes, shares, min(font_size, 9.0) - 0.5)
    if classes <= _MAX_GRID:
        axes.set_xticks(np.arange(classes + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(classes + 1) - 0.5, minor=True)
        axes.grid(True, which="minor", color="#eceef1", linewidth=0.6)
        axes.tick_params(which="minor", length=0)
    bar = figure.colorbar(artist, ax=axes, fraction=0.03, pad=0.015, aspect=32)
    bar.set_ticks([0, 0.25, 0.5, 0.75, 1.0], labels=["0", "25", "50", "75", "100"])
    bar.set_label("% of the true class", fontsize=9)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=8.5)


def _draw_discs(axes: Any, shares: np.ndarray, **options: Any) -> Any:
    """Draws shares as discs whose size grows with them, for cells of a pixel or two."""
    classes = len(shares)
    rows, columns = np.nonzero(np.nan_to_num(shares) > 0)
    order = np.argsort(shares[rows, columns], kind="stable")
    share = shares[rows, columns][order]
    area = 2.0 + 12.0 * share
    artist = axes.scatter(columns[order], rows[order], s=area, c=share, linewidths=0, **options)
    axes.set_xlim(-1.5, classes + 0.5)
    axes.set_ylim(classes + 0.5, -1.5)
    axes.set_aspect("equal")
    return artist


def _write_percentages(axes: Any, shares: np.ndarray, font_size: float) -> None:
    for row, column in zip(*np.nonzero(np.nan_to_num(shares) > 0), strict=True):
        percent = 100 * shares[row, column]
        text = "<1" if percent < 0.5 else f"{percent:.0f}"
        colour = style.PAPER if percent > 45 else style.INK
        axes.text(column, row, text, ha="center", va="center", fontsize=font_size, color=colour)


def _label_axes(axes: Any, labels: Sequence[str], font_size: float) -> None:
    classes = len(labels)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(style.GRID)
    axes.tick_params(length=0, which="major")
    if classes > _MAX_NAMED:
        step = 50 if classes > 200 else 20
        ticks = np.arange(step, classes + 1, step)
        axes.set_xticks(ticks - 1, ticks)
        axes.set_yticks(ticks - 1, ticks)
        return
    names = [style.shorten(label, 34) for label in labels]
    axes.set_xticks(range(classes), names, rotation=90 if classes > 12 else 45, fontsize=font_size)
    if classes <= 12:
        for text in axes.get_xticklabels():
            text.set_ha("right")
            text.set_rotation_mode("anchor")
    axes.set_yticks(range(classes), names, fontsize=font_size)


def _list_confused_pairs(
    axes: Any, counts: np.ndarray, total: np.ndarray, labels: Sequence[str], limit: int = 20
) -> None:
    """Lists the most confused pairs of classes."""
    axes.set_axis_off()
    errors = np.where(total > 0, counts / np.maximum(total, 1), 0.0)
    np.fill_diagonal(errors, 0.0)
    order = np.argsort(-errors, axis=None, kind="stable")[:limit]
    lines = []
    for row, column in zip(*np.unravel_index(order, errors.shape), strict=True):
        if errors[row, column] > 0:
            truth = style.shorten(str(labels[row]), 22)
            prediction = style.shorten(str(labels[column]), 22)
            lines.append(f"{100 * errors[row, column]:3.0f} %  {truth} → {prediction}")
    text = "\n".join(lines) or "no clip is confused"
    options: dict[str, Any] = {"transform": axes.transAxes, "va": "top"}
    axes.text(0.0, 1.0, "Most confused", fontsize=10, weight="bold", **options)
    axes.text(0.0, 0.965, text, fontsize=8, linespacing=1.65, **options)
