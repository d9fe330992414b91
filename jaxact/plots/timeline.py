"""A network's answers along a recording: one row a class, one column a window."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from jaxact.plots import style

_MOST = 10  # classes drawn


def timeline(
    windows: Float[np.ndarray, "windows classes"],
    spans: Sequence[tuple[int, int]],
    labels: Sequence[str],
    out: str,
    *,
    title: str = "",
) -> None:
    """Draws the probabilities of the classes that lead anywhere, those that are likely at all
    coming first.

    Windows overlap: each is drawn from half-way to the one before to half-way to the one after.

    Args:
      windows: probabilities.
      spans: first frame and the one after the last of each window.
      labels: class names.
      out: the picture; its suffix says which kind.
      title: heading.
    """
    style.need_matplotlib()
    leading = set(np.argmax(windows, 1).tolist())
    order = sorted(
        range(len(labels)),
        key=lambda index: (index not in leading, -windows[:, index].mean(), index),
    )
    rows = order[: min(_MOST, max(len(leading), 3), len(labels))]
    middles = np.array([(start + stop) / 2 for start, stop in spans])
    edges = np.concatenate([[spans[0][0]], (middles[1:] + middles[:-1]) / 2, [spans[-1][1]]])
    with style.context():
        drawing = style.figure(9.0, 1.4 + 0.34 * len(rows))
        axes = drawing.add_subplot()
        shares = windows[:, rows].T
        picture = axes.pcolormesh(
            edges, np.arange(len(rows) + 1), shares, cmap="Blues", vmin=0, vmax=1
        )
        axes.set_yticks(
            np.arange(len(rows)) + 0.5, labels=[style.shorten(labels[index], 28) for index in rows]
        )
        axes.invert_yaxis()
        axes.set_xlabel("frame")
        axes.set_title(style.shorten(title, 70))
        axes.tick_params(length=0)
        bar = drawing.colorbar(picture, ax=axes, fraction=0.03, pad=0.015)
        bar.set_label("probability")
        bar.outline.set_visible(False)
        style.save(drawing, out)
