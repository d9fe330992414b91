"""Convolution along time: every joint's sequence of `t` frames on its own, channels last."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

TAPS = 9  # the paper's temporal kernel size


def temporal_conv(
    x: Float[Array, "n v t c"], kernel: Float[Array, "taps c d"], stride: int = 1
) -> Float[Array, "n v s d"]:
    """y[s] = sum_i x[stride * s + i - taps // 2] @ kernel[i], zeros outside the clip.

    Args:
        x: features.
        kernel: an odd number of taps.
        stride: distance of output frames; s = ceil(t / stride).
    """
    half = kernel.shape[0] // 2
    return jax.lax.conv_general_dilated(
        x,
        kernel[None].astype(x.dtype),
        window_strides=(1, stride),
        padding=((0, 0), (half, half)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def fourier_temporal_conv(
    x: Float[Array, "n v t c"], kernel: Float[Array, "taps c d"], stride: int = 1
) -> Float[Array, "n v s d"]:
    """`temporal_conv` by the convolution theorem, with less than a quarter of its multiplications.

    Time is cut into tiles of N frames that overlap by taps - 1. In the Fourier basis a correlation is a product, so a
    tile costs about 1.5 N products of channels, where the sum above costs `taps` per output frame. A stride of 2 is
    stride 1 on pairs of frames: twice the channels, half the taps.
    """
    samples, joints, frames, channels = x.shape
    half = kernel.shape[0] // 2
    before = -(-half // stride)  # zeros in front of the clip, in folded frames
    x = jnp.pad(x, ((0, 0), (0, 0), (0, -frames % stride), (0, 0)))
    x = x.reshape(samples * joints, -1, stride * channels).astype(jnp.float32)
    kernel = jnp.pad(kernel, ((before * stride - half, -(before * stride + half + 1) % stride), (0, 0), (0, 0)))
    kernel = kernel.reshape(-1, stride * channels, kernel.shape[2])

    rows, count, channels = x.shape
    taps, _, features = kernel.shape
    length = tile_length(count, taps)
    tiles = -(-count // length)
    into, weigh, out = fourier_products(taps, length)
    x = jnp.pad(x, ((0, 0), (before, (tiles + 1) * length - count - before), (0, 0)))
    x = x.reshape(rows, tiles + 1, length, channels)
    x = jnp.concatenate([x[:, :-1], x[:, 1:, : taps - 1]], axis=2)  # each tile sees the beginning of the next
    x = (into @ jnp.moveaxis(x, 2, 0).reshape(length + taps - 1, -1)).reshape(-1, rows * tiles, channels)
    y = x @ jnp.einsum("pi,icd->pcd", weigh, kernel)
    y = (out @ y.reshape(out.shape[1], -1)).reshape(length, rows, tiles * features)
    y = jnp.moveaxis(y.reshape(length, rows, tiles, features), 0, 2)
    return y.reshape(samples, joints, tiles * length, features)[:, :, :count]


def tile_length(frames: int, taps: int) -> int:
    """Output frames per tile for which the transforms and products of `frames` outputs are fewest."""

    def cost(length: int) -> int:
        size = length + taps - 1
        return -(-frames // length) * (3 * size // 2 + 8)  # products, and the fixed share of a tile as measured

    return min(range(taps - 1, 33), key=cost)


@functools.cache
def fourier_products(taps: int, outputs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Matrices (into, weigh, out) with correlate(x, w) = out @ ((into @ x) * (weigh @ w)), products real.

    The discrete Fourier transform of N = taps + outputs - 1 points, where the cyclic correlation's first `outputs`
    values are the linear one's. A product of complex numbers (a + ib)(c + id) is three real ones (Gauss):
    c (a + b), a (d - c), b (c + d). Frequency 0 and, for even N, N / 2 are real and need one.

    Returns:
        into [p, N], weigh [p, taps], out [outputs, p], p = products per tile.
    """
    size = taps + outputs - 1
    into, weigh, out = [], [], []
    for frequency in range(size // 2 + 1):
        angle = 2 * np.pi * frequency / size
        cos, sin = np.cos(angle * np.arange(size)), np.sin(angle * np.arange(size))
        real, imaginary = cos[:outputs] / size, sin[:outputs] / size
        if 2 * frequency % size == 0:
            into, weigh, out = [*into, cos], [*weigh, cos[:taps]], [*out, real]
            continue
        a, b, c, d = cos, -sin, cos[:taps], sin[:taps]
        into += [a + b, a, b]
        weigh += [c, d - c, c + d]
        out += [2 * (real - imaginary), -2 * imaginary, -2 * real]
    return np.float32(into), np.float32(weigh), np.float32(out).T
