"""Weights of pyskl's networks (mmcv names): ST-GCN, ST-GCN++ and CTR-GCN, as the arrays of ours."""

from collections.abc import Callable, Mapping

import numpy as np

from jaxact.errors import UserError
from jaxact.interop.torch_state import Network, State, count, without_prefix
from jaxact.interop.torch_stgcn import variant
from jaxact.models.layers.multi_branch_tcn import VARIANTS

_HEAD = "cls_head.fc_cls"


def network(weights: Mapping[str, np.ndarray]) -> tuple[Network, tuple[str, ...]]:
    """A checkpoint of one of the three networks as ours; and names of arrays that the network never
    uses: none.

    Raises:
        UserError: it is another network, or an array has no place.
    """
    for mark, make in _NETWORKS.items():
        if any(name.endswith(mark) for name in weights):
            state = State(without_prefix(weights, mark))
            found = make(state)
            state.check_empty()
            return found, ()
    raise UserError("it is none of pyskl's ST-GCN, ST-GCN++ and CTR-GCN")


def _stgcn(state: State) -> Network:
    units = count(state.weights, "backbone.gcn.")
    graph = state.take("backbone.gcn.0.gcn.A", 3)
    weighted, widths = "backbone.gcn.0.gcn.PA" in state, []
    for number in range(units):
        unit, there = f"unit{number}" if number else "stem", f"backbone.gcn.{number}"
        if not np.array_equal(state.take(f"{there}.gcn.A", 3), graph):
            raise UserError("its units have different graphs, which ours do not")
        if weighted:
            state.put(f"params/{unit}/importance", state.take(f"{there}.gcn.PA", 3))
        state.over_graph(f"{unit}/spatial_", f"{there}.gcn.conv", len(graph))
        state.norm(f"{unit}/spatial_norm", f"{there}.gcn.bn")
        state.along_time(f"{unit}/temporal", f"{there}.tcn.conv")
        state.norm(f"{unit}/temporal_norm", f"{there}.tcn.bn")
        if f"{there}.residual.conv.weight" in state:
            state.along_time(f"{unit}/shortcut", f"{there}.residual.conv")
            state.norm(f"{unit}/shortcut_norm", f"{there}.residual.bn")
        widths.append(len(state.weights[f"{there}.tcn.conv.bias"]))
    model = {
        "name": "stgcn",
        "network": variant(widths),
        "width": widths[0],
        "edge_importance": weighted,
    }
    return _whole(state, model, graph, graph.shape[-1])


def _stgcnpp(state: State) -> Network:
    widths = []
    for number in range(count(state.weights, "backbone.gcn.")):
        unit, there = f"unit{number}", f"backbone.gcn.{number}"
        graph = state.take(f"{there}.gcn.A", 3)
        state.put(f"params/{unit}/spatial/adjacency", graph)
        state.over_graph(f"{unit}/spatial/", f"{there}.gcn.conv", len(graph))
        _around(state, f"{there}.gcn", f"{there}.residual", unit)
        branches = _branches(state, f"{there}.tcn", unit, mixed=True)
        state.norm(f"{unit}/temporal/reduce_norm", *(f"{branch}.1" for branch in branches[:-1]))
        state.norm(f"{unit}/temporal/norm", f"{there}.tcn.transform.0")
        state.dense(f"{unit}/temporal/mix_", f"{there}.tcn.transform.2")
        state.norm(f"{unit}/temporal/mix_norm", f"{there}.tcn.bn")
        widths.append(len(state.weights[f"{there}.gcn.bn.bias"]))
    return _whole(
        state, _model("stgcnpp", widths), None, state.weights["backbone.gcn.0.gcn.A"].shape[-1]
    )


