"""Other people's pickles, read without running what they ask for.

A pickle is a program: it may import any function and call it. This reader knows a dozen names, those that numpy arrays
and plain containers are made of; any other is refused by its name before it is looked up, so that nothing is imported
and nothing runs. What it cannot do is bound memory: a pickle is one object and is in memory whole.
"""

import codecs
import collections
import pickle
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxact.errors import UserError


def load(path: str) -> Any:
    """The content of a pickle of arrays, numbers, text and containers. Text of Python 2 is read as Latin-1.

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
        except Exception as error:  # a broken pickle surfaces as whatever its last instruction stumbled over
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


def _reconstruct(subtype: type, shape: tuple[int, ...], dtype: bytes) -> np.ndarray:
    """The empty array that a pickle then fills; numpy's own takes any subclass."""
    if subtype is not np.ndarray or tuple(shape) != (0,):
        raise pickle.UnpicklingError(f"an array of the type {subtype!r} and shape {shape!r}")
    return np.ndarray.__new__(np.ndarray, (0,), dtype)


def _scalar(dtype: np.dtype, content: bytes | str) -> Any:
    """One number of a dtype, from its bytes."""
    if not isinstance(dtype, np.dtype) or dtype.hasobject:
        raise pickle.UnpicklingError(f"a number of the type {dtype!r}")
    raw = content.encode("latin1") if isinstance(content, str) else content
    return np.frombuffer(raw, dtype, count=1)[0]


def _from_buffer(content: Any, dtype: np.dtype, shape: Sequence[int], order: str, *_: Any) -> np.ndarray:
    """An array from its bytes, as protocol 5 writes one."""
    return np.frombuffer(content, dtype).reshape(shape, order="F" if order == "F" else "C")


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """The bytes that protocols before 3 write as text."""
    if codecs.lookup(encoding).name not in ("iso8859-1", "ascii", "utf-8"):
        raise pickle.UnpicklingError(f"the encoding {encoding!r}")
    return text.encode(encoding)


_CONTAINERS = (set, frozenset, bytearray, list, tuple, dict, bytes, str, int, float, bool, complex)
_KNOWN: dict[str, Callable[..., Any]] = {
    "numpy.ndarray": np.ndarray,
    "numpy.dtype": np.dtype,
    **{f"numpy.{core}.multiarray._reconstruct": _reconstruct for core in ("core", "_core")},
    **{f"numpy.{core}.multiarray.scalar": _scalar for core in ("core", "_core")},
    **{f"numpy.{core}.numeric._frombuffer": _from_buffer for core in ("core", "_core")},
    **{f"{module}.{kind.__name__}": kind for module in ("builtins", "__builtin__") for kind in _CONTAINERS},
    "collections.OrderedDict": collections.OrderedDict,
    "_codecs.encode": _encode,
}
