"""Converts pyskl's ST-GCN, ST-GCN++ and CTR-GCN (mmcv names) to this project's networks."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jaxact.errors import UserError
from jaxact.interop.torch_state import ImportedNetwork, StateDict, count_modules, strip_prefix
from jaxact.interop.torch_stgcn import variant
from jaxact.models.layers.multi_branch_network import VARIANTS

_HEAD = "cls_head.fc_cls"


def convert(weights: Mapping[str, np.ndarray]) -> tuple[ImportedNetwork, tuple[str, ...]]:
    """Converts a checkpoint of one of the three networks.

    Returns:
        The network, and the names of modules that the original network never uses: none.

    Raises:
        UserError: another network, or an array that is not part of it.
    """
    for array, converter in _CONVERTERS.items():
        if any(name.endswith(array) for name in weights):
            state = StateDict(strip_prefix(weights, array))
            network = converter(state)
            state.check_all_used()
            return network, ()
    raise UserError("it is none of pyskl's ST-GCN, ST-GCN++ and CTR-GCN")


def _stgcn(state: StateDict) -> ImportedNetwork:
    graph = state.take("backbone.gcn.0.gcn.A", 3)
    edge_importance = "backbone.gcn.0.gcn.PA" in state
    widths = []
    for number in range(count_modules(state.weights, "backbone.gcn.")):
        unit = f"unit{number}" if number else "stem"
        theirs = f"backbone.gcn.{number}"
        if not np.array_equal(state.take(f"{theirs}.gcn.A", 3), graph):
            raise UserError("its units have different graphs; wanted one graph for all units")
        if edge_importance:
            state.put(f"params/{unit}/importance", state.take(f"{theirs}.gcn.PA", 3))
        state.graph_conv(f"{unit}/spatial_", f"{theirs}.gcn.conv", len(graph))
        state.batch_norm(f"{unit}/spatial_norm", f"{theirs}.gcn.bn")
        state.temporal_conv(f"{unit}/temporal", f"{theirs}.tcn.conv")
        state.batch_norm(f"{unit}/temporal_norm", f"{theirs}.tcn.bn")
        if f"{theirs}.residual.conv.weight" in state:
            state.temporal_conv(f"{unit}/shortcut", f"{theirs}.residual.conv")
            state.batch_norm(f"{unit}/shortcut_norm", f"{theirs}.residual.bn")
        widths.append(len(state.weights[f"{theirs}.tcn.conv.bias"]))
    model = {
        "name": "stgcn",
        "network": variant(widths),
        "width": widths[0],
        "edge_importance": edge_importance,
    }
    return _network(state, model, graph, graph.shape[-1])


def _stgcnpp(state: StateDict) -> ImportedNetwork:
    widths = []
    for number in range(count_modules(state.weights, "backbone.gcn.")):
        unit = f"unit{number}"
        theirs = f"backbone.gcn.{number}"
        graph = state.take(f"{theirs}.gcn.A", 3)
        state.put(f"params/{unit}/spatial/adjacency", graph)
        state.graph_conv(f"{unit}/spatial/", f"{theirs}.gcn.conv", len(graph))
        _norm_and_shortcuts(state, f"{theirs}.gcn", f"{theirs}.residual", unit)
        _stgcnpp_branches(state, f"{theirs}.tcn", f"{unit}/temporal")
        widths.append(len(state.weights[f"{theirs}.gcn.bn.bias"]))
    joints = state.weights["backbone.gcn.0.gcn.A"].shape[-1]
    return _network(state, _model("stgcnpp", widths), None, joints)


def _stgcnpp_branches(state: StateDict, theirs: str, path: str) -> None:
    """Converts the temporal convolution of ST-GCN++, whose branches are mixed at the end."""
    branches = _branches(state, theirs)
    # The last branch is a convolution without normalisation.
    state.dense(f"{path}/reduce_", *[f"{branch}.0" for branch in branches[:-1]], branches[-1])
    _branch_convs(state, branches, path)
    state.batch_norm(f"{path}/reduce_norm", *[f"{branch}.1" for branch in branches[:-1]])
    state.batch_norm(f"{path}/norm", f"{theirs}.transform.0")
    state.dense(f"{path}/mix_", f"{theirs}.transform.2")
    state.batch_norm(f"{path}/mix_norm", f"{theirs}.bn")


def _ctrgcn(state: StateDict) -> ImportedNetwork:
    # The graph that the units were initialised with; not used after training.
    state.take("A" if "A" in state else "backbone.A", 3)
    widths = []
    for number in range(count_modules(state.weights, "backbone.net.")):
        unit = f"unit{number}"
        theirs = f"backbone.net.{number}"
        _ctrgcn_graph(state, f"{theirs}.gcn1", f"params/{unit}/spatial")
        _norm_and_shortcuts(state, f"{theirs}.gcn1", f"{theirs}.residual", unit)
        _ctrgcn_branches(state, f"{theirs}.tcn1", f"{unit}/temporal")
        widths.append(len(state.weights[f"{theirs}.gcn1.bn.bias"]))
    joints = state.weights["backbone.net.0.gcn1.A"].shape[-1]
    return _network(state, _model("ctrgcn", widths), None, joints)


def _ctrgcn_graph(state: StateDict, theirs: str, path: str) -> None:
    """Converts the refined graph convolution of CTR-GCN.

    pyskl's difference is source minus target, this project's the reverse. tanh is odd, so xi
    changes its sign.
    """
    graph = state.take(f"{theirs}.A", 3)
    state.put(f"{path}/adjacency", graph)
    state.put(f"{path}/alpha", state.take(f"{theirs}.alpha").reshape(()))
    for ours, conv, sign in (("psi", 2, 1), ("phi", 1, 1), ("value", 3, 1), ("xi", 4, -1)):
        names = [f"{theirs}.convs.{part}.conv{conv}" for part in range(len(graph))]
        kernels = [sign * state.take(f"{name}.weight", 2).T for name in names]
        biases = [state.take(f"{name}.bias", 1) for name in names]
        axis = 0 if ours == "xi" else 1
        state.put(f"{path}/{ours}_kernel", np.stack(kernels, axis))
        state.put(f"{path}/{ours}_bias", np.stack(biases))


def _ctrgcn_branches(state: StateDict, theirs: str, path: str) -> None:
    """Converts the temporal convolution of CTR-GCN, whose branches are concatenated."""
    branches = _branches(state, theirs)
    state.dense(f"{path}/reduce_", *[f"{branch}.0" for branch in branches])
    _branch_convs(state, branches, path)
    state.batch_norm(f"{path}/reduce_norm", *[f"{branch}.1" for branch in branches[:-1]])
    norms = [f"{branch}.3.bn" for branch in branches[:-2]]
    norms += [f"{branches[-2]}.4", f"{branches[-1]}.1"]
    state.batch_norm(f"{path}/norm", *norms)


def _branches(state: StateDict, theirs: str) -> list[str]:
    """Names of the branches of a temporal convolution."""
    count = count_modules(state.weights, f"{theirs}.branches.")
    return [f"{theirs}.branches.{number}" for number in range(count)]


def _branch_convs(state: StateDict, branches: list[str], path: str) -> None:
    """Converts the dilated convolutions; the last two branches have none."""
    for number, branch in enumerate(branches[:-2]):
        state.temporal_conv(f"{path}/branch{number}", f"{branch}.3.conv")


def _norm_and_shortcuts(state: StateDict, spatial: str, shortcut: str, unit: str) -> None:
    """Converts a graph convolution's normalisation and shortcut, and the unit's shortcut."""
    state.batch_norm(f"{unit}/spatial/norm", f"{spatial}.bn")
    for path, conv, norm in (
        (f"{unit}/spatial/shortcut", f"{spatial}.down.0", f"{spatial}.down.1"),
        (f"{unit}/shortcut", f"{shortcut}.conv", f"{shortcut}.bn"),
    ):
        if f"{conv}.weight" in state:
            state.dense(f"{path}/", conv)
            state.batch_norm(f"{path}/norm", norm)


def _model(name: str, widths: list[int]) -> dict[str, Any]:
    """The model's options, from the widths of its units."""
    for network, units in VARIANTS.items():
        if [factor * widths[0] for factor, _ in units] == widths:
            return {"name": name, "network": network, "width": widths[0]}
    raise UserError(f"its {len(widths)} units have the widths {widths}, which no network here has")


