"""Actional-structural graph convolution: ST-GCN's unit on a graph of bones and a graph of what
moves together.

Structural links are the skeleton's, up to a few bones apart, and the same for every clip; actional
links are a clip's own (`jaxact.models.layers.link_inference`).
"""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.models import stgcn
from jaxact.models.layers.batch_norm import affine
from jaxact.models.layers.dropout import dropout
from jaxact.models.layers.graph_conv import graph_bias, planned_graph_conv
from jaxact.models.layers.temporal_conv import TAPS, temporal_conv


class Unit(stgcn.Unit):
    """ST-GCN's unit on both kinds of links.

        y = sum_k (M_k o A_k) x W_k + lambda sum_c B_c x V_c        A_k structural, B_c actional, M_k learnt

    Attributes:
        actional: lambda.
        taps: frames of the convolution along time; 0 is all there are, into one.
        activated: whether a ReLU ends the unit.
    """

    actional: float
    taps: int = TAPS
    activated: bool = True

    @nn.compact
    def __call__(
        self,
        x: Float[Array, "n v t c"],
        train: bool = False,
        links: Float[Array, "n k v w"] | None = None,
    ) -> Float[Array, "n v s d"]:
        """Features in, features out; `train` turns on batch statistics and dropout (rng
        `dropout`).
        """
        y = self._spatial(x)
        if links is not None:
            y = y + self._along(self.actional * links, x)
        y, bias = self._temporal(y, *self._norm("spatial_norm")(y, train))
        y = affine(y, *self._norm("temporal_norm")(y, train, bias))
        if train and self.dropout > 0:
            y = dropout(self.make_rng("dropout"), y, self.dropout)
        if self.residual:
            y = y + self._shortcut(x, train)
        return (nn.relu(y) if self.activated else y).astype(x.dtype)

    def _along(self, links: Array, x: Array) -> Array:
        """The convolution over the actional links."""
        types, features = links.shape[1], self.features
        kernel, bias = self._weights(
            "actional", (x.shape[-1], types, features), (types, features), fan_out=features
        )
        y = planned_graph_conv(x, kernel, links)
        return y + graph_bias(bias, links).astype(y.dtype)

    def _temporal(self, y: Array, factor: Array, offset: Array) -> tuple[Array, Array | float]:
        if self.taps == TAPS:
            return super()._temporal(y, factor, offset)
        shape = (self.taps or y.shape[2], self.features, self.features)
        kernel, bias = self._weights(
            "temporal", shape, (self.features,), fan_out=shape[0] * self.features
        )
        y = nn.relu(affine(y, factor, offset)).astype(y.dtype)
        if self.taps:
            return temporal_conv(y, kernel, self.stride), bias
        return jnp.einsum("nvtc,tcd->nvd", y, kernel.astype(y.dtype))[:, :, None], bias
