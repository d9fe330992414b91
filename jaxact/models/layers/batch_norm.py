"""Batch normalisation over every axis but the last, as a factor and an offset per channel, kept in
float32.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

MOMENTUM = 0.9  # share of the running value that a step keeps
EPSILON = 1e-5


class BatchNorm(nn.Module):
    """(x - mean) / sqrt(var + eps) * scale + bias (Ioffe and Szegedy, ICML 2015, Algorithm 1),
    given as an affine map.

    Training takes mean and (biased) variance of the batch and moves the running ones a tenth of the
    way towards them; evaluation uses the running ones. Collections: `params` {scale, bias},
    `batch_stats` {mean, var}, all float32.

    Attributes:
        axis_name: mapped axis over whose devices the statistics are shared; None for those of this
            device's batch.
        scale_init: initialiser of `scale`.
    """

    axis_name: str | None = None
    scale_init: nn.initializers.Initializer = nn.initializers.ones

    @nn.compact
    def __call__(
        self,
        x: Float[Array, "*rows c"],
        train: bool = False,
        left_out: Float[Array, " c"] | float = 0.0,
    ) -> tuple[Float[Array, " c"], Float[Array, " c"]]:
        """Factor and offset with which `affine` normalises `x`.

        Args:
            x: what is to be normalised.
            train: use the batch's statistics, and let them move the running ones.
            left_out: a bias that belongs to `x` and was not added to it. A normalised batch does
                not feel it, the running mean does.
        """
        channels = x.shape[-1]
        scale = self.param("scale", self.scale_init, (channels,))
        bias = self.param("bias", nn.initializers.zeros, (channels,))
        running_mean = self.variable("batch_stats", "mean", jnp.zeros, (channels,))
        running_var = self.variable("batch_stats", "var", jnp.ones, (channels,))
        if not train or self.is_initializing():
            mean, var = running_mean.value - left_out, running_var.value
        else:
            mean, var = batch_statistics(x, self.axis_name)
            running_mean.value = MOMENTUM * running_mean.value + (1 - MOMENTUM) * (mean + left_out)
            running_var.value = MOMENTUM * running_var.value + (1 - MOMENTUM) * var
        factor = scale * jax.lax.rsqrt(var + EPSILON)
        return factor, bias - mean * factor


def batch_statistics(
    x: Float[Array, "*rows c"], axis_name: str | None = None
) -> tuple[Float[Array, " c"], Float[Array, " c"]]:
    """Mean and biased variance over all axes but the last, in float32, over the devices of
    `axis_name` too.

    One pass over `x`: mean = s + E[x - s], var = E[(x - s)^2] - E[x - s]^2. Any s gives the same;
    the mean of the samples' first rows is near enough that nothing cancels where the mean is large
    beside the deviation.
    """
    axes = tuple(range(x.ndim - 1))
    first = x[
        (slice(None), *(0,) * (x.ndim - 2))
    ]  # of every sample, so that no device has to ask another for its own
    shift = jax.lax.stop_gradient(jnp.mean(first.astype(jnp.float32), 0))
    centred = x.astype(jnp.float32) - _beside(shift, x)
    mean = jnp.mean(centred, axes)
    var = jnp.maximum(jnp.mean(jnp.square(centred), axes) - jnp.square(mean), 0)
    mean = mean + shift
    if axis_name is None:
        return mean, var
    everywhere = jax.lax.pmean(mean, axis_name)
    return everywhere, jax.lax.pmean(var + jnp.square(mean - everywhere), axis_name)


def affine(
    x: Float[Array, "*rows c"], factor: Float[Array, " c"], offset: Float[Array, " c"]
) -> Float[Array, "*rows c"]:
    """x * factor + offset per channel, in float32."""
    return x.astype(jnp.float32) * _beside(factor, x) + _beside(offset, x)


def _beside(vector: Float[Array, " c"], x: Array) -> Array:
    """`vector` with leading axes of one, so that strict rank promotion accepts it beside `x`."""
    return vector.reshape((1,) * (x.ndim - 1) + vector.shape)
