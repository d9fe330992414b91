"""Keras's weight files as arrays by layer: HDF5 in both of its layouts, `.keras` archives, npz.

Only arrays are read. A `.keras` archive's description of the model, which can run code, is not
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

# The order of a layer's variables, for files that store them by name.
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
_MAX_BYTES = 2**32  # of one file's arrays


def read(path: str | os.PathLike[str]) -> Layers:
    """Reads the arrays of every layer that has any, in the file's order.

    Args:
        path: `.h5` or `.hdf5`, weights alone or with their model; `.keras`; or `.npz` with entries
            "layer/variable", e.g. "block1_conv1/kernel".

    Raises:
        UserError: the file is missing, of another kind, or does not hold layers of arrays.
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
        raise _damaged(name, error) from error
    except (ValueError, KeyError, TypeError, RuntimeError, zipfile.BadZipFile) as error:
        if isinstance(error, UserError):
            raise
        raise _damaged(name, error) from error
    if not layers:
        raise UserError(f"{name!r} holds no layers with arrays")
    return layers


def _damaged(name: str, error: Exception) -> UserError:
    reason = type(error).__name__
    if str(error):
        reason = str(error).splitlines()[0]
    return UserError(f"{name!r} is damaged or of another kind: {reason}")


def _read_npz(path: str) -> Layers:
    variables: dict[str, dict[str, np.ndarray]] = {}
    with np.load(path, allow_pickle=False) as archive:
        for name in archive.files:
            layer, slash, variable = name.removesuffix(":0").rpartition("/")
            if not slash or variable not in _ORDER:
                raise UserError(
                    f"{path!r} has an entry {name!r}; "
                    f"wanted LAYER/VARIABLE, VARIABLE one of {_ORDER}"
                )
            variables.setdefault(layer, {})[variable] = _float_array(archive[name], name)
    layers = {}
    for layer, arrays in variables.items():
        layers[layer] = [arrays[name] for name in _ORDER if name in arrays]
    return layers


def _read_archive(path: str) -> Layers:
    with zipfile.ZipFile(path) as archive:
        member = "model.weights.h5"
        if member not in archive.namelist():
            raise UserError(
                f"{path!r} is an archive without {member!r}; wanted what Keras's model.save writes"
            )
        if archive.getinfo(member).file_size > _MAX_BYTES:
            raise UserError(f"{path!r} unpacks to more than {_MAX_BYTES} bytes")
        return _read_hdf5(io.BytesIO(archive.read(member)), path)


def _read_hdf5_file(path: str) -> Layers:
    return _read_hdf5(path, path)


def _read_hdf5(source: Any, path: str) -> Layers:
    try:
        import h5py
    except ImportError:
        raise missing_extra("h5py", "data", "reading Keras's HDF5 files") from None
    with h5py.File(source, "r") as file:
        top = file
        if "model_weights" in file:
            top = _open_member(file, "model_weights")
        layers = _old_layout(top) if _has_list(top, "layer_names") else _new_layout(top, path)
        return {name: arrays for name, arrays in layers if arrays}


def _old_layout(top: Any) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Layers and arrays of files whose attributes list the names of both."""
    for layer in _read_list(top, "layer_names"):
        group = _open_member(top, layer)
        names = _read_list(group, "weight_names")
        yield layer, [_float_array(_open_member(group, name), name) for name in names]


def _new_layout(top: Any, path: str) -> Iterator[tuple[str, list[np.ndarray]]]:
    """Layers and arrays of files in which a layer has a group `vars` of numbered arrays."""
    groups: list[Any] = []

    def visit(name: str, item: Any) -> None:
        if re.search(r"(^|/)vars$", name):
            groups.append(item)

    top.visititems(visit)
    for group in groups:
        if not len(group) or group.name.startswith("/optimizer"):
            continue
        if "name" not in group.attrs:
            raise UserError(
                f"{path!r} does not say which layer {group.name!r} belongs to, "
                "as files of Keras 2.12 to 2.15 do not; "
                "wanted one that Keras 3 wrote, or save_weights with save_format='h5'"
            )
        arrays = []
        for number in range(len(group)):
            arrays.append(_float_array(_open_member(group, str(number)), group.name))
        yield _text(group.attrs["name"]), arrays


def _open_member(group: Any, path: str) -> Any:
    """The group or array at `path`; links out of the file are refused."""
    import h5py

    for name in filter(None, path.split("/")):
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise UserError(
                f"{group.file.filename!r} links from {group.name!r} to elsewhere ({name!r}): "
                "not followed"
            )
        group = group[name]
    return group


def _float_array(dataset: Any, name: str) -> np.ndarray:
    """An array of floats as float32; arrays that refer to another file are refused."""
    if not hasattr(dataset, "dtype") or dataset.dtype.kind != "f":
        raise UserError(f"{name!r} is no array of floating-point numbers")
    if getattr(dataset, "external", None) or getattr(dataset, "is_virtual", False):
        raise UserError(f"{name!r} lies in another file: not followed")
    if dataset.size * 4 > _MAX_BYTES:
        raise UserError(f"{name!r} has the shape {dataset.shape}, more than {_MAX_BYTES} bytes")
    return np.asarray(dataset[()], np.float32)


def _has_list(group: Any, name: str) -> bool:
    return name in group.attrs or f"{name}0" in group.attrs


def _read_list(group: Any, name: str) -> list[str]:
    """A list of names in an attribute; HDF5 stores a long one in numbered parts."""
    if name in group.attrs:
        return [_text(item) for item in group.attrs[name]]
    names = []
    part = 0
    while f"{name}{part}" in group.attrs:
        names += [_text(item) for item in group.attrs[f"{name}{part}"]]
        part += 1
    return names


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
