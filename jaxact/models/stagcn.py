"""Spatio-temporal attention graph convolutional network, STA-GCN (Kinetics-skeleton 35.7 % top-1,
NTU RGB+D 87.7 % X-Sub and 95.0 % X-View in the paper's Table 4, from two fused networks).

ST-GCN whose units first let every frame take from all frames (temporal attention) and every joint
choose among its neighbours (spatial attention); a small network beside it says which joints matter
in which frame, and opens the first unit's features there. A clip is cut into segments, each
classified alone; at test time they are averaged, all of them or the confident ones.

    [b 300 m v 3] -> segments [b 5 60 m v 3] -> norm -> 10 units of attention, graph and time -> [b 5 k] -> [b k]

There is no public code. What the paper leaves open, and what was decided, stands with each option.
"""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact import skeletons
from jaxact.errors import UserError
from jaxact.models import stgcn
from jaxact.models.layers.adjacency import Adjacency
from jaxact.models.layers.graph_conv import graph_bias, graph_conv, planned_graph_conv
from jaxact.models.layers.st_attention import (
    attention_weights,
    mix_frames,
    planned_mix_frames,
    spatial_attention,
    temporal_attention,
)
from jaxact.models.spatial_attention_net import SpatialNetwork, data_norm, in_order
from jaxact.models.stgcn import VARIANTS, kernel_init
from jaxact.models.variants import check_network

ATTENTION = {
    "none": (False, False),
    "spatial": (True, False),
    "temporal": (False, True),
    "both": (True, True),
}
GATES = ("none", "own", "shared")
CONFIDENCES = ("max", "entropy", "margin")


class AttentionUnit(stgcn.Unit):
    """ST-GCN's unit on x' = X E' and the graph A o S': Equation 9, in the residual frame of Figure
    1.

    Attributes:
        attention: a key of `ATTENTION`.
        bias: whether the graph convolution adds one; the paper's Chebyshev form has none.
        axis, attended: see `STAGCN`.
    """

    attention: str
    bias: bool
    axis: str
    attended: str

    def _spatial(self, x: Array) -> Array:
        joints, frames, channels = x.shape[1:]
        spatial, temporal = ATTENTION[self.attention]
        adjacency = jnp.asarray(self.adjacency, jnp.float32)
        parts, features = adjacency.shape[0], self.features
        if self.edge_importance:
            adjacency = adjacency * self.param("importance", nn.initializers.ones, adjacency.shape)
        init = kernel_init(self.initial, features)
        weights: dict[str, Any] = {
            "adjacency": adjacency,
            "kernel": self.param("spatial_kernel", init, (channels, parts, features)),
        }
        if self.bias:
            weights["bias"] = self.param("spatial_bias", nn.initializers.zeros, (parts, features))
        inputs = {"taken": x}
        if temporal:
            frame_weights = attention_weights(
                self, "frames", size=frames, other=joints, channels=channels
            )
            inputs = _mixed(
                x, frame_weights, axis=self.axis, attended=self.attended, fast=self.fast
            )
        if spatial:
            weights["spatial"] = attention_weights(
                self, "joints", size=joints, other=frames, channels=channels
            )
            if self.is_mutable_collection("intermediates"):
                scored = inputs.get("scored", x)
                self.sow(
                    "intermediates",
                    "spatial_attention",
                    spatial_attention(scored, weights["spatial"], self.axis),
                )
        else:
            inputs = {"taken": inputs["taken"]}
        return self._run(
            functools.partial(_attended_graph_conv, axis=self.axis), inputs, (weights,)
        )


def _mixed(
    x: Array, weights: dict[str, Array], *, axis: str, attended: str, fast: bool
) -> dict[str, Array]:
    """What the graph convolution takes, and what its scores are made of: X E' and X, or the other
    way.
    """
    mixed = (planned_mix_frames if fast else mix_frames)(x, temporal_attention(x, weights, axis))
    return {"taken": mixed, "scored": x} if attended == "graph" else {"taken": x, "scored": mixed}


def _attended_graph_conv(
    inputs: dict[str, Array], weights: dict[str, Any], *, axis: str, fast: bool
) -> Array:
    """The graph convolution of `taken` on A, or on A o S' with S' of `scored`."""
    x, kernel, graph = inputs["taken"], weights["kernel"], weights["adjacency"]
    if "spatial" in weights:
        graph = (
            graph[None]
            * spatial_attention(inputs.get("scored", x), weights["spatial"], axis)[:, None]
        )
    y = (planned_graph_conv if fast else graph_conv)(x, kernel, graph)
    if "bias" not in weights:
        return y
    bias = graph_bias(weights["bias"], graph)
    return y + (bias if "spatial" in weights else bias[None]).astype(y.dtype)


