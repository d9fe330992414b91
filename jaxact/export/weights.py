"""The weights as safetensors, with the metadata from which the network can be built again.

Names are `params/stem/spatial_kernel` and the like; those of an ensemble begin with the number of
the network. The metadata's `jaxact` is the artifact's metadata as JSON, whose `networks` hold the
metadata of each checkpoint.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict

from jaxact.errors import UserError
from jaxact.export.ensemble import Network
from jaxact.runs import safetensors, trained_model

RUNTIME_PACKAGES = ("jaxlib", "flax")


def require_packages() -> None:
    """The format needs nothing but jaxact itself."""


def format_metadata() -> dict[str, Any]:
    """The metadata of this format."""
    return {
        "format": "safetensors",
        "load": "jaxact.export.rebuild(FILE), or any reader of safetensors",
    }


def convert(network: Network, axes: Sequence[str]) -> Network:
    """The network itself, after a check that it accepts inputs whose `axes` are symbolic."""
    jax.eval_shape(lambda clips: network.apply(network.variables, clips), network.symbolic(axes))
    return network


def write(path: Path, network: Network, meta: dict[str, Any]) -> None:
    """Writes the arrays, and the metadata as text by name."""
    arrays = {}
    for number, variables in enumerate(network.variables):
        prefix = _prefix(number, len(network.nets))
        for name, array in flatten_dict(variables, sep="/").items():
            arrays[f"{prefix}{name}"] = np.asarray(array, np.float32)
    networks = [run_metadata.to_dict() for run_metadata in network.metas]
    texts = {}
    for name in ("labels", "layout", "preprocessing", "licence"):
        texts[name] = json.dumps(meta[name], ensure_ascii=False)
    everything = meta | {"networks": networks, "shares": list(network.shares)}
    texts["jaxact"] = json.dumps(everything, ensure_ascii=False)
    safetensors.write(path, arrays, texts)


def rebuild(path: str | Path) -> Network:
    """Builds the network of a file that `jaxact export --format safetensors` wrote.

    Raises:
        UserError: no such file, or one with other metadata.
    """
    arrays, texts = safetensors.read(path)
    try:
        meta = json.loads(texts["jaxact"])
        nets = []
        for number, values in enumerate(meta["networks"]):
            variables = _variables(arrays, _prefix(number, len(meta["networks"])))
            nets.append(_trained(values, variables, meta))
        return Network(tuple(nets), tuple(meta["shares"]))
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise UserError(
            f"{str(path)!r} holds weights, but not those of `jaxact export --format safetensors`: "
            f"missing or invalid metadata: {error}"
        ) from error


def load(path: Path) -> Callable[[np.ndarray], Any]:
    """The network of the file as a function."""
    return rebuild(path).reference


def _prefix(number: int, count: int) -> str:
    """The start of the names of one network's arrays."""
    if count == 1:
        return ""
    return f"{number}/"


def _variables(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, Any]:
    """The arrays of one network as Linen's variables."""
    flat = {}
    for name, array in arrays.items():
        if name.startswith(prefix):
            flat[name.removeprefix(prefix)] = array
    return unflatten_dict(flat, sep="/")


def _trained(
    values: dict[str, Any], variables: dict[str, Any], meta: dict[str, Any]
) -> trained_model.TrainedModel:
    metadata = trained_model.RunMetadata.from_dict(values)
    return trained_model.TrainedModel(
        model=trained_model.build(metadata),
        weights=variables,
        config=metadata.config,
        layout=metadata.layout,
        labels=metadata.labels,
        channels=metadata.channels,
        step=meta["step"],
        selection=meta["step_chosen"],
        radii=metadata.radii,
    )