def _ctrgcn(state: State) -> Network:
    state.take("A", 3) if "A" in state else state.take("backbone.A", 3)  # where its units began
    widths = []
    for number in range(count(state.weights, "backbone.net.")):
        unit, there = f"unit{number}", f"backbone.net.{number}"
        graph = state.take(f"{there}.gcn1.A", 3)
        state.put(f"params/{unit}/spatial/adjacency", graph)
        state.put(f"params/{unit}/spatial/alpha", state.take(f"{there}.gcn1.alpha").reshape(()))
        # Its difference is source minus target, ours the reverse: tanh is odd, so that xi changes
        # its sign.
        for ours, theirs, sign in (("psi", 2, 1), ("phi", 1, 1), ("value", 3, 1), ("xi", 4, -1)):
            names = [f"{there}.gcn1.convs.{part}.conv{theirs}" for part in range(len(graph))]
            kernels = [sign * state.take(f"{name}.weight", 2).T for name in names]
            state.put(
                f"params/{unit}/spatial/{ours}_kernel", np.stack(kernels, 0 if ours == "xi" else 1)
            )
            biases = [state.take(f"{name}.bias", 1) for name in names]
            state.put(f"params/{unit}/spatial/{ours}_bias", np.stack(biases))
        _around(state, f"{there}.gcn1", f"{there}.residual", unit)
        branches = _branches(state, f"{there}.tcn1", unit, mixed=False)
        state.norm(f"{unit}/temporal/reduce_norm", *(f"{branch}.1" for branch in branches[:-1]))
        after = [
            *(f"{branch}.3.bn" for branch in branches[:-2]),
            f"{branches[-2]}.4",
            f"{branches[-1]}.1",
        ]
        state.norm(f"{unit}/temporal/norm", *after)
        widths.append(len(state.weights[f"{there}.gcn1.bn.bias"]))
    return _whole(
        state, _model("ctrgcn", widths), None, state.weights["backbone.net.0.gcn1.A"].shape[-1]
    )


def _around(state: State, spatial: str, shortcut: str, unit: str) -> None:
    """A graph convolution's normalisation, its shortcut, and the unit's."""
    state.norm(f"{unit}/spatial/norm", f"{spatial}.bn")
    for path, conv, norm in (
        (f"{unit}/spatial/shortcut", f"{spatial}.down.0", f"{spatial}.down.1"),
        (f"{unit}/shortcut", f"{shortcut}.conv", f"{shortcut}.bn"),
    ):
        if f"{conv}.weight" in state:
            weight = state.take(f"{conv}.weight", 2)
            state.put(f"params/{path}/kernel", weight.T)
            state.put(f"params/{path}/bias", state.take(f"{conv}.bias", 1))
            state.norm(f"{path}/norm", norm)


def _branches(state: State, temporal: str, unit: str, *, mixed: bool) -> list[str]:
    """The branches along time: their projections as one, and the convolution of each."""
    branches = [
        f"{temporal}.branches.{i}" for i in range(count(state.weights, f"{temporal}.branches."))
    ]
    ends = [*(f"{branch}.0" for branch in branches[:-1]), branches[-1] + ("" if mixed else ".0")]
    state.dense(f"{unit}/temporal/reduce_", *ends)
    for number, branch in enumerate(branches[:-2]):
        state.along_time(f"{unit}/temporal/branch{number}", f"{branch}.3.conv")
    return branches


def _model(name: str, widths: list[int]) -> dict[str, object]:
    for network, units in VARIANTS.items():
        if [factor * widths[0] for factor, _ in units] == widths:
            return {"name": name, "network": network, "width": widths[0]}
    raise UserError(f"its {len(widths)} units have the widths {widths}, which no network here has")


def _whole(
    state: State, model: Mapping[str, object], graph: np.ndarray | None, joints: int
) -> Network:
    """The network with its ends, which are alike in all three."""
    state.norm("data_norm", "backbone.data_bn")
    state.dense("head/", _HEAD)
    first = "unit0" if "params/unit0/spatial/adjacency" in state.arrays else "stem"
    kernels = [
        f"params/{first}/{name}kernel" for name in ("spatial_", "spatial/", "spatial/value_")
    ]
    channels = next(len(state.arrays[name]) for name in kernels if name in state.arrays)
    numbers = len(state.arrays["params/data_norm/bias"])
    persons, rest = divmod(numbers, joints * channels)
    if rest:
        raise UserError(
            f"it normalises {numbers} numbers, which are not {joints} joints of {channels} channels"
        )
    return Network(
        model=dict(model) | ({"persons_apart": True} if persons > 1 else {}),
        arrays=state.arrays,
        graph=graph,
        joints=joints,
        channels=channels,
        classes=len(state.arrays["params/head/bias"]),
        persons=persons if persons > 1 else 0,
    )


_NETWORKS: dict[str, Callable[[State], Network]] = {
    "backbone.gcn.0.tcn.branches.0.0.weight": _stgcnpp,
    "backbone.net.0.gcn1.convs.0.conv1.weight": _ctrgcn,
    "backbone.gcn.0.tcn.conv.weight": _stgcn,
}