class STAGCN(nn.Module):
    """The whole network, for the number of frames that it was initialised with, and any number of
    persons.

    Attributes:
        num_classes: logits out.
        adjacency: [k][source][target]: the spatial partition, or Chebyshev polynomials
            (`jaxact.skeletons.chebyshev`), which go without `edge_importance` and `bias`.
        gate_adjacency: the spatial partition, for the network of the gate; None: `adjacency`.
        network: a key of `jaxact.models.stgcn.VARIANTS`.
        edge_importance, bias: of the graph convolutions.
        attention: a key of `ATTENTION`: which of S and E the units have.
        gate: "own", a `SpatialNetwork` beside the classifier (the paper's SN); "shared", a gate on
            the features of the classifier's own first three units (its TN); or "none". Its
            features, weighted by the gate and averaged, also feed an auxiliary classifier.
        segments: parts of equal length that a clip is cut into.
        kept: how many of them count at test time, the most confident ones, weighted by their
            confidence (the paper's DCW); 0: all of them, equally (AFM).
        confidence: of a segment: the largest probability ("max"), 1 - entropy / log classes, or the
            margin between the two largest.
        axis: which index the softmax of S and E sums over, see `jaxact.models.layers.st_attention`.
        attended: what sees X E': "graph" as printed, where S is made of X; "scores" as in ASTGCN's
            code, where only S is made of it and the graph convolution takes X.
        relu_logits: a ReLU on the logits, as section 2 of the paper may be read.
        width, dropout, initial, dtype, remat, axis_name, fast: see `jaxact.models.stgcn.STGCN`.
    """

    num_classes: int
    adjacency: Adjacency
    gate_adjacency: Adjacency | None = None
    network: str = "stem9"
    edge_importance: bool = False
    bias: bool = False
    attention: str = "both"
    gate: str = "own"
    segments: int = 5
    kept: int = 3
    confidence: str = "max"
    axis: str = "j"
    attended: str = "graph"
    relu_logits: bool = False
    width: int = 64
    dropout: float = 0.5
    initial: str = "v2"
    dtype: Any = "float32"
    remat: bool = False
    axis_name: str | None = None
    fast: bool | None = None

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "b t m v c"], *, train: bool = False
    ) -> dict[str, Array]:
        """`logits` [b, classes], the logarithm of the segments' joint probability; `segments` [b,
        s, classes], their logits; and with a gate `auxiliary` [b, s, classes], the auxiliary
        classifier's.

        Sown in `intermediates`: `gate` [b, t, m, v]; what the two classifiers average,
        `gated_features` [n, v, t, d] and `features` [n, v, s, d], of each person of each segment, n
        = b s m; and in every unit with a spatial attention `spatial_attention` [n, v, w], its S'
        from source v to target w.

        Args:
            inputs: joint coordinates (and scores), absent persons and missing joints zero; t a
                multiple of `segments`.
            train: batch statistics and dropout (rng `dropout`); `batch_stats` must then be mutable.
        """
        batch, length, persons, joints, channels = inputs.shape
        if length % self.segments or not 0 <= self.kept <= self.segments:
            raise UserError(
                f"stagcn cuts clips into {self.segments} segments of equal length and keeps {self.kept}; got clips of "
                f"{length} frames. Wanted a multiple of the segments (clip.frames), and model.kept from 0 to as many"
            )
        self._check_frames(length)
        inputs = inputs.reshape(
            batch * self.segments, length // self.segments, persons, joints, channels
        )
        fast = jax.default_backend() == "cpu" if self.fast is None else self.fast
        x = data_norm(inputs, train, self.initial, self.axis_name).astype(self.dtype)
        first, *rest = self._units(fast)
        x = first(x, train)
        outputs: dict[str, Array] = {}
        if self.gate != "none":
            if self.gate == "own":
                options = {
                    "adjacency": self.gate_adjacency or self.adjacency,
                    "initial": self.initial,
                    "axis_name": self.axis_name,
                }
                network = SpatialNetwork(
                    **options, width=self.width, fast=fast, name="attention_network"
                )
                seen, gate = network(inputs, train)
            else:
                seen = rest[1](rest[0](x, train), train)
                gate = nn.sigmoid(nn.Dense(1, name="shared_gate")(seen.astype(jnp.float32)))
            self.sow("intermediates", "gate", in_order(gate[..., 0], batch, self.segments))
            self.sow("intermediates", "gated_features", seen * gate)
            outputs["auxiliary"] = self._classified(seen * gate, batch, "auxiliary")
            x = x * (1 + gate).astype(x.dtype)
        for unit in rest:
            x = unit(x, train)
        self.sow("intermediates", "features", x)
        outputs["segments"] = self._classified(x, batch, "head")
        return outputs | {"logits": fuse_segments(outputs["segments"], self.kept, self.confidence)}

    def _check_frames(self, length: int) -> None:
        """Raises UserError where the network's attention is made for clips of another length."""
        held = self.variables.get("params", {}).get(VARIANTS[self.network][0][0], {})
        for name in ("joints_along", "frames_matrix"):
            if name in held and (trained := len(held[name]) * self.segments) != length:
                raise UserError(
                    f"this network's attention is made for clips of {trained} frames; got {length}. "
                    "Wanted the clip.frames that it was trained with"
                )

    def _units(self, fast: bool) -> list[nn.Module]:
        kind = nn.remat(AttentionUnit, static_argnums=(2,)) if self.remat else AttentionUnit
        return [
            kind(
                features=factor * self.width,
                stride=stride,
                residual=True,  # attention that is uniform at the start would else wipe out time
                adjacency=self.adjacency,
                edge_importance=self.edge_importance,
                dropout=0.0 if name == "stem" else self.dropout,
                initial=self.initial,
                axis_name=self.axis_name,
                fast=fast,
                attention=self.attention,
                bias=self.bias,
                axis=self.axis,
                attended=self.attended,
                name=name,
            )
            for name, factor, stride in VARIANTS[self.network]
        ]

    def _classified(
        self, x: Float[Array, "n v t d"], batch: Any, name: str
    ) -> Float[Array, "b s classes"]:
        """Logits of each segment, off the average over its frames, joints and persons."""
        x = jnp.mean(x.astype(jnp.float32).reshape(batch, self.segments, -1, x.shape[-1]), axis=2)
        logits = nn.Dense(
            self.num_classes, kernel_init=kernel_init(self.initial, self.num_classes), name=name
        )(x)
        return nn.relu(logits) if self.relu_logits else logits


