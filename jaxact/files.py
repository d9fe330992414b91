"""Outputs that are whole or absent: written to a temporary name beside the target, then renamed."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from jaxact.errors import UserError


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a temporary path with the suffix of `path`; on success it takes the place of `path`, else it vanishes.

    Raises:
      UserError: the folder cannot be written, or the disk is full.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.stem}.", suffix=target.suffix, dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise UserError(f"cannot write {str(target)!r}: {error.strerror}") from error
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())
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


def write_json(path: str | os.PathLike[str], content: Mapping) -> None:
    """Writes `content` as indented JSON, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
