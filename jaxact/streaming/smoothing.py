"""Smoothing of per-frame probabilities: a moving average, and two thresholds for its class."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from jaxact.errors import UserError


class SmoothedPrediction(NamedTuple):
    """Smoothed prediction after a frame.

    Attributes:
        probabilities: moving average of the probabilities; they sum to 1.
        label: class index, or None while no class is probable enough.
    """

    probabilities: Float[np.ndarray, " k"]
    label: int | None


def smooth(
    previous: SmoothedPrediction | None,
    probabilities: Float[np.ndarray, " k"],
    *,
    keep: float = 0.8,
    enter: float = 0.5,
    leave: float = 0.3,
) -> SmoothedPrediction:
    """Computes p' = keep p + (1 - keep) q, and its class by two thresholds (hysteresis).

    A class is predicted from `enter` on until it falls below `leave`. Another class replaces it as
    soon as it is the most probable and has reached `enter`. The lower class id wins ties.

    Args:
        previous: result of the previous frame; None for the first frame, whose average is its q.
        probabilities: q, the network's probabilities of this frame.
        keep: decay of the average per frame, in [0, 1); 0.8 averages about five frames.
        enter: least probability at which a class is predicted.
        leave: least probability at which it remains predicted; at most `enter`.

    Raises:
        UserError: options out of range, or another number of classes than before.
    """
    if not (0 <= keep < 1 and 0 <= leave <= enter <= 1):
        raise UserError(
            "wanted 0 <= keep < 1 and 0 <= leave <= enter <= 1; "
            f"got keep {keep!r}, leave {leave!r}, enter {enter!r}"
        )
    if previous is None:
        average, label = probabilities, None
    else:
        if previous.probabilities.shape != probabilities.shape:
            raise UserError(
                f"probabilities of {probabilities.size} classes after those of "
                f"{previous.probabilities.size}; wanted the same classes in every frame"
            )
        average = keep * previous.probabilities + (1 - keep) * probabilities
        label = previous.label
    best = int(np.argmax(average))
    if average[best] >= enter:
        if label is None or average[best] > average[label]:
            label = best
    elif label is not None and average[label] < leave:
        label = None
    return SmoothedPrediction(average, label)


def majority(labels: Sequence[int], last: int = 5) -> int:
    """Returns the most frequent of the `last` labels; the most recent one wins ties.

    Raises:
        UserError: no label.
    """
    recent = list(labels[-last:])
    if not recent or last < 1:
        raise UserError(
            f"a majority of the last {last} of {len(labels)} labels; wanted at least one of each"
        )
    newest_first = recent[::-1]
    return max(newest_first, key=lambda label: (recent.count(label), -newest_first.index(label)))
