"""Attention over joints and over frames inside a graph convolution: Equations 3 to 6 of STA-GCN.

They are those of ASTGCN (Guo, Lin, Feng, Song and Wan, AAAI 2019). Both attention matrices are
computed from the features, with parameters that contract the other two axes. One of those axes is
time, so a network with attention has a fixed number of frames.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from jaxact.models.layers.formulation import for_cpu

# The index of S and E that the softmax sums over: j as in the paper, i as in ASTGCN's code.
AXES = ("j", "i")

Weights = Mapping[str, Array]


def spatial_attention(
    x: Float[Array, "n v t c"], weights: Weights, axis: str = "j"
) -> Float[Array, "n v w"]:
    """The weight of source v for target w: S' of Equations 3 and 4, which sums to 1 over sources.

    S = Vs sigmoid((X w1) w2 (w3 X)^T + bs). With `axis` "j", S'[i, j] is the weight of source j
    for target i, a softmax over j as printed. With "i" it is the weight of source i for target j,
    a softmax over i as in ASTGCN's code.

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
    if axis == "j":
        scores = jnp.swapaxes(scores, 1, 2)
    return jax.nn.softmax(scores, axis=1)


def temporal_attention(
    x: Float[Array, "n v t c"], weights: Weights, axis: str = "j"
) -> Float[Array, "n t s"]:
    """E' of Equations 5 and 6: the softmax over `axis` of E = Ve sigmoid((X^T u1) u2 (u3 X) + be).

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
    mix = planned_mix_frames if for_cpu() else direct_mix_frames
    return mix(x, attention)


def direct_mix_frames(
    x: Float[Array, "n v t c"], attention: Float[Array, "n t s"]
) -> Float[Array, "n v s c"]:
    """`mix_frames` as one sum."""
    return jnp.einsum("nvtc,nts->nvsc", x, attention.astype(x.dtype))


@jax.custom_vjp
def planned_mix_frames(
    x: Float[Array, "n v t c"], attention: Float[Array, "n t s"]
) -> Float[Array, "n v s c"]:
    """`mix_frames` as one large matrix product per sample, as are its two gradients."""
    return _joints_first(jnp.swapaxes(attention, 1, 2) @ _frames_first(x), x)


def _planned_forward(x, attention):
    return planned_mix_frames(x, attention), (x, attention)


def _planned_backward(residuals, dy):
    x, attention = residuals
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
    """U(0, 1) divided by the length, because ASTGCN's U(0, 1) saturates the sigmoids."""
    return jax.random.uniform(key, shape, dtype) / shape[0]


def attention_weights(
    module: nn.Module, name: str, *, size: int, other: int, channels: int
) -> dict[str, Array]:
    """The parameters of one of the two attention matrices, as parameters of `module`.

    Args:
        module: the calling module.
        name: "joints" or "frames", the prefix of the parameters' names.
        size: rows of the square matrix.
        other: length of the axis that is contracted first: frames for joints, joints for frames.
        channels: channels of the features.
    """
    glorot, zeros = nn.initializers.glorot_uniform(), nn.initializers.zeros
    return {
        "along": module.param(f"{name}_along", vector_init, (other,)),
        "across": module.param(f"{name}_across", glorot, (channels, other)),
        "channels": module.param(f"{name}_channels", vector_init, (channels,)),
        "matrix": module.param(f"{name}_matrix", glorot, (size, size)),
        "bias": module.param(f"{name}_bias", zeros, (size, size)),
    }
