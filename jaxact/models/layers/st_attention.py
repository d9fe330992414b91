"""Attention over joints and over frames inside a graph convolution: STA-GCN's Equations 3 to 6,
those of ASTGCN (Guo, Lin, Feng, Song and Wan, AAAI 2019) before it.

Both matrices come from what a clip holds, through vectors that contract the other two axes, so that
a network that has them is tied to one number of frames.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

AXES = (
    "j",
    "i",
)  # which index of S and E the softmax sums over: the paper's j, or ASTGCN's released code's i

Weights = Mapping[str, Array]


def spatial_attention(
    x: Float[Array, "n v t c"], weights: Weights, axis: str = "j"
) -> Float[Array, "n v w"]:
    """How much joint w takes from joint v: S' of Equations 3 and 4, [source][target], of sum 1 over
    the sources.

    S = Vs sigmoid((X w1) w2 (w3 X)^T + bs). With `axis` "j" S'[i, j] is what joint i takes from
    joint j, a softmax over j as printed; with "i" it is what j takes from i, a softmax over i, as
    ASTGCN's code has it.

    Args:
        x: features.
        weights: `along` (w1) [t], `across` (w2) [c t], `channels` (w3) [c], `matrix` (Vs) [v v],
            `bias` (bs) [v v].
        axis: one of `AXES`.
    """
    x = x.astype(jnp.float32)
    left = jnp.einsum("nvtc,t->nvc", x, weights["along"]) @ weights["across"]
    right = jnp.einsum("nvtc,c->nvt", x, weights["channels"])
    scores = jax.nn.sigmoid(jnp.einsum("nvt,nwt->nvw", left, right) + weights["bias"][None])
    scores = jnp.einsum("ij,njw->niw", weights["matrix"], scores)
    return jax.nn.softmax(jnp.swapaxes(scores, 1, 2) if axis == "j" else scores, axis=1)


def temporal_attention(
    x: Float[Array, "n v t c"], weights: Weights, axis: str = "j"
) -> Float[Array, "n t s"]:
    """E' of Equations 5 and 6: E = Ve sigmoid((X^T u1) u2 (u3 X) + be), and its softmax over
    `axis`.

    Args:
        x: features.
        weights: `along` (u1) [v], `across` (u2) [c v], `channels` (u3) [c], `matrix` (Ve) [t t],
            `bias` (be) [t t].
        axis: one of `AXES`.
    """
    x = x.astype(jnp.float32)
    left = jnp.einsum("nvtc,v->ntc", x, weights["along"]) @ weights["across"]
    right = jnp.einsum("nvtc,c->nvt", x, weights["channels"])
    scores = jax.nn.sigmoid(jnp.einsum("ntv,nvs->nts", left, right) + weights["bias"][None])
    scores = jnp.einsum("ij,njs->nis", weights["matrix"], scores)
    return jax.nn.softmax(scores, axis=2 if axis == "j" else 1)


def mix_frames(
    x: Float[Array, "n v t c"], attention: Float[Array, "n t s"]
) -> Float[Array, "n v s c"]:
    """x[s] = sum_t x[t] E'[t, s], the X E' of Equation 9."""
    return jnp.einsum("nvtc,nts->nvsc", x, attention.astype(x.dtype))


@jax.custom_vjp
def planned_mix_frames(
    x: Float[Array, "n v t c"], attention: Float[Array, "n t s"]
) -> Float[Array, "n v s c"]:
    """`mix_frames` as one large matrix product per sample, forward and for each of the two
    gradients.
    """
    return _joints_first(jnp.swapaxes(attention, 1, 2) @ _frames_first(x), x)


def _planned_forward(x, attention):
    return planned_mix_frames(x, attention), (x, attention)


def _planned_backward(saved, dy):
    x, attention = saved
    dy = _frames_first(dy)
    return _joints_first(attention @ dy, x), _frames_first(x) @ jnp.swapaxes(dy, 1, 2)


planned_mix_frames.defvjp(_planned_forward, _planned_backward)


def _frames_first(x: Float[Array, "n v t c"]) -> Float[Array, "n t vc"]:
    samples, joints, frames, channels = x.shape
    return jnp.swapaxes(x, 1, 2).reshape(samples, frames, joints * channels)


def _joints_first(
    x: Float[Array, "n t vc"], like: Float[Array, "n v t c"]
) -> Float[Array, "n v t c"]:
    samples, joints, frames, channels = like.shape
    return jnp.swapaxes(x.reshape(samples, frames, joints, channels), 1, 2)


def vector_init(key: Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> Array:
    """U(0, 1) divided by the length: ASTGCN's U(0, 1) drives the sigmoids into saturation."""
    return jax.random.uniform(key, shape, dtype) / shape[0]


def attention_weights(
    module: nn.Module, name: str, *, size: int, other: int, channels: int
) -> dict[str, Array]:
    """Parameters of one of the two matrices, `size` square, that contracts an axis of `other`
    entries.

    `along` runs over the axis that is contracted first: frames for the joints' matrix, joints for
    the frames'.
    """
    glorot, zeros = nn.initializers.glorot_uniform(), nn.initializers.zeros
    return {
        "along": module.param(f"{name}_along", vector_init, (other,)),
        "across": module.param(f"{name}_across", glorot, (channels, other)),
        "channels": module.param(f"{name}_channels", vector_init, (channels,)),
        "matrix": module.param(f"{name}_matrix", glorot, (size, size)),
        "bias": module.param(f"{name}_bias", zeros, (size, size)),
    }
