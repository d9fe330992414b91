"""Per-example losses, unreduced, by the name that a config's section `loss` gives them."""

import functools
from collections.abc import Callable
from typing import Any

from jaxtyping import Array, Float

from jaxact import errors
from jaxact.losses.classification import classification_loss, segment_loss
from jaxact.losses.displacement import displacement_loss
from jaxact.losses.pose import pose_loss

# (outputs, targets, step) -> one loss per example.
Loss = Callable[..., Float[Array, " b"]]

LOSSES: dict[str, Loss] = {
    "cross_entropy": classification_loss,
    "segments": segment_loss,
    "displacement": displacement_loss,
    "pose": pose_loss,
}


def make_loss(name: str, **options: Any) -> Loss:
    """The loss `name` as a function of (outputs, targets, step).

    Args:
        name: a key of `LOSSES`.
        **options: the loss's keyword arguments.

    Raises:
        UserError: a name that is not in `LOSSES`.
    """
    if name not in LOSSES:
        raise errors.unknown("loss", name, LOSSES)
    return functools.partial(LOSSES[name], **options)
