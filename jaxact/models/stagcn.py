"""Spatio-temporal attention graph convolutional network, STA-GCN (Kinetics-skeleton 35.7 % top-1,
NTU RGB+D 87.7 % X-Sub and 95.0 % X-View in the paper's Table 4, from two fused networks).

ST-GCN whose units mix frames by temporal attention and weight the edges of the graph by spatial
attention. A small network beside it predicts a gate, which joints matter in which frame, and the
gate scales the first unit's features. A clip is cut into segments that are classified separately.
At test time their predictions are averaged, over all segments or the most confident ones.

    [b 300 m v 3] -> segments [b 5 60 m v 3] -> norm -> 10 units of attention, graph and time
                  -> [b 5 k] -> [b k]

There is no public code. Where the paper is ambiguous, the options document both readings.
"""

from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact import skeletons
from jaxact.errors import UserError
from jaxact.models import stgcn
from jaxact.models.input_spec import InputSpec
from jaxact.models.layers.adjacency import Adjacency
from jaxact.models.layers.attention_unit import AttentionUnit
from jaxact.models.layers.segment_fusion import fuse_segments
from jaxact.models.layers.stgcn_unit import STGCNUnit
from jaxact.models.spatial_attention_net import SpatialNetwork, clip_order
from jaxact.models.variants import check_network


