"""Dropout (Srivastava et al., JMLR 2014) from a hash of the element's position.

The hash is far cheaper than JAX's random bits.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt32


def dropout(key: Array, x: Float[Array, "*shape"], rate: float) -> Float[Array, "*shape"]:
    """Zeroes each element with probability `rate`, in [0, 1), and divides the others by 1 - rate.

    The mask depends only on `key` and the element's position, so it is the same on one device and
    on many.
    """
    keep = position_bits(key, x.shape) >= np.uint32(rate * 2**32)
    return jnp.where(keep, x / (1 - rate), jnp.zeros((), x.dtype))


def position_bits(key: Array, shape: tuple[int, ...]) -> UInt32[Array, "*shape"]:
    """32 random bits per element: two multiply-and-shift rounds over the key's two words and the
    element's index.

    The constants are those of the "lowbias32" integer hash (C. Wellons, 2018). Each word enters
    before a separate round, so two keys do not give the same mask in another order. Good for masks,
    not for cryptography.
    """
    first, second = jax.random.key_data(key).astype(jnp.uint32)[-2:]
    index = jnp.zeros(shape, jnp.uint32)
    stride = 1
    for axis in reversed(range(len(shape))):
        index += jax.lax.broadcasted_iota(jnp.uint32, shape, axis) * np.uint32(stride % 2**32)
        stride *= shape[axis]
    return _round(_round(index ^ first) ^ second)


def _round(bits: UInt32[Array, "*shape"]) -> UInt32[Array, "*shape"]:
    bits = (bits ^ (bits >> 16)) * np.uint32(0x7FEB352D)
    bits = (bits ^ (bits >> 15)) * np.uint32(0x846CA68B)
    return bits ^ (bits >> 16)
