"""Loss of the spatial attention network: how well it predicts the joints' displacements."""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int


def displacement_loss(
    outputs: Mapping[str, Array], targets: Any, step: Int[Array, ""] | int = 0
) -> Float[Array, " b"]:
    """`smooth_l1` of the network's outputs, which hold their own target.

    Args:
        outputs: `predicted`, `displacement` and `confidence`, see `smooth_l1`.
        targets: ignored; a prediction of the next frame needs no label.
        step: ignored.
    """
    del targets, step
    return smooth_l1(outputs["predicted"], outputs["displacement"], outputs["confidence"])


def smooth_l1(
    predicted: Float[Array, "b t m v d"],
    true: Float[Array, "b t m v d"],
    confidence: Float[Array, "b t m v"],
) -> Float[Array, " b"]:
    """Smooth L1 loss of a clip's displacements, weighted by their confidence.

    sum_i c_i huber(e_i) / sum_i c_i, where huber(e) is the mean over the coordinates of e^2 / 2 for
    |e| < 1 and |e| - 1/2 elsewhere
    (Girshick, ICCV 2015, Equation 3).

    Args:
        predicted, true: in units of the displacements' standard deviation.
        confidence: 0 or more; a clip whose confidences are all 0 has loss 0.
    """
    error = jnp.mean(optax.losses.huber_loss(predicted, true, delta=1.0), axis=-1)
    total = jnp.sum(error * confidence, axis=(1, 2, 3))
    return total / jnp.maximum(jnp.sum(confidence, axis=(1, 2, 3)), 1e-6)
