"""Dropout (Srivastava et al., JMLR 2014) from a hash of the element's position: far cheaper than
JAX's random bits.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt32


def dropout(key: Array, x: Float[Array, "*shape"], rate: float) -> Float[Array, "*shape"]:
    """Zeroes each element with probability `rate` and divides the others by 1 - rate; `rate` in [0,
    1).

    The mask depends on `key` and the element's position alone, so it is the same on one device and
    on many.
    """
    keep = position_bits(key, x.shape) >= np.uint32(rate * 2**32)
    return jnp.where(keep, x / (1 - rate), jnp.zeros((), x.dtype))


def position_bits(key: Array, shape: tuple[int, ...]) -> UInt32[Array, "*shape"]:
    """32 random bits per element: two multiply-and-shift rounds of the key's two words and the
    element's number.

    The constants are those of the "lowbias32" integer hash (C. Wellons, 2018). Each word enters
    before a round of its own, so two keys do not give one mask in two orders. Good for masks, not
    for secrets.
    """
    first, second = jax.random.key_data(key).astype(jnp.uint32)[-2:]
    number = jnp.zeros(shape, jnp.uint32)
    stride = 1
    for axis in reversed(range(len(shape))):
        number += jax.lax.broadcasted_iota(jnp.uint32, shape, axis) * np.uint32(stride % 2**32)
        stride *= shape[axis]
    return _round(_round(number ^ first) ^ second)


def _round(bits: UInt32[Array, "*shape"]) -> UInt32[Array, "*shape"]:
    bits = (bits ^ (bits >> 16)) * np.uint32(0x7FEB352D)
    bits = (bits ^ (bits >> 15)) * np.uint32(0x846CA68B)
    return bits ^ (bits >> 16)
