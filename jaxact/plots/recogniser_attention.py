"""The weights of an attention over time, for every number of the vectors that it weighs."""

import os

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
    """Draws the weights as a map of frames and numbers, those of the last frame, and the share of
    every number.

    Args:
      weights: of one clip, of sum 1 over its frames.
      shares: of sum 1.
      out: PNG, SVG or PDF.
      title: above.

    Raises:
      UserError: another suffix, or a missing package.
    """
    frames, numbers = weights.shape
    with style.context():
        drawing = style.figure(9.0, 6.6)
        drawing.suptitle(title, x=0.012, ha="left", fontsize=12.5, weight="bold")
        over_time, last, share = drawing.subplots(3, 1, sharex=True, height_ratios=(2.4, 1, 1))
        picture = over_time.imshow(
            100 * weights,
            cmap=style.SEQUENCE,
            aspect="auto",
            interpolation="nearest",
            origin="lower",
        )
        over_time.set(title=f"Weights over {frames} frames", ylabel="frame")
        bar = drawing.colorbar(picture, ax=over_time, fraction=0.025, pad=0.01)
        bar.set_label("%")
        bar.outline.set_visible(False)
        for axes, values, head, alike in (
            (last, weights[-1], "Weights of the last frame", 1 / frames),
            (share, shares, "Share of each number in what the layer gives", 1 / numbers),
        ):
            axes.bar(np.arange(numbers), 100 * values, width=0.85, color=style.CYCLE[0])
            axes.axhline(
                100 * alike, color=style.SOFT, linewidth=1.0, linestyle="--", label="all alike"
            )
            axes.set(title=head, ylabel="%", xlim=(-0.5, numbers - 0.5))
            axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)
        share.set_xlabel("number of the vector")
        style.save(drawing, out)
