"""Reads PyTorch checkpoint files as arrays by name, without PyTorch and without running code.

Both formats are read: the zip that `torch.save` writes since 1.6, with a member per tensor, and the
stream of pickles before it. The pickle in either may use about a dozen names, see `torch_pickles`;
any other name makes the reader refuse the file. Every size that a file states is checked against
the file's own before a byte is read. Only the weights are read: an optimizer's state beside them
costs nothing.
"""

import io
import os
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxact.errors import UserError
from jaxact.interop.torch_pickles import MAX_PICKLE, Forbidden, Refused, Storage, Tensor, load

# Keys under which checkpoints store the weights.
_WEIGHT_KEYS = ("state_dict", "model_state_dict", "model", "net", "weights")
_MAX_BYTES = 2**31  # of all weights together
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_MAX_NAMES = 6  # in a message


def read(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Reads the weights of a checkpoint by name, and the names of what else it holds.

    Args:
        path: a state dict, or a dict with one under "state_dict", "model" or the like.

    Raises:
        UserError: the file is missing, truncated, or of another kind; it needs more than arrays in
            containers, states sizes that it does not have, or holds no weights.
    """
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            tree = _read_zip(file) if file.read(2) == b"PK" else _read_stream(file)
            weights, others = _find_weights(tree)
            if sum(tensor.bytes for tensor in weights.values()) > _MAX_BYTES:
                raise Refused(f"its weights would take more than {_MAX_BYTES} bytes")
            return {key: tensor.read() for key, tensor in weights.items()}, others
    except Forbidden as error:
        raise UserError(
            f"{name!r} asks for {error.args[0]!r}, which is no part of a tensor or a plain "
            "container: refused, and nothing of it was run; "
            "save the state dict alone, torch.save(model.state_dict(), FILE)"
        ) from error
    except OSError as error:
        raise UserError(f"cannot read {name!r}: {error.strerror or error}") from error
    except Exception as error:  # a damaged pickle can raise anything
        reason = type(error).__name__
        if str(error):
            reason = str(error).splitlines()[0]
        raise UserError(f"{name!r} is no complete PyTorch checkpoint: {reason}") from error


def _read_zip(file: io.BufferedReader) -> Any:
    """The content of a zip, whose members PyTorch stores uncompressed."""
    size = file.seek(0, os.SEEK_END)
    archive = zipfile.ZipFile(file)
    members = {info.filename: info for info in archive.infolist()}
    for info in members.values():
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise Refused(f"its member {info.filename!r} is compressed, which PyTorch's never are")
    total = sum(info.file_size for info in archive.infolist())
    if total > size:
        raise Refused(f"its members would be {total} bytes, the file has {size}")
    prefixes = [name.removesuffix("data.pkl") for name in members if name.endswith("/data.pkl")]
    if not prefixes:
        raise Refused("a zip with no member data.pkl")
    if len(prefixes) > 1:
        raise Refused("a zip with several members data.pkl")
    prefix = prefixes[0]
    if members[f"{prefix}data.pkl"].file_size > MAX_PICKLE:
        raise Refused(f"its description takes more than {MAX_PICKLE} bytes")
    byte_order = "<"
    if f"{prefix}byteorder" in members and archive.read(f"{prefix}byteorder") == b"big":
        byte_order = ">"

    def find_storage(dtype: np.dtype, key: str, count: int) -> Storage:
        name = f"{prefix}data/{key}"
        expected = f"wanted {count} numbers of {dtype.itemsize} bytes"
        if name not in members:
            raise Refused(f"the member {name} is missing, {expected}")
        member = members[name]
        if member.file_size != count * dtype.itemsize:
            raise Refused(f"the member {name} has {member.file_size} bytes, {expected}")
        return Storage(dtype.newbyteorder(byte_order), count, lambda: archive.read(member))

    return load(io.BytesIO(archive.read(f"{prefix}data.pkl")), find_storage)


def _read_stream(file: io.BufferedReader) -> Any:
    """The content of the older format.

    It holds a magic number, a version, facts about the system, the checkpoint, the keys of its
    storages, and the storages.
    """
    size = file.seek(0, os.SEEK_END)
    if size > _MAX_BYTES:
        raise Refused(f"a file of the older format of more than {_MAX_BYTES} bytes")
    file.seek(0)
    content = memoryview(file.read())
    stream = io.BytesIO(content)
    dtypes: dict[str, tuple[np.dtype, int]] = {}
    starts: dict[str, int] = {}  # first byte of each storage

    def refuse_storage(dtype: np.dtype, key: str, count: int) -> Storage:
        raise Refused("a tensor where there should be none")

    def find_storage(dtype: np.dtype, key: str, count: int) -> Storage:
        dtypes[key] = (dtype, count)

        def read_bytes() -> bytes:
            start = starts[key]
            return bytes(content[start : start + count * dtype.itemsize])

        return Storage(dtype.newbyteorder("<"), count, read_bytes)

    if load(stream, refuse_storage) != _LEGACY_MAGIC:
        raise Refused("it does not begin as PyTorch's files do")
    for _ in ("version", "facts about the system"):
        load(stream, refuse_storage)
    tree = load(stream, find_storage)
    keys = load(stream, refuse_storage)
    position = stream.tell()
    for key in keys:
        dtype, count = dtypes[key]
        stated_count = int.from_bytes(content[position : position + 8], "little")
        starts[key] = position + 8
        position += 8 + count * dtype.itemsize
        if stated_count != count or position > size:
            raise Refused(f"the numbers of {key!r} are cut off")
    return tree


def _find_weights(tree: Any) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The tensors of the state dict, and the names of everything else."""
    if not isinstance(tree, Mapping):
        raise Refused(f"it holds a {type(tree).__name__}, wanted weights by name")
    others: list[str] = []
    for name in _WEIGHT_KEYS:
        if isinstance(tree.get(name), Mapping) and _tensors(tree[name]):
            others = [str(key) for key in tree if key != name]
            tree = tree[name]
            break
    weights = _tensors(tree)
    if not weights:
        names = ", ".join(map(str, [*tree][:_MAX_NAMES])) or "nothing"
        raise Refused(f"no weights in it, only {names}")
    others += [str(key) for key in tree if key not in weights]
    return weights, tuple(others)


def _tensors(tree: Mapping[Any, Any]) -> dict[str, Tensor]:
    tensors = {}
    for key, value in tree.items():
        if isinstance(key, str) and isinstance(value, Tensor):
            tensors[key] = value
    return tensors
