"""Rows of an array in an .npz, read one at a time.

The array is never in memory as a whole, nor unpacked to disk. An .npz is a zip of .npy files. A
stored (uncompressed) member is memory-mapped inside the archive. A compressed member is a stream:
it is read forwards, and from its start again when an earlier row is requested.
"""

import contextlib
import struct
import weakref
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from jaxact.errors import UserError

# Lengths of the file name and of the extra field; both precede the content.
_LOCAL_HEADER = struct.Struct("<26xHH")


class Rows:
    """The rows of one array of an .npz.

    Attributes:
        shape: Shape of the whole array.
        dtype: Type of its numbers.
        streamed: The array is compressed: one process should read the rows in order.
    """

    def __init__(self, path: str, key: str) -> None:
        """Opens the array `key` of the archive `path`.

        Raises:
            UserError: The file is not a readable .npz, has no such array, or the array is not made
                of plain numbers in C order.
        """
        self.path = path
        self.key = key
        with _readable_errors(path), zipfile.ZipFile(path) as archive:
            if f"{key}.npy" not in archive.namelist():
                keys = ", ".join(name.removesuffix(".npy") for name in archive.namelist())
                raise UserError(f"{path!r} has no array {key!r}; it has: {keys or 'none'}")
            entry = archive.getinfo(f"{key}.npy")
            with archive.open(entry) as file:
                self.shape, self.dtype = _read_header(file, path, key)
                self._header_size = file.tell()
        self.streamed = entry.compress_type != zipfile.ZIP_STORED
        self._row_size = int(np.prod(self.shape[1:])) * self.dtype.itemsize
        self._next = 0
        self._stream: Any = None
        if not self.streamed:
            self._map = self._memory_map(entry.header_offset)

    def _memory_map(self, entry_offset: int) -> np.memmap:
        """The stored array in its place in the archive."""
        with open(self.path, "rb") as file, _readable_errors(self.path):
            file.seek(entry_offset)
            name_size, extra_size = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
        start = entry_offset + _LOCAL_HEADER.size + name_size + extra_size + self._header_size
        with _readable_errors(self.path):
            return np.memmap(self.path, self.dtype, "r", start, self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int) -> np.ndarray:
        """A copy of one row.

        Raises:
            UserError: The stream ends or breaks before this row.
        """
        if not self.streamed:
            return np.array(self._map[index])
        with _readable_errors(self.path):
            if self._stream is None or index < self._next:
                self._stream = self._open_stream()
                self._next = 0
            while self._next <= index:
                content = self._stream.read(self._row_size)
                self._next += 1
            if len(content) < self._row_size:
                raise UserError(
                    f"{self.path!r}: the array {self.key!r} ends before its row {index}"
                )
        return np.frombuffer(content, self.dtype).reshape(self.shape[1:])

    def _open_stream(self) -> Any:
        """The array as a stream at row 0.

        The stream is closed when the next one opens or when this object is deleted.
        """
        if self._stream is not None:
            self._stream.close()
        with zipfile.ZipFile(self.path) as archive:  # the stream keeps the file open
            stream = archive.open(f"{self.key}.npy")
        weakref.finalize(self, stream.close)
        stream.read(self._header_size)
        return stream


def _read_header(file: Any, path: str, key: str) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of the array in an .npy file."""
    if np.lib.format.read_magic(file) == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    else:
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(file)
    if (fortran and len(shape) > 1) or dtype.kind not in "fiu" or not shape or 0 in shape:
        raise UserError(
            f"{path!r}: {key!r} is {dtype} of the shape {shape}, wanted rows of numbers in C order"
        )
    return shape, dtype


@contextlib.contextmanager
def _readable_errors(path: str) -> Iterator[None]:
    """Turns the many errors of zipfile and numpy for broken archives into a `UserError`."""
    try:
        yield
    except (UserError, FileNotFoundError, PermissionError):
        raise
    except Exception as error:
        message = str(error)
        reason = message.splitlines()[0] if message else type(error).__name__
        raise UserError(f"{path!r} is not a readable .npz of plain arrays: {reason}") from error
