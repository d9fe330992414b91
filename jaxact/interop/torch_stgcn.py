"""Converts the public PyTorch ST-GCN to `jaxact.models.stgcn.STGCN`.

The public network (yysijie/st-gcn, `net/st_gcn.py`) is this project's "stem9" on the "spatial_v2"
partition with the "joint" norm. The release before it, which accompanied the paper, is "release1"
on the true "spatial" partition.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jaxact.errors import UserError
from jaxact.interop.torch_state import ImportedNetwork, StateDict, count_modules, strip_prefix
from jaxact.models.stgcn import VARIANTS

# Names of a unit's layers, PyTorch's to this project's. Convolutions are parameters of the unit,
# normalisations are modules.
_CONVOLUTIONS = {"gcn.conv": "spatial", "tcn.2": "temporal", "residual.0": "shortcut"}
_NORMS = {"tcn.0": "spatial_norm", "tcn.3": "temporal_norm", "residual.1": "shortcut_norm"}
_STATISTICS = {"running_mean": "mean", "running_var": "var"}
# Arrays that identify a release.
_FIRST_RELEASE = "gcn0.conv_list.0.weight"
_SECOND_RELEASE = "st_gcn_networks.0.gcn.conv.weight"


def from_torch(state: Mapping[str, np.ndarray], parts: int = 3) -> dict[str, Any]:
    """Converts a state dict to the variables {params, batch_stats}.

    Args:
        state: arrays by PyTorch's names. Gradients have the same names: a dict of gradients is
            converted too, with empty `batch_stats`. The graph `A` and the batch counters are
            ignored.
        parts: size of the partition, K.

    Raises:
        UserError: a name that the public network does not have.
    """
    variables: dict[str, Any] = {"params": {}, "batch_stats": {}}
    for name, value in state.items():
        if name == "A" or name.endswith("num_batches_tracked"):
            continue
        try:
            path, array = _convert_array(name, np.asarray(value), parts)
        except (KeyError, ValueError):
            raise UserError(
                f"{name!r} of shape {np.shape(value)} is no array of the public ST-GCN "
                f"with {parts} parts"
            ) from None
        node = variables
        for step in path[:-1]:
            node = node.setdefault(step, {})
        node[path[-1]] = array
    return variables


def convert(weights: Mapping[str, np.ndarray]) -> tuple[ImportedNetwork, tuple[str, ...]]:
    """Converts a checkpoint of the public ST-GCN, of either release.

    The second release (`net/st_gcn.py`), and its descendants of other widths, store their graph.
    The first one (`st_gcn/net/st_gcn.py`), which accompanied the paper, does not; it normalises
    each person's input separately.

    Returns:
        The network, and the names of modules that the original network never uses.

    Raises:
        UserError: another network, or an array that is not part of it.
    """
    if any(name.endswith(_SECOND_RELEASE) for name in weights):
        return _second_release(StateDict(strip_prefix(weights, _SECOND_RELEASE))), ()
    if any(name.endswith(_FIRST_RELEASE) for name in weights):
        return _first_release(StateDict(strip_prefix(weights, _FIRST_RELEASE)))
    raise UserError(
        f"it is no public ST-GCN, which has an array {_SECOND_RELEASE!r} or {_FIRST_RELEASE!r}"
    )


def _second_release(state: StateDict) -> ImportedNetwork:
    units = count_modules(state.weights, "st_gcn_networks.")
    widths = [len(state.take(f"st_gcn_networks.{unit}.tcn.2.bias")) for unit in range(units)]
    graph = state.take("A", 3)
    edge_importance = "edge_importance.0" in state
    for name, value in state.weights.items():
        if name == "A" or name.endswith("num_batches_tracked"):
            continue
        try:
            path, array = _convert_array(name, value, len(graph))
        except (KeyError, ValueError, IndexError):
            continue
        state.take(name)
        state.put("/".join(path), array)
    state.check_all_used()
    return ImportedNetwork(
        model={
            "name": "stgcn",
            "network": variant(widths),
            "width": widths[0],
            "edge_importance": edge_importance,
        },
        arrays=state.arrays,
        graph=graph,
        joints=graph.shape[-1],
        channels=state.shape("params/stem/spatial_kernel")[0],
        classes=state.shape("params/head/bias")[0],
    )


def _first_release(state: StateDict) -> tuple[ImportedNetwork, tuple[str, ...]]:
    parts = count_modules(state.weights, "gcn0.conv_list.")
    widths = [_first_release_stem(state, parts)]
    for number in range(count_modules(state.weights, "backbone.")):
        widths.append(_first_release_unit(state, number, parts))
    state.batch_norm("data_norm", "data_bn")
    state.dense("head/", "fcn")
    unused = tuple(name for name in state.weights if name.startswith("person_bn."))
    state.check_all_used(ignored=unused)
    if widths != [factor * widths[0] for _, factor, _ in VARIANTS["release1"]]:
        raise UserError(
            f"its units have the widths {widths}; wanted those of the first release's ten"
        )
    channels = state.shape("params/stem/spatial_kernel")[0]
    inputs = len(state.weights["data_bn.bias"])
    joints = len(state.weights["gcn0.mask"][0]) if "gcn0.mask" in state else 0
    strategy = {1: "uniform", 2: "distance", 3: "spatial"}.get(parts)
    if not joints or inputs % (joints * channels) or strategy is None:
        raise UserError(
            f"it has {parts} parts of its graph and normalises {inputs} numbers, "
            "which fits no joint layout"
        )
    network = ImportedNetwork(
        model={
            "name": "stgcn",
            "network": "release1",
            "width": widths[0],
            "init": "he_fan_out",
            "edge_importance": True,
            "strategy": strategy,
            "norm": "subset",
        },
        arrays=state.arrays,
        graph=None,
        joints=joints,
        channels=channels,
        classes=state.shape("params/head/bias")[0],
        persons=inputs // (joints * channels),
    )
    return network, ("person_bn",) if unused else ()


def _first_release_stem(state: StateDict, parts: int) -> int:
    """Converts the first unit; returns its width."""
    return _first_release_convolutions(state, "stem", "gcn0", "tcn0", parts)


def _first_release_unit(state: StateDict, number: int, parts: int) -> int:
    """Converts one of the other units, which may project its shortcut; returns its width."""
    unit = f"unit{number + 1}"
    theirs = f"backbone.{number}"
    width = _first_release_convolutions(state, unit, f"{theirs}.gcn1", f"{theirs}.tcn1", parts)
    if f"{theirs}.down1.conv.weight" in state:
        state.temporal_conv(f"{unit}/shortcut", f"{theirs}.down1.conv")
        state.batch_norm(f"{unit}/shortcut_norm", f"{theirs}.down1.bn")
    return width


def _first_release_convolutions(
    state: StateDict, unit: str, spatial: str, temporal: str, parts: int
) -> int:
    """Converts the spatial and the temporal convolution of a unit; returns its width."""
    names = [f"{spatial}.conv_list.{part}" for part in range(parts)]
    kernels = [state.take(f"{name}.weight", 2).T for name in names]
    width = kernels[0].shape[1]
    bias = sum(state.take(f"{name}.bias", 1) for name in names)
    state.put(f"params/{unit}/spatial_kernel", np.stack(kernels, 1))
    # PyTorch's bias is added after the graph, this project's before: the mean of the normalisation
    # that follows absorbs it.
    state.put(f"params/{unit}/spatial_bias", np.zeros((parts, width)))
    state.batch_norm(f"{unit}/spatial_norm", f"{spatial}.bn", bias_before=bias)
    state.temporal_conv(f"{unit}/temporal", f"{temporal}.conv")
    state.batch_norm(f"{unit}/temporal_norm", f"{temporal}.bn")
    if f"{spatial}.mask" in state:
        state.put(f"params/{unit}/importance", state.take(f"{spatial}.mask", 3))
    return width


def variant(widths: Sequence[int]) -> str:
    """The network whose units have these widths.

    Raises:
        UserError: no network has them.
    """
    for name, units in VARIANTS.items():
        if name != "release1" and [factor * widths[0] for _, factor, _ in units] == list(widths):
            return name
    raise UserError(
        f"its {len(widths)} units have the widths {list(widths)}, which no network here has"
    )


def _convert_array(name: str, value: np.ndarray, parts: int) -> tuple[tuple[str, ...], np.ndarray]:
    """The path of an array in the variables, and the array with its axes in their order."""
    layer, _, kind = name.rpartition(".")
    if layer in ("fcn", "fc"):
        leaf = "kernel" if kind == "weight" else "bias"
        return ("params", "head", leaf), _transpose(value)
    if layer == "data_bn":
        return _norm_path(("data_norm",), kind), value
    if layer == "edge_importance":
        return ("params", _unit(kind), "importance"), value
    network, index, *inner = layer.split(".")
    if network != "st_gcn_networks":
        raise KeyError(name)
    unit = _unit(index)
    layer = ".".join(inner)
    if layer in _NORMS:
        return _norm_path((unit, _NORMS[layer]), kind), value
    convolution = _CONVOLUTIONS[layer]
    leaf = "kernel" if kind == "weight" else "bias"
    path = ("params", unit, f"{convolution}_{leaf}")
    if convolution == "spatial":  # outputs run over parts, then channels
        value = value.reshape(parts, -1, *value.shape[1:])
        if kind == "weight":
            value = value[..., 0, 0].transpose(2, 0, 1)
    elif kind == "weight":  # [d, c, taps, 1] -> [taps, c, d]
        value = value[..., 0].transpose(2, 1, 0)
    return path, value


def _norm_path(module: tuple[str, ...], kind: str) -> tuple[str, ...]:
    """The path of a normalisation's array."""
    if kind in _STATISTICS:
        return ("batch_stats", *module, _STATISTICS[kind])
    return ("params", *module, {"weight": "scale", "bias": "bias"}[kind])


def _unit(index: str) -> str:
    if index == "0":
        return "stem"
    return f"unit{int(index)}"


def _transpose(value: np.ndarray) -> np.ndarray:
    """[classes, c] or [classes, c, 1, 1] -> [c, classes]; a bias stays as it is."""
    if value.ndim == 1:
        return value
    return value.reshape(value.shape[:2]).T
