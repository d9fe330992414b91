"""Weights of the public PyTorch ST-GCN by name, as the arrays of `jaxact.models.stgcn.STGCN`.

The public network (yysijie/st-gcn, `net/st_gcn.py`) is our "stem9" on the "spatial_v2" partition with the "joint" norm.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxact.errors import UserError

# Public name inside a unit -> ours. Convolutions are parameters of the unit, normalisations modules of their own.
_CONVOLUTIONS = {"gcn.conv": "spatial", "tcn.2": "temporal", "residual.0": "shortcut"}
_NORMS = {"tcn.0": "spatial_norm", "tcn.3": "temporal_norm", "residual.1": "shortcut_norm"}
_STATISTICS = {"running_mean": "mean", "running_var": "var"}


def from_torch(state: Mapping[str, np.ndarray], parts: int = 3) -> dict[str, Any]:
    """The state dict as the variables {params, batch_stats}.

    Args:
        state: arrays by their public name. Gradients carry the same names: a dict of gradients is converted too, with
            empty `batch_stats`. The graph `A` and the batch counters are left aside.
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


def _place(name: str, value: np.ndarray, parts: int) -> tuple[tuple[str, ...], np.ndarray]:
    """Where an array goes in our tree, and the array with its axes in our order."""
    layer, _, kind = name.rpartition(".")
    if layer == "fcn":
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
    """[classes, c, 1, 1] -> [c, classes]; a bias stays as it is."""
    return value[..., 0, 0].T if value.ndim > 1 else value
