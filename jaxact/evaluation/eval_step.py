"""One evaluation step for every model."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from jaxact.losses import classification as losses
from jaxact.models.outputs import Batch, apply_to_views, classifies, logits_of, merge_views


def eval_step(weights: Any, batch: Batch, *, apply: Callable[..., Any]) -> dict[str, Any]:
    """Logits of an evaluation batch, whose `inputs` carry a view axis: [b, views, ...].

    The views of an example are one prediction, see `models.outputs.merge_views`.

    Returns:
      `logits` f32 [b, classes], with `targets` and `mask` passed through; of a network without
      logits `loss` [b], the mean of its views', in their place.
    """
    count, views = batch["inputs"].shape[:2]
    outputs = apply_to_views(weights, batch["inputs"], apply=apply)
    if not classifies(outputs):
        each = losses.per_example(outputs, batch["targets"])
        return {"loss": jnp.mean(each.reshape(count, views), axis=1), "mask": batch["mask"]}
    logits = merge_views(logits_of(outputs), views)
    return {"logits": logits, "targets": batch["targets"], "mask": batch["mask"]}
