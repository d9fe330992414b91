"""PyTorch's checkpoint files as arrays by name, read without PyTorch and without running what they
ask for.

Both forms are read: the zip of `torch.save` since 1.6, one member per tensor's numbers, and the
stream of pickles before it. The pickle in either may name a dozen things, see `torch_pickles`; any
other name refuses the file. Every size that a file states is held against the file's own before a
byte is read, and only the weights' numbers are read at all: an optimiser's state beside them costs
nothing.
"""

import io
import os
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxact.errors import UserError
from jaxact.interop.torch_pickles import LONGEST, Forbidden, Refused, Storage, Tensor, load

_WEIGHTS = (
    "state_dict",
    "model_state_dict",
    "model",
    "net",
    "weights",
)  # where checkpoints keep the weights
_MOST_BYTES = 2**31  # of all weights together
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_MOST_SHOWN = 6


def read(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """The weights of a checkpoint by name, and the names of what else it holds.

    Args:
        path: a state dict, or a dict with one under "state_dict", "model" or the like.

    Raises:
        UserError: the file is absent, cut off, of another kind, asks for more than numbers in
            containers, states sizes that it does not have, or holds no weights.
    """
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            tree = _from_zip(file) if file.read(2) == b"PK" else _from_stream(file)
            weights, aside = _find_weights(tree)
            if sum(tensor.bytes for tensor in weights.values()) > _MOST_BYTES:
                raise Refused(f"its weights would take more than {_MOST_BYTES} bytes")
            return {key: tensor.read() for key, tensor in weights.items()}, aside
    except Forbidden as error:
        raise UserError(
            f"{name!r} asks for {error.args[0]!r}, which is no part of a tensor or a plain container: refused, and "
            "nothing of it was run; save the state dict alone, torch.save(model.state_dict(), FILE)"
        ) from error
    except OSError as error:
        raise UserError(f"cannot read {name!r}: {error.strerror or error}") from error
    except (
        Exception
    ) as error:  # a broken pickle surfaces as whatever its last instruction stumbled over
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{name!r} is no whole checkpoint of PyTorch: {reason}") from error


def _from_zip(file: io.BufferedReader) -> Any:
    """The content of a zip, whose members PyTorch stores as they are."""
    size = file.seek(0, os.SEEK_END)
    archive = zipfile.ZipFile(file)
    members = {info.filename: info for info in archive.infolist()}
    for info in members.values():
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise Refused(f"its member {info.filename!r} is compressed, which PyTorch's never are")
    total = sum(info.file_size for info in archive.infolist())
    if total > size:
        raise Refused(f"its members would be {total} bytes, the file has {size}")
    heads = [name.removesuffix("data.pkl") for name in members if name.endswith("/data.pkl")]
    if len(heads) != 1:
        raise Refused(
            "a zip with no member data.pkl" if not heads else "a zip with several members data.pkl"
        )
    head = heads[0]
    if members[f"{head}data.pkl"].file_size > LONGEST:
        raise Refused(f"its description takes more than {LONGEST} bytes")
    order = (
        ">" if f"{head}byteorder" in members and archive.read(f"{head}byteorder") == b"big" else "<"
    )

    def storage(kind: np.dtype, key: str, count: int) -> Storage:
        member = members.get(f"{head}data/{key}")
        if member is None or member.file_size != count * kind.itemsize:
            found = "is missing" if member is None else f"has {member.file_size} bytes"
            raise Refused(
                f"the member {head}data/{key} {found}, wanted {count} numbers of {kind.itemsize} bytes"
            )
        return Storage(kind.newbyteorder(order), count, lambda: archive.read(member))

    return load(io.BytesIO(archive.read(f"{head}data.pkl")), storage)


def _from_stream(file: io.BufferedReader) -> Any:
    """The content of the older form: magic number, version, facts of the system, description, keys,
    numbers.
    """
    size = file.seek(0, os.SEEK_END)
    if size > _MOST_BYTES:
        raise Refused(f"a file of the older form of more than {_MOST_BYTES} bytes")
    file.seek(0)
    content = memoryview(file.read())
    stream = io.BytesIO(content)
    kinds: dict[str, tuple[np.dtype, int]] = {}
    places: dict[str, int] = {}  # first byte of each storage's numbers

    def none(kind: np.dtype, key: str, count: int) -> Storage:
        raise Refused("numbers where there should be none")

    def storage(kind: np.dtype, key: str, count: int) -> Storage:
        kinds[key] = (kind, count)
        return Storage(
            kind.newbyteorder("<"),
            count,
            lambda: bytes(content[places[key] :][: count * kind.itemsize]),
        )

    if load(stream, none) != _LEGACY_MAGIC:
        raise Refused("it does not begin as PyTorch's files do")
    for _ in ("version", "facts of the system"):
        load(stream, none)
    tree, keys = load(stream, storage), load(stream, none)
    position = stream.tell()
    for key in keys:
        kind, count = kinds[key]
        stated = int.from_bytes(content[position : position + 8], "little")
        end = position + 8 + count * kind.itemsize
        if stated != count or end > size:
            raise Refused(f"the numbers of {key!r} are cut off")
        places[key] = position + 8
        position = end
    return tree


def _find_weights(tree: Any) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The tensors of the state dict, and the names of all else."""
    if not isinstance(tree, Mapping):
        raise Refused(f"it holds a {type(tree).__name__}, wanted weights by name")
    aside: list[str] = []
    for name in _WEIGHTS:
        if isinstance(tree.get(name), Mapping) and _tensors(tree[name]):
            aside = [str(key) for key in tree if key != name]
            tree = tree[name]
            break
    found = _tensors(tree)
    if not found:
        raise Refused(
            f"no weights in it, only {', '.join(map(str, [*tree][:_MOST_SHOWN])) or 'nothing'}"
        )
    return found, (*aside, *(str(key) for key in tree if key not in found))


def _tensors(tree: Mapping[Any, Any]) -> dict[str, Tensor]:
    return {
        key: value
        for key, value in tree.items()
        if isinstance(key, str) and isinstance(value, Tensor)
    }
