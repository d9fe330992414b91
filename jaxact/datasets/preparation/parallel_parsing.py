"""Parsing in parallel, one chunk of sources at a time, each kept on disk until the whole set is
written.

A run that is killed finds its finished chunks again: a chunk's file is named after everything its
content depends on (names, sizes and modification times of the raw files, facts, versions). No more
than a few chunks are in memory, in any process. The worker processes never import TensorFlow.
"""

import collections
import concurrent.futures
import contextlib
import dataclasses
import hashlib
import itertools
import multiprocessing
import os
import pickle
import signal
import struct
import threading
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from jaxact.datasets.preparation.builder import RawClip, Record
from jaxact.datasets.preparation.presence import gap_frames, persons_present
from jaxact.errors import UserError
from jaxact.files import replacing

Parse = Callable[[RawClip], Iterator[Record]]

CHUNK_SIZE = 64  # sources per chunk: a few MB of skeletons
MAX_WORKERS = 8  # each holds about 80 MB; more would outgrow 2 GiB with the writer's share


@dataclasses.dataclass(frozen=True, slots=True)
class Chunk:
    """Sources of one cell, and the file that holds their records once they are parsed."""

    cell: str
    sources: tuple[RawClip, ...]
    file: Path


@dataclasses.dataclass(slots=True)
class ParseCounts:
    """What parsing a chunk (or, added up, a whole set) gave.

    Attributes:
      sources: raw things that were read.
      clips: records.
      frames: frames of all records.
      persons: most people in one record.
      empty: records without a person in any frame.
      gaps: records with frames in the middle in which nobody is seen.
      not_finite: records with NaN or infinite numbers.
      damaged: records with frames that the video decoder had to patch up.
      bad: (file, reason) of the sources that could not be used.
    """

    sources: int = 0
    clips: int = 0
    frames: int = 0
    persons: int = 0
    empty: int = 0
    gaps: int = 0
    not_finite: int = 0
    damaged: int = 0
    bad: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def add(self, other: "Parsed") -> None:
        """Counts `other` in."""
        self.sources += other.sources
        self.clips += other.clips
        self.frames += other.frames
        self.persons = max(self.persons, other.persons)
        self.empty += other.empty
        self.gaps += other.gaps
        self.not_finite += other.not_finite
        self.damaged += other.damaged
        self.bad += other.bad

    def count(self, record: Record) -> None:
        """Counts one record in."""
        if "joints" not in record:
            self.add(
                ParseCounts(
                    clips=1, frames=int(record["num_frames"]), damaged=int(record["damaged"] > 0)
                )
            )
            return
        joints = record["joints"]
        anybody = np.any(persons_present(joints), axis=1)
        found = ParseCounts(
            clips=1,
            frames=len(joints),
            persons=joints.shape[1],
            empty=int(not anybody.any()),
            gaps=int(gap_frames(anybody).any()),
            not_finite=int(not np.isfinite(joints).all()),
        )
        self.add(found)


def make_chunks(sources: Iterable[RawClip], folder: Path, key: str, size: int | None = None) -> list[Chunk]:
    """Chunks of one cell each, in a fixed order.

    Args:
      folder: where their files go.
      key: what the records depend on beyond their sources: dataset, version, layout.
      size: sources per chunk; None is `CLIPS`.
    """
    chunks = []
    ordered = sorted(sources, key=lambda source: (source.cell, source.id))
    for cell, group in itertools.groupby(ordered, key=lambda source: source.cell):
        while part := tuple(itertools.islice(group, size or CHUNK_SIZE)):
            digest = hashlib.sha256(key.encode())
            for source in part:
                digest.update(repr((source, _stamp(source.path))).encode())
            chunks.append(Chunk(cell, part, folder / f"{digest.hexdigest()[:32]}.chunk"))
    return chunks


def parse_all(parse: Parse, chunks: Sequence[Chunk], workers: int) -> Generator[ParseCounts, None, None]:
    """Parses every chunk that is not on disk yet; yields what each gave, in order.

    Args:
      workers: processes; 1 parses in this one.
    """
    if workers == 1 or len(chunks) == 1:
        for chunk in chunks:
            yield parse_chunk(parse, chunk)
        return
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    pool = concurrent.futures.ProcessPoolExecutor(
        workers, mp_context=context, initializer=_start_worker
    )
    waiting: collections.deque[concurrent.futures.Future[ParseCounts]] = collections.deque()
    try:
        for chunk in chunks:
            if len(waiting) >= 4 * workers:
                yield waiting.popleft().result()
            waiting.append(pool.submit(parse_chunk, parse, chunk))
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def parse_chunk(parse: Parse, chunk: Chunk) -> ParseCounts:
    """Parses one chunk onto disk, or reads what it gave when that was done before."""
    if chunk.file.exists():
        with (
            contextlib.suppress(OSError, ValueError, zlib.error, pickle.UnpicklingError, EOFError),
            open(chunk.file, "rb") as file,
        ):
            return _read_block(file)
    parsed = ParseCounts(sources=len(chunk.sources))
    records: list[bytes] = []
    for source in chunk.sources:
        try:
            for record in parse(source):
                parsed.count(record)
                records.append(
                    _block(record, level=0 if "frames" in record else 1)
                )  # JPEG shrinks no more
        except UserError as error:
            parsed.bad.append((source.path or source.id, str(error)))
        except OSError as error:
            parsed.bad.append(
                (source.path, f"cannot read {source.path!r}: {error.strerror or error}")
            )
    with replacing(chunk.file) as temporary, open(temporary, "wb") as file:
        file.write(_block(parsed))
        file.writelines(records)
    return parsed


def read_chunk(chunk: Chunk) -> Iterator[Record]:
    """The records of a parsed chunk, one at a time."""
    with open(chunk.file, "rb") as file:
        for _ in range(_read_block(file).clips):
            yield _read_block(file)


def _block(value: object, level: int = 1) -> bytes:
    packed = zlib.compress(pickle.dumps(value, protocol=5), level=level)
    return struct.pack("<Q", len(packed)) + packed


def _read_block(file: BinaryIO) -> Any:
    head = file.read(8)
    if len(head) < 8:
        raise EOFError
    return pickle.loads(zlib.decompress(file.read(struct.unpack("<Q", head)[0])))


def _stamp(path: str) -> tuple[int, int] | None:
    if not path:
        return None
    try:
        status = os.stat(path)
    except OSError:  # parsing will say so
        return None
    return status.st_size, status.st_mtime_ns


def _start_worker() -> None:
    """Leaves interrupts to the parent, and ends with it even when it is killed without a word."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:

        def end_with_parent() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=end_with_parent, daemon=True).start()
