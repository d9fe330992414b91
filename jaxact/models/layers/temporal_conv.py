"""Convolution along time, of every joint's sequence of frames on its own; channels last."""

import jax
import jax.numpy as jnp
from flax import linen as nn
from jaxtyping import Array, Float

from jaxact.models.layers.batch_norm import affine
from jaxact.models.layers.chunked_map import by_sample
from jaxact.models.layers.formulation import for_cpu
from jaxact.models.layers.fourier_conv import correlate, fourier_kernel

TAPS = 9  # the kernel size in ST-GCN's paper, in frames
PAST = TAPS - 1  # frames before the current one that a causal kernel of that size reads

Features = Float[Array, "n v t c"]
Kernel = Float[Array, "taps c d"]
Channels = Float[Array, " c"]


def temporal_conv(x: Features, kernel: Kernel, stride: int = 1) -> Float[Array, "n v s d"]:
    """y[s] = sum_i x[stride * s + i - (taps - 1) // 2] @ kernel[i], with zeros outside the clip.

    Args:
        x: features.
        kernel: with an even number of taps, the extra one reads a later frame.
        stride: distance of output frames; s = ceil(t / stride).
    """
    taps = kernel.shape[0]
    return _convolve(x, kernel, stride, padding=((taps - 1) // 2, taps // 2))


def causal_conv(x: Features, kernel: Kernel, stride: int = 1) -> Float[Array, "n v s d"]:
    """y[s] = sum_i x[stride * s + i - (taps - 1)] @ kernel[i], with zeros before the clip."""
    past = kernel.shape[0] - 1
    return valid_conv(jnp.pad(x, ((0, 0), (0, 0), (past, 0), (0, 0))), kernel, stride)


def valid_conv(x: Features, kernel: Kernel, stride: int = 1) -> Float[Array, "n v s d"]:
    """y[s] = sum_i x[stride * s + i] @ kernel[i], for each s whose frames are all in the clip."""
    return _convolve(x, kernel, stride, padding=(0, 0))


def norm_relu_temporal_conv(
    x: Features, factor: Channels, offset: Channels, kernel: Kernel, stride: int = 1
) -> Float[Array, "n v s d"]:
    """`temporal_conv` of ReLU(x * factor + offset), for an odd number of taps.

    Args:
        x: features before normalisation.
        factor, offset: from `BatchNorm`.
        kernel, stride: see `temporal_conv`.
    """
    if not for_cpu():
        return temporal_conv(norm_relu(x, factor, offset), kernel, stride)
    taps = kernel.shape[0]

    def convolve(x: Features, weights: tuple[Array, ...]) -> Array:
        kernel, factor, offset = weights
        return correlate(norm_relu(x, factor, offset), kernel, taps, stride).astype(x.dtype)

    frames = -(-x.shape[2] // stride)
    return by_sample(convolve, x, (fourier_kernel(kernel, frames, stride), factor, offset))


def norm_relu_causal_conv(
    x: Features, factor: Channels, offset: Channels, kernel: Kernel, stride: int = 1
) -> Float[Array, "n v s d"]:
    """`causal_conv` of ReLU(x * factor + offset); see `norm_relu_temporal_conv`."""
    if not for_cpu():
        return causal_conv(norm_relu(x, factor, offset), kernel, stride)
    taps = kernel.shape[0]
    frames = -(-x.shape[2] // stride)

    def convolve(x: Features, weights: tuple[Array, ...]) -> Array:
        kernel, factor, offset = weights
        # `correlate` pads half of the past itself.
        x = jnp.pad(norm_relu(x, factor, offset), ((0, 0), (0, 0), (taps // 2, 0), (0, 0)))
        return correlate(x, kernel, taps, stride)[:, :, :frames].astype(x.dtype)

    padded_frames = -(-(x.shape[2] + taps // 2) // stride)
    return by_sample(convolve, x, (fourier_kernel(kernel, padded_frames, stride), factor, offset))


def strided_projection(
    x: Features, kernel: Float[Array, "1 c d"], stride: int = 1
) -> Float[Array, "n v s d"]:
    """y[s] = x[stride * s] @ kernel[0]."""
    if for_cpu():
        return x[:, :, ::stride] @ kernel[0].astype(x.dtype)
    # As a convolution, so that a symbolic number of frames has the same form as that of
    # `temporal_conv`.
    return temporal_conv(x, kernel, stride)


def norm_relu(x: Float[Array, "*rows c"], factor: Channels, offset: Channels) -> Array:
    """ReLU(x * factor + offset) in the type of x."""
    return nn.relu(affine(x, factor, offset)).astype(x.dtype)


def _convolve(x: Features, kernel: Kernel, stride: int, padding: tuple[int, int]) -> Array:
    return jax.lax.conv_general_dilated(
        x,
        kernel[None].astype(x.dtype),
        window_strides=(1, stride),
        padding=((0, 0), padding),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
