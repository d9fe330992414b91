"""Convolution, batch normalisation and ReLU with the constants of keras.applications, as the frame
networks have them.

A convolution has no bias, its normalisation stands in `norm` beneath it. Maps are [n h w c],
padding "SAME" or "VALID" as in TensorFlow, which puts the odd row of zeros last.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxact.models.layers.batch_norm import affine, batch_statistics

DECAY = 0.99  # share of the running value that a step keeps
EPSILON = 1e-3
GLOROT = nn.initializers.glorot_uniform()


class Norm(nn.Module):
    """(x - mean) / sqrt(var + 0.001) * scale + bias, per channel and in float32.

    Training normalises with the batch's mean and biased variance and moves the running ones a
    hundredth of the way towards them; evaluation uses the running ones. Collections as in
    `jaxact.models.layers.batch_norm.BatchNorm`.

    Attributes:
        scale: whether a scale is learned; the Inception networks have none.
        axis_name: mapped axis over whose devices the statistics are shared; None for those of this
            device's batch.
    """

    scale: bool
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n h w c"], train: bool) -> Float[Array, "n h w c"]:
        """The normalised maps, in float32."""
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


class ConvNorm(nn.Module):
    """Convolution, normalisation and, where asked for, ReLU.

    Attributes:
        features: channels out.
        kernel: height and width.
        stride: distance of output pixels, both ways.
        padding: "SAME" or "VALID".
        relu: whether there is one.
        scale, axis_name: see `Norm`.
        dtype: of the convolution and of what comes out.
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
        """Maps in, maps out; `train` takes the batch's statistics."""
        kernel = self.param("kernel", GLOROT, (*self.kernel, x.shape[-1], self.features))
        x = convolve(x, kernel.astype(self.dtype), self.stride, self.padding)
        x = Norm(self.scale, self.axis_name, name="norm")(x, train)
        return (nn.relu(x) if self.relu else x).astype(self.dtype)


class SeparableConvNorm(nn.Module):
    """Separable convolution (Chollet, CVPR 2017): 3 x 3 within each channel, 1 x 1 across them;
    then normalisation.

    Attributes:
        features: channels out.
        dtype, axis_name: see `ConvNorm`.
        fast: see `depthwise`.
    """

    features: int
    dtype: Any
    axis_name: str | None
    fast: bool

    @nn.compact
    def __call__(self, x: Float[Array, "n h w c"], train: bool) -> Float[Array, "n h w d"]:
        """Maps in, maps of the same size out; `train` takes the batch's statistics."""
        channels = x.shape[-1]
        within = self.param("depthwise", _depthwise_init, (3, 3, channels))
        across = self.param("pointwise", GLOROT, (channels, self.features))
        x = pointwise(
            depthwise(x, within.astype(self.dtype), self.fast), across.astype(self.dtype), self.fast
        )
        return Norm(True, self.axis_name, name="norm")(x, train).astype(self.dtype)


