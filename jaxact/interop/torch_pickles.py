"""Reads the pickles in PyTorch's files without running code.

A pickle is a program: it can import any function and call it. This reader allows the names that
tensors and plain containers need, and replaces each by a harmless function of this file. Any other
name is refused before it is looked up. Tensors are views into storages that are read later, or
never.
"""

import dataclasses
import io
import math
import pickle
import pickletools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

MAX_PICKLE = 2**24  # bytes; a network of a thousand layers needs a few hundred thousand


class Refused(ValueError):
    """A file that is damaged or of another kind."""


class Forbidden(pickle.UnpicklingError):
    """A name that is not allowed."""


@dataclasses.dataclass(frozen=True, slots=True)
class Storage:
    """Numbers in the file that are not read yet.

    Attributes:
        dtype: of the numbers.
        count: of the numbers.
        read: returns their bytes.
    """

    dtype: np.dtype
    count: int
    read: Callable[[], bytes]


@dataclasses.dataclass(frozen=True, slots=True)
class Tensor:
    """A view into a storage; offset and strides count numbers, not bytes."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """The size of the array."""
        return math.prod(self.shape) * self.storage.dtype.itemsize

    def read(self) -> np.ndarray:
        """A copy as an array; bfloat16 becomes float32."""
        content = self.storage.read()
        if len(content) != self.storage.count * self.storage.dtype.itemsize:
            raise Refused(
                f"a tensor's numbers take {len(content)} bytes, wanted {self.storage.count} numbers"
            )
        flat = np.frombuffer(content, self.storage.dtype)[self.offset :]
        strides = [stride * flat.itemsize for stride in self.strides]
        array = np.lib.stride_tricks.as_strided(flat, self.shape, strides, writeable=False)
        if array.dtype.kind == "u" and array.itemsize == _BFLOAT16.itemsize:
            array = (array.astype(np.uint32) << 16).view(np.float32)
        return np.array(array, array.dtype.newbyteorder("="))


class _Name:
    """What an allowed name stands for: a function that a pickle may call, or a dtype."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[..., Any] | np.dtype) -> None:
        self.make = make

    def __call__(self, *arguments: Any) -> Any:
        if isinstance(self.make, np.dtype):
            raise pickle.UnpicklingError("it calls a dtype")
        return self.make(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("it sets attributes of a function")


class _Dict(dict):
    """An ordered dict without the attributes of a state dict (`_metadata`)."""

    def __setstate__(self, state: Any) -> None:
        del state


class _Ignored:
    """An object beside the weights that is never used."""

    def __setstate__(self, state: Any) -> None:
        del state


def _tensor(
    storage: Any, offset: int, shape: Sequence[int], strides: Sequence[int], *_: Any
) -> Tensor:
    """`torch._utils._rebuild_tensor_v2`; refuses a view that leaves its storage."""
    shape = tuple(shape)
    strides = tuple(strides)
    valid = isinstance(storage, Storage) and len(shape) == len(strides)
    if not valid or min((offset, *shape, *strides), default=0) < 0:
        raise Refused(f"a tensor of shape {shape} is no valid view of a storage in the file")
    count = math.prod(shape)
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if count > storage.count or (count and last >= storage.count):
        raise Refused(f"a tensor of shape {shape} does not fit in {storage.count} numbers")
    return Tensor(storage, offset, shape, strides)


def _parameter(tensor: Any, *_: Any) -> Any:
    """`torch._utils._rebuild_parameter`: the tensor."""
    return tensor


_BFLOAT16 = np.dtype(np.uint16)  # its bits; no storage holds such integers
_DTYPES = {
    "Float": np.float32,
    "Double": np.float64,
    "Half": np.float16,
    "BFloat16": _BFLOAT16,
    "Bool": np.bool_,
    "Long": np.int64,
    "Int": np.int32,
    "Short": np.int16,
    "Char": np.int8,
    "Byte": np.uint8,
}
# Types of NumPy objects beside the weights, such as best accuracies and histories.
_IGNORED = (
    "numpy.dtype",
    "numpy.ndarray",
    "numpy.core.multiarray.scalar",
    "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar",
    "numpy._core.multiarray._reconstruct",
    "_codecs.encode",
    "torch.device",
)
_ALLOWED: dict[str, _Name] = {
    "collections.OrderedDict": _Name(_Dict),
    "torch._utils._rebuild_tensor_v2": _Name(_tensor),
    "torch._utils._rebuild_parameter": _Name(_parameter),
    "torch.Size": _Name(tuple),
    **{f"torch.{name}Storage": _Name(np.dtype(dtype)) for name, dtype in _DTYPES.items()},
    **{name: _Name(lambda *_: _Ignored()) for name in _IGNORED},
}


class _Reader(pickle.Unpickler):
    """A reader of one pickle; `find_storage` returns a storage by (dtype, key, count)."""

    def __init__(
        self, file: io.BytesIO, find_storage: Callable[[np.dtype, str, int], Storage]
    ) -> None:
        super().__init__(file, encoding="utf-8")
        self.find_storage = find_storage

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[f"{module}.{name}"]
        except KeyError:
            raise Forbidden(f"{module}.{name}") from None

    def persistent_load(self, pid: Any) -> Any:
        match pid:
            case ("storage", _Name(make=np.dtype() as dtype), str(key), _, int(count), *rest):
                if count >= 0 and not any(rest):
                    return self.find_storage(dtype, key, count)
        raise Refused("it refers to something that is no storage of numbers")


def load(file: io.BytesIO, find_storage: Callable[[np.dtype, str, int], Storage]) -> Any:
    """Reads the next pickle of a file in memory.

    Args:
        file: at the start of the pickle.
        find_storage: returns a storage by its dtype, key and count.

    Raises:
        Forbidden: a name that is not allowed.
        Refused: tensors or storages that are invalid.
    """
    start = file.tell()
    for opcode, argument, _ in pickletools.genops(file):
        # Each index in the memo takes memory; no pickle needs a higher one than it has bytes.
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and int(argument or 0) > MAX_PICKLE:
            raise Refused(f"it asks for {argument} places in memory")
    file.seek(start)
    return _Reader(file, find_storage).load()
