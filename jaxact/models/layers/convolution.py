"""Convolution and pooling of feature maps [n h w c].

Padding is "SAME" or "VALID" as in TensorFlow: "SAME" puts the extra row of zeros last.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxact.models.layers.formulation import for_cpu

DIMENSIONS = ("NHWC", "HWIO", "NHWC")


def convolve(
    x: Float[Array, "n h w c"],
    kernel: Float[Array, "y x c d"],
    stride: int = 1,
    padding: str = "SAME",
):
    """y[i, j] = sum_yx x[i s + y, j s + x] kernel[y, x], [n i j d]."""
    if kernel.shape[:2] == (1, 1):
        return x[:, ::stride, ::stride] @ kernel[0, 0]
    reach = (min(kernel.shape[:2]) + 1) // 2
    if stride == 1 and padding == "SAME" and max(x.shape[1:3]) <= reach:
        return _convolve_as_matmul(x, kernel)
    return jax.lax.conv_general_dilated(
        x, kernel, (stride, stride), padding, dimension_numbers=DIMENSIONS
    )


def _convolve_as_matmul(
    x: Float[Array, "n h w c"], kernel: Float[Array, "y x c d"]
) -> Float[Array, "n h w d"]:
    """`convolve` as one matrix product, for maps so small that every pixel reaches every pixel.

    XLA would exchange the maps and the kernel and convolve the kernel with the maps: ten times
    slower on a CPU.
    """
    count, height, width, channels = x.shape
    # offsets[i, y]: the row of the kernel that takes row y of the input to row i of the output.
    row_offsets = np.arange(height)[None] - np.arange(height)[:, None]
    column_offsets = np.arange(width)[None] - np.arange(width)[:, None]
    rows = row_offsets[:, None, :, None] + (kernel.shape[0] - 1) // 2
    columns = column_offsets[None, :, None, :] + (kernel.shape[1] - 1) // 2
    pairs = kernel[rows, columns]  # [i j y x c d]
    inputs = height * width * channels
    matrix = jnp.transpose(pairs, (2, 3, 4, 0, 1, 5)).reshape(inputs, -1)
    y = x.reshape(count, inputs) @ matrix
    return y.reshape(count, height, width, kernel.shape[3])


def depthwise(
    x: Float[Array, "n h w c"], kernel: Float[Array, "3 3 c"], stride: int = 1
) -> Float[Array, "n i j c"]:
    """Depthwise 3 x 3 convolution with padding "SAME".

    The CPU formulation is nine shifted products, which XLA fuses into one loop: 5 to 13 times
    faster on a CPU than XLA's grouped convolution, with the same numbers, and a gradient of the
    same form.

    Args:
        x: feature maps.
        kernel: one 3 x 3 kernel per channel.
        stride: 1 or 2, in both directions.
    """
    if not for_cpu():
        return jax.lax.conv_general_dilated(
            x,
            kernel[:, :, None],
            (stride, stride),
            "SAME",
            dimension_numbers=DIMENSIONS,
            feature_group_count=x.shape[-1],
        )
    y = _depthwise(x.astype(jnp.float32), kernel.astype(jnp.float32)).astype(x.dtype)
    if stride == 1:
        return y
    height, width = x.shape[1:3]
    return y[:, 1 - height % 2 :: 2, 1 - width % 2 :: 2]  # XLA computes only these pixels


@jax.custom_vjp
def _depthwise(
    x: Float[Array, "n h w c"], kernel: Float[Array, "3 3 c"]
) -> Float[Array, "n h w c"]:
    total = jnp.zeros((), jnp.float32)[None, None, None, None]
    for pixels, weights in zip(_neighbours(x), kernel.reshape(9, -1), strict=True):
        total = total + pixels * weights[None, None, None]
    return total


def _depthwise_forward(x: Array, kernel: Array) -> tuple[Array, tuple[Array, Array]]:
    return _depthwise(x, kernel), (x, kernel)


def _depthwise_backward(residuals: tuple[Array, Array], dy: Array) -> tuple[Array, Array]:
    """Sums the kernel's gradient image by image; one loop over all of them is 4 times slower."""
    x, kernel = residuals

    def add(total: Array, image: tuple[Array, Array]) -> tuple[Array, None]:
        x, dy = image
        sums = [jnp.sum(pixels[0] * dy, axis=(0, 1)) for pixels in _neighbours(x[None])]
        return total + jnp.stack(sums), None

    # Without the barrier XLA computes dy again for each of the nine products.
    dy = jax.lax.optimization_barrier(dy)
    d_kernel, _ = jax.lax.scan(add, jnp.zeros((9, x.shape[-1])), (x, dy))
    return _depthwise(dy, kernel[::-1, ::-1]), d_kernel.reshape(kernel.shape)


