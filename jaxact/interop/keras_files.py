"""Keras's weight files as arrays by layer: HDF5 in both of its layouts, `.keras` archives, npz.

Only numbers are read. A `.keras` archive's description of the model, which may ask for code, is not
opened; links out of an HDF5 file are not followed; pickled objects are refused.
"""

import io
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from jaxact.errors import UserError, missing_extra, unknown

Layers = dict[str, list[np.ndarray]]  # a layer's arrays in Keras's own order

# The order of a layer's variables, for files that name them.
_ORDER = (
    "kernel",
    "depthwise_kernel",
    "pointwise_kernel",
    "bias",
    "gamma",
    "beta",
    "moving_mean",
    "moving_variance",
)
_MOST_BYTES = 2**32  # of one file's arrays


def read(path: str | os.PathLike[str]) -> Layers:
    """The arrays of every layer that has any, in the file's order.

    Args:
        path: `.h5` or `.hdf5`, weights alone or with their model; `.keras`; or `.npz` with entries
            "layer/variable", e.g. "block1_conv1/kernel".

    Raises:
        UserError: the file is absent, of another kind, or holds something else than layers of
            numbers.
    """
    readers: dict[str, Callable[[str], Layers]] = {
        ".h5": _read_hdf5_file,
        ".hdf5": _read_hdf5_file,
        ".keras": _read_archive,
        ".npz": _read_npz,
    }
    name = os.fspath(path)
    suffix = Path(name).suffix.lower()
    if suffix not in readers:
        raise unknown("kind of Keras file", suffix, readers)
    try:
        with open(name, "rb"):
            pass
        layers = readers[suffix](name)
    except OSError as error:
        if error.strerror:
            raise UserError(f"cannot read {name!r}: {error.strerror}") from error
        raise UserError(f"{name!r} is no whole file of its kind: {_reason(error)}") from error
    except (ValueError, KeyError, TypeError, RuntimeError, zipfile.BadZipFile) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{name!r} is no whole file of its kind: {_reason(error)}") from error
    if not layers:
        raise UserError(f"{name!r} holds no layers with arrays")
    return layers


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _read_npz(path: str) -> Layers:
    found: dict[str, dict[str, np.ndarray]] = {}
    with np.load(path, allow_pickle=False) as stored:
        for name in stored.files:
            layer, slash, variable = name.removesuffix(":0").rpartition("/")
            if not slash or variable not in _ORDER:
                raise UserError(
                    f"{path!r} has an entry {name!r}; wanted LAYER/VARIABLE, VARIABLE one of {_ORDER}"
                )
            found.setdefault(layer, {})[variable] = _numbers(stored[name], name)
    return {layer: [held[name] for name in _ORDER if name in held] for layer, held in found.items()}


def _read_archive(path: str) -> Layers:
    with zipfile.ZipFile(path) as archive:
        member = "model.weights.h5"
        if member not in archive.namelist():
            raise UserError(
                f"{path!r} is an archive without {member!r}; wanted what Keras's model.save writes"
            )
        if archive.getinfo(member).file_size > _MOST_BYTES:
            raise UserError(f"{path!r} unpacks to more than {_MOST_BYTES} bytes")
        return _read_hdf5(io.BytesIO(archive.read(member)), path)


def _read_hdf5_file(path: str) -> Layers:
    return _read_hdf5(path, path)


def _read_hdf5(source: Any, path: str) -> Layers:
    try:
        import h5py
    except ImportError:
        raise missing_extra("h5py", "data", "reading Keras's HDF5 files") from None
    with h5py.File(source, "r") as file:
        top = _inside(file, "model_weights") if "model_weights" in file else file
        layers = dict(_old_layout(top) if _has_list(top, "layer_names") else _new_layout(top, path))
    return {name: arrays for name, arrays in layers.items() if arrays}


def _old_layout(top: Any) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Names of layers and of their arrays are lists among the attributes."""
    for layer in _list(top, "layer_names"):
        group = _inside(top, layer)
        yield layer, [_numbers(_inside(group, name), name) for name in _list(group, "weight_names")]


def _new_layout(top: Any, path: str) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Every layer has a group `vars` of numbered arrays, which carries the layer's name."""
    groups: list[Any] = []
    top.visititems(
        lambda name, held: groups.append(held) if re.search(r"(^|/)vars$", name) else None
    )
    for group in groups:
        if not len(group) or group.name.startswith("/optimizer"):
            continue
        if "name" not in group.attrs:
            raise UserError(
                f"{path!r} does not say which layer {group.name!r} belongs to, as files of Keras 2.12 to 2.15 do not; "
                "wanted one that Keras 3 wrote, or save_weights with save_format='h5'"
            )
        yield (
            _text(group.attrs["name"]),
            [_numbers(_inside(group, str(i)), group.name) for i in range(len(group))],
        )


def _inside(group: Any, path: str) -> Any:
    """What lies at `path` in the same file; links to other files or places are refused."""
    import h5py

    for step in filter(None, path.split("/")):
        if not isinstance(group.get(step, getlink=True), h5py.HardLink):
            raise UserError(
                f"{group.file.filename!r} links from {group.name!r} to elsewhere ({step!r}): not followed"
            )
        group = group[step]
    return group


def _numbers(held: Any, name: str) -> np.ndarray:
    """An array of floats that lies in this very file, as float32."""
    if not hasattr(held, "dtype") or held.dtype.kind != "f":
        raise UserError(f"{name!r} is no array of floating-point numbers")
    if getattr(held, "external", None) or getattr(held, "is_virtual", False):
        raise UserError(f"{name!r} lies in another file: not followed")
    if held.size * 4 > _MOST_BYTES:
        raise UserError(f"{name!r} has the shape {held.shape}, more than {_MOST_BYTES} bytes")
    return np.asarray(held[()], np.float32)


def _has_list(group: Any, name: str) -> bool:
    return name in group.attrs or f"{name}0" in group.attrs


def _list(group: Any, name: str) -> list[str]:
    """An attribute of names; one that is too long for HDF5 is stored in numbered parts."""
    if name in group.attrs:
        return [_text(item) for item in group.attrs[name]]
    names, part = [], 0
    while f"{name}{part}" in group.attrs:
        names += [_text(item) for item in group.attrs[f"{name}{part}"]]
        part += 1
    return names


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
