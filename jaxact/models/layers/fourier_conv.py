"""Convolution along time by the convolution theorem, with few multiplications."""

import functools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


def fourier_temporal_conv(
    x: Float[Array, "n v t c"], kernel: Float[Array, "taps c d"], stride: int = 1
) -> Float[Array, "n v s d"]:
    """`temporal_conv` for odd taps, with less than a quarter of its multiplications.

    Time is cut into tiles of N frames that overlap by taps - 1. In the Fourier basis a correlation
    is a product, so a tile needs about 1.5 N matrix products over channels, where the direct sum
    needs `taps` per output frame. A stride of 2 is computed as stride 1 on pairs of frames: twice
    the channels, half the taps.
    """
    frames = -(-x.shape[2] // stride)
    return correlate(x, fourier_kernel(kernel, frames, stride), kernel.shape[0], stride)


def fourier_kernel(
    kernel: Float[Array, "taps c d"], frames: int, stride: int = 1
) -> Float[Array, "p c2 d"]:
    """The kernel in the Fourier basis, for `frames` output frames; the same for every sample."""
    before, after = _folded_padding(kernel.shape[0], stride)
    kernel = jnp.pad(kernel, ((before, after), (0, 0), (0, 0)))
    kernel = kernel.reshape(-1, stride * kernel.shape[1], kernel.shape[2])
    taps, channels, features = kernel.shape
    weigh = fourier_products(taps, tile_length(frames, (taps, channels, features)))[1]
    return jnp.dot(weigh, kernel.reshape(taps, -1)).reshape(-1, channels, features)


def correlate(
    x: Float[Array, "n v t c"], kernel: Float[Array, "p c2 d"], taps: int, stride: int = 1
) -> Float[Array, "n v s d"]:
    """`temporal_conv` of `x` with a transformed kernel.

    Args:
        x: features.
        kernel: from `fourier_kernel`.
        taps: of the kernel before it was transformed.
        stride: distance of output frames.
    """
    samples, joints, frames, channels = x.shape
    before, after = _folded_padding(taps, stride)
    taps, lead = (before + taps + after) // stride, (before + taps // 2) // stride
    x = jnp.pad(x, ((0, 0), (0, 0), (0, -frames % stride), (0, 0)))
    x = x.reshape(samples * joints, -1, stride * channels).astype(jnp.float32)

    rows, count, channels = x.shape
    features = kernel.shape[2]
    length = tile_length(count, (taps, channels, features))
    tiles = -(-count // length)
    into, _, out = fourier_products(taps, length)
    x = jnp.pad(x, ((0, 0), (lead, (tiles + 1) * length - count - lead), (0, 0)))
    x = x.reshape(rows, tiles + 1, length, channels)
    # Each tile is followed by the beginning of the next.
    x = jnp.concatenate([x[:, :-1], x[:, 1:, : taps - 1]], axis=2)
    x = jnp.dot(into, jnp.moveaxis(x, 2, 0).reshape(length + taps - 1, -1))
    y = x.reshape(-1, rows * tiles, channels) @ kernel
    y = jnp.dot(out, y.reshape(out.shape[1], -1)).reshape(length, rows, tiles, features)
    y = jnp.moveaxis(y, 0, 2).reshape(samples, joints, tiles * length, features)
    return y[:, :, :count]


def _folded_padding(taps: int, stride: int) -> tuple[int, int]:
    """Zero taps to add before and after, so that windows start and end at multiples of `stride`."""
    before = -(taps // 2) % stride
    return before, -(before + taps) % stride


def tile_length(frames: int, kernel_shape: tuple[int, int, int]) -> int:
    """The cheapest number of output frames per tile, for a kernel [taps, c, d].

    Long tiles overlap less but cost more to transform. A tile of N frames needs 1.5 N products of
    c d multiplications, and transforms of 1.5 N^2 (c + d) multiplications, each of which takes
    about 0.7 of the time.
    """
    taps, channels, features = kernel_shape
    product, transform = channels * features, 0.7 * (channels + features)

    def cost(length: int) -> float:
        size = length + taps - 1
        return -(-frames // length) * size * (product + transform * size)

    return min(range(taps - 1, 33), key=cost)


@functools.cache
def fourier_products(taps: int, outputs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Real matrices with correlate(x, w) = out @ ((into @ x) * (weigh @ w)).

    The discrete Fourier transform of N = taps + outputs - 1 points, where the cyclic correlation's
    first `outputs` values are the linear one's. A product of complex numbers (a + ib)(c + id) is
    three real ones (Gauss): c (a + b), a (d - c), b (c + d). Frequency 0 and, for even N, N / 2 are
    real and need one product.

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
    return np.array(into, np.float32), np.array(weigh, np.float32), np.array(out, np.float32).T
