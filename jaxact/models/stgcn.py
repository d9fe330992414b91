"""Spatial temporal graph convolutional network (Yan, Xiong and Lin, AAAI 2018, arXiv 1801.07455).

Joints are nodes, bones and time are edges. A unit mixes each joint with its neighbours, one weight
matrix per part of the neighbourhood (where the neighbour lies relative to the body's centre), then
convolves every joint along time; ten units are stacked, and the class is read off the average over
time, joints and persons.

    [b 300 m v 3] -> norm -> stem, 3 units [bm 300 v 64] -> 3 units [bm 150 v 128] -> 3 units [bm 75 v 256] -> [b k]

Kinetics-skeleton 30.7 % top-1 (`configs/stgcn_kinetics.py`), NTU RGB+D 81.5 % X-Sub and 88.3 %
X-View (`configs/stgcn_ntu60.py`), from the paper's Tables 2 and 3.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxact import skeletons
from jaxact.models.layers.adjacency import Adjacency
from jaxact.models.layers.batch_norm import BatchNorm, affine
from jaxact.models.layers.chunked_map import by_sample
from jaxact.models.layers.dropout import dropout
from jaxact.models.layers.graph_conv import graph_bias, graph_conv, planned_graph_conv
from jaxact.models.layers.temporal_conv import TAPS, correlate, fourier_kernel, temporal_conv
from jaxact.models.variants import check_network

# The first unit, then (width factor, stride) of the paper's nine. "stem9" is the released code, an
# input layer and nine units; "literal9" is the text taken by the letter, nine units in all (Section
# 3.6). "release1" is the code that the paper came with, see `FirstUnit`. "skeletonclr" has a wide
# last unit (Li et al., CVPR 2021). "stem3" is for small sets and first tries: one unit of each
# width.
VARIANTS: dict[str, tuple[tuple[str, int, int], ...]] = {
    "stem9": (
        ("stem", 1, 1),
        *((f"unit{i}", factor, stride) for i, factor, stride in (
            (1, 1, 1), (2, 1, 1), (3, 1, 1), (4, 2, 2), (5, 2, 1), (6, 2, 1), (7, 4, 2), (8, 4, 1), (9, 4, 1)
        )),
    ),
}  # fmt: skip
VARIANTS["literal9"] = VARIANTS["stem9"][1:]
VARIANTS["skeletonclr"] = (*VARIANTS["stem9"][:-1], ("unit9", 16, 1))
VARIANTS["release1"] = VARIANTS["stem9"]
VARIANTS["stem3"] = tuple(VARIANTS["stem9"][i] for i in (0, 1, 4, 7))


def kernel_init(init: str, fan_out: int) -> nn.initializers.Initializer:
    """Normal weights: deviation 0.02 as in the released code ("v2"), or sqrt(2 / fan_out) as in its
    first version.
    """
    return nn.initializers.normal(0.02 if init == "v2" else math.sqrt(2 / fan_out))


def scale_init(init: str) -> nn.initializers.Initializer:
    """Normalisation scales: N(1, 0.02) in the released code ("v2"), ones in its first version."""
    if init != "v2":
        return nn.initializers.ones
    return lambda key, shape, dtype=jnp.float32: 1 + 0.02 * jax.random.normal(key, shape, dtype)


class Unit(nn.Module):
    """Graph convolution, normalisation, ReLU, temporal convolution, normalisation, dropout,
    shortcut, ReLU.

    Attributes:
        features: channels out.
        stride: distance of output frames.
        residual: whether there is a shortcut: the input itself, or its projection where the shape
            changes.
        adjacency, edge_importance, dropout, initial, axis_name, fast: see `STGCN`.
    """

    features: int
    stride: int
    residual: bool
    adjacency: Adjacency
    edge_importance: bool
    dropout: float
    initial: str
    axis_name: str | None
    fast: bool

    @nn.compact
    def __call__(self, x: Float[Array, "n v t c"], train: bool = False) -> Float[Array, "n v s d"]:
        """Features in, features out; `train` turns on batch statistics and dropout (rng
        `dropout`).
        """
        y = self._spatial(x)
        y, bias = self._temporal(y, *self._norm("spatial_norm")(y, train))
        y = affine(y, *self._norm("temporal_norm")(y, train, bias))
        if train and self.dropout > 0:
            y = dropout(self.make_rng("dropout"), y, self.dropout)
        if self.residual:
            y = y + self._shortcut(x, train)
        return nn.relu(y).astype(x.dtype)

    def _spatial(self, x: Array) -> Array:
        """The convolution over the graph."""
        channels, features = x.shape[-1], self.features
        adjacency = jnp.asarray(self.adjacency, jnp.float32)
        parts = adjacency.shape[0]
        if self.edge_importance:
            adjacency = adjacency * self.param("importance", nn.initializers.ones, adjacency.shape)
        kernel, bias = self._weights(
            "spatial", (channels, parts, features), (parts, features), fan_out=features
        )
        return self._run(_spatial, x, (kernel, adjacency, graph_bias(bias, adjacency)))

    def _temporal(self, y: Array, factor: Array, offset: Array) -> tuple[Array, Array | float]:
        """The convolution along time of ReLU(y * factor + offset), and the bias that is still to be
        added to it.
        """
        features = self.features
        kernel, bias = self._weights(
            "temporal", (TAPS, features, features), (features,), fan_out=TAPS * features
        )
        if self.fast:
            kernel = fourier_kernel(kernel, -(-y.shape[2] // self.stride), self.stride)
        return self._run(
            functools.partial(_temporal, stride=self.stride), y, (kernel, factor, offset)
        ), bias

    def _shortcut(self, x: Array, train: bool) -> Array:
        if self.stride == 1 and x.shape[-1] == self.features:
            return x
        shape = (1, x.shape[-1], self.features)
        kernel, bias = self._weights("shortcut", shape, (self.features,), fan_out=self.features)
        # The plain form is a convolution of one tap: its length is then spelt like the branch's
        # where it is symbolic.
        frames = x[:, :, :: self.stride]
        x = (
            frames @ kernel[0].astype(x.dtype)
            if self.fast
            else temporal_conv(x, kernel, self.stride)
        )
        return affine(x, *self._norm("shortcut_norm")(x, train, bias))

    def _run(self, function: Callable[..., Array], x: Any, weights: tuple[Any, ...]) -> Array:
        """One of the two convolutions: as it is, or in the formulation for CPUs, a few samples at a
        time.
        """
        if not self.fast:
            return function(x, *weights, fast=False)
        return by_sample(lambda x, weights: function(x, *weights, fast=True), x, weights)

    def _weights(
        self, name: str, shape: Sequence[int], bias_shape: Sequence[int], fan_out: int
    ) -> tuple[Array, Array]:
        kernel = self.param(f"{name}_kernel", kernel_init(self.initial, fan_out), tuple(shape))
        return kernel, self.param(f"{name}_bias", nn.initializers.zeros, tuple(bias_shape))

    def _norm(self, name: str) -> BatchNorm:
        return BatchNorm(axis_name=self.axis_name, scale_init=scale_init(self.initial), name=name)


class FirstUnit(Unit):
    """The first release's unit: ReLU(norm(temporal convolution)) + shortcut, whose projection has a
    ReLU of its own.

    Departs from it: dropout comes after the temporal convolution, not before, and the projections'
    biases before the graph, not after.
    """

    @nn.compact
    def __call__(self, x: Float[Array, "n v t c"], train: bool = False) -> Float[Array, "n v s d"]:
        """Features in, features out; `train` turns on batch statistics and dropout (rng
        `dropout`).
        """
        y = self._spatial(x)
        y, bias = self._temporal(y, *self._norm("spatial_norm")(y, train))
        y = nn.relu(affine(y, *self._norm("temporal_norm")(y, train, bias)))
        if train and self.dropout > 0:
            y = dropout(self.make_rng("dropout"), y, self.dropout)
        if self.residual:
            same = self.stride == 1 and x.shape[-1] == self.features
            y = y + (x if same else nn.relu(self._shortcut(x, train)))
        return y.astype(x.dtype)


def _spatial(x: Array, kernel: Array, adjacency: Array, bias: Array, *, fast: bool) -> Array:
    convolve = planned_graph_conv if fast else graph_conv
    return convolve(x, kernel, adjacency) + bias[None].astype(x.dtype)


def _temporal(
    x: Array, kernel: Array, factor: Array, offset: Array, *, stride: int, fast: bool
) -> Array:
    x = nn.relu(affine(x, factor, offset)).astype(x.dtype)
    return (
        correlate(x, kernel, TAPS, stride).astype(x.dtype)
        if fast
        else temporal_conv(x, kernel, stride)
    )


class STGCN(nn.Module):
    """The whole network; any number of frames and persons at run time.

    Attributes:
        num_classes: logits out.
        adjacency: normalised partition, [k][source][target], from `jaxact.skeletons.adjacency`.
        network: a key of `VARIANTS`.
        edge_importance: learn a factor per edge and unit (the paper's "ST-GCN + Imp.").
        width: channels of the first units; 64 is the paper's.
        dropout: share of elements dropped at the end of each unit's residual branch, in [0, 1).
        initial: weights at the start, "v2" or "he_fan_out", see `kernel_init`.
        dtype: of the computation, "float32" or "bfloat16"; parameters, statistics and logits stay
            float32.
        remat: recompute each unit's activations in the backward pass: less memory, about a third
            more time.
        axis_name: mapped axis whose devices share batch statistics; None for those of each device's
            own batch.
        fast: the formulation for CPUs (the same numbers to rounding); None takes it where the
            default backend is one. Choose False for a program that is lowered for other platforms
            than the one it is traced on.
    """

    num_classes: int
    adjacency: Adjacency
    network: str = "stem9"
    edge_importance: bool = True
    width: int = 64
    dropout: float = 0.5
    initial: str = "v2"
    dtype: Any = "float32"
    remat: bool = False
    axis_name: str | None = None
    fast: bool | None = None

    unit = Unit  # no field: a network of another unit is another class

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "b t m v c"], *, train: bool = False
    ) -> Float[Array, "b classes"]:
        """Logits of each clip; what the last unit makes of it is sown as `features` [b s m v d] in
        `intermediates`.

        Args:
            inputs: joint coordinates (and scores), absent persons and missing joints zero.
            train: batch statistics and dropout (rng `dropout`); `batch_stats` must then be mutable.
        """
        batch, frames, persons, joints, channels = inputs.shape
        fast = jax.default_backend() == "cpu" if self.fast is None else self.fast
        first = self.network == "release1"  # normalises each person's input apart
        people, numbers = (
            (1, persons * joints * channels) if first else (persons, joints * channels)
        )
        x = inputs.reshape(batch, frames, people, numbers)
        norm = BatchNorm(
            axis_name=self.axis_name, scale_init=scale_init(self.initial), name="data_norm"
        )
        x = affine(x, *norm(x, train)).reshape(inputs.shape).astype(self.dtype)
        x = jnp.transpose(x, (0, 2, 3, 1, 4)).reshape(batch * persons, joints, frames, channels)
        unit = FirstUnit if first else self.unit
        unit = nn.remat(unit, static_argnums=(2,)) if self.remat else unit
        for name, factor, stride in VARIANTS[self.network]:
            is_stem = name == "stem"
            x = unit(
                features=factor * self.width,
                stride=stride,
                residual=not is_stem,
                adjacency=self.adjacency,
                edge_importance=self.edge_importance,
                dropout=0.0 if is_stem else self.dropout,
                initial=self.initial,
                axis_name=self.axis_name,
                fast=fast,
                name=name,
            )(x, train)
        features = x.reshape(batch, persons, joints, -1, x.shape[-1])
        self.sow("intermediates", "features", jnp.transpose(features, (0, 3, 1, 2, 4)))
        x = jnp.mean(x.astype(jnp.float32).reshape(batch, -1, x.shape[-1]), axis=1)
        head = nn.Dense(
            self.num_classes, kernel_init=kernel_init(self.initial, self.num_classes), name="head"
        )
        return head(x)


def build_stgcn(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    strategy: str = "spatial",
    norm: str = "subset",
    metric: str = "hop",
    radii: np.ndarray | None = None,
    init: str = "v2",
    **options: Any,
) -> STGCN:
    """ST-GCN on the graph of `layout`; `options` are fields of `STGCN`, the rest chooses the
    partition.
    """
    del channels  # read off the input
    check_network(options, VARIANTS)
    adjacency = skeletons.adjacency(layout, strategy, norm, metric, radii)
    return STGCN(
        num_classes=num_classes,
        adjacency=Adjacency(adjacency),
        axis_name=axis_name,
        initial=init,
        **options,
    )
