"""ST-GCN's unit with attention over frames and joints, as in STA-GCN."""

import functools
from typing import Any

import flax.linen as nn
from jaxtyping import Array

from jaxact.models.layers.chunked_map import by_sample
from jaxact.models.layers.graph_conv import graph_bias, graph_conv
from jaxact.models.layers.st_attention import (
    attention_weights,
    mix_frames,
    spatial_attention,
    temporal_attention,
)
from jaxact.models.layers.stgcn_unit import STGCNUnit, kernel_init

# Whether a unit has spatial attention, and whether it has temporal attention.
ATTENTION = {
    "none": (False, False),
    "spatial": (True, False),
    "temporal": (False, True),
    "both": (True, True),
}


class AttentionUnit(STGCNUnit):
    """ST-GCN's unit on X E' and the graph A o S': Equation 9, in the residual block of Figure 1.

    Attributes:
        attention: a key of `ATTENTION`.
        bias: whether the graph convolution has one; the paper's Chebyshev form has none.
        axis, attended: see `jaxact.models.stagcn.STAGCN`.
    """

    attention: str
    bias: bool
    axis: str
    attended: str

    def _spatial(self, x: Array) -> Array:
        joints, frames, channels = x.shape[1:]
        spatial, temporal = ATTENTION[self.attention]
        weights: dict[str, Any] = {"adjacency": self._weighted_adjacency()}
        parts, features = weights["adjacency"].shape[0], self.features
        init = kernel_init(self.initial, features)
        weights["kernel"] = self.param("spatial_kernel", init, (channels, parts, features))
        if self.bias:
            weights["bias"] = self.param("spatial_bias", nn.initializers.zeros, (parts, features))
        inputs = {"convolved": x}
        if temporal:
            frame_weights = attention_weights(
                self, "frames", size=frames, other=joints, channels=channels
            )
            mixed = mix_frames(x, temporal_attention(x, frame_weights, self.axis))
            if self.attended == "graph":
                inputs = {"convolved": mixed, "scored": x}
            else:
                inputs = {"convolved": x, "scored": mixed}
        if spatial:
            weights["spatial"] = attention_weights(
                self, "joints", size=joints, other=frames, channels=channels
            )
            if self.is_mutable_collection("intermediates"):
                scored = inputs.get("scored", x)
                attention = spatial_attention(scored, weights["spatial"], self.axis)
                self.sow("intermediates", "spatial_attention", attention)
        else:
            inputs = {"convolved": inputs["convolved"]}
        return by_sample(functools.partial(_convolve, axis=self.axis), inputs, weights)


def _convolve(inputs: dict[str, Array], weights: dict[str, Any], *, axis: str) -> Array:
    """The graph convolution of X on A, or on A o S' where `weights` has spatial attention.

    Args:
        inputs: `convolved`, X; and `scored`, the features that S' is computed from, if not X.
        weights: `kernel`, `adjacency`, and possibly `bias` and `spatial`.
        axis: see `spatial_attention`.
    """
    x, graph = inputs["convolved"], weights["adjacency"]
    if "spatial" in weights:
        attention = spatial_attention(inputs.get("scored", x), weights["spatial"], axis)
        graph = graph[None] * attention[:, None]
    y = graph_conv(x, weights["kernel"], graph)
    if "bias" not in weights:
        return y
    bias = graph_bias(weights["bias"], graph)
    if "spatial" not in weights:
        bias = bias[None]
    return y + bias.astype(y.dtype)
