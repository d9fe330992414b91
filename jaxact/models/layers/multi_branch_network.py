"""The common structure of ST-GCN++ and CTR-GCN: units of graph and multi-branch convolution."""

import functools
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import flax.linen as nn
from jaxtyping import Array, Float

from jaxact import skeletons
from jaxact.errors import UserError
from jaxact.models.input_spec import InputSpec
from jaxact.models.layers.adjacency import Adjacency
from jaxact.models.layers.data_norm import data_norm
from jaxact.models.layers.dropout import dropout
from jaxact.models.layers.graph_classifier import GraphClassifier
from jaxact.models.layers.multi_branch_tcn import MultiBranch, Shortcut
from jaxact.models.variants import check_network

# Width factor and stride of each unit. "ten" is the network of both papers: as in ST-GCN, the fifth
# and the eighth unit double the channels and halve the frames. "six" is the short form for hand
# gestures by ST-GCN++'s authors, which learns faster from few clips of few joints.
VARIANTS: dict[str, tuple[tuple[int, int], ...]] = {
    "ten": ((1, 1), (1, 1), (1, 1), (1, 1), (2, 2), (2, 1), (2, 1), (4, 2), (4, 1), (4, 1)),
    "six": ((1, 1), (1, 1), (1, 1), (1, 1), (1, 1), (2, 2)),
}


class MultiBranchUnit(nn.Module):
    """ReLU(temporal(spatial(x)) + shortcut(x)), with dropout on the first term.

    Attributes:
        features: channels out.
        stride: distance of output frames.
        residual: add a shortcut.
        spatial: makes the module that mixes joints, from `features`.
        temporal: makes the module that mixes frames, from `features` and `stride`.
        dropout: probability of dropping an element, in [0, 1).
        initial, axis_name: see `MultiBranch`.
    """

    features: int
    stride: int
    residual: bool
    spatial: Callable[..., nn.Module]
    temporal: Callable[..., nn.Module]
    dropout: float
    initial: str
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "n v t c"], train: bool = False) -> Float[Array, "n v s d"]:
        """The output features; `train` turns on batch statistics and dropout (rng `dropout`)."""
        y = self.spatial(features=self.features, name="spatial")(x, train)
        y = self.temporal(features=self.features, stride=self.stride, name="temporal")(y, train)
        if train and self.dropout > 0:
            y = dropout(self.make_rng("dropout"), y, self.dropout)
        if self.residual:
            shortcut = Shortcut(
                self.features, self.stride, self.initial, self.axis_name, name="shortcut"
            )
            y = y + shortcut(x, train)
        return nn.relu(y).astype(x.dtype)


class MultiBranchNetwork(GraphClassifier):
    """Units of graph and multi-branch convolution, for any number of frames and persons.

    A subclass defines the class variables: the module of the graph convolution, with the fields
    `features`, `adjacency` and `axis_name`; the taps, the dilations and `mix` of `MultiBranch`; and
    the initial weights.

    Attributes:
        network: a key of `VARIANTS`; "ten" in the papers.
        dropout: probability of dropping an element at the end of each unit's residual branch, in
            [0, 1); the papers have no dropout.
        adjacency: initial value of each unit's adjacency; the papers use the strategy "spatial".
        width: at least one channel for each temporal branch.
        num_classes, dtype, remat, axis_name: see `GraphClassifier`.
    """

    network: str = "ten"
    dropout: float = 0.0

    GRAPH_CONV: ClassVar[Callable[..., nn.Module]]
    TAPS: ClassVar[int]
    DILATIONS: ClassVar[tuple[int, ...]]
    MIX: ClassVar[bool]
    INITIAL: ClassVar[str]

    persons_apart: ClassVar[bool] = False  # see `data_norm`; a subclass may make it a field

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "b t m v c"], *, train: bool = False
    ) -> Float[Array, "b classes"]:
        """Logits of each clip.

        Args:
            inputs: joint coordinates (and scores), absent persons and missing joints zero.
            train: batch statistics and dropout (rng `dropout`); `batch_stats` must then be mutable.
        """
        x = data_norm(inputs, train, axis_name=self.axis_name, persons_apart=self.persons_apart)
        x = x.astype(self.dtype)
        for unit in self._units():
            x = unit(x, train)
        head = nn.Dense(self.num_classes, kernel_init=nn.initializers.normal(0.01), name="head")
        return head(self.pooled(x, inputs.shape[0]))

    def _units(self) -> list[nn.Module]:
        graph_conv = functools.partial(
            self.GRAPH_CONV, adjacency=self.adjacency, axis_name=self.axis_name
        )
        temporal_conv = functools.partial(
            MultiBranch,
            taps=self.TAPS,
            dilations=self.DILATIONS,
            mix=self.MIX,
            initial=self.INITIAL,
            axis_name=self.axis_name,
        )
        unit_class = MultiBranchUnit
        if self.remat:
            unit_class = nn.remat(unit_class, static_argnums=(2,))
        units = []
        for number, (factor, stride) in enumerate(VARIANTS[self.network]):
            unit = unit_class(
                features=factor * self.width,
                stride=stride,
                residual=number > 0,
                spatial=graph_conv,
                temporal=temporal_conv,
                dropout=self.dropout if number > 0 else 0.0,
                initial=self.INITIAL,
                axis_name=self.axis_name,
                name=f"unit{number}",
            )
            units.append(unit)
        return units


Network = TypeVar("Network", bound=MultiBranchNetwork)


def build_multi_branch(
    network_class: type[Network], name: str, spec: InputSpec, options: dict[str, Any]
) -> Network:
    """A network whose graphs start as that of `spec.layout`.

    Args:
        network_class: the network.
        name: of the network in error messages.
        spec: the data.
        options: other fields of the network.

    Raises:
        UserError: an unknown variant, or fewer channels than temporal branches.
    """
    check_network(options, VARIANTS)
    width = options.get("width", network_class.width)
    branches = len(network_class.DILATIONS) + 2
    if width < branches:
        raise UserError(
            f"{name} of width {width}: wanted {branches} or more, "
            "a channel for each temporal branch"
        )
    return network_class(
        num_classes=spec.num_classes,
        adjacency=Adjacency(skeletons.adjacency(spec.layout, "spatial")),
        axis_name=spec.axis_name,
        **options,
    )
