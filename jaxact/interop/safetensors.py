"""The safetensors format: named arrays in one file, told by a JSON header; nothing in it can run.

Eight bytes say how long the header is; it gives each array's type, shape and place in the bytes
that follow.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxact import files
from jaxact.errors import UserError

_TYPES = {
    "F16": np.float16,
    "F32": np.float32,
    "F64": np.float64,
    "I32": np.int32,
    "I64": np.int64,
    "U8": np.uint8,
}
_NAMES = {np.dtype(kind): name for name, kind in _TYPES.items()}
_LONGEST_HEADER = 2**25  # bytes


def write(
    path: str | os.PathLike[str],
    arrays: Mapping[str, np.ndarray],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Writes the arrays, sorted by name, whole or not at all; `metadata` is text by name.

    Raises:
        UserError: the file cannot be written.
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for name, array in sorted(arrays.items()):
        start, end = end, end + array.nbytes
        header[name] = {
            "dtype": _NAMES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that the arrays are aligned
    with files.replacing(path) as temporary, open(temporary, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in sorted(arrays):
            file.write(
                np.ascontiguousarray(arrays[name])
                .astype(arrays[name].dtype.newbyteorder("<"))
                .tobytes()
            )


def read(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays by name, and the metadata.

    Raises:
        UserError: the file is absent, cut off, or no safetensors file.
    """
    try:
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > _LONGEST_HEADER:
                raise ValueError(f"its header would be {length} bytes long")
            header = json.loads(file.read(length))
            content = memoryview(file.read())
        metadata = header.pop("__metadata__", {})
        return {name: _array(entry, content) for name, entry in header.items()}, metadata
    except OSError as error:
        raise UserError(f"cannot read {os.fspath(path)!r}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{os.fspath(path)!r} is no whole safetensors file: {reason}") from error


def _array(entry: Mapping[str, Any], content: memoryview) -> np.ndarray:
    start, end = entry["data_offsets"]
    kind, shape = np.dtype(_TYPES[entry["dtype"]]).newbyteorder("<"), tuple(entry["shape"])
    if not 0 <= start <= end <= len(content):
        raise ValueError(
            f"an array of shape {shape} is said to lie at bytes {start} to {end} of {len(content)}"
        )
    return np.frombuffer(content[start:end], kind).reshape(shape).astype(kind.newbyteorder("="))
