"""Weights of the public PyTorch ST-GCN by name, as the arrays of `jaxact.models.stgcn.STGCN`.

The public network (yysijie/st-gcn, `net/st_gcn.py`) is our "stem9" on the "spatial_v2" partition
with the "joint" norm. The release before it, which the paper came with, is our "release1" on the
true "spatial" partition.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxact.errors import UserError
from jaxact.interop.torch_state import Network, State, count, without_prefix
from jaxact.models.stgcn import VARIANTS

# Public name inside a unit -> ours. Convolutions are parameters of the unit, normalisations modules
# of their own.
_CONVOLUTIONS = {"gcn.conv": "spatial", "tcn.2": "temporal", "residual.0": "shortcut"}
_NORMS = {"tcn.0": "spatial_norm", "tcn.3": "temporal_norm", "residual.1": "shortcut_norm"}
_MARKS = {
    "st_gcn_networks.0.gcn.conv.weight": False,
    "gcn0.conv_list.0.weight": True,
}  # and whether it is the first
_STATISTICS = {"running_mean": "mean", "running_var": "var"}


def from_torch(state: Mapping[str, np.ndarray], parts: int = 3) -> dict[str, Any]:
    """The state dict as the variables {params, batch_stats}.

    Args:
        state: arrays by their public name. Gradients carry the same names: a dict of gradients is
            converted too, with empty `batch_stats`. The graph `A` and the batch counters are left
            aside.
        parts: size of the partition, K.

    Raises:
        UserError: on a name that the public network does not have.
    """
    variables: dict[str, Any] = {"params": {}, "batch_stats": {}}
    for name, value in state.items():
        if name == "A" or name.endswith("num_batches_tracked"):
            continue
        try:
            path, array = _place(name, np.asarray(value), parts)
        except (KeyError, ValueError):
            raise UserError(
                f"{name!r} of shape {np.shape(value)} is no array of the public ST-GCN with {parts} parts"
            ) from None
        node = variables
        for step in path[:-1]:
            node = node.setdefault(step, {})
        node[path[-1]] = array
    return variables


def network(weights: Mapping[str, np.ndarray]) -> tuple[Network, tuple[str, ...]]:
    """A checkpoint of the public ST-GCN, of either release, as ours; and names of arrays that the
    network never uses.

    The second release (`net/st_gcn.py`) and its descendants of other widths hold their graph. The
    first one, which the paper came with (`st_gcn/net/st_gcn.py`), does not; it normalises each
    person's input apart.

    Raises:
        UserError: it is another network, or an array has no place.
    """
    for mark, first in _MARKS.items():
        if any(name.endswith(mark) for name in weights):
            state = State(without_prefix(weights, mark))
            return _first_release(state) if first else (_second_release(state), ())
    raise UserError(f"it is no public ST-GCN, which has an array {' or '.join(map(repr, _MARKS))}")


def _second_release(state: State) -> Network:
    units = count(state.weights, "st_gcn_networks.")
    widths = [len(state.take(f"st_gcn_networks.{i}.tcn.2.bias")) for i in range(units)]
    graph, weighted = state.take("A", 3), "edge_importance.0" in state
    for name in [
        name for name in state.weights if name != "A" and not name.endswith("num_batches_tracked")
    ]:
        try:
            path, array = _place(name, state.weights[name], len(graph))
        except (KeyError, ValueError, IndexError):
            continue
        state.take(name)
        state.put("/".join(path), array)
    state.check_empty()
    return Network(
        model={
            "name": "stgcn",
            "network": variant(widths),
            "width": widths[0],
            "edge_importance": weighted,
        },
        arrays=state.arrays,
        graph=graph,
        joints=graph.shape[-1],
        channels=state.shape("params/stem/spatial_kernel")[0],
        classes=state.shape("params/head/bias")[0],
    )


def _first_release(state: State) -> tuple[Network, tuple[str, ...]]:
    units, parts = count(state.weights, "backbone.") + 1, count(state.weights, "gcn0.conv_list.")
    widths = []
    for number in range(units):
        ours, spatial, temporal = (
            _unit(str(number)),
            f"backbone.{number - 1}.gcn1",
            f"backbone.{number - 1}.tcn1",
        )
        if number == 0:
            spatial, temporal = "gcn0", "tcn0"
        weights = [state.take(f"{spatial}.conv_list.{part}.weight", 2).T for part in range(parts)]
        bias = sum(state.take(f"{spatial}.conv_list.{part}.bias", 1) for part in range(parts))
        state.put(f"params/{ours}/spatial_kernel", np.stack(weights, 1))
        # Its bias comes after the graph, ours before: the normalisation that follows takes it in.
        state.put(f"params/{ours}/spatial_bias", np.zeros((parts, weights[0].shape[1])))
        state.norm(f"{ours}/spatial_norm", f"{spatial}.bn", left_out=bias)
        state.along_time(f"{ours}/temporal", f"{temporal}.conv")
        state.norm(f"{ours}/temporal_norm", f"{temporal}.bn")
        if f"{spatial}.mask" in state:
            state.put(f"params/{ours}/importance", state.take(f"{spatial}.mask", 3))
        if f"backbone.{number - 1}.down1.conv.weight" in state:
            state.along_time(f"{ours}/shortcut", f"backbone.{number - 1}.down1.conv")
            state.norm(f"{ours}/shortcut_norm", f"backbone.{number - 1}.down1.bn")
        widths.append(weights[0].shape[1])
    state.norm("data_norm", "data_bn")
    state.dense("head/", "fcn")
    unused = tuple(name for name in state.weights if name.startswith("person_bn."))
    state.check_empty(aside=unused)
    if widths != [factor * widths[0] for _, factor, _ in VARIANTS["release1"]]:
        raise UserError(
            f"its units have the widths {widths}; wanted those of the first release's ten"
        )
    channels, numbers = (
        state.shape("params/stem/spatial_kernel")[0],
        len(state.weights["data_bn.bias"]),
    )
    joints = len(state.weights["gcn0.mask"][0]) if "gcn0.mask" in state else 0
    strategy = {1: "uniform", 2: "distance", 3: "spatial"}.get(parts)
    if not joints or numbers % (joints * channels) or strategy is None:
        raise UserError(
            f"it has {parts} parts of its graph and normalises {numbers} numbers, which tell no layout"
        )
    weighted = {"edge_importance": True, "strategy": strategy, "norm": "subset"}
    found = Network(
        model={
            "name": "stgcn",
            "network": "release1",
            "width": widths[0],
            "init": "he_fan_out",
            **weighted,
        },
        arrays=state.arrays,
        graph=None,
        joints=joints,
        channels=channels,
        classes=state.shape("params/head/bias")[0],
        persons=numbers // (joints * channels),
    )
    return found, ("person_bn",) if unused else ()


def variant(widths: Sequence[int]) -> str:
    """The network whose units have these widths.

    Raises:
        UserError: there is none.
    """
    for name, units in VARIANTS.items():
        if [factor * widths[0] for _, factor, _ in units] == list(widths) and name != "release1":
            return name
    raise UserError(
        f"its {len(widths)} units have the widths {list(widths)}, which no network here has"
    )


def _place(name: str, value: np.ndarray, parts: int) -> tuple[tuple[str, ...], np.ndarray]:
    """Where an array goes in our tree, and the array with its axes in our order."""
    layer, _, kind = name.rpartition(".")
    if layer in ("fcn", "fc"):
        return ("params", "head", "kernel" if kind == "weight" else "bias"), _transpose(value)
    if layer == "data_bn":
        return _norm("data_norm", kind), value
    if layer == "edge_importance":
        return ("params", _unit(kind), "importance"), value
    network, index, *inner = layer.split(".")
    if network != "st_gcn_networks":
        raise KeyError(name)
    unit, inside = _unit(index), ".".join(inner)
    if inside in _NORMS:
        collection, ours, array = _norm(_NORMS[inside], kind)
        return (collection, unit, ours, array), value
    ours = _CONVOLUTIONS[inside]
    if ours == "spatial":  # outputs run over parts, then channels
        value = value.reshape(parts, -1, *value.shape[1:])
        value = value[..., 0, 0].transpose(2, 0, 1) if kind == "weight" else value
    elif kind == "weight":  # [d, c, taps, 1] -> [taps, c, d]
        value = value[..., 0].transpose(2, 1, 0)
    return ("params", unit, f"{ours}_{'kernel' if kind == 'weight' else 'bias'}"), value


def _norm(ours: str, kind: str) -> tuple[str, str, str]:
    if kind in _STATISTICS:
        return "batch_stats", ours, _STATISTICS[kind]
    return "params", ours, {"weight": "scale", "bias": "bias"}[kind]


def _unit(index: str) -> str:
    return "stem" if index == "0" else f"unit{int(index)}"


def _transpose(value: np.ndarray) -> np.ndarray:
    """[classes, c] or [classes, c, 1, 1] -> [c, classes]; a bias stays as it is."""
    return value.reshape(value.shape[:2]).T if value.ndim > 1 else value
