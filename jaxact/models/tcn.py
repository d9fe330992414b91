"""Temporal convolutional networks: a clip is one sequence whose channels are all coordinates.

The network does not know which channels belong to one joint; it is a baseline for graph
convolution. Pre-activation units (normalisation, ReLU, dropout, convolution) are added to their
input. The width doubles twice.

    [b t m v c] -> [b t mvc] -> 3 units [b t 64] -> 3 units [b t/2 128] -> 3 units [b t/4 256]
                -> mean over t -> [b k]

Kinetics-skeleton 20.3 % top-1 (`configs/stgcn.py:kinetics_skeleton,tcn`) and NTU RGB+D 74.3 %
X-Sub, 83.1 % X-View (`configs/stgcn.py:ntu60,xsub,res_tcn`), from Tables 2 and 3 of Yan, Xiong and
Lin, AAAI 2018.
"""

import dataclasses
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.models.input_spec import InputSpec
from jaxact.models.layers.batch_norm import BatchNorm, affine
from jaxact.models.layers.dropout import dropout
from jaxact.models.layers.temporal_conv import norm_relu, temporal_conv
from jaxact.models.variants import check_network

# Normal with deviation sqrt(2 / (taps * features)), and PyTorch's default of a linear layer.
HE_FAN_OUT = nn.initializers.variance_scaling(2.0, "fan_out", "normal")
TORCH_LINEAR = nn.initializers.variance_scaling(1 / 3, "fan_in", "uniform")


@dataclasses.dataclass(frozen=True)
class Variant:
    """The options in which the published networks differ.

    Attributes:
        taps: length of the convolutions, in frames.
        depth: units of each of the three widths.
        data_norm: normalise each channel of the input first.
        shortcut_norm: normalise and rectify the input of a shortcut's projection too.
        kernel_init, head_init: initial weights; biases start at zero.
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


class PreActivationUnit(nn.Module):
    """x + W * dropout(ReLU(norm(x))), with a projection of x if the shape changes.

    Attributes:
        features: channels out.
        stride: distance of output frames; above 1 only in a unit that changes the width.
        variant: a key of `VARIANTS`.
        dropout: probability of dropping an element before the convolution, in [0, 1).
        axis_name: see `TCN`.
    """

    features: int
    stride: int
    variant: str
    dropout: float
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n t c"], train: bool = False) -> Float[Array, "n s d"]:
        """The output features; `train` turns on batch statistics and dropout (rng `dropout`)."""
        variant = VARIANTS[self.variant]
        y = normal_relu(x, "norm", self.axis_name, train)
        if train and self.dropout > 0:
            y = dropout(self.make_rng("dropout"), y, self.dropout)
        sizes = {"features": self.features, "stride": self.stride, "init": variant.kernel_init}
        y = convolution(self, "conv", y, taps=variant.taps, **sizes)
        if x.shape[-1] == self.features and self.stride == 1:
            return x + y
        if variant.shortcut_norm:
            x = normal_relu(x, "shortcut_norm", self.axis_name, train)
        return convolution(self, "shortcut", x, taps=1, **sizes) + y


class TCN(nn.Module):
    """A temporal convolutional network, for any number of frames and a fixed number of persons.

    Attributes:
        num_classes: logits out.
        network: a key of `VARIANTS`.
        width: channels of the first units; 64 in the papers.
        dropout: probability of dropping an element before each unit's convolution, in [0, 1). A
            shortcut's convolution has no dropout.
        dtype: of the computation, "float32" or "bfloat16". Parameters, statistics and logits stay
            float32.
        axis_name: mapped axis whose devices share batch statistics; None uses each device's own
            batch.
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
            self,
            "conv",
            x.astype(self.dtype),
            taps=variant.taps,
            features=self.width,
            stride=1,
            init=variant.kernel_init,
        )
        for index in range(3 * variant.depth):
            stage, position = divmod(index, variant.depth)
            x = PreActivationUnit(
                features=self.width * 2**stage,
                stride=2 if stage > 0 and position == 0 else 1,
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
    """ReLU(norm(x)), with the normalisation as a submodule `name` of the calling module."""
    return norm_relu(x, *BatchNorm(axis_name=axis_name, name=name)(x, train))


def convolution(
    module: nn.Module,
    name: str,
    x: Float[Array, "n t c"],
    *,
    taps: int,
    features: int,
    stride: int,
    init: nn.initializers.Initializer,
) -> Float[Array, "n s d"]:
    """Convolution along time with the parameters `name`_kernel and `name`_bias of `module`."""
    kernel = module.param(f"{name}_kernel", init, (taps, x.shape[-1], features))
    bias = module.param(f"{name}_bias", nn.initializers.zeros, (features,))
    return temporal_conv(x[:, None], kernel, stride)[:, 0] + bias[None, None].astype(x.dtype)


def build_tcn(spec: InputSpec, **options: Any) -> TCN:
    """A temporal convolutional network; `options` are fields of `TCN`."""
    check_network(options, VARIANTS)
    return TCN(num_classes=spec.num_classes, axis_name=spec.axis_name, **options)
