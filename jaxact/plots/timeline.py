"""Class probabilities along a recording: one row per class, one column per window."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from jaxact.plots import style

_MAX_CLASSES = 10


def timeline(
    windows: Float[np.ndarray, "windows classes"],
    spans: Sequence[tuple[int, int]],
    labels: Sequence[str],
    out: str,
    *,
    title: str = "",
) -> None:
    """Draws the probabilities of the classes that are the most probable one of some window.

    The most probable classes come first. Overlapping windows are drawn from the middle between
    their centre and the previous window's to the middle between theirs and the next one's.

    Args:
        windows: class probabilities per window.
        spans: (start, stop) of each window in frames.
        labels: class names.
        out: picture file; its suffix sets the format.
        title: heading.
    """
    style.need_matplotlib()
    best_classes = set(np.argmax(windows, 1).tolist())
    order = sorted(
        range(len(labels)),
        key=lambda index: (index not in best_classes, -windows[:, index].mean(), index),
    )
    rows = order[: min(_MAX_CLASSES, max(len(best_classes), 3), len(labels))]
    names = [style.shorten(labels[index], 28) for index in rows]
    centres = np.array([(start + stop) / 2 for start, stop in spans])
    edges = np.concatenate([[spans[0][0]], (centres[1:] + centres[:-1]) / 2, [spans[-1][1]]])
    with style.context():
        figure = style.figure(9.0, 1.4 + 0.34 * len(rows))
        axes = figure.add_subplot()
        mesh = axes.pcolormesh(
            edges, np.arange(len(rows) + 1), windows[:, rows].T, cmap="Blues", vmin=0, vmax=1
        )
        axes.set_yticks(np.arange(len(rows)) + 0.5, labels=names)
        axes.invert_yaxis()
        axes.set_xlabel("frame")
        axes.set_title(style.shorten(title, 70))
        axes.tick_params(length=0)
        bar = figure.colorbar(mesh, ax=axes, fraction=0.03, pad=0.015)
        bar.set_label("probability")
        bar.outline.set_visible(False)
        style.save(figure, out)
