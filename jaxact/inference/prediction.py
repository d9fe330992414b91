"""Class probabilities of one clip, over the whole clip or over windows of it."""

import dataclasses
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from jaxact.errors import UserError


@dataclasses.dataclass(frozen=True, slots=True)
class Prediction:
    """Class probabilities of one clip.

    Attributes:
        name: name of the clip.
        labels: class names, in the order of the class axis.
        spans: (start, stop) of each window in frames; `stop` is exclusive.
        windows: class probabilities of each window.
    """

    name: str
    labels: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    windows: Float[np.ndarray, "windows classes"]

    @property
    def probabilities(self) -> Float[np.ndarray, " classes"]:
        """Class probabilities of the whole clip: the mean over its windows."""
        return self.windows.mean(0)

    def top(self, count: int = 5, window: int | None = None) -> list[tuple[str, float]]:
        """Returns the most probable classes with their probabilities, best first.

        Args:
            count: number of classes.
            window: index of one window; None for the whole clip.
        """
        probabilities = self.probabilities if window is None else self.windows[window]
        order = np.argsort(-probabilities, kind="stable")[:count]
        return [(self.labels[index], float(probabilities[index])) for index in order]


@dataclasses.dataclass(frozen=True, slots=True)
class LazyClip:
    """A clip whose network inputs are computed on request, for any range of its frames.

    Attributes:
        name: name of the clip.
        frames: number of frames.
        inputs: maps (start, stop), in frames, to the network's input [views, ...].
    """

    name: str
    frames: int
    inputs: Callable[[int, int], np.ndarray]


def window_spans(frames: int, window: int, stride: int = 0) -> tuple[tuple[int, int], ...]:
    """Returns (start, stop) of every window of a clip; the last window ends with the clip.

    Args:
        frames: length of the clip.
        window: frames per window; 0 for one window over the whole clip.
        stride: frames between the starts of two windows; 0 for half a window.

    Raises:
        UserError: a negative window or stride, or a stride without a window.
    """
    if window < 0 or stride < 0 or (stride and not window):
        raise UserError(
            f"got a window of {window} frames and a stride of {stride}; "
            "wanted numbers from 0, and a stride needs a window"
        )
    if not window or window >= frames:
        return ((0, frames),)
    step = stride or max(window // 2, 1)
    starts = [*range(0, frames - window, step), frames - window]
    return tuple((start, start + window) for start in starts)
