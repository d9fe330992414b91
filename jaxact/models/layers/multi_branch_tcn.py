"""What the networks after ST-GCN share: convolution along time in parallel branches, and the trunk
around it.

A branch reduces the channels and then looks at its own span of time: taps that lie `dilation`
frames apart, the maximum of three frames, or the frame alone. One product of matrices reduces the
channels of all branches and another applies all their taps.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.errors import UserError
from jaxact.models.layers.batch_norm import BatchNorm, affine
from jaxact.models.layers.dropout import dropout

# Width factor and stride of each unit: as in ST-GCN, the fifth and eighth of ten double the
# channels and halve the frames. "ten" is what both papers train; "six" the short form of ST-GCN++'s
# authors for hand gestures, which learns faster from few clips of few joints.
VARIANTS: dict[str, tuple[tuple[int, int], ...]] = {
    "ten": ((1, 1), (1, 1), (1, 1), (1, 1), (2, 2), (2, 1), (2, 1), (4, 2), (4, 1), (4, 1)),
    "six": ((1, 1), (1, 1), (1, 1), (1, 1), (1, 1), (2, 2)),
}


def kernel_init(initial: str, fan_in: int, fan_out: int) -> nn.initializers.Initializer:
    """Weights at the start, by the numbers that one output is made of, or that one input goes into.

    "fan_in_uniform": uniform within 1 / sqrt(fan_in), PyTorch's default. "he_fan_out": normal, of
    deviation sqrt(2 / fan_out).
    """
    if initial == "he_fan_out":
        return nn.initializers.normal(math.sqrt(2 / fan_out))
    bound = 1 / math.sqrt(fan_in)
    return lambda key, shape, dtype=jnp.float32: jax.random.uniform(
        key, shape, dtype, -bound, bound
    )


def branch_widths(features: int, branches: int) -> tuple[int, ...]:
    """Channels of each branch: equal shares, and the first has the remainder too."""
    share = features // branches
    return (features - share * (branches - 1), *(share,) * (branches - 1))


def check_width(name: str, width: int, dilations: Sequence[int]) -> None:
    """Raises UserError where `width` leaves a branch without channels."""
    branches = len(dilations) + 2
    if width < branches:
        raise UserError(
            f"{name} of width {width}: wanted {branches} or more, a channel for each temporal branch"
        )


def shifted(
    x: Float[Array, "n v t c"], taps: int, dilation: int = 1, stride: int = 1
) -> list[Float[Array, "n v s c"]]:
    """For each tap i the frames stride * s + (i - taps // 2) * dilation, zeros outside; s = ceil(t
    / stride).
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
    """y_i[s] = sum_j x_i[stride * s + (j - taps // 2) * dilation_i] @ kernel_i[j], for the channels
    x_i of each branch.

    One product with a matrix that is zero between branches: small ones apiece would keep no
    processor busy.
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
    """The largest of three neighbouring frames, of numbers that are not negative (zeros stand
    outside the clip).
    """
    before, here, after = shifted(x, taps=3, stride=stride)
    return jnp.maximum(jnp.maximum(before, here), after)


class MultiBranch(nn.Module):
    """Convolution along time in branches: `dilations` of `taps` frames, a maximum of three frames,
    and a single frame.

    Every branch starts with a projection to its share of the channels; all but the last normalise
    it, take the ReLU and look along time. The branches side by side are normalised, pass a ReLU
    and, with `mix`, a projection and another normalisation.

    Attributes:
        features: channels out.
        stride: distance of output frames.
        taps: frames that a dilated branch sees, odd.
        dilations: distance of those frames, one branch each.
        mix: project the branches' channels together.
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
        """Features in, features out, in float32; `train` uses batch statistics."""
        widths = branch_widths(self.features, len(self.dilations) + 2)
        single = self.features - widths[-1]  # where the last branch's channels begin
        channels, dtype = x.shape[-1], x.dtype
        kernel, bias = self._weights("reduce", (channels, self.features), channels, widths[-1])
        x = x @ kernel.astype(dtype)
        ahead, alone = x[..., :single], shifted(x[..., single:], taps=1, stride=self.stride)[0]
        ahead = nn.relu(
            affine(ahead, *self._norm("reduce_norm")(ahead, train, bias[:single]))
        ).astype(dtype)
        kernels, biases = [], []
        for number, width in enumerate(widths[:-2]):
            shape = (self.taps, width, width)
            weights = self._weights(f"branch{number}", shape, self.taps * width, self.taps * width)
            kernels.append(weights[0])
            biases.append(weights[1])
        pooled = single - widths[-2]
        convolved = dilated_conv(ahead[..., :pooled], kernels, self.dilations, self.stride)
        x = jnp.concatenate([convolved, max_pool(ahead[..., pooled:], self.stride), alone], axis=-1)
        left_out = jnp.concatenate([*biases, jnp.zeros(widths[-2]), bias[single:]])
        x = nn.relu(affine(x, *self._norm("norm")(x, train, left_out)))
        if not self.mix:
            return x
        kernel, bias = self._weights(
            "mix", (self.features, self.features), self.features, self.features
        )
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
    """The input itself, or its normalised projection where channels or frames change."""

    features: int
    stride: int
    initial: str
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n v t c"], train: bool = False) -> Float[Array, "n v s d"]:
        """What is added to a branch's result."""
        channels = x.shape[-1]
        if self.stride == 1 and channels == self.features:
            return x
        init = kernel_init(self.initial, channels, self.features)
        kernel = self.param("kernel", init, (channels, self.features))
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        x = shifted(x, taps=1, stride=self.stride)[0] @ kernel.astype(x.dtype)
        return affine(x, *BatchNorm(axis_name=self.axis_name, name="norm")(x, train, bias))