def fuse_segments(
    logits: Float[Array, "b s classes"], kept: int = 0, confidence: str = "max"
) -> Float[Array, "b classes"]:
    """log p, p = sum_s c_s softmax(logits_s) / sum_s c_s over the `kept` most confident segments;
    0: the plain mean.
    """
    segments = logits.shape[1]
    if segments == 1:
        return logits[:, 0]
    log_p = jax.nn.log_softmax(logits.astype(jnp.float32))
    if kept == 0:
        return jax.nn.logsumexp(log_p, axis=1) - jnp.log(segments)
    sure = confidences(logits, confidence)
    order = jnp.argsort(jnp.argsort(-sure, axis=1), axis=1)
    weight = jnp.where(order < kept, sure, 0.0)
    weight = weight / jnp.maximum(jnp.sum(weight, axis=1, keepdims=True), 1e-12)
    return jnp.log(jnp.maximum(jnp.einsum("bs,bsk->bk", weight, jnp.exp(log_p)), 1e-30))


def confidences(logits: Float[Array, "b s classes"], kind: str) -> Float[Array, "b s"]:
    """How sure each segment is, in [0, 1]: one of `CONFIDENCES`."""
    p = jax.nn.softmax(logits.astype(jnp.float32))
    if kind == "max":
        return jnp.max(p, axis=-1)
    if kind == "margin":
        largest = jax.lax.top_k(p, 2)[0]
        return largest[..., 0] - largest[..., 1]
    entropy = -jnp.sum(p * jax.nn.log_softmax(logits.astype(jnp.float32)), axis=-1)
    return 1 - entropy / jnp.log(logits.shape[-1])


def build_stagcn(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    operator: str = "cheb",
    edge_importance: bool = True,
    init: str = "v2",
    **options: Any,
) -> STAGCN:
    """STA-GCN on the graph of `layout`; `options` are fields of `STAGCN`."""
    del channels
    check_network(options, stgcn.VARIANTS)
    partition = operator == "partition"
    spatial = skeletons.adjacency(layout, "spatial")
    adjacency = spatial if partition else skeletons.chebyshev(layout)
    return STAGCN(
        num_classes=num_classes,
        adjacency=Adjacency(adjacency),
        gate_adjacency=Adjacency(spatial),
        edge_importance=edge_importance and partition,
        bias=partition,
        axis_name=axis_name,
        initial=init,
        **options,
    )
