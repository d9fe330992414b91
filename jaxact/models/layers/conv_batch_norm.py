"""Convolution, batch normalisation and ReLU with the constants of keras.applications.

A convolution has no bias. Its normalisation is the submodule `norm`. Feature maps are [n h w c];
padding is that of `jaxact.models.layers.convolution`.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.models.layers.batch_norm import affine, batch_statistics
from jaxact.models.layers.convolution import convolve, depthwise, pointwise

DECAY = 0.99  # of the running statistics
EPSILON = 1e-3
GLOROT = nn.initializers.glorot_uniform()


class KerasBatchNorm(nn.Module):
    """(x - mean) / sqrt(var + 0.001) * scale + bias, per channel and in float32.

    Training normalises with the batch's mean and biased variance and moves the running statistics
    by 1 - `DECAY` towards them; evaluation uses the running statistics. The variable collections
    are those of `jaxact.models.layers.batch_norm.BatchNorm`.

    Attributes:
        scale: learn a scale; the Inception networks have none.
        axis_name: mapped axis whose devices share batch statistics; None for each device's own.
    """

    scale: bool
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n h w c"], train: bool) -> Float[Array, "n h w c"]:
        """The normalised feature maps, in float32."""
        channels = (x.shape[-1],)
        bias = self.param("bias", nn.initializers.zeros, channels)
        running_mean = self.variable("batch_stats", "mean", jnp.zeros, channels)
        running_var = self.variable("batch_stats", "var", jnp.ones, channels)
        if train and not self.is_initializing():
            mean, var = batch_statistics(x, self.axis_name)
            running_mean.value = DECAY * running_mean.value + (1 - DECAY) * mean
            running_var.value = DECAY * running_var.value + (1 - DECAY) * var
        else:
            mean, var = running_mean.value, running_var.value
        factor = jax.lax.rsqrt(var + EPSILON)
        if self.scale:
            factor = factor * self.param("scale", nn.initializers.ones, channels)
        return affine(x, factor, bias - mean * factor)


class ConvBatchNorm(nn.Module):
    """Convolution, batch normalisation and an optional ReLU.

    Attributes:
        features: output channels.
        kernel: height and width in pixels.
        stride: in both directions, pixels.
        padding: "SAME" or "VALID".
        relu: end with a ReLU.
        scale, axis_name: see `KerasBatchNorm`.
        dtype: of the convolution and of the output.
    """

    features: int
    kernel: tuple[int, int]
    stride: int
    padding: str
    relu: bool
    scale: bool
    dtype: Any
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n h w c"], train: bool) -> Float[Array, "n i j d"]:
        """The output feature maps; `train` uses the batch's statistics."""
        kernel = self.param("kernel", GLOROT, (*self.kernel, x.shape[-1], self.features))
        x = convolve(x, kernel.astype(self.dtype), self.stride, self.padding)
        x = KerasBatchNorm(self.scale, self.axis_name, name="norm")(x, train)
        if self.relu:
            x = nn.relu(x)
        return x.astype(self.dtype)


class SeparableConvBatchNorm(nn.Module):
    """Depthwise separable 3 x 3 convolution (Chollet, CVPR 2017) and batch normalisation.

    Attributes:
        features: output channels.
        dtype, axis_name: see `ConvBatchNorm`.
    """

    features: int
    dtype: Any
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n h w c"], train: bool) -> Float[Array, "n h w d"]:
        """Feature maps of the same size; `train` uses the batch's statistics."""
        channels = x.shape[-1]
        spatial = self.param("depthwise", _depthwise_init, (3, 3, channels))
        across = self.param("pointwise", GLOROT, (channels, self.features))
        x = depthwise(x, spatial.astype(self.dtype))
        x = pointwise(x, across.astype(self.dtype))
        x = KerasBatchNorm(True, self.axis_name, name="norm")(x, train)
        return x.astype(self.dtype)


def _depthwise_init(key: Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> Array:
    """Glorot initialisation with Keras's fans of a depthwise kernel: 9 c in, 9 out."""
    return GLOROT(key, (*shape, 1), dtype)[..., 0]
