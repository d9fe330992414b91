"""Attention weights of an online recogniser over time, for every feature."""

import os
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxact.plots import style


def attention_weights(
    weights: Float[np.ndarray, "t d"],
    shares: Float[np.ndarray, " d"],
    out: str | os.PathLike[str],
    *,
    title: str = "",
) -> None:
    """Draws the weights as a map of frames and features, the last frame's weights, and the shares.

    Args:
        weights: attention weights of one clip; they sum to 1 over its frames.
        shares: share of each feature in the layer's output; they sum to 1.
        out: PNG, SVG or PDF.
        title: text above the picture.

    Raises:
        UserError: an unknown suffix, or a missing package.
    """
    frames, features = weights.shape
    with style.context():
        figure = style.figure(9.0, 6.6)
        figure.suptitle(title, x=0.012, ha="left", fontsize=12.5, weight="bold")
        over_time, last, share = figure.subplots(3, 1, sharex=True, height_ratios=(2.4, 1, 1))
        image = over_time.imshow(
            100 * weights,
            cmap=style.SEQUENCE,
            aspect="auto",
            interpolation="nearest",
            origin="lower",
        )
        over_time.set(title=f"Weights over {frames} frames", ylabel="frame")
        bar = figure.colorbar(image, ax=over_time, fraction=0.025, pad=0.01)
        bar.set_label("%")
        bar.outline.set_visible(False)
        _draw_bars(last, weights[-1], "Weights of the last frame", 1 / frames)
        _draw_bars(share, shares, "Share of each feature in the layer's output", 1 / features)
        share.set_xlabel("feature")
        style.save(figure, out)


def _draw_bars(axes: Any, values: np.ndarray, title: str, uniform: float) -> None:
    """Draws values in percent, and the uniform value as a dashed line."""
    axes.bar(np.arange(len(values)), 100 * values, width=0.85, color=style.CYCLE[0])
    axes.axhline(100 * uniform, color=style.SOFT, linewidth=1.0, linestyle="--", label="uniform")
    axes.set(title=title, ylabel="%", xlim=(-0.5, len(values) - 0.5))
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)
