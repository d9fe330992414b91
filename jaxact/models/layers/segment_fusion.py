"""One prediction from the logits of a clip's segments."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def fuse_segments(
    logits: Float[Array, "b s classes"], kept: int = 0, confidence: str = "max"
) -> Float[Array, "b classes"]:
    """log p with p = sum_s c_s softmax(logits_s) / sum_s c_s, c the confidences of the segments.

    Args:
        logits: of each segment.
        kept: number of most confident segments that the sum runs over; 0 averages all of them.
        confidence: the kind of confidence, see `confidences`.
    """
    segments = logits.shape[1]
    if segments == 1:
        return logits[:, 0]
    log_p = jax.nn.log_softmax(logits.astype(jnp.float32))
    if kept == 0:
        return jax.nn.logsumexp(log_p, axis=1) - jnp.log(segments)
    weights = confidences(logits, confidence)
    ranks = jnp.argsort(jnp.argsort(-weights, axis=1), axis=1)
    weights = jnp.where(ranks < kept, weights, 0.0)
    weights = weights / jnp.maximum(jnp.sum(weights, axis=1, keepdims=True), 1e-12)
    p = jnp.einsum("bs,bsk->bk", weights, jnp.exp(log_p))
    return jnp.log(jnp.maximum(p, 1e-30))


def confidences(logits: Float[Array, "b s classes"], kind: str) -> Float[Array, "b s"]:
    """The confidence of each segment's prediction, in [0, 1].

    Args:
        logits: of each segment.
        kind: the largest probability ("max"), 1 - entropy / log classes ("entropy"), or the
            difference of the two largest probabilities ("margin").
    """
    p = jax.nn.softmax(logits.astype(jnp.float32))
    if kind == "max":
        return jnp.max(p, axis=-1)
    if kind == "margin":
        largest = jax.lax.top_k(p, 2)[0]
        return largest[..., 0] - largest[..., 1]
    entropy = -jnp.sum(p * jax.nn.log_softmax(logits.astype(jnp.float32)), axis=-1)
    return 1 - entropy / jnp.log(logits.shape[-1])