class Unit(nn.Module):
    """ReLU(temporal(spatial(x)) + shortcut(x)), with dropout on the first term.

    Attributes:
        features: channels out.
        stride: distance of output frames.
        residual: whether there is a shortcut.
        spatial: makes the module that mixes joints, from `features`.
        temporal: makes the module that mixes frames, from `features` and `stride`.
        dropout: share of elements dropped, in [0, 1).
        initial, axis_name: see `MultiBranch`.
    """

    features: int
    stride: int
    residual: bool
    spatial: Callable[..., nn.Module]
    temporal: Callable[..., nn.Module]
    dropout: float
    initial: str
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n v t c"], train: bool = False) -> Float[Array, "n v s d"]:
        """Features in, features out; `train` turns on batch statistics and dropout (rng
        `dropout`).
        """
        y = self.spatial(features=self.features, name="spatial")(x, train)
        y = self.temporal(features=self.features, stride=self.stride, name="temporal")(y, train)
        if train and self.dropout > 0:
            y = dropout(self.make_rng("dropout"), y, self.dropout)
        if self.residual:
            y = y + Shortcut(
                self.features, self.stride, self.initial, self.axis_name, name="shortcut"
            )(x, train)
        return nn.relu(y).astype(x.dtype)


def classify(
    inputs: Float[Array, "b t m v c"],
    train: bool,
    *,
    units: Sequence[tuple[int, int]],
    width: int,
    num_classes: int,
    dtype: Any,
    remat: bool,
    dropout: float,
    axis_name: str | None,
    persons_apart: bool,
    **options: Any,
) -> Float[Array, "b classes"]:
    """Logits, by modules that belong to the calling one: input normalisation, units, average,
    linear layer.

    Args:
        inputs: clips.
        train: batch statistics and dropout.
        units: width factor and stride of each; the first has neither shortcut nor dropout.
        width, num_classes, dtype, remat, dropout, axis_name, persons_apart: see `CTRGCN`.
        **options: the remaining fields of `Unit`.
    """
    batch, frames, persons, joints, channels = inputs.shape
    numbers = joints * channels
    x = inputs.reshape(
        batch, frames, *((persons * numbers,) if persons_apart else (persons, numbers))
    )
    x = (
        affine(x, *BatchNorm(axis_name=axis_name, name="data_norm")(x, train))
        .reshape(inputs.shape)
        .astype(dtype)
    )
    x = jnp.transpose(x, (0, 2, 3, 1, 4)).reshape(batch * persons, joints, frames, channels)
    unit = nn.remat(Unit, static_argnums=(2,)) if remat else Unit
    for number, (factor, stride) in enumerate(units):
        x = unit(
            features=factor * width,
            stride=stride,
            residual=number > 0,
            dropout=dropout if number else 0.0,
            axis_name=axis_name,
            name=f"unit{number}",
            **options,
        )(x, train)
    x = jnp.mean(x.astype(jnp.float32).reshape(batch, -1, x.shape[-1]), axis=1)
    return nn.Dense(num_classes, kernel_init=nn.initializers.normal(0.01), name="head")(x)
