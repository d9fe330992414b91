"""Reads pickles of other tools without running code in them.

A pickle is a program: it may import and call any function. This reader allows the dozen names that
numpy arrays and plain containers need. It refuses any other name before looking it up, so that
nothing is imported and nothing runs. The names of numpy map to functions of this file, because
numpy's own functions accept a pickle that declares raw bytes to be Python objects.

Memory is not bounded: a pickle is one object and is in memory as a whole.
"""

import codecs
import collections
import pickle
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxact.errors import UserError


def load(path: str) -> Any:
    """The content of a pickle of arrays, numbers, text and containers.

    Text of Python 2 is decoded as Latin-1. Arrays are of a subclass; np.asarray gives plain ones.

    Raises:
        UserError: The pickle needs another name, which the message states, or is incomplete.
    """
    with open(path, "rb") as file:
        try:
            return _Reader(file, encoding="latin1").load()
        except _Forbidden as error:
            raise UserError(
                f"{path!r} asks for {error.args[0]!r}, which is not part of an array or a plain "
                "container: refused before anything ran"
            ) from error
        except OSError:
            raise
        except Exception as error:  # the instructions of a broken pickle raise many types
            message = str(error)
            reason = message.splitlines()[0] if message else type(error).__name__
            raise UserError(f"{path!r} is not a readable pickle: {reason}") from error


class _Forbidden(pickle.UnpicklingError):
    """A name that is not allowed."""


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _ALLOWED[f"{module}.{name}"]
        except KeyError:
            raise _Forbidden(f"{module}.{name}") from None


class _Function:
    """A function that a pickle may call but not change."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self.call = call

    def __call__(self, *arguments: Any) -> Any:
        return self.call(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("it sets attributes of a function")


class _Dtype:
    """Kind and byte order of numbers or text.

    The state of a numpy dtype could declare raw bytes to be Python objects; this class rejects it.
    """

    __slots__ = ("dtype",)

    def __init__(self, text: str, *_: Any) -> None:
        self.dtype = np.dtype(str(text))
        if self.dtype.kind not in "biufcSUO" or self.dtype.subdtype is not None:
            raise pickle.UnpicklingError(f"an array of {text!r}")

    def __setstate__(self, state: tuple) -> None:
        if any(part is not None for part in state[2:5]):
            raise pickle.UnpicklingError("an array of records")
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array(np.ndarray):
    """An array that can be filled once.

    The content is a list of objects, or exactly as many bytes as the array holds.
    """

    def __setstate__(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, state: tuple
    ) -> None:
        _, shape, kind, fortran, content = state
        if self.size or not isinstance(kind, _Dtype):
            raise pickle.UnpicklingError("an array is filled twice, or has no dtype")
        if isinstance(content, str):
            content = content.encode("latin1")
        content_type = list if kind.dtype.hasobject else bytes
        if type(content) is not content_type:
            raise pickle.UnpicklingError(
                f"an array of {kind.dtype} is made from a {type(content).__name__}"
            )
        numpy_state: Any = (1, tuple(map(int, shape)), kind.dtype, bool(fortran), content)
        super().__setstate__(numpy_state)


def _reconstruct(kind: Any, *_: Any) -> np.ndarray:
    """An empty array, which the pickle then fills."""
    if kind is not _NDARRAY:
        raise pickle.UnpicklingError(f"an array of the type {kind!r}")
    return np.ndarray.__new__(_Array, (0,), np.uint8)


def _scalar(kind: _Dtype, content: bytes | str) -> Any:
    """One number from its bytes."""
    if isinstance(content, str):
        content = content.encode("latin1")
    return np.frombuffer(bytes(content), kind.dtype, count=1)[0]


def _from_buffer(
    content: Any, kind: _Dtype, shape: Sequence[int], order: str, *_: Any
) -> np.ndarray:
    """An array from its bytes, as pickle protocol 5 stores it."""
    if not isinstance(content, bytes | bytearray):
        raise pickle.UnpicklingError(f"an array is made from a {type(content).__name__}")
    values = np.frombuffer(bytes(content), kind.dtype)
    return values.reshape(shape, order="F" if order == "F" else "C")


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """Bytes that pickle protocols before 3 store as text."""
    if codecs.lookup(encoding).name not in ("iso8859-1", "ascii", "utf-8"):
        raise pickle.UnpicklingError(f"the encoding {encoding!r}")
    return text.encode(encoding)


_NDARRAY = object()  # stands for the type; pickles name it but never call it
_CONTAINERS = (set, frozenset, bytearray, list, tuple, dict, bytes, str, int, float, bool, complex)


def _allowed_names() -> dict[str, Any]:
    """Qualified name in a pickle -> what stands for it."""
    allowed: dict[str, Any] = {
        "numpy.ndarray": _NDARRAY,
        "numpy.dtype": _Function(_Dtype),
        "collections.OrderedDict": collections.OrderedDict,
        "_codecs.encode": _Function(_encode),
    }
    for core in ("core", "_core"):  # before and since numpy 2
        allowed[f"numpy.{core}.multiarray._reconstruct"] = _Function(_reconstruct)
        allowed[f"numpy.{core}.multiarray.scalar"] = _Function(_scalar)
        allowed[f"numpy.{core}.numeric._frombuffer"] = _Function(_from_buffer)
    for module in ("builtins", "__builtin__"):  # Python 3 and 2
        for container in _CONTAINERS:
            allowed[f"{module}.{container.__name__}"] = container
    return allowed


_ALLOWED = _allowed_names()
