"""Style of all figures: a palette that is safe for colour blindness, font sizes, thin axes."""

import os
from typing import Any

import numpy as np
from jaxtyping import UInt8

from jaxact import files
from jaxact.errors import UserError, missing_extra

INK = "#22262b"
SOFT = "#6b7280"
GRID = "#e3e6ea"
PAPER = "#ffffff"
# Colours of Okabe and Ito, in the order in which runs are drawn.
CYCLE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d1f", "#000000")
LEFT, RIGHT, MIDDLE = "#0072b2", "#d55e00", "#3a4048"
# Colours of the first person's limbs, and lighter ones of all other persons.
TONES = (
    {"left": LEFT, "right": RIGHT, "middle": MIDDLE},
    {"left": "#63b4e4", "right": "#eda33b", "middle": "#9aa2ad"},
)
SEQUENCE = "cividis"

_RC = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 9.0,
    "axes.labelsize": 9.5,
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 3.0,
    "ytick.major.size": 3.0,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}


def need_matplotlib() -> Any:
    """Imports matplotlib.

    Raises:
        UserError: it is not installed.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise missing_extra("matplotlib", "plot", "drawing") from error
    return matplotlib


def context() -> Any:
    """Returns a context manager in which jaxact's style is active; draw everything inside it."""
    return need_matplotlib().rc_context(_RC)


def figure(width: float, height: float, dpi: int = 144, layout: Any = "constrained") -> Any:
    """Creates an empty figure with a canvas of its own, without a window or global state.

    Args:
        width, height: size in inches.
        dpi: pixels per inch.
        layout: a layout engine of matplotlib.
    """
    need_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(width, height), dpi=dpi, layout=layout)
    FigureCanvasAgg(drawing)
    return drawing


def rendered(drawing: Any) -> UInt8[np.ndarray, "h w 3"]:
    """Renders a figure and returns its RGB image."""
    drawing.canvas.draw()
    return np.asarray(drawing.canvas.buffer_rgba())[..., :3].copy()


def save(drawing: Any, out: str | os.PathLike[str]) -> None:
    """Writes a figure atomically, in the format of the suffix of `out`.

    Raises:
        UserError: an unknown suffix, or a folder that cannot be written.
    """
    suffix = os.path.splitext(os.fspath(out))[1].lower()
    supported = {f".{name}" for name in drawing.canvas.get_supported_filetypes()}
    formats = sorted(supported - {".raw", ".rgba", ".pgf", ".ps"})
    if suffix not in formats:
        raise UserError(
            f"cannot draw to {os.fspath(out)!r}: the suffix must be one of {', '.join(formats)}"
        )
    with files.replacing(out) as temporary:
        drawing.savefig(temporary, format=suffix[1:])


def shorten(text: str, length: int) -> str:
    """Shortens a text to at most `length` characters, with an ellipsis at its end."""
    if len(text) <= length:
        return text
    return text[: max(length - 1, 1)].rstrip() + "…"
