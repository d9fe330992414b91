"""The outputs of networks, and one prediction from the views of an example."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

Batch = Mapping[str, Any]


def classifies(outputs: Any) -> bool:
    """Whether a model's outputs hold logits."""
    return not isinstance(outputs, Mapping) or "logits" in outputs


def logits_of(outputs: Any) -> Float[Array, "b classes"]:
    """The logits of a model's outputs: the outputs, or their key `logits` if they are a mapping."""
    if isinstance(outputs, Mapping):
        return outputs["logits"]
    return outputs


def apply_to_views(
    weights: Any, inputs: Shaped[Any, "b views *rest"], *, apply: Callable[..., Any]
) -> Any:
    """A network's evaluation outputs, [b * views, ...], for examples with a view axis."""
    return apply(weights, inputs.reshape(-1, *inputs.shape[2:]), train=False)


def merge_views(logits: Float[Any, "n classes"], views: int) -> Float[Array, "b classes"]:
    """The log of the mean softmax probability over an example's views; logits if it has one."""
    logits = logits.astype(jnp.float32).reshape(-1, views, logits.shape[-1])
    if views == 1:
        return logits[:, 0]
    return jax.nn.logsumexp(jax.nn.log_softmax(logits), axis=1) - jnp.log(views)


def predict_logits(
    weights: Any, inputs: Shaped[Any, "b views *rest"], *, apply: Callable[..., Any]
) -> Float[Array, "b classes"]:
    """A classifier's logits for examples with a view axis, their views merged by `merge_views`."""
    outputs = apply_to_views(weights, inputs, apply=apply)
    return merge_views(logits_of(outputs), inputs.shape[1])
