"""The pickle inside PyTorch's files, read without running what it asks for.

A pickle is a program: it may import any function and call it. This reader knows the names that
tensors and plain containers are made of; behind each stands a function of this file that does
nothing but keep numbers apart. Any other name is refused before it is looked up. Tensors are views
into storages that are read later, or never.
"""

import dataclasses
import io
import math
import pickle
import pickletools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

LONGEST = 2**24  # bytes of a pickle; a network of a thousand layers needs a few hundred thousand


class Refused(ValueError):
    """A file that is not what it should be."""


class Forbidden(pickle.UnpicklingError):
    """A name outside the list."""


@dataclasses.dataclass(frozen=True, slots=True)
class Storage:
    """Numbers in the file, not read yet."""

    kind: np.dtype
    count: int
    read: Callable[[], bytes]


@dataclasses.dataclass(frozen=True, slots=True)
class Tensor:
    """A view into a storage; everything in numbers, not bytes."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def bytes(self) -> int:
        """What the array will take."""
        return math.prod(self.shape) * self.storage.kind.itemsize

    def read(self) -> np.ndarray:
        """The array, of its own memory; bfloat16 as float32."""
        content = self.storage.read()
        if len(content) != self.storage.count * self.storage.kind.itemsize:
            raise Refused(
                f"a tensor's numbers take {len(content)} bytes, wanted {self.storage.count} numbers"
            )
        flat = np.frombuffer(content, self.storage.kind)[self.offset :]
        strides = [stride * flat.itemsize for stride in self.strides]
        array = np.lib.stride_tricks.as_strided(flat, self.shape, strides, writeable=False)
        if array.dtype.kind == "u" and array.itemsize == _BFLOAT16.itemsize:
            array = (array.astype(np.uint32) << 16).view(np.float32)
        return np.array(array, array.dtype.newbyteorder("="))


class _Name:
    """What stands behind a name of the list; a pickle may call it where it makes something, but not
    change it.
    """

    __slots__ = ("make",)

    def __init__(self, make: Callable[..., Any] | np.dtype) -> None:
        self.make = make

    def __call__(self, *arguments: Any) -> Any:
        if isinstance(self.make, np.dtype):
            raise pickle.UnpicklingError("it calls a kind of numbers")
        return self.make(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("it sets attributes of a function")


class _Dict(dict):
    """An ordered dict; what else a state dict carries (`_metadata`) is left aside."""

    def __setstate__(self, state: Any) -> None:
        del state


class _Aside:
    """Something beside the weights that is never looked at."""

    def __setstate__(self, state: Any) -> None:
        del state


def _tensor(
    storage: Any, offset: int, shape: Sequence[int], strides: Sequence[int], *_: Any
) -> Tensor:
    """`torch._utils._rebuild_tensor_v2`, as far as its numbers lie inside their storage."""
    shape, strides = tuple(shape), tuple(strides)
    if (
        not isinstance(storage, Storage)
        or len(shape) != len(strides)
        or min((offset, *shape, *strides), default=0) < 0
    ):
        raise Refused(
            f"a tensor of shape {shape} is made of something else than numbers in the file"
        )
    count = math.prod(shape)
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if count > storage.count or (count and last >= storage.count):
        raise Refused(f"a tensor of shape {shape} is said to lie in {storage.count} numbers")
    return Tensor(storage, offset, shape, strides)


def _parameter(tensor: Any, *_: Any) -> Any:
    """`torch._utils._rebuild_parameter`: the tensor."""
    return tensor


_BFLOAT16 = np.dtype(np.uint16)  # its bits; no storage holds such integers
_KINDS = {
    **{
        "Float": np.float32,
        "Double": np.float64,
        "Half": np.float16,
        "BFloat16": _BFLOAT16,
        "Bool": np.bool_,
    },
    **{"Long": np.int64, "Int": np.int32, "Short": np.int16, "Char": np.int8, "Byte": np.uint8},
}
_KNOWN: dict[str, _Name] = {
    "collections.OrderedDict": _Name(_Dict),
    "torch._utils._rebuild_tensor_v2": _Name(_tensor),
    "torch._utils._rebuild_parameter": _Name(_parameter),
    "torch.Size": _Name(tuple),
    **{f"torch.{name}Storage": _Name(np.dtype(kind)) for name, kind in _KINDS.items()},
    # numpy's numbers in what lies beside the weights: best accuracies, histories.
    **{
        name: _Name(lambda *_: _Aside())
        for name in (
            *("numpy.dtype", "numpy.ndarray", "_codecs.encode", "torch.device"),
            *(
                f"numpy.{core}.multiarray.{name}"
                for core in ("core", "_core")
                for name in ("scalar", "_reconstruct")
            ),
        )
    },
}


class _Reader(pickle.Unpickler):
    """A pickle of tensors; `storages` finds a storage by (kind, key, count)."""

    def __init__(self, file: io.BytesIO, storages: Callable[[np.dtype, str, int], Storage]) -> None:
        super().__init__(file, encoding="utf-8")
        self.storages = storages

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _KNOWN[f"{module}.{name}"]
        except KeyError:
            raise Forbidden(f"{module}.{name}") from None

    def persistent_load(self, pid: Any) -> Any:
        match pid:
            case ("storage", _Name(make=np.dtype() as kind), str(key), _, int(count), *rest):
                if count >= 0 and not any(rest):
                    return self.storages(kind, key, count)
        raise Refused("it refers to something that is no storage of numbers")


def load(file: io.BytesIO, storages: Callable[[np.dtype, str, int], Storage]) -> Any:
    """The next pickle of a file in memory."""
    start = file.tell()
    for kind, argument, _ in pickletools.genops(file):
        # A place in the memo is memory, whatever is put there; no pickle needs more places than it
        # has bytes.
        if kind.name in ("PUT", "BINPUT", "LONG_BINPUT") and int(argument or 0) > LONGEST:
            raise Refused(f"it asks for {argument} places in memory")
    file.seek(start)
    return _Reader(file, storages).load()
