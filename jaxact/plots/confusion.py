"""How well each class is told from the others: the confusion matrix and accuracy per class, for 2
to 400 classes.
"""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from jaxact.errors import UserError
from jaxact.plots import style

_NUMBERS = 30  # most classes whose cells carry their percentage
_NAMES = 120  # most classes that are named along the axes


def confusion_matrix(
    counts: Int[np.ndarray, "n n"],
    labels: Sequence[str],
    out: str | os.PathLike[str],
    title: str = "Confusion matrix",
) -> None:
    """Draws the share of each true class (a row) that was taken for each class (a column).

    Up to 30 classes the cells carry percentages, up to 120 the axes carry names; beyond that
    classes are numbered. From 61 classes on the pairs most often confused are listed beside it.
    Rows of classes without a clip are grey.

    Args:
      counts: clips by [truth, prediction], 0 or more.
      labels: class names in order.
      out: picture file.
      title: first words of the heading; top-1 and the number of clips are added.

    Raises:
      UserError: counts that are not square or do not fit the labels.
    """
    counts = np.asarray(counts)
    classes = len(labels)
    if counts.shape != (classes, classes) or not classes:
        raise UserError(
            f"a confusion matrix of {classes} labels wants counts [{classes}, {classes}], got {counts.shape}"
        )
    total = counts.sum(axis=1, keepdims=True)
    shares = np.where(total > 0, counts / np.maximum(total, 1), np.nan)
    with style.context():
        cell = float(np.clip(9.0 / classes, 0.022, 0.55))
        longest = max(map(len, labels)) if classes <= _NAMES else 4
        size = float(np.clip(cell * 38, 4.6, 9.5))
        margin = 0.8 + 0.0085 * size * min(longest, 34)
        side = max(cell * classes, 2.6)
        listing = 3.6 if classes > 60 else 0.0
        drawing = style.figure(
            side + margin + 0.9 + listing, side + margin + (0.9 if listing else 0.5)
        )
        if listing:
            axes, beside = drawing.subplots(1, 2, width_ratios=(side + margin + 0.9, listing))
            _worst(beside, counts, total, labels)
        else:
            axes = drawing.add_subplot(1, 1, 1)
        _cells(drawing, axes, shares, classes, size)
        _names(axes, labels, classes, size)
        hits, clips = int(np.trace(counts)), int(counts.sum())
        heading = f"{title}    top-1 {100 * hits / max(clips, 1):.1f} % of {clips} clips"
        room = (side + 0.9) / (0.097 * len(heading))  # of what it needs at the usual size
        axes.set_title(heading, fontsize=11.5 * min(room, 1.0))
        style.save(drawing, out)


def _cells(drawing: Any, axes: Any, shares: np.ndarray, classes: int, size: float) -> None:
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm

    # A cell shades off into the paper, a disc has to stand out from it.
    blues = ["#ffffff", "#c6dbee"] if classes <= _NAMES else ["#9fc3e3"]
    colours = LinearSegmentedColormap.from_list("jaxact", [*blues, "#5a9bcf", "#0b5a96", "#062f55"])
    colours = colours.with_extremes(bad="#e9eaec")
    # Beyond thirty classes a cell is a dot without a number: lift the small shares so that they are
    # seen.
    scale = PowerNorm(1.0 if classes <= _NUMBERS else 0.5, 0.0, 1.0)
    if classes <= _NAMES:
        picture = axes.imshow(shares, cmap=colours, norm=scale, interpolation="nearest")
    else:  # cells of a pixel or two: discs instead, whose size speaks too
        rows, columns = np.nonzero(np.nan_to_num(shares) > 0)
        order = np.argsort(shares[rows, columns], kind="stable")
        share = shares[rows, columns][order]
        area = 2.0 + 12.0 * share
        picture = axes.scatter(
            columns[order], rows[order], s=area, c=share, cmap=colours, norm=scale, linewidths=0
        )
        axes.set_xlim(-1.5, classes + 0.5)
        axes.set_ylim(classes + 0.5, -1.5)
        axes.set_aspect("equal")
    if classes <= _NUMBERS:
        for row, column in zip(*np.nonzero(np.nan_to_num(shares) > 0), strict=True):
            share = 100 * shares[row, column]
            text = "<1" if share < 0.5 else f"{share:.0f}"
            colour = style.PAPER if share > 45 else style.INK
            axes.text(
                column,
                row,
                text,
                ha="center",
                va="center",
                fontsize=min(size, 9.0) - 0.5,
                color=colour,
            )
    if classes <= 60:
        axes.set_xticks(np.arange(classes + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(classes + 1) - 0.5, minor=True)
        axes.grid(True, which="minor", color="#eceef1", linewidth=0.6)
        axes.tick_params(which="minor", length=0)
    bar = drawing.colorbar(picture, ax=axes, fraction=0.03, pad=0.015, aspect=32)
    bar.set_ticks([0, 0.25, 0.5, 0.75, 1.0], labels=["0", "25", "50", "75", "100"])
    bar.set_label("% of the true class", fontsize=9)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=8.5)


