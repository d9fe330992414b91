"""Spatial temporal graph convolutional network (Yan, Xiong and Lin, AAAI 2018, arXiv 1801.07455).

Joints are nodes; bones and time are edges. A unit first mixes each joint with its neighbours, with
one weight matrix per part of the neighbourhood (where the neighbour lies relative to the body's
centre). It then convolves every joint along time. Ten units are stacked, and a linear layer
classifies the average over time, joints and persons.

    [b 300 m v 3] -> norm -> stem, 3 units [bm 300 v 64] -> 3 units [bm 150 v 128]
                  -> 3 units [bm 75 v 256] -> [b k]

Kinetics-skeleton 30.7 % top-1 (`configs/stgcn.py:kinetics_skeleton`), NTU RGB+D 81.5 % X-Sub and
88.3 % X-View (`configs/stgcn.py:ntu60`), from the paper's Tables 2 and 3.
"""

from typing import Any, ClassVar

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxact import skeletons
from jaxact.models.input_spec import InputSpec
from jaxact.models.layers.adjacency import Adjacency
from jaxact.models.layers.data_norm import data_norm
from jaxact.models.layers.graph_classifier import GraphClassifier
from jaxact.models.layers.stgcn_unit import FirstReleaseUnit, STGCNUnit, kernel_init, scale_init
from jaxact.models.variants import check_network

# Name, width factor and stride of each unit. "stem9" is the released code, an input layer and nine
# units; "literal9" follows the text of Section 3.6, nine units in all. "release1" is the code that
# was released with the paper, see `FirstReleaseUnit`. "skeletonclr" has a wide last unit (Li et
# al., CVPR 2021). "stem3" has one unit of each width, for small sets and first experiments.
_STEM9 = (
    ("stem", 1, 1),
    ("unit1", 1, 1),
    ("unit2", 1, 1),
    ("unit3", 1, 1),
    ("unit4", 2, 2),
    ("unit5", 2, 1),
    ("unit6", 2, 1),
    ("unit7", 4, 2),
    ("unit8", 4, 1),
    ("unit9", 4, 1),
)
VARIANTS: dict[str, tuple[tuple[str, int, int], ...]] = {
    "stem9": _STEM9,
    "literal9": _STEM9[1:],
    "skeletonclr": (*_STEM9[:-1], ("unit9", 16, 1)),
    "release1": _STEM9,
    "stem3": (_STEM9[0], _STEM9[1], _STEM9[4], _STEM9[7]),
}


class GraphNetwork(GraphClassifier):
    """A stack of ST-GCN's units: what ST-GCN and the networks that extend it share.

    A subclass may have other units: see `unit_class`, `unit_fields` and `has_shortcut`.

    Attributes:
        network: a key of `VARIANTS`.
        edge_importance: learn a factor per edge and unit (the paper's "ST-GCN + Imp.").
        dropout: probability of dropping an element at the end of each unit's residual branch, in
            [0, 1).
        initial: initial weights, "v2" or "he_fan_out", see `kernel_init`.
        num_classes, adjacency, width, dtype, remat, axis_name: see `GraphClassifier`.
    """

    network: str = "stem9"
    edge_importance: bool = True
    dropout: float = 0.5
    initial: str = "v2"

    unit_class: ClassVar[type[STGCNUnit]] = STGCNUnit

    def normalised(self, inputs: Float[Array, "b t m v c"], train: bool) -> Array:
        """The first unit's input [n v t c], n = b * m."""
        x = data_norm(
            inputs,
            train,
            axis_name=self.axis_name,
            scale_init=scale_init(self.initial),
            persons_apart=self.network == "release1",
        )
        return x.astype(self.dtype)

    @nn.nowrap
    def units(self, remat: bool = False) -> list[STGCNUnit]:
        """The units in order; with `remat` they recompute activations in the backward pass."""
        unit_class = self.unit_class
        if self.network == "release1" and unit_class is STGCNUnit:
            unit_class = FirstReleaseUnit
        if remat:
            unit_class = nn.remat(unit_class, static_argnums=(2,))
        units = []
        for name, factor, stride in VARIANTS[self.network]:
            unit = unit_class(
                features=factor * self.width,
                stride=stride,
                residual=self.has_shortcut(name),
                dropout=0.0 if name == "stem" else self.dropout,
                name=name,
                **self.unit_fields(),
            )
            units.append(unit)
        return units

    @nn.nowrap
    def unit_fields(self) -> dict[str, Any]:
        """The fields that all units share."""
        return {
            "adjacency": self.adjacency,
            "edge_importance": self.edge_importance,
            "initial": self.initial,
            "axis_name": self.axis_name,
        }

    @nn.nowrap
    def has_shortcut(self, name: str) -> bool:
        """Whether the unit `name` has a shortcut."""
        return name != "stem"

    @nn.nowrap
    def head(self, name: str = "head") -> nn.Dense:
        """The linear layer from pooled features to logits."""
        init = kernel_init(self.initial, self.num_classes)
        return nn.Dense(self.num_classes, kernel_init=init, name=name)


class STGCN(GraphNetwork):
    """ST-GCN, for any number of frames and persons at run time; fields of `GraphNetwork`."""

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "b t m v c"], *, train: bool = False
    ) -> Float[Array, "b classes"]:
        """Logits of each clip.

        The last unit's output is sown as `features` [b s m v d] in `intermediates`.

        Args:
            inputs: joint coordinates (and scores), absent persons and missing joints zero.
            train: batch statistics and dropout (rng `dropout`); `batch_stats` must then be mutable.
        """
        batch, _, persons, joints, _ = inputs.shape
        x = self.normalised(inputs, train)
        for unit in self.units(self.remat):
            x = unit(x, train)
        features = x.reshape(batch, persons, joints, -1, x.shape[-1])
        self.sow("intermediates", "features", jnp.transpose(features, (0, 3, 1, 2, 4)))
        return self.head()(self.pooled(x, batch))


def build_stgcn(
    spec: InputSpec,
    *,
    strategy: str = "spatial",
    norm: str = "subset",
    metric: str = "hop",
    init: str = "v2",
    **options: Any,
) -> STGCN:
    """ST-GCN on the graph of `spec.layout`.

    Args:
        spec: the data.
        strategy, norm, metric: of the partition, see `jaxact.skeletons.adjacency`.
        init: the field `initial`.
        **options: other fields of `STGCN`.
    """
    check_network(options, VARIANTS)
    radii = None if spec.radii is None else np.asarray(spec.radii, np.float64)
    adjacency = skeletons.adjacency(spec.layout, strategy, norm, metric, radii)
    return STGCN(
        num_classes=spec.num_classes,
        adjacency=Adjacency(adjacency),
        axis_name=spec.axis_name,
        initial=init,
        **options,
    )
