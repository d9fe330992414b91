"""From probabilities in every frame to a class that is worth saying: an average that forgets, and
two thresholds.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from jaxact.errors import UserError


class Said(NamedTuple):
    """What is said after a frame.

    Attributes:
      probabilities: the average so far, of sum 1.
      label: the class, or None while none is likely enough.
    """

    probabilities: Float[np.ndarray, " k"]
    label: int | None


def smooth(
    before: Said | None,
    probabilities: Float[np.ndarray, " k"],
    *,
    keep: float = 0.8,
    enter: float = 0.5,
    leave: float = 0.3,
) -> Said:
    """p' = keep p + (1 - keep) q, and a class that is said from `enter` on until it falls below
    `leave`.

    Another class takes over as soon as it is the likeliest and has reached `enter`. The lower class
    id wins ties.

    Args:
      before: what was said after the frame before; None before the first frame, whose average is
          its q.
      probabilities: q, the network's of this frame.
      keep: share of the average that a frame keeps, in [0, 1): 0.8 remembers about five frames.
      enter: probability that a class needs to be said.
      leave: and to go on being said; at most `enter`.

    Raises:
      UserError: options out of their ranges, or another number of classes than before.
    """
    if not (0 <= keep < 1 and 0 <= leave <= enter <= 1):
        raise UserError(
            f"wanted 0 <= keep < 1 and 0 <= leave <= enter <= 1; got keep {keep!r}, leave {leave!r}, enter {enter!r}"
        )
    if before is None:
        average, label = probabilities, None
    else:
        if before.probabilities.shape != probabilities.shape:
            raise UserError(
                f"probabilities of {probabilities.size} classes after those of {before.probabilities.size}; "
                "wanted the same classes in every frame"
            )
        average, label = keep * before.probabilities + (1 - keep) * probabilities, before.label
    best = int(np.argmax(average))
    if average[best] >= enter:
        label = best if label is None or average[best] > average[label] else label
    elif label is not None and average[label] < leave:
        label = None
    return Said(average, label)


def majority(labels: Sequence[int], last: int = 5) -> int:
    """The class that most of the `last` labels name; of several, the one named latest.

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
