"""Temporal convolutional networks: a clip is one sequence, its persons, joints and coordinates are
channels.

Nothing tells the network which numbers belong to one joint: it is the baseline that graph
convolution is measured against. Units of pre-activation (normalise, ReLU, dropout, convolve) are
added to their input; widths double twice.

    [b t m v c] -> [b t mvc] -> 3 units [b t 64] -> 3 units [b t/2 128] -> 3 units [b t/4 256] -> mean over t -> [b k]

Kinetics-skeleton 20.3 % top-1 (`configs/stgcn.py:kinetics_skeleton,tcn`) and NTU RGB+D 74.3 % X-Sub, 83.1 %
X-View (`configs/stgcn.py:ntu60,xsub,res_tcn`), from Tables 2 and 3 of Yan, Xiong and Lin, AAAI
2018.
"""

import dataclasses
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact import skeletons
from jaxact.models.layers.batch_norm import BatchNorm, affine
from jaxact.models.layers.dropout import dropout
from jaxact.models.layers.temporal_conv import temporal_conv
from jaxact.models.variants import check_network

# Normal with deviation sqrt(2 / (taps * features)), and PyTorch's own start of a linear layer.
HE_FAN_OUT = nn.initializers.variance_scaling(2.0, "fan_out", "normal")
TORCH_LINEAR = nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")


@dataclasses.dataclass(frozen=True)
class Variant:
    """What tells one network of this kind from another.

    Attributes:
        taps: length of the convolutions, in frames.
        depth: units of each of the three widths.
        data_norm: normalise each channel of the input first.
        shortcut_norm: normalise and rectify the input of a shortcut's projection too.
        kernel_init, head_init: weights at the start; biases are zero.
    """

    taps: int
    depth: int
    data_norm: bool
    shortcut_norm: bool
    kernel_init: nn.initializers.Initializer
    head_init: nn.initializers.Initializer


_HE_FAN_IN = nn.initializers.he_normal()
VARIANTS: dict[str, Variant] = {
    # The baseline of Yan, Xiong and Lin: `net/tcn.py` of their code's first version.
    "stgcn_v1": Variant(9, 3, True, True, HE_FAN_OUT, TORCH_LINEAR),
    # Res-TCN (Kim and Reiter, CVPR workshops 2017, arXiv 1704.04516, Section 3.2), and a deeper
    # list of their code.
    "res_tcn": Variant(8, 3, False, False, _HE_FAN_IN, _HE_FAN_IN),
    "res_tcn18": Variant(8, 6, False, False, _HE_FAN_IN, _HE_FAN_IN),
}


class Unit(nn.Module):
    """x + W * dropout(ReLU(norm(x))), with a projection of x where the shape changes.

    Attributes:
        features: channels out.
        stride: distance of output frames; only a unit that changes the width has one.
        variant: a key of `VARIANTS`.
        dropout: share of elements dropped before the convolution, in [0, 1).
        axis_name: see `TCN`.
    """

    features: int
    stride: int
    variant: str
    dropout: float
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n t c"], train: bool = False) -> Float[Array, "n s d"]:
        """Features in, features out; `train` turns on batch statistics and dropout (rng
        `dropout`).
        """
        variant = VARIANTS[self.variant]
        y = normal_relu(x, "norm", self.axis_name, train)
        if train and self.dropout > 0:
            y = dropout(self.make_rng("dropout"), y, self.dropout)
        y = convolution(
            self, "conv", y, variant.taps, self.features, self.stride, variant.kernel_init
        )
        if x.shape[-1] == self.features and self.stride == 1:
            return x + y
        if variant.shortcut_norm:
            x = normal_relu(x, "shortcut_norm", self.axis_name, train)
        return (
            convolution(self, "shortcut", x, 1, self.features, self.stride, variant.kernel_init) + y
        )


class TCN(nn.Module):
    """The whole network; any number of frames at run time, the number of persons as at the start.

    Attributes:
        num_classes: logits out.
        network: a key of `VARIANTS`.
        width: channels of the first units; 64 is the papers'.
        dropout: share of elements dropped before each unit's convolution, in [0, 1); not before a
            shortcut's.
        dtype: of the computation, "float32" or "bfloat16"; parameters, statistics and logits stay
            float32.
        axis_name: mapped axis whose devices share batch statistics; None for those of each device's
            own batch.
    """

    num_classes: int
    network: str = "stgcn_v1"
    width: int = 64
    dropout: float = 0.5
    dtype: Any = "float32"
    axis_name: str | None = None

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "b t m v c"], *, train: bool = False
    ) -> Float[Array, "b classes"]:
        """Logits of each clip.

        Args:
            inputs: joint coordinates (and scores), absent persons and missing joints zero.
            train: batch statistics and dropout (rng `dropout`); `batch_stats` must then be mutable.
        """
        variant = VARIANTS[self.network]
        batch, frames, persons, joints, channels = inputs.shape
        x = inputs.reshape(batch, frames, persons * joints * channels)
        if variant.data_norm:
            x = affine(x, *BatchNorm(axis_name=self.axis_name, name="data_norm")(x, train))
        x = convolution(
            self, "conv", x.astype(self.dtype), variant.taps, self.width, 1, variant.kernel_init
        )
        for index in range(3 * variant.depth):
            stage, place = divmod(index, variant.depth)
            x = Unit(
                features=self.width * 2**stage,
                stride=2 if stage > 0 and place == 0 else 1,
                variant=self.network,
                dropout=self.dropout,
                axis_name=self.axis_name,
                name=f"unit{index + 1}",
            )(x, train)
        x = normal_relu(x, "norm", self.axis_name, train)
        x = jnp.mean(x.astype(jnp.float32), axis=1)
        return nn.Dense(self.num_classes, kernel_init=variant.head_init, name="head")(x)


def normal_relu(
    x: Float[Array, "n t c"], name: str, axis_name: str | None, train: bool
) -> Float[Array, "n t c"]:
    """ReLU(norm(x)), the normalisation a submodule `name` of the module it is called in."""
    return nn.relu(affine(x, *BatchNorm(axis_name=axis_name, name=name)(x, train))).astype(x.dtype)


def convolution(
    module: nn.Module,
    name: str,
    x: Float[Array, "n t c"],
    taps: int,
    features: int,
    stride: int,
    init: nn.initializers.Initializer,
) -> Float[Array, "n s d"]:
    """Convolution along time with parameters `name`_kernel [taps c d] and `name`_bias [d] of
    `module`.
    """
    kernel = module.param(f"{name}_kernel", init, (taps, x.shape[-1], features))
    bias = module.param(f"{name}_bias", nn.initializers.zeros, (features,))
    return temporal_conv(x[:, None], kernel, stride)[:, 0] + bias[None, None].astype(x.dtype)


def build_tcn(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    fast: bool | None = None,
    **options: Any,
) -> TCN:
    """A temporal convolutional network; `options` are fields of `TCN`."""
    del (
        layout,
        channels,
        fast,
    )  # the sizes are read off the input, and there is one form for every platform
    check_network(options, VARIANTS)
    return TCN(num_classes=num_classes, axis_name=axis_name, **options)
