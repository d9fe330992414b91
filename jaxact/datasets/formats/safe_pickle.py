"""Other people's pickles, read without running what they ask for.

A pickle is a program: it may import any function and call it. This reader knows a dozen names,
those that numpy arrays and plain containers are made of; any other is refused by its name before it
is looked up, so that nothing is imported and nothing runs. Behind the names of numpy stand
functions of this file: numpy's own believe a pickle that declares raw bytes to be Python objects.
What it cannot do is bound memory: a pickle is one object and is in memory whole.
"""

import codecs
import collections
import pickle
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxact.errors import UserError


def load(path: str) -> Any:
    """The content of a pickle of arrays, numbers, text and containers. Text of Python 2 is read as
    Latin-1.

    Arrays are of a subclass that np.asarray takes off.

    Raises:
      UserError: it asks for something else, which is named, or is no whole pickle.
    """
    with open(path, "rb") as file:
        try:
            return _Reader(file, encoding="latin1").load()
        except _Forbidden as error:
            raise UserError(
                f"{path!r} asks for {error.args[0]!r}, which is no part of an array or a plain container: refused, and "
                "nothing of it was run"
            ) from error
        except OSError:
            raise
        except (
            Exception
        ) as error:  # a broken pickle surfaces as whatever its last instruction stumbled over
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UserError(f"{path!r} is not a readable pickle: {reason}") from error


class _Forbidden(pickle.UnpicklingError):
    """A name outside the list."""


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return _KNOWN[f"{module}.{name}"]
        except KeyError:
            raise _Forbidden(f"{module}.{name}") from None


class _Maker:
    """A function that a pickle may call but not change."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[..., Any]) -> None:
        self.make = make

    def __call__(self, *arguments: Any) -> Any:
        return self.make(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("it sets attributes of a function")


class _Dtype:
    """Kind and byte order of numbers or text. numpy's own state could claim that raw bytes are
    Python objects.
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
    """An array that is filled once, from as many bytes as it has room for, or from a list of
    objects.
    """

    def __setstate__(self, state: tuple) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        _, shape, kind, fortran, content = state
        if self.size or not isinstance(kind, _Dtype):
            raise pickle.UnpicklingError("an array is filled twice, or has no dtype")
        content = content.encode("latin1") if isinstance(content, str) else content
        if type(content) is not (list if kind.dtype.hasobject else bytes):
            raise pickle.UnpicklingError(
                f"an array of {kind.dtype} is made from a {type(content).__name__}"
            )
        whole: Any = (1, tuple(map(int, shape)), kind.dtype, bool(fortran), content)
        super().__setstate__(whole)


def _reconstruct(kind: Any, *_: Any) -> np.ndarray:
    """The empty array that the pickle then fills."""
    if kind is not _NDARRAY:
        raise pickle.UnpicklingError(f"an array of the type {kind!r}")
    return np.ndarray.__new__(_Array, (0,), np.uint8)


def _scalar(kind: _Dtype, content: bytes | str) -> Any:
    """One number, from its bytes."""
    raw = content.encode("latin1") if isinstance(content, str) else content
    return np.frombuffer(bytes(raw), kind.dtype, count=1)[0]


def _from_buffer(
    content: Any, kind: _Dtype, shape: Sequence[int], order: str, *_: Any
) -> np.ndarray:
    """An array from its bytes, as protocol 5 writes one."""
    if not isinstance(content, bytes | bytearray):
        raise pickle.UnpicklingError(f"an array is made from a {type(content).__name__}")
    return np.frombuffer(bytes(content), kind.dtype).reshape(
        shape, order="F" if order == "F" else "C"
    )


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """The bytes that protocols before 3 write as text."""
    if codecs.lookup(encoding).name not in ("iso8859-1", "ascii", "utf-8"):
        raise pickle.UnpicklingError(f"the encoding {encoding!r}")
    return text.encode(encoding)


_NDARRAY = object()  # named by pickles, never called by them
_CONTAINERS = (set, frozenset, bytearray, list, tuple, dict, bytes, str, int, float, bool, complex)
_KNOWN: dict[str, Any] = {
    "numpy.ndarray": _NDARRAY,
    "numpy.dtype": _Maker(_Dtype),
    **{f"numpy.{core}.multiarray._reconstruct": _Maker(_reconstruct) for core in ("core", "_core")},
    **{f"numpy.{core}.multiarray.scalar": _Maker(_scalar) for core in ("core", "_core")},
    **{f"numpy.{core}.numeric._frombuffer": _Maker(_from_buffer) for core in ("core", "_core")},
    **{
        f"{module}.{kind.__name__}": kind
        for module in ("builtins", "__builtin__")
        for kind in _CONTAINERS
    },
    "collections.OrderedDict": collections.OrderedDict,
    "_codecs.encode": _Maker(_encode),
}
