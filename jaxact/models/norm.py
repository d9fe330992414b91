"""Batch normalisation over every axis but the last, with statistics kept in float32."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

MOMENTUM = 0.9  # share of the running value that a step keeps
EPSILON = 1e-5


class BatchNorm(nn.Module):
    """y = (x - mean) / sqrt(var + eps) * scale + bias (Ioffe and Szegedy, ICML 2015, Algorithm 1).

    Training takes mean and (biased) variance of the batch and moves the running ones a tenth of the way towards them;
    evaluation uses the running ones. Collections: `params` {scale, bias}, `batch_stats` {mean, var}, all float32.

    Attributes:
        axis_name: mapped axis over whose devices the statistics are shared; None for those of this device's batch.
        scale_init: initialiser of `scale`.
    """

    axis_name: str | None = None
    scale_init: nn.initializers.Initializer = nn.initializers.ones

    @nn.compact
    def __call__(self, x: Float[Array, "*rows c"], train: bool = False) -> Float[Array, "*rows c"]:
        """Normalises `x`; with `train` by the batch's statistics, which then also move the running ones."""
        channels = x.shape[-1]
        scale = self.param("scale", self.scale_init, (channels,))
        bias = self.param("bias", nn.initializers.zeros, (channels,))
        running_mean = self.variable("batch_stats", "mean", jnp.zeros, (channels,))
        running_var = self.variable("batch_stats", "var", jnp.ones, (channels,))
        if train:
            mean, var = batch_statistics(x, self.axis_name if not self.is_initializing() else None)
            if not self.is_initializing():
                running_mean.value = MOMENTUM * running_mean.value + (1 - MOMENTUM) * mean
                running_var.value = MOMENTUM * running_var.value + (1 - MOMENTUM) * var
        else:
            mean, var = running_mean.value, running_var.value
        return normalise(x, mean, var, scale, bias)


def batch_statistics(
    x: Float[Array, "*rows c"], axis_name: str | None
) -> tuple[Float[Array, " c"], Float[Array, " c"]]:
    """Mean and biased variance over all axes but the last, in float32, over the devices of `axis_name` too."""
    axes = tuple(range(x.ndim - 1))
    x = x.astype(jnp.float32)
    mean = jnp.mean(x, axes)
    if axis_name is not None:
        mean = jax.lax.pmean(mean, axis_name)
    var = jnp.mean(jnp.square(x - _as(mean, x)), axes)
    if axis_name is not None:
        var = jax.lax.pmean(var, axis_name)
    return mean, var


def normalise(
    x: Float[Array, "*rows c"],
    mean: Float[Array, " c"],
    var: Float[Array, " c"],
    scale: Float[Array, " c"],
    bias: Float[Array, " c"],
) -> Float[Array, "*rows c"]:
    """The affine map of the class docstring, computed in float32 and returned in the type of `x`."""
    factor = scale * jax.lax.rsqrt(var + EPSILON)
    return ((x - _as(mean, x)) * _as(factor, x) + _as(bias, x)).astype(x.dtype)


def _as(vector: Float[Array, " c"], like: Array) -> Array:
    """`vector` with leading axes of one, so that strict rank promotion accepts it beside `like`."""
    return vector.reshape((1,) * (like.ndim - 1) + vector.shape)