_depthwise.defvjp(_depthwise_forward, _depthwise_backward)


def _neighbours(x: Float[Array, "n h w c"]) -> list[Float[Array, "n h w c"]]:
    """The maps shifted to each of the nine neighbours of a pixel, zeros outside the image."""
    height, width = x.shape[1:3]
    padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return [padded[:, i : i + height, j : j + width] for i in range(3) for j in range(3)]


def pointwise(x: Float[Array, "n h w c"], kernel: Float[Array, "c d"]) -> Float[Array, "n h w d"]:
    """1 x 1 convolution, x @ kernel.

    The CPU formulation sums the kernel's gradient image by image; over all images at once XLA
    copies the maps transposed.
    """
    if for_cpu():
        return _pointwise(x, kernel)
    return x @ kernel


@jax.custom_vjp
def _pointwise(x: Float[Array, "n h w c"], kernel: Float[Array, "c d"]) -> Float[Array, "n h w d"]:
    return x @ kernel


def _pointwise_forward(x: Array, kernel: Array) -> tuple[Array, tuple[Array, Array]]:
    return x @ kernel, (x, kernel)


def _pointwise_backward(residuals: tuple[Array, Array], dy: Array) -> tuple[Array, Array]:
    x, kernel = residuals

    def add(total: Array, image: tuple[Array, Array]) -> tuple[Array, None]:
        return total + jnp.einsum("hwc,hwd->cd", *image), None

    d_kernel, _ = jax.lax.scan(add, jnp.zeros_like(kernel), (x, dy))
    return dy @ kernel.T, d_kernel


_pointwise.defvjp(_pointwise_forward, _pointwise_backward)


def max_pool(x: Float[Array, "n h w c"], padding: str = "SAME") -> Float[Array, "n i j c"]:
    """3 x 3 max pooling at stride 2."""
    return nn.max_pool(x, (3, 3), (2, 2), padding)


def max_pool_by_axis(x: Float[Array, "n h w c"], padding: str = "SAME") -> Float[Array, "n i j c"]:
    """`max_pool`, whose CPU formulation pools along the columns and then along the rows.

    Its gradient is four times faster on a CPU, and the same except that equally large pixels share
    it.
    """
    if not for_cpu():
        return max_pool(x, padding)
    pads = jax.lax.padtype_to_pads(x.shape[1:3], (3, 3), (2, 2), padding)
    for axis, ends in zip((1, 2), pads, strict=True):
        pad = [(0, 0)] * 4
        pad[axis] = ends
        padded = jnp.pad(x, pad, constant_values=-jnp.inf)
        length = (padded.shape[axis] - 3) // 2 * 2 + 1
        first = jax.lax.slice_in_dim(padded, 0, length, 2, axis)
        second = jax.lax.slice_in_dim(padded, 1, 1 + length, 2, axis)
        third = jax.lax.slice_in_dim(padded, 2, 2 + length, 2, axis)
        x = jnp.maximum(jnp.maximum(first, second), third)
    return x


def mean_pool(x: Float[Array, "n h w c"]) -> Float[Array, "n h w c"]:
    """3 x 3 mean pooling at stride 1; padding does not count."""
    return nn.avg_pool(x, (3, 3), (1, 1), "SAME", count_include_pad=False)
