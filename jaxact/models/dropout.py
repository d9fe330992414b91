"""Dropout (Srivastava et al., JMLR 2014)."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def dropout(key: Array, x: Float[Array, "*shape"], rate: float) -> Float[Array, "*shape"]:
    """Zeroes each element with probability `rate` and divides the others by 1 - rate; `rate` in [0, 1)."""
    keep = jax.random.bernoulli(key, 1 - rate, x.shape)
    return jnp.where(keep, x / (1 - rate), jnp.zeros((), x.dtype))
