"""One evaluation step for every model."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from jaxact.losses import Loss
from jaxact.models.outputs import Batch, apply_to_views, predict_logits


def eval_step(
    weights: Any, batch: Batch, *, apply: Callable[..., Any], loss: Loss | None = None
) -> dict[str, Any]:
    """Logits of an evaluation batch, whose `inputs` have a view axis: [b, views, ...].

    The views of an example are merged into one prediction, see `models.outputs.merge_views`.

    Args:
        apply: the model's `apply`.
        loss: per-example loss of a network that predicts no classes; None for a classifier.

    Returns:
        `logits` f32 [b, classes], with `targets` and `mask` passed through; with a `loss`, the mean
        loss of each example's views, `loss` [b], and `mask`.
    """
    inputs = batch["inputs"]
    if loss is None:
        logits = predict_logits(weights, inputs, apply=apply)
        return {"logits": logits, "targets": batch["targets"], "mask": batch["mask"]}
    losses = loss(apply_to_views(weights, inputs, apply=apply), batch["targets"])
    mean_losses = jnp.mean(losses.reshape(inputs.shape[:2]), axis=1)
    return {"loss": mean_losses, "mask": batch["mask"]}
