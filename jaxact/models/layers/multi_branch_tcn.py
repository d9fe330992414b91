"""Temporal convolution in parallel branches, as in ST-GCN++ and CTR-GCN.

A branch reduces the channels and then reads its own span of time: taps that are `dilation` frames
apart, the maximum of three frames, or a single frame. One matrix product reduces the channels of
all branches, and another applies all their taps.
"""

import math
from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.models.layers.batch_norm import BatchNorm, affine


def kernel_init(initial: str, fan_in: int, fan_out: int) -> nn.initializers.Initializer:
    """Initial weights.

    Args:
        initial: "fan_in_uniform": uniform within 1 / sqrt(fan_in), PyTorch's default. "he_fan_out":
            normal, of deviation sqrt(2 / fan_out).
        fan_in: inputs of each output.
        fan_out: outputs of each input.
    """
    if initial == "he_fan_out":
        return nn.initializers.normal(math.sqrt(2 / fan_out))
    bound = 1 / math.sqrt(fan_in)
    return lambda key, shape, dtype=jnp.float32: jax.random.uniform(
        key, shape, dtype, -bound, bound
    )


def branch_widths(features: int, branches: int) -> tuple[int, ...]:
    """Channels of each branch: equal shares; the first branch also gets the remainder."""
    share = features // branches
    return (features - share * (branches - 1), *(share,) * (branches - 1))


def shifted(
    x: Float[Array, "n v t c"], taps: int, dilation: int = 1, stride: int = 1
) -> list[Float[Array, "n v s c"]]:
    """For each tap i the frames stride * s + (i - taps // 2) * dilation, zeros outside the clip.

    s = ceil(t / stride).
    """
    reach, frames = taps // 2 * dilation, x.shape[2]
    padded = jnp.pad(x, ((0, 0), (0, 0), (reach, reach), (0, 0)))
    starts = range(0, taps * dilation, dilation)
    return [jax.lax.slice_in_dim(padded, start, start + frames, stride, axis=2) for start in starts]


def dilated_conv(
    x: Float[Array, "n v t c"],
    kernels: Sequence[Float[Array, "taps _ _"]],
    dilations: Sequence[int],
    stride: int,
) -> Float[Array, "n v s c"]:
    """y_i[s] = sum_j x_i[stride * s + (j - taps // 2) * dilation_i] @ kernel_i[j] of each branch i.

    x_i are the branch's channels. Computed as one product with a matrix that is zero between
    branches, because a small product per branch would not keep a processor busy.
    """
    edges = [0]
    for kernel in kernels:
        edges.append(edges[-1] + kernel.shape[1])
    columns, rows = [], []
    for kernel, dilation, start, end in zip(kernels, dilations, edges, edges[1:], strict=False):
        columns += shifted(x[..., start:end], kernel.shape[0], dilation, stride)
        flat = kernel.reshape(-1, end - start).astype(x.dtype)
        rows.append(jnp.pad(flat, ((0, 0), (start, edges[-1] - end))))
    return jnp.concatenate(columns, axis=-1) @ jnp.concatenate(rows, axis=0)


def max_pool(x: Float[Array, "n v t c"], stride: int) -> Float[Array, "n v s c"]:
    """The maximum of three neighbouring frames of features >= 0, with zeros outside the clip."""
    previous, current, following = shifted(x, taps=3, stride=stride)
    return jnp.maximum(jnp.maximum(previous, current), following)


class MultiBranch(nn.Module):
    """Convolution along time in branches: dilated ones, a maximum of three frames, a single frame.

    Each branch starts with a projection to its share of the channels. All but the last normalise
    it, take the ReLU and combine several frames. The branches are concatenated, normalised, pass a
    ReLU and, with `mix`, a projection and another normalisation.

    Attributes:
        features: channels out.
        stride: distance of output frames.
        taps: frames that a dilated branch reads, odd.
        dilations: distance of those frames in each dilated branch.
        mix: project the concatenated branches.
        initial: see `kernel_init`.
        axis_name: mapped axis whose devices share batch statistics.
    """

    features: int
    stride: int
    taps: int
    dilations: tuple[int, ...]
    mix: bool
    initial: str
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n v t c"], train: bool = False) -> Float[Array, "n v s d"]:
        """The output features in float32; `train` uses batch statistics."""
        features, channels, dtype = self.features, x.shape[-1], x.dtype
        widths = branch_widths(features, len(self.dilations) + 2)
        single = features - widths[-1]  # the first channel of the single-frame branch
        pooled = single - widths[-2]  # the first channel of the maximum's branch

        kernel, bias = self._weights("reduce", (channels, features), channels, widths[-1])
        x = x @ kernel.astype(dtype)
        single_frame = shifted(x[..., single:], taps=1, stride=self.stride)[0]
        x = x[..., :single]
        x = affine(x, *self._norm("reduce_norm")(x, train, bias[:single]))
        x = nn.relu(x).astype(dtype)

        kernels, biases = [], []
        for number, width in enumerate(widths[:-2]):
            fan = self.taps * width
            branch = self._weights(f"branch{number}", (self.taps, width, width), fan, fan)
            kernels.append(branch[0])
            biases.append(branch[1])
        convolved = dilated_conv(x[..., :pooled], kernels, self.dilations, self.stride)
        maximum = max_pool(x[..., pooled:], self.stride)
        x = jnp.concatenate([convolved, maximum, single_frame], axis=-1)
        left_out = jnp.concatenate([*biases, jnp.zeros(widths[-2]), bias[single:]])
        x = nn.relu(affine(x, *self._norm("norm")(x, train, left_out)))
        if not self.mix:
            return x
        kernel, bias = self._weights("mix", (features, features), features, features)
        x = x.astype(dtype) @ kernel.astype(dtype)
        return affine(x, *self._norm("mix_norm")(x, train, bias))

    def _weights(
        self, name: str, shape: tuple[int, ...], fan_in: int, fan_out: int
    ) -> tuple[Array, Array]:
        kernel = self.param(f"{name}_kernel", kernel_init(self.initial, fan_in, fan_out), shape)
        return kernel, self.param(f"{name}_bias", nn.initializers.zeros, shape[-1:])

    def _norm(self, name: str) -> BatchNorm:
        return BatchNorm(axis_name=self.axis_name, name=name)


class Shortcut(nn.Module):
    """The input, or its normalised projection if the number of channels or frames changes.

    Attributes:
        features: channels out.
        stride: distance of output frames.
        initial, axis_name: see `MultiBranch`.
    """

    features: int
    stride: int
    initial: str
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n v t c"], train: bool = False) -> Float[Array, "n v s d"]:
        """The shortcut of `x`; `train` uses batch statistics."""
        channels = x.shape[-1]
        if self.stride == 1 and channels == self.features:
            return x
        init = kernel_init(self.initial, channels, self.features)
        kernel = self.param("kernel", init, (channels, self.features))
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        x = shifted(x, taps=1, stride=self.stride)[0] @ kernel.astype(x.dtype)
        return affine(x, *BatchNorm(axis_name=self.axis_name, name="norm")(x, train, bias))
