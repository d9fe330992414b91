"""Running TFDS on parsed clips: the set appears under its name whole, or not at all.

Disks fill and runs are killed. What a run leaves then is hidden (`.parsing`, `incomplete.*`,
`.replaced-*`), is found by the next run, and vanishes with it.
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

SORT_BYTES = 256 << 20  # records that TFDS sorts in memory before it goes to disk
SHARD_BYTES = 128 << 20  # largest shard: many of them let several files be read in turn
_REFUSALS = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EIO,
    errno.ENOTDIR,
)
KEEP_CHUNKS_AFTER = (
    60.0  # seconds of parsing above which an error keeps the finished chunks for the next run
)


def write(
    maker: type[RecordBuilder], config: str, target: Path, job: Job, beam_options: object = None
) -> None:
    """Runs the TFDS builder; the old set, if there is one, makes way only when the new one is
    whole.

    Args:
      config: NAME of `custom/NAME`, else "".
      target: the folder to make, `data_dir/name/version`.
      beam_options: Apache Beam's pipeline options where the examples are Beam transforms.
    """
    import tensorflow  # noqa: F401 - takes seconds; here it does not count against the first cell's rate

    options = tfds.download.DownloadConfig(
        try_download_gcs=False,
        compute_stats=tfds.download.ComputeStatsMode.SKIP,
        max_shard_size=SHARD_BYTES,
    )
    options.beam_options = beam_options
    root = target.parents[2] if config else target.parents[1]
    for stale in target.parent.glob(f"incomplete.*_{target.name}*"):
        shutil.rmtree(stale, ignore_errors=True)
    aside = _aside(target)
    if target.is_dir():
        target.rename(aside)
    try:
        with _quiet_and_small():
            variant = tfds.core.BuilderConfig(name=config) if config else None
            builder = maker(job=job, data_dir=os.fspath(root), config=variant)
            # TFDS makes a folder for downloads although nothing is downloaded; it vanishes with the
            # chunks.
            builder.download_and_prepare(
                download_config=options, download_dir=os.fspath(work_folder(target))
            )
    finally:
        restore_replaced(target)
        shutil.rmtree(aside, ignore_errors=True)


def work_folder(target: Path) -> Path:
    """Where the parsed chunks of a set wait."""
    return target.with_name(".parsing")


def restore_replaced(target: Path) -> None:
    """Gives the old set its name back where a run ended between setting it aside and writing the
    new one.
    """
    if _aside(target).is_dir() and not target.is_dir():
        _aside(target).rename(target)


def _aside(target: Path) -> Path:
    return target.with_name(f".replaced-{target.name}")


@contextlib.contextmanager
def _quiet_and_small() -> Iterator[None]:
    """TFDS without its own progress bars, and with a sorting buffer that fits a small machine."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 4096 if hard == resource.RLIM_INFINITY else min(hard, 4096)
    level = absl.logging.get_verbosity()
    before = shuffle.MAX_MEM_BUFFER_SIZE
    try:
        # Sorting on disk keeps a thousand files open.
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
        shuffle.MAX_MEM_BUFFER_SIZE = SORT_BYTES
        tfds.disable_progress_bar()
        absl.logging.set_verbosity(absl.logging.ERROR)
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        shuffle.MAX_MEM_BUFFER_SIZE = before
        absl.logging.set_verbosity(level)
        tfds.enable_progress_bar()


@contextlib.contextmanager
def clean_up(target: Path) -> Iterator[None]:
    """Turns failures of the disk into errors of the user, and leaves nothing half-written behind.

    An interrupt keeps the finished chunks for the next run; so does a bad raw file when parsing
    took long.
    """
    work, start = work_folder(target), time.monotonic()
    try:
        yield
    except KeyboardInterrupt:
        raise
    except Exception as error:
        told = _disk_error(error)
        if (
            told is not None
            or not isinstance(error, UserError)
            or time.monotonic() - start < KEEP_CHUNKS_AFTER
        ):
            shutil.rmtree(work, ignore_errors=True)
        for folder in target.parents:
            try:
                folder.rmdir()
            except OSError:  # not empty
                break
        if told is not None:
            raise UserError(f"cannot write {str(target)!r}: {told}") from error
        raise


def _disk_error(error: Exception) -> str | None:
    """What the disk refused, where that is what went wrong. TensorFlow has errors of its own, and
    TFDS wraps both.
    """
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.errno in _REFUSALS:
            return inner.strerror
        if type(inner).__name__ in ("ResourceExhaustedError", "PermissionDeniedError"):
            return str(inner).split("; ")[-1]
        inner = inner.__cause__ or inner.__context__
    return None
