"""Repeats the comparison of a ready network's certificate on this machine."""

import dataclasses
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from jaxact.errors import UserError
from jaxact.models.layers.formulation import formulation
from jaxact.models.outputs import logits_of
from jaxact.runs import ready_networks, trained_model

TOLERANCE = 1e-4  # largest difference of two logits, relative to the largest logit


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """Logits of a ready network on this machine against those in its certificate.

    Attributes:
        clips: number of inputs.
        difference: largest difference of two logits.
        relative: the same, relative to the largest logit.
    """

    clips: int
    difference: float
    relative: float


def logits(net: trained_model.TrainedModel, inputs: Float[np.ndarray, "n ..."]) -> np.ndarray:
    """Logits [n, classes] of a network, computed by the equations as written."""

    def apply(weights: Any, batch: jax.Array) -> jax.Array:
        return logits_of(net.model.apply(weights, batch, train=False))

    with formulation("direct"):
        return np.asarray(jax.jit(apply)(net.weights, inputs))


def compare(
    actual: Float[np.ndarray, "n classes"], expected: Float[np.ndarray, "n classes"]
) -> Comparison:
    """The difference of two arrays of logits."""
    difference = float(np.abs(actual - expected).max())
    return Comparison(len(expected), difference, difference / float(np.abs(expected).max()))


def verify(workdir: str) -> Comparison:
    """Runs a ready network on its certificate's inputs.

    Args:
        workdir: its name, with or without the prefix.

    Raises:
        UserError: no such network, damaged files, or a difference over `TOLERANCE`.
    """
    ready = ready_networks.find(workdir)
    inputs, expected = ready.example()
    net = trained_model.load(f"{ready_networks.PREFIX}{ready.name}")
    comparison = compare(logits(net, inputs), expected)
    if not comparison.relative <= TOLERANCE:
        raise UserError(
            f"the ready network {ready.name!r} gives other logits on this machine than its "
            f"certificate: they differ by {comparison.difference:.2e}, {comparison.relative:.2e} "
            f"of the largest, where {TOLERANCE:.0e} is allowed"
        )
    return comparison
