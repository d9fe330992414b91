"""The unit of ST-GCN, which several networks extend: convolution over the graph, then over time."""

import math
from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.models.layers.adjacency import Adjacency
from jaxact.models.layers.batch_norm import BatchNorm, affine
from jaxact.models.layers.chunked_map import by_sample
from jaxact.models.layers.dropout import dropout
from jaxact.models.layers.graph_conv import graph_bias, graph_conv
from jaxact.models.layers.temporal_conv import (
    PAST,
    TAPS,
    norm_relu,
    norm_relu_temporal_conv,
    strided_projection,
    temporal_conv,
)


def kernel_init(initial: str, fan_out: int) -> nn.initializers.Initializer:
    """Normal weights, of deviation 0.02 ("v2") or sqrt(2 / fan_out) ("he_fan_out").

    The released code has the former, its first version the latter.
    """
    return nn.initializers.normal(0.02 if initial == "v2" else math.sqrt(2 / fan_out))


def scale_init(initial: str) -> nn.initializers.Initializer:
    """Normalisation scales: N(1, 0.02) in the released code ("v2"), ones in its first version."""
    if initial != "v2":
        return nn.initializers.ones
    return lambda key, shape, dtype=jnp.float32: 1 + 0.02 * jax.random.normal(key, shape, dtype)


class STGCNUnit(nn.Module):
    """Graph convolution, norm, ReLU, temporal convolution, norm, dropout, shortcut, ReLU.

    Subclasses replace `_spatial` or `_temporal`.

    Attributes:
        features: channels out.
        stride: distance of output frames.
        residual: add a shortcut: the input, or its projection if the shape changes.
        adjacency, edge_importance, dropout, initial, axis_name: see `jaxact.models.stgcn.STGCN`.
    """

    features: int
    stride: int
    residual: bool
    adjacency: Adjacency
    edge_importance: bool
    dropout: float
    initial: str
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n v t c"], train: bool = False) -> Float[Array, "n v s d"]:
        """The output features; `train` turns on batch statistics and dropout (rng `dropout`)."""
        y = self._spatial(x)
        y, bias = self._temporal(y, *self._norm("spatial_norm")(y, train))
        y = affine(y, *self._norm("temporal_norm")(y, train, bias))
        y = self._dropped(y, train)
        if self.residual:
            y = y + self._shortcut(x, train)
        return nn.relu(y).astype(x.dtype)

    def _spatial(self, x: Array) -> Array:
        """The convolution over the graph."""
        channels, features = x.shape[-1], self.features
        adjacency = self._weighted_adjacency()
        parts = adjacency.shape[0]
        kernel, bias = self._weights(
            "spatial", (channels, parts, features), (parts, features), fan_out=features
        )
        return by_sample(_biased_graph_conv, x, (kernel, adjacency, graph_bias(bias, adjacency)))

    def _weighted_adjacency(self) -> Float[Array, "k v w"]:
        """The graph, times a learned factor per edge where the unit has edge importance."""
        adjacency = jnp.asarray(self.adjacency, jnp.float32)
        if not self.edge_importance:
            return adjacency
        return adjacency * self.param("importance", nn.initializers.ones, adjacency.shape)

    def _temporal(self, y: Array, factor: Array, offset: Array) -> tuple[Array, Array | float]:
        """The convolution along time of ReLU(y * factor + offset), and a bias to add to it."""
        kernel, bias = self._temporal_weights()
        return norm_relu_temporal_conv(y, factor, offset, kernel, self.stride), bias

    def _temporal_weights(self) -> tuple[Array, Array]:
        features = self.features
        return self._weights(
            "temporal", (TAPS, features, features), (features,), fan_out=TAPS * features
        )

    def _shortcut(self, x: Array, train: bool) -> Array:
        if self._keeps_shape(x):
            return x
        shape = (1, x.shape[-1], self.features)
        kernel, bias = self._weights("shortcut", shape, (self.features,), fan_out=self.features)
        x = strided_projection(x, kernel, self.stride)
        return affine(x, *self._norm("shortcut_norm")(x, train, bias))

    def _keeps_shape(self, x: Array) -> bool:
        return self.stride == 1 and x.shape[-1] == self.features

    def _dropped(self, y: Array, train: bool) -> Array:
        if not train or self.dropout == 0:
            return y
        return dropout(self.make_rng("dropout"), y, self.dropout)

    def _weights(
        self, name: str, shape: Sequence[int], bias_shape: Sequence[int], fan_out: int
    ) -> tuple[Array, Array]:
        kernel = self.param(f"{name}_kernel", kernel_init(self.initial, fan_out), tuple(shape))
        return kernel, self.param(f"{name}_bias", nn.initializers.zeros, tuple(bias_shape))

    def _norm(self, name: str) -> BatchNorm:
        return BatchNorm(axis_name=self.axis_name, scale_init=scale_init(self.initial), name=name)


class FirstReleaseUnit(STGCNUnit):
    """The unit of the code's first release: ReLU(norm(temporal convolution)) + shortcut.

    A projected shortcut has a ReLU of its own. Departs from that code: dropout follows the temporal
    convolution instead of preceding it, and the projections' biases are added before the graph
    instead of after it.
    """

    @nn.compact
    def __call__(self, x: Float[Array, "n v t c"], train: bool = False) -> Float[Array, "n v s d"]:
        """The output features; `train` turns on batch statistics and dropout (rng `dropout`)."""
        y = self._spatial(x)
        y, bias = self._temporal(y, *self._norm("spatial_norm")(y, train))
        y = nn.relu(affine(y, *self._norm("temporal_norm")(y, train, bias)))
        y = self._dropped(y, train)
        if not self.residual:
            return y.astype(x.dtype)
        shortcut = self._shortcut(x, train)
        if not self._keeps_shape(x):
            shortcut = nn.relu(shortcut)
        return (y + shortcut).astype(x.dtype)


class CausalUnit(STGCNUnit):
    """A unit of stride 1 whose temporal convolution reads the current frame and eight before it."""

    def _temporal(self, y: Array, factor: Array, offset: Array) -> tuple[Array, Array]:
        kernel, bias = self._temporal_weights()
        y = jnp.pad(norm_relu(y, factor, offset), ((0, 0), (0, 0), (PAST, 0), (0, 0)))
        half = TAPS // 2
        return temporal_conv(y, kernel)[:, :, half:-half], bias


def _biased_graph_conv(x: Array, weights: tuple[Array, Array, Array]) -> Array:
    kernel, adjacency, bias = weights
    return graph_conv(x, kernel, adjacency) + bias[None].astype(x.dtype)
