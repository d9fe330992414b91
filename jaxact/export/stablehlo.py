"""StableHLO for CPU, CUDA and TPU, as `jax.export` serialises it.

The file is a zip of `module.bin` (a function of f32 [n, T, M, V, C] with symbolic n, and symbolic T
if the network allows it) and `meta.json` (labels, joint layout, input, preprocessing, licence, the
comparison with the network, how to load it).
"""

import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import export as jax_export

from jaxact.errors import UserError
from jaxact.export.ensemble import Network

PLATFORMS = ("cpu", "cuda", "tpu")
RUNTIME_PACKAGES = ("jaxlib",)
_MODULE, _META = "module.bin", "meta.json"


class Artifact:
    """A StableHLO artifact: a function from clips to logits.

    Attributes:
        meta: the content of `meta.json`.
    """

    def __init__(self, path: str | Path):
        """Reads an artifact.

        Raises:
            UserError: no such file, or not an artifact of `jaxact export`.
        """
        self._path = str(path)
        try:
            with zipfile.ZipFile(path) as archive:
                self.meta: dict[str, Any] = json.loads(archive.read(_META))
                self._function = jax_export.deserialize(bytearray(archive.read(_MODULE)))
        except FileNotFoundError:
            raise UserError(
                f"no file {str(path)!r}: wanted an artifact of `jaxact export`"
            ) from None
        except (zipfile.BadZipFile, KeyError, ValueError) as error:
            raise UserError(
                f"{str(path)!r} is not an artifact of `jaxact export`: {error}"
            ) from error

    def __call__(self, inputs: np.ndarray) -> jax.Array:
        """Logits f32 [n, classes] of clips f32 [n, T, M, V, C].

        Raises:
            UserError: the installed JAX cannot read the StableHLO of the JAX that wrote it.
        """
        try:
            return self._function.call(inputs)
        except jax.errors.JaxRuntimeError as error:
            if "deserialize StableHLO" not in str(error):
                raise
            writer = self.meta.get("jax", "of an unknown version")
            raise UserError(
                f"{self._path!r} was written by JAX {writer}, and the installed JAX "
                f"{jax.__version__} cannot read its StableHLO: install JAX {writer} or newer, "
                "or export the run again with the installed version"
            ) from error


def require_packages() -> None:
    """JAX is always installed."""


def format_metadata() -> dict[str, Any]:
    """The metadata of this format."""
    return {
        "format": "jaxact StableHLO 1",
        "platforms": list(PLATFORMS),
        "load": "jax.export.deserialize("
        "bytearray(zipfile.ZipFile(FILE).read('module.bin'))).call(clips)",
    }


def convert(network: Network, axes: Sequence[str]) -> jax_export.Exported:
    """The network as an exported function of clips, with its weights as constants.

    Args:
        network: one network or an ensemble.
        axes: input axes that are symbolic.
    """
    function = jax.jit(lambda clips: network.apply(network.variables, clips))
    return jax_export.export(function, platforms=PLATFORMS)(network.symbolic(axes))


def write(path: Path, model: jax_export.Exported, meta: dict[str, Any]) -> None:
    """Writes the zip of the function and its metadata."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_MODULE, bytes(model.serialize()))
        archive.writestr(_META, json.dumps(meta, indent=2, ensure_ascii=False))


def load(path: Path) -> Callable[[np.ndarray], Any]:
    """The artifact as a function."""
    return Artifact(path)