def _network(
    state: StateDict, model: dict[str, Any], graph: np.ndarray | None, joints: int
) -> ImportedNetwork:
    """Converts the input normalisation and the classifier, which all three networks have."""
    state.batch_norm("data_norm", "backbone.data_bn")
    state.dense("head/", _HEAD)
    channels = _input_channels(state)
    inputs = len(state.arrays["params/data_norm/bias"])
    persons, rest = divmod(inputs, joints * channels)
    if rest:
        raise UserError(
            f"it normalises {inputs} numbers, which are not {joints} joints of {channels} channels"
        )
    if persons > 1:
        model["persons_apart"] = True
    return ImportedNetwork(
        model=model,
        arrays=state.arrays,
        graph=graph,
        joints=joints,
        channels=channels,
        classes=len(state.arrays["params/head/bias"]),
        persons=persons if persons > 1 else 0,
    )


def _input_channels(state: StateDict) -> int:
    """The number of channels that the first graph convolution reads."""
    kernels = ("stem/spatial_kernel", "unit0/spatial/kernel", "unit0/spatial/value_kernel")
    for name in kernels:
        if f"params/{name}" in state.arrays:
            return len(state.arrays[f"params/{name}"])
    raise UserError(f"it has none of the kernels {', '.join(kernels)}")


# The array that identifies a network, and how that is converted.
_CONVERTERS: dict[str, Callable[[StateDict], ImportedNetwork]] = {
    "backbone.gcn.0.tcn.branches.0.0.weight": _stgcnpp,
    "backbone.net.0.gcn1.convs.0.conv1.weight": _ctrgcn,
    "backbone.gcn.0.tcn.conv.weight": _stgcn,
}