class STAGCN(stgcn.GraphNetwork):
    """STA-GCN, for the number of frames that it was initialised with, and any number of persons.

    Unlike in ST-GCN, the first unit has a shortcut too. Attention is uniform at the start and would
    otherwise remove all differences between frames.

    Attributes:
        adjacency: [k][source][target]: the spatial partition, or Chebyshev polynomials
            (`jaxact.skeletons.chebyshev`), which have no `edge_importance` and no `bias`.
        gate_adjacency: the spatial partition, for the gate's network; None: `adjacency`.
        bias: whether the graph convolutions have one.
        attention: which of S and E the units have, a key of
            `jaxact.models.layers.attention_unit.ATTENTION`.
        gate: "own", a `SpatialNetwork` beside the classifier (the paper's SN); "shared", a gate on
            the features of the classifier's own first three units (its TN); or "none". The gate's
            features, weighted by the gate and averaged, also feed an auxiliary classifier.
        segments: parts of equal length that a clip is cut into.
        kept: number of most confident segments whose predictions are averaged at test time,
            weighted by confidence (the paper's DCW); 0: all of them, equally (AFM).
        confidence: of a segment, see `jaxact.models.layers.segment_fusion.confidences`.
        axis: the index that the softmax of S and E sums over, see
            `jaxact.models.layers.st_attention`.
        attended: where X E' is used. "graph" as printed: it is convolved, and S is computed from X.
            "scores" as in ASTGCN's code: S is computed from it, and X is convolved.
        relu_logits: apply a ReLU to the logits, as section 2 of the paper may be read.
    """

    edge_importance: bool = False
    gate_adjacency: Adjacency | None = None
    bias: bool = False
    attention: str = "both"
    gate: str = "own"
    segments: int = 5
    kept: int = 3
    confidence: str = "max"
    axis: str = "j"
    attended: str = "graph"
    relu_logits: bool = False

    unit_class: ClassVar[type[STGCNUnit]] = AttentionUnit

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "b t m v c"], *, train: bool = False
    ) -> dict[str, Array]:
        """The logits, as a dictionary.

        - `logits` [b, classes]: the log probabilities of the fused segments.
        - `segments` [b, s, classes]: the logits of each segment.
        - `auxiliary` [b, s, classes]: the auxiliary classifier's logits, only with a gate.

        Sown in `intermediates`: `gate` [b, t, m, v]; the features that the two classifiers average,
        `gated_features` [n, v, t, d] and `features` [n, v, s, d] of each person of each segment,
        n = b s m; and in each unit with spatial attention `spatial_attention` [n, v, w], its S'
        from source v to target w.

        Args:
            inputs: joint coordinates (and scores), absent persons and missing joints zero; t a
                multiple of `segments`.
            train: batch statistics and dropout (rng `dropout`); `batch_stats` must then be mutable.
        """
        batch, length, persons, joints, channels = inputs.shape
        self._check_segments(length)
        self._check_frames(length)
        segments = self.segments
        inputs = inputs.reshape(batch * segments, length // segments, persons, joints, channels)
        x = self.normalised(inputs, train)
        first, *later_units = self.units(self.remat)
        x = first(x, train)
        outputs: dict[str, Array] = {}
        if self.gate != "none":
            if self.gate == "own":
                features, gate = self._attention_network()(inputs, train)
            else:
                features = later_units[1](later_units[0](x, train), train)
                gate = nn.sigmoid(nn.Dense(1, name="shared_gate")(features.astype(jnp.float32)))
            self.sow("intermediates", "gate", clip_order(gate[..., 0], batch, segments))
            self.sow("intermediates", "gated_features", features * gate)
            outputs["auxiliary"] = self._classify(features * gate, batch, "auxiliary")
            x = x * (1 + gate).astype(x.dtype)
        for unit in later_units:
            x = unit(x, train)
        self.sow("intermediates", "features", x)
        outputs["segments"] = self._classify(x, batch, "head")
        outputs["logits"] = fuse_segments(outputs["segments"], self.kept, self.confidence)
        return outputs

    def _check_segments(self, length: int) -> None:
        """Raises UserError if a clip cannot be cut into segments."""
        if length % self.segments or not 0 <= self.kept <= self.segments:
            raise UserError(
                f"stagcn cuts clips into {self.segments} segments of equal length and keeps "
                f"{self.kept}; got clips of {length} frames. Wanted a multiple of the segments "
                "(clip.frames), and model.kept from 0 to as many"
            )

    def _check_frames(self, length: int) -> None:
        """Raises UserError if the attention's parameters are for clips of another length."""
        first_unit, _, _ = stgcn.VARIANTS[self.network][0]
        params = self.variables.get("params", {}).get(first_unit, {})
        for name in ("joints_along", "frames_matrix"):
            if name not in params:
                continue
            trained_length = len(params[name]) * self.segments
            if trained_length != length:
                raise UserError(
                    f"this network's attention is made for clips of {trained_length} frames; got "
                    f"{length}. Wanted the clip.frames that it was trained with"
                )

    def _attention_network(self) -> SpatialNetwork:
        return SpatialNetwork(
            adjacency=self.gate_adjacency or self.adjacency,
            width=self.width,
            initial=self.initial,
            axis_name=self.axis_name,
            name="attention_network",
        )

    @nn.nowrap
    def unit_fields(self) -> dict[str, Any]:
        """The fields that all units share."""
        return super().unit_fields() | {
            "attention": self.attention,
            "bias": self.bias,
            "axis": self.axis,
            "attended": self.attended,
        }

    @nn.nowrap
    def has_shortcut(self, name: str) -> bool:
        """Whether the unit `name` has a shortcut: always."""
        return True

    def _classify(
        self, x: Float[Array, "n v t d"], batch: Any, name: str
    ) -> Float[Array, "b s classes"]:
        """Logits of each segment, from the average over its frames, joints and persons."""
        x = jnp.mean(x.astype(jnp.float32).reshape(batch, self.segments, -1, x.shape[-1]), axis=2)
        logits = self.head(name)(x)
        if self.relu_logits:
            return nn.relu(logits)
        return logits


def build_stagcn(
    spec: InputSpec,
    *,
    operator: str = "cheb",
    edge_importance: bool = True,
    init: str = "v2",
    **options: Any,
) -> STAGCN:
    """STA-GCN on the graph of `spec.layout`.

    Args:
        spec: the data.
        operator: "cheb", Chebyshev polynomials of the graph, or "partition", ST-GCN's.
        edge_importance: only with the partition.
        init: the field `initial`.
        **options: other fields of `STAGCN`.
    """
    check_network(options, stgcn.VARIANTS)
    partition = skeletons.adjacency(spec.layout, "spatial")
    is_partition = operator == "partition"
    adjacency = partition if is_partition else skeletons.chebyshev(spec.layout)
    return STAGCN(
        num_classes=spec.num_classes,
        adjacency=Adjacency(adjacency),
        gate_adjacency=Adjacency(partition),
        edge_importance=edge_importance and is_partition,
        bias=is_partition,
        axis_name=spec.axis_name,
        initial=init,
        **options,
    )
