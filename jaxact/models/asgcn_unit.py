"""AS-GCN's unit: ST-GCN's unit on structural and actional links.

Structural links connect joints that are a few bones apart and are the same for every clip. Actional
links are inferred for each clip (`jaxact.models.layers.link_inference`).
"""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.models.layers.batch_norm import affine
from jaxact.models.layers.graph_conv import graph_bias, planned_graph_conv
from jaxact.models.layers.stgcn_unit import STGCNUnit
from jaxact.models.layers.temporal_conv import TAPS, norm_relu, temporal_conv


class ASGCNUnit(STGCNUnit):
    """ST-GCN's unit on structural links A, weighted by a learned M, and actional links B.

        y = sum_k (M_k o A_k) x W_k + lambda sum_c B_c x V_c

    Attributes:
        actional: lambda.
        taps: frames that the temporal convolution reads; 0: all of them, into one frame.
        activated: end the unit with a ReLU.
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
        """The output features; `train` turns on batch statistics and dropout (rng `dropout`)."""
        y = self._spatial(x)
        if links is not None:
            y = y + self._actional(self.actional * links, x)
        y, bias = self._temporal(y, *self._norm("spatial_norm")(y, train))
        y = affine(y, *self._norm("temporal_norm")(y, train, bias))
        y = self._dropped(y, train)
        if self.residual:
            y = y + self._shortcut(x, train)
        if self.activated:
            y = nn.relu(y)
        return y.astype(x.dtype)

    def _actional(self, links: Array, x: Array) -> Array:
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
        taps, features = self.taps or y.shape[2], self.features
        kernel, bias = self._weights(
            "temporal", (taps, features, features), (features,), fan_out=taps * features
        )
        y = norm_relu(y, factor, offset)
        if self.taps:
            return temporal_conv(y, kernel, self.stride), bias
        return jnp.einsum("nvtc,tcd->nvd", y, kernel.astype(y.dtype))[:, :, None], bias
