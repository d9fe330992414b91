"""PyTorch's files written without PyTorch: a pickle in which names and storages stand for
themselves.
"""

import dataclasses
import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

NAMES = {
    **{
        np.dtype(kind): f"{name}Storage"
        for kind, name in (("f4", "Float"), ("f8", "Double"), ("f2", "Half"))
    },
    **{
        np.dtype(kind): f"{name}Storage"
        for kind, name in (("i8", "Long"), ("i4", "Int"), ("u1", "Byte"))
    },
}


@dataclasses.dataclass(eq=False)
class Storage:
    """Numbers of their own member; `count` is how many the pickle says there are."""

    numbers: np.ndarray
    name: str = ""
    count: int | None = None


class Global:
    """A name that the reader is to look up."""

    def __init__(self, name: str) -> None:
        self.module, _, self.name = name.rpartition(".")


@dataclasses.dataclass
class Call:
    """A call of a name."""

    function: Global
    arguments: tuple


def tensor(storage: Storage, shape: tuple, strides: tuple, offset: int = 0) -> Call:
    """A view into a storage."""
    rebuild = Global("torch._utils._rebuild_tensor_v2")
    return Call(rebuild, (storage, offset, shape, strides, False, {}))


class _Pickler(pickle._Pickler):  # the one in Python: its methods can be replaced
    def __init__(self, file: io.BytesIO, legacy: bool) -> None:
        super().__init__(file, 2)
        self.legacy, self.storages = legacy, []

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, np.ndarray):
            strides = tuple(stride // obj.itemsize for stride in obj.strides)
            obj = tensor(Storage(obj), obj.shape, strides)
        if isinstance(obj, Global):
            return self.write(b"c" + f"{obj.module}\n{obj.name}\n".encode())
        if isinstance(obj, Call):
            self.save(obj.function)
            self.save(obj.arguments)
            return self.write(b"R")
        super().save(obj, save_persistent_id)

    def persistent_id(self, obj: Any) -> Any:
        if not isinstance(obj, Storage):
            return None
        if obj not in self.storages:
            self.storages.append(obj)
        kind = Global(f"torch.{obj.name or NAMES[obj.numbers.dtype]}")
        count = obj.numbers.size if obj.count is None else obj.count
        key = str(self.storages.index(obj))
        return ("storage", kind, key, "cpu", count, *((None,) if self.legacy else ()))


def write(
    path: Path, content: Any, *, legacy: bool = False, compression: int = zipfile.ZIP_STORED
) -> Path:
    """Writes `content`, whose arrays are tensors, as `torch.save` does now, or did before 1.6."""
    described = io.BytesIO()
    pickler = _Pickler(described, legacy)
    pickler.dump(content)
    if legacy:
        head = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}]
        tail = [str(key) for key in range(len(pickler.storages))]
        parts = [
            *(pickle.dumps(item, 2) for item in head),
            described.getvalue(),
            pickle.dumps(tail, 2),
        ]
        for storage in pickler.storages:
            count = storage.numbers.size if storage.count is None else storage.count
            parts += [count.to_bytes(8, "little"), storage.numbers.tobytes()]
        path.write_bytes(b"".join(parts))
        return path
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", described.getvalue())
        archive.writestr("archive/byteorder", "little")
        for key, storage in enumerate(pickler.storages):
            archive.writestr(f"archive/data/{key}", storage.numbers.tobytes())
    return path
