"""Outputs that are whole or absent: written to a temporary name beside the target, then renamed."""

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from jaxact.errors import UserError


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], *, folder: bool = False) -> Iterator[Path]:
    """Yields a temporary path with the suffix of `path`; on success it takes the place of `path`,
    else it vanishes.

    Args:
        path: of the file.
        folder: it is an empty folder, which takes the place of nothing or of an empty one.

    Raises:
        UserError: the folder cannot be written, or the disk is full.
    """
    target = Path(path)
    if folder:
        require_room_for_folder(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        names = {"prefix": f".{target.stem}.", "suffix": target.suffix, "dir": target.parent}
        if folder:
            name = tempfile.mkdtemp(**names)
        else:
            handle, name = tempfile.mkstemp(**names)
            os.close(handle)
    except OSError as error:
        raise UserError(f"cannot write {str(target)!r}: {error.strerror}") from error
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, (0o777 if folder else 0o666) & ~_umask())
        os.replace(temporary, target)
    except OSError as error:
        if error.errno is None:
            raise
        raise UserError(f"cannot write {str(target)!r}: {error.strerror}") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            if temporary.is_dir():
                shutil.rmtree(temporary)
            else:
                temporary.unlink()


def require_room_for_folder(path: str | os.PathLike[str]) -> None:
    """Raises UserError where `path` is a file or a folder with something in it."""
    target = Path(path)
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise UserError(
            f"cannot write the folder {str(target)!r}: something is there already; name another one"
        )


@contextlib.contextmanager
def locked(folder: str | os.PathLike[str], busy: str) -> Iterator[None]:
    """Makes the folder and keeps every other process out of it that asks for the same; the lock
    ends with the process.

    Raises:
        UserError: with the text `busy`, where another process is in it; or the folder cannot be
          written.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        lock = open(Path(folder) / ".lock", "w")  # noqa: SIM115
    except OSError as error:
        raise UserError(f"cannot write in {os.fspath(folder)!r}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(busy) from error
        yield


def write_json(path: str | os.PathLike[str], content: Mapping) -> None:
    """Writes `content` as indented JSON, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(
            json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
