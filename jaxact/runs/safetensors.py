"""The safetensors format: named arrays in one file with a JSON header and no code.

The first eight bytes are the header's length. The header holds each array's dtype, shape, and
offsets in the bytes that follow it.
"""

import io
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
_MAX_HEADER = 2**25  # bytes


def write(
    path: str | os.PathLike[str],
    arrays: Mapping[str, np.ndarray],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Writes a complete file, or none.

    Args:
        path: of the file.
        arrays: by name; they are stored in the order of the names.
        metadata: text by name.

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
    text += b" " * (-len(text) % 8)  # aligns the arrays
    with files.replacing(path) as temporary, open(temporary, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, array in sorted(arrays.items()):
            little_endian = array.dtype.newbyteorder("<")
            file.write(np.ascontiguousarray(array).astype(little_endian).tobytes())


def read(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Reads the arrays by name, and the metadata.

    Raises:
        UserError: the file is missing, truncated, or no safetensors file.
    """
    try:
        with open(path, "rb") as file:
            return parse(file)
    except OSError as error:
        raise UserError(f"cannot read {os.fspath(path)!r}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = type(error).__name__
        if str(error):
            reason = str(error).splitlines()[0]
        raise UserError(f"{os.fspath(path)!r} is no complete safetensors file: {reason}") from error


def parse(file: io.BufferedIOBase) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Reads an open file; see `read`.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is truncated, or no safetensors file.
    """
    length = int.from_bytes(file.read(8), "little")
    if length > _MAX_HEADER:
        raise ValueError(f"its header would be {length} bytes long")
    header = json.loads(file.read(length))
    content = memoryview(file.read())
    metadata = header.pop("__metadata__", {})
    return {name: _array(entry, content) for name, entry in header.items()}, metadata


def _array(entry: Mapping[str, Any], content: memoryview) -> np.ndarray:
    start, end = entry["data_offsets"]
    dtype = np.dtype(_TYPES[entry["dtype"]]).newbyteorder("<")
    shape = tuple(entry["shape"])
    if not 0 <= start <= end <= len(content):
        raise ValueError(
            f"an array of shape {shape} would be at bytes {start} to {end} of {len(content)}"
        )
    array = np.frombuffer(content[start:end], dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="))
