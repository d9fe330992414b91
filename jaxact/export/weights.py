"""The weights alone, as safetensors: flat names, and in the metadata all that builds the network
again.

Names are `params/stem/spatial_kernel` and the like; those of an ensemble begin with the number of
the network. The metadata's `jaxact` is the artifact's description as JSON, whose `networks` are
what each checkpoint says of itself.
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
from jaxact.interop import safetensors
from jaxact.runs import trained_model

RUNTIME = ("jaxlib", "flax")


def need() -> None:
    """Nothing but jaxact itself."""


def about(out: Path) -> dict[str, Any]:
    """What this format adds to the artifact's description."""
    return {
        "format": "safetensors",
        "load": "jaxact.export.rebuild(FILE), or any reader of safetensors",
    }


def convert(network: Network, axes: Sequence[str]) -> Network:
    """The network itself, once it has been seen to take inputs with these axes free."""
    jax.eval_shape(lambda clips: network.apply(network.variables, clips), network.symbolic(axes))
    return network


def write(path: Path, made: Network, meta: dict[str, Any]) -> None:
    """Writes the arrays, and the metadata as text by name."""
    arrays = {}
    for number, variables in enumerate(made.variables):
        prefix = f"{number}/" if len(made.nets) > 1 else ""
        flat = flatten_dict(variables, sep="/")
        arrays |= {f"{prefix}{name}": np.asarray(array, np.float32) for name, array in flat.items()}
    rest = {"networks": [one.to_dict() for one in made.metas], "shares": list(made.shares)}
    short = {name: meta[name] for name in ("labels", "layout", "preprocessing", "licence")}
    metadata = {name: json.dumps(value, ensure_ascii=False) for name, value in short.items()}
    safetensors.write(
        path, arrays, metadata | {"jaxact": json.dumps(meta | rest, ensure_ascii=False)}
    )


def rebuild(path: str | Path) -> Network:
    """The network that `jaxact export --format safetensors` wrote, from the file alone.

    Raises:
      UserError: no such file, or not such a one.
    """
    arrays, metadata = safetensors.read(path)
    try:
        meta = json.loads(metadata["jaxact"])
        nets = tuple(
            _trained(
                one, _variables(arrays, f"{number}/" if len(meta["networks"]) > 1 else ""), meta
            )
            for number, one in enumerate(meta["networks"])
        )
        return Network(nets, tuple(meta["shares"]))
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise UserError(
            f"{str(path)!r} holds weights, but not those of `jaxact export --format safetensors`: its metadata lack "
            f"or garble {error}"
        ) from error


def load(path: Path) -> Callable[[np.ndarray], Any]:
    """The network built from the file, as a function."""
    return rebuild(path).reference


def _variables(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, Any]:
    """The arrays of one network as Linen's variables."""
    own = {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
    return unflatten_dict(own, sep="/")


def _trained(
    values: dict[str, Any], variables: dict[str, Any], meta: dict[str, Any]
) -> trained_model.Trained:
    metadata = trained_model.RunMetadata.from_dict(values)
    return trained_model.Trained(
        model=trained_model.build(metadata),
        weights=variables,
        config=metadata.config,
        layout=metadata.layout,
        labels=metadata.labels,
        channels=metadata.channels,
        step=meta["step"],
        chosen=meta["step_chosen"],
        radii=metadata.radii,
    )