def _names(axes: Any, labels: Sequence[str], classes: int, size: float) -> None:
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(style.GRID)
    axes.tick_params(length=0, which="major")
    if classes > _NAMES:
        every = 50 if classes > 200 else 20
        ticks = np.arange(every, classes + 1, every)
        axes.set_xticks(ticks - 1, ticks)
        axes.set_yticks(ticks - 1, ticks)
        return
    short = [style.shorten(label, 34) for label in labels]
    axes.set_xticks(range(classes), short, rotation=90 if classes > 12 else 45, fontsize=size)
    if classes <= 12:
        for text in axes.get_xticklabels():
            text.set_ha("right")
            text.set_rotation_mode("anchor")
    axes.set_yticks(range(classes), short, fontsize=size)


def _worst(
    axes: Any, counts: np.ndarray, total: np.ndarray, labels: Sequence[str], most: int = 20
) -> None:
    """Lists the pairs most often confused."""
    axes.set_axis_off()
    wrong = np.where(total > 0, counts / np.maximum(total, 1), 0.0)
    np.fill_diagonal(wrong, 0.0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    lines = []
    for row, column in zip(*np.unravel_index(order, wrong.shape), strict=True):
        if wrong[row, column] > 0:
            pair = (
                f"{style.shorten(str(labels[row]), 22)} → {style.shorten(str(labels[column]), 22)}"
            )
            lines.append(f"{100 * wrong[row, column]:3.0f} %  {pair}")
    text = "\n".join(lines) or "no clip is confused"
    axes.text(
        0.0, 1.0, "Most confused", transform=axes.transAxes, va="top", fontsize=10, weight="bold"
    )
    axes.text(0.0, 0.965, text, transform=axes.transAxes, va="top", fontsize=8, linespacing=1.65)


def per_class_bars(
    accuracy: Float[np.ndarray, " n"],
    labels: Sequence[str],
    out: str | os.PathLike[str],
    counts: Int[np.ndarray, " n"] | None = None,
    title: str = "Accuracy per class",
) -> None:
    """Draws the accuracy of every class, best first; classes without a clip (NaN) come last and
    have no bar.

    Args:
      accuracy: fractions in [0, 1]; NaN where a class has no clip.
      labels: class names in order.
      out: picture file.
      counts: clips of each class, written behind its bar.
      title: the heading.

    Raises:
      UserError: an accuracy for other classes than the labels name.
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
    with style.context():
        height = 0.2 if rows > 30 else 0.26
        drawing = style.figure(
            2.4 + 2.9 * len(columns) + 0.6 * (len(columns) == 1), height * rows + 1.1
        )
        panels = drawing.subplots(1, len(columns), squeeze=False)[0]
        for axes, chosen in zip(panels, columns, strict=True):
            _bars(
                axes,
                100 * accuracy[chosen],
                [str(labels[label]) for label in chosen],
                rows,
                100 * mean,
            )
            if counts is not None:
                for place, label in enumerate(chosen):
                    axes.text(
                        101.5,
                        place,
                        f"{int(counts[label])}",
                        va="center",
                        fontsize=7,
                        color=style.SOFT,
                    )
                axes.text(101.5, -1.0, "clips", va="center", fontsize=7, color=style.SOFT)
        panels[0].set_title(f"{title}    mean {100 * mean:.1f} %", fontsize=11.5)
        style.save(drawing, out)


def _bars(axes: Any, percent: np.ndarray, names: list[str], rows: int, mean: float) -> None:
    places = np.arange(len(names))
    size = 8.5 if rows <= 30 else 7.0
    # Below the mean is told by the colour and by the place of the bar's end alike.
    colours = [style.CYCLE[0] if value >= mean else style.CYCLE[1] for value in percent]
    axes.barh(places, np.nan_to_num(percent), height=0.72, color=colours, linewidth=0)
    axes.axvline(mean, color=style.INK, linewidth=0.9, linestyle=(0, (4, 3)))
    for place, value in zip(places, percent, strict=True):
        inside = value > (12 if rows <= 30 else 18)
        text = "no clip" if np.isnan(value) else f"{value:.0f}"
        axes.text(
            1.5 if inside or np.isnan(value) else value + 1.5,
            place,
            text,
            va="center",
            ha="left",
            fontsize=size - 0.5,
            color=style.PAPER if inside else style.INK,
        )
    axes.set_yticks(places, [style.shorten(name, 30) for name in names], fontsize=size)
    axes.set_ylim(rows - 0.4, -0.6)
    axes.set_xlim(0, 100)
    axes.set_xlabel("accuracy, %")
    axes.spines["left"].set_visible(False)
    axes.tick_params(length=0)
