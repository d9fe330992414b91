"""Convolution over the skeleton graph: one matrix of weights per part of the partition."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def graph_conv(
    x: Float[Array, "n t v c"],
    kernel: Float[Array, "c k d"],
    bias: Float[Array, "k d"],
    adjacency: Float[Array, "k v w"],
) -> Float[Array, "n t w d"]:
    """y[w] = sum_k sum_v A[k, v, w] (x[v] @ kernel[:, k] + bias[k]) (Yan et al. 2018, Equation 10, A given normalised).

    The bias is inside the sum, as in the released code: it reaches a joint times the column sums of the adjacency.

    Args:
        x: features.
        kernel: one c-to-d projection per part.
        bias: one per part.
        adjacency: weight with which source v reaches target w in part k; edge importance already multiplied in.
    """
    projected = jnp.einsum("ntvc,ckd->ntkvd", x, kernel.astype(x.dtype)) + bias.astype(x.dtype)[None, None, :, None]
    return jnp.einsum("ntkvd,kvw->ntwd", projected, adjacency.astype(x.dtype))
