"""Batch normalisation over all axes but the last, as a factor and an offset per channel."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

MOMENTUM = 0.9  # weight of the old running value in a training step
EPSILON = 1e-5


class BatchNorm(nn.Module):
    """(x - mean) / sqrt(var + eps) * scale + bias (Ioffe and Szegedy, ICML 2015, Algorithm 1).

    Returned as an affine map, which `affine` applies. Training uses the mean and the (biased)
    variance of the batch and moves the running ones a tenth of the way towards them; evaluation
    uses the running ones. Collections: `params` {scale, bias}, `batch_stats` {mean, var}, all
    float32.

    Attributes:
        axis_name: mapped axis over whose devices the statistics are averaged; None uses each
            device's own batch.
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
        """The factor and the offset that normalise `x`, for `affine`.

        Args:
            x: activations.
            train: use the batch's statistics, and update the running ones.
            left_out: a bias of the layer before that was not added to `x`. It cancels in the
                normalised batch, but belongs to the running mean.
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
    """Mean and biased variance over all axes but the last and over the devices of `axis_name`.

    One pass over `x` in float32: mean = s + E[x - s], var = E[(x - s)^2] - E[x - s]^2. The result
    does not depend on s. The mean of the samples' first rows is close enough to avoid cancellation
    if the mean is large compared with the deviation.
    """
    axes = tuple(range(x.ndim - 1))
    # The first row of every sample, so that no device reads another's samples.
    first_rows = x[(slice(None), *(0,) * (x.ndim - 2))]
    shift = jax.lax.stop_gradient(jnp.mean(first_rows.astype(jnp.float32), 0))
    centred = x.astype(jnp.float32) - _expand(shift, x)
    mean = jnp.mean(centred, axes)
    var = jnp.maximum(jnp.mean(jnp.square(centred), axes) - jnp.square(mean), 0)
    mean = mean + shift
    if axis_name is None:
        return mean, var
    global_mean = jax.lax.pmean(mean, axis_name)
    return global_mean, jax.lax.pmean(var + jnp.square(mean - global_mean), axis_name)


def affine(
    x: Float[Array, "*rows c"], factor: Float[Array, " c"], offset: Float[Array, " c"]
) -> Float[Array, "*rows c"]:
    """x * factor + offset per channel, in float32."""
    return x.astype(jnp.float32) * _expand(factor, x) + _expand(offset, x)


def _expand(vector: Float[Array, " c"], x: Array) -> Array:
    """`vector` with leading axes of length one, as strict rank promotion requires."""
    return vector.reshape((1,) * (x.ndim - 1) + vector.shape)