def _depthwise_init(key: Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> Array:
    """Glorot's, with Keras's count of a depthwise kernel: 9 c numbers in, 9 out."""
    return GLOROT(key, (*shape, 1), dtype)[..., 0]


def convolve(
    x: Float[Array, "n h w c"],
    kernel: Float[Array, "y x c d"],
    stride: int = 1,
    padding: str = "SAME",
):
    """y[i, j] = sum_yx x[i s + y, j s + x] kernel[y, x], [n i j d]."""
    if kernel.shape[:2] == (1, 1):
        return x[:, ::stride, ::stride] @ kernel[0, 0]
    if stride == 1 and padding == "SAME" and max(x.shape[1:3]) <= (min(kernel.shape[:2]) + 1) // 2:
        return _all_to_all(x, kernel)
    order = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(
        x, kernel, (stride, stride), padding, dimension_numbers=order
    )


def _all_to_all(
    x: Float[Array, "n h w c"], kernel: Float[Array, "y x c d"]
) -> Float[Array, "n h w d"]:
    """`convolve` on a grid so small that every pixel reaches every pixel: one matrix product.

    XLA would exchange the two and convolve the kernel with the grid, ten times slower on a CPU.
    """
    count, height, width, channels = x.shape
    # pair[i, y] is the row of the kernel that takes the grid's row y to row i.
    rows, columns = (np.arange(size)[None] - np.arange(size)[:, None] for size in (height, width))
    above, left = ((size - 1) // 2 for size in kernel.shape[:2])
    pairs = kernel[
        rows[:, None, :, None] + above, columns[None, :, None, :] + left
    ]  # [i j y x c d]
    matrix = jnp.transpose(pairs, (2, 3, 4, 0, 1, 5)).reshape(height * width * channels, -1)
    return (x.reshape(count, height * width * channels) @ matrix).reshape(
        count, height, width, kernel.shape[3]
    )


def depthwise(
    x: Float[Array, "n h w c"], kernel: Float[Array, "3 3 c"], fast: bool
) -> Float[Array, "n h w c"]:
    """A 3 x 3 convolution within each channel, zeros around.

    `fast` writes it as nine shifted products, which XLA fuses into one loop: 5 to 13 times faster
    on a CPU than its own grouped convolution, with the same numbers, and a gradient of the same
    form.
    """
    if not fast:
        order, groups = ("NHWC", "HWIO", "NHWC"), x.shape[-1]
        kernel = kernel[:, :, None]
        return jax.lax.conv_general_dilated(
            x, kernel, (1, 1), "SAME", dimension_numbers=order, feature_group_count=groups
        )
    return _depthwise(x.astype(jnp.float32), kernel.astype(jnp.float32)).astype(x.dtype)


@jax.custom_vjp
def _depthwise(
    x: Float[Array, "n h w c"], kernel: Float[Array, "3 3 c"]
) -> Float[Array, "n h w c"]:
    parts = (
        part * weights[None, None, None]
        for part, weights in zip(_shifted(x), kernel.reshape(9, -1), strict=True)
    )
    return sum(parts, start=jnp.zeros((), jnp.float32)[None, None, None, None])


def _depthwise_forward(x: Array, kernel: Array) -> tuple[Array, tuple[Array, Array]]:
    return _depthwise(x, kernel), (x, kernel)


def _depthwise_backward(saved: tuple[Array, Array], dy: Array) -> tuple[Array, Array]:
    """Picture by picture for the kernel: XLA's loop over all of them at once takes four times as
    long.
    """
    x, kernel = saved

    def add(total: Array, picture: tuple[Array, Array]) -> tuple[Array, None]:
        x, dy = picture
        return total + jnp.stack(
            [jnp.sum(part[0] * dy, axis=(0, 1)) for part in _shifted(x[None])]
        ), None

    dy = jax.lax.optimization_barrier(
        dy
    )  # or all that makes it is computed again for each of the nine
    d_kernel, _ = jax.lax.scan(add, jnp.zeros((9, x.shape[-1])), (x, dy))
    return _depthwise(dy, kernel[::-1, ::-1]), d_kernel.reshape(kernel.shape)


_depthwise.defvjp(_depthwise_forward, _depthwise_backward)


def _shifted(x: Float[Array, "n h w c"]) -> list[Float[Array, "n h w c"]]:
    """The nine neighbours of every pixel, zeros around."""
    height, width = x.shape[1:3]
    wide = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return [wide[:, i : i + height, j : j + width] for i in range(3) for j in range(3)]


def pointwise(
    x: Float[Array, "n h w c"], kernel: Float[Array, "c d"], fast: bool
) -> Float[Array, "n h w d"]:
    """x @ kernel. `fast` sums the kernel's gradient picture by picture: over all at once XLA copies
    maps transposed.
    """
    return _pointwise(x, kernel) if fast else x @ kernel


@jax.custom_vjp
def _pointwise(x: Float[Array, "n h w c"], kernel: Float[Array, "c d"]) -> Float[Array, "n h w d"]:
    return x @ kernel


def _pointwise_forward(x: Array, kernel: Array) -> tuple[Array, tuple[Array, Array]]:
    return x @ kernel, (x, kernel)


def _pointwise_backward(saved: tuple[Array, Array], dy: Array) -> tuple[Array, Array]:
    x, kernel = saved

    def add(total: Array, picture: tuple[Array, Array]) -> tuple[Array, None]:
        return total + jnp.einsum("hwc,hwd->cd", *picture), None

    d_kernel, _ = jax.lax.scan(add, jnp.zeros_like(kernel), (x, dy))
    return dy @ kernel.T, d_kernel


_pointwise.defvjp(_pointwise_forward, _pointwise_backward)


def max_pool(
    x: Float[Array, "n h w c"], padding: str = "SAME", *, fast: bool = False
) -> Float[Array, "n i j c"]:
    """The largest of 3 x 3 pixels, every second pixel.

    `fast` goes down the columns and then along the rows, for the sake of its gradient: four times
    faster on a CPU, and the same but where two pixels are equally large, which share it.
    """
    if not fast:
        return nn.max_pool(x, (3, 3), (2, 2), padding)
    for axis, ends in zip(
        (1, 2), jax.lax.padtype_to_pads(x.shape[1:3], (3, 3), (2, 2), padding), strict=True
    ):
        pad = [(0, 0)] * 4
        pad[axis] = ends
        wide = jnp.pad(x, pad, constant_values=-jnp.inf)
        last = (wide.shape[axis] - 3) // 2 * 2 + 1
        first, second, third = (
            jax.lax.slice_in_dim(wide, at, at + last, 2, axis) for at in range(3)
        )
        x = jnp.maximum(jnp.maximum(first, second), third)
    return x


def mean_pool(x: Float[Array, "n h w c"]) -> Float[Array, "n h w c"]:
    """The mean of the up to 3 x 3 pixels that lie in the picture."""
    return nn.avg_pool(x, (3, 3), (1, 1), "SAME", count_include_pad=False)
