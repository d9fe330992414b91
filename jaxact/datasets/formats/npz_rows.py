"""Rows of an array in an .npz, one at a time: the array is never in memory whole, nor unpacked on
disk.

An .npz is a zip of .npy files. A member that is stored as it is can be mapped at its place in the
archive; a compressed one is a stream, read forwards, and from its start again where an earlier row
is asked for.
"""

import contextlib
import struct
import weakref
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from jaxact.errors import UserError

_LOCAL_HEADER = struct.Struct(
    "<26xHH"
)  # lengths of the name and of the extra field, before the content


class Rows:
    """The rows of one member.

    Attributes:
      shape: of the whole array.
      dtype: of its numbers.
      streamed: compressed, so that rows are best read in order, by one process.
    """

    def __init__(self, path: str, key: str) -> None:
        """Opens the member.

        Raises:
          UserError: no readable .npz, no such member, or one that is not of plain numbers in C
              order.
        """
        self.path, self.key = path, key
        with _complaints(path), zipfile.ZipFile(path) as archive:
            if f"{key}.npy" not in archive.namelist():
                keys = ", ".join(name.removesuffix(".npy") for name in archive.namelist())
                raise UserError(f"{path!r} has no array {key!r}; it has: {keys or 'none'}")
            entry = archive.getinfo(f"{key}.npy")
            with archive.open(entry) as file:
                self.shape, self.dtype = _read_head(file, path, key)
                head = file.tell()
        self.streamed = entry.compress_type != zipfile.ZIP_STORED
        self._size = int(np.prod(self.shape[1:])) * self.dtype.itemsize
        self._head, self._next = head, 0
        self._stream: Any = None
        if not self.streamed:
            with open(path, "rb") as file, _complaints(path):
                file.seek(entry.header_offset)
                name, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
            start = entry.header_offset + _LOCAL_HEADER.size + name + extra + head
            with _complaints(path):
                self._map = np.memmap(path, self.dtype, "r", start, self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int) -> np.ndarray:
        """One row, a copy.

        Raises:
          UserError: the stream ends or breaks before it.
        """
        if not self.streamed:
            return np.array(self._map[index])
        with _complaints(self.path):
            if self._stream is None or index < self._next:
                self._stream, self._next = self._opened(), 0
            while self._next <= index:
                content = self._stream.read(self._size)
                self._next += 1
            if len(content) < self._size:
                raise UserError(
                    f"{self.path!r}: the array {self.key!r} ends before its row {index}"
                )
        return np.frombuffer(content, self.dtype).reshape(self.shape[1:])

    def _opened(self) -> Any:
        """The member as a stream that stands at row 0. Closed by the next one, or with this
        object.
        """
        if self._stream is not None:
            self._stream.close()
        with zipfile.ZipFile(self.path) as archive:  # its file stays open as long as the stream is
            stream = archive.open(f"{self.key}.npy")
        weakref.finalize(self, stream.close)
        stream.read(self._head)
        return stream


def _read_head(file: Any, path: str, key: str) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(file)
    read = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    shape, fortran, dtype = read(file)
    if (fortran and len(shape) > 1) or dtype.kind not in "fiu" or not shape or 0 in shape:
        raise UserError(
            f"{path!r}: {key!r} is {dtype} of the shape {shape}, wanted rows of numbers in C order"
        )
    return shape, dtype


@contextlib.contextmanager
def _complaints(path: str) -> Iterator[None]:
    """Broken archives surface as whatever zipfile and numpy stumbled over."""
    try:
        yield
    except (UserError, FileNotFoundError, PermissionError):
        raise
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{path!r} is not a readable .npz of plain arrays: {reason}") from error
