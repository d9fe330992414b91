"""Runs TFDS on parsed clips so that the set appears under its name complete or not at all.

Disks fill up and runs are killed. The files that such a run leaves are hidden (`.parsing`,
`incomplete.*`, `.replaced-*`); the next run finds and removes them.
"""

import contextlib
import errno
import io
import os
import resource
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import absl.logging
import tensorflow_datasets as tfds
from tensorflow_datasets.core import shuffle

from jaxact.datasets.preparation.builder import Job, RecordBuilder
from jaxact.errors import UserError

SORT_BYTES = 256 << 20  # records that TFDS sorts in memory before it sorts on disk
SHARD_BYTES = 128 << 20  # largest shard; several shards can be interleaved when reading
_DISK_ERRORS = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EIO,
    errno.ENOTDIR,
)
KEEP_CHUNKS_AFTER = 60.0  # seconds of parsing after which an error keeps the finished chunks


def write(
    builder_class: type[RecordBuilder],
    own_name: str,
    target: Path,
    job: Job,
    beam_options: object = None,
) -> None:
    """Runs the TFDS builder. An existing set is replaced only when the new one is complete.

    Args:
        builder_class: the TFDS builder.
        own_name: NAME of `custom/NAME`, else "".
        target: the folder to write, `data_dir/name/version`.
        job: the records, and what is stored beside them.
        beam_options: Apache Beam's pipeline options where the examples are Beam transforms.
    """
    # The import takes seconds, which would count against the rate shown for the first cell.
    import tensorflow  # noqa: F401

    options = tfds.download.DownloadConfig(
        try_download_gcs=False,
        compute_stats=tfds.download.ComputeStatsMode.SKIP,
        max_shard_size=SHARD_BYTES,
    )
    options.beam_options = beam_options
    root = target.parents[2] if own_name else target.parents[1]
    for stale in target.parent.glob(f"incomplete.*_{target.name}*"):
        shutil.rmtree(stale, ignore_errors=True)
    backup = _backup(target)
    if target.is_dir():
        target.rename(backup)
    try:
        with _tfds_settings():
            config = tfds.core.BuilderConfig(name=own_name) if own_name else None
            builder = builder_class(job=job, data_dir=os.fspath(root), config=config)
            # TFDS makes a folder for downloads although nothing is downloaded; it is removed with
            # the chunks.
            builder.download_and_prepare(
                download_config=options, download_dir=os.fspath(work_folder(target))
            )
    finally:
        restore_replaced(target)
        shutil.rmtree(backup, ignore_errors=True)


def work_folder(target: Path) -> Path:
    """Folder of the parsed chunks of a set."""
    return target.with_name(".parsing")


def restore_replaced(target: Path) -> None:
    """Restores the old set where a run ended between renaming it and writing the new one."""
    if _backup(target).is_dir() and not target.is_dir():
        _backup(target).rename(target)


def _backup(target: Path) -> Path:
    return target.with_name(f".replaced-{target.name}")


@contextlib.contextmanager
def _tfds_settings() -> Iterator[None]:
    """Runs TFDS without its progress bars and with a sorting buffer for a small machine."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_files = 4096 if hard == resource.RLIM_INFINITY else min(hard, 4096)
    level = absl.logging.get_verbosity()
    buffer_size = shuffle.MAX_MEM_BUFFER_SIZE
    try:
        # Sorting on disk holds a thousand files open.
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, open_files), hard))
        shuffle.MAX_MEM_BUFFER_SIZE = SORT_BYTES
        tfds.disable_progress_bar()
        absl.logging.set_verbosity(absl.logging.ERROR)
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        shuffle.MAX_MEM_BUFFER_SIZE = buffer_size
        absl.logging.set_verbosity(level)
        tfds.enable_progress_bar()


@contextlib.contextmanager
def clean_up(target: Path) -> Iterator[None]:
    """Turns disk failures into UserErrors, and removes everything that is half-written.

    An interrupt keeps the finished chunks for the next run, as does a bad raw file after
    `KEEP_CHUNKS_AFTER` seconds.
    """
    work, start = work_folder(target), time.monotonic()
    try:
        yield
    except KeyboardInterrupt:
        raise
    except Exception as error:
        disk_error = _disk_error(error)
        bad_raw_file = isinstance(error, UserError) and disk_error is None
        if not bad_raw_file or time.monotonic() - start < KEEP_CHUNKS_AFTER:
            shutil.rmtree(work, ignore_errors=True)
        for folder in target.parents:
            try:
                folder.rmdir()
            except OSError:  # not empty
                break
        if disk_error is not None:
            raise UserError(f"cannot write {str(target)!r}: {disk_error}") from error
        raise


def _disk_error(error: Exception) -> str | None:
    """The disk failure that caused `error`, in words, or None.

    TensorFlow raises errors of its own, and TFDS wraps both.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _DISK_ERRORS:
            return cause.strerror
        if type(cause).__name__ in ("ResourceExhaustedError", "PermissionDeniedError"):
            return str(cause).split("; ")[-1]
        cause = cause.__cause__ or cause.__context__
    return None
