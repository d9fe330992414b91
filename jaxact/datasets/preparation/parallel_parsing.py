"""Parses raw clips in parallel, chunk by chunk, and stores each chunk on disk.

Chunks stay on disk until the whole data set is written. The file name of a chunk hashes everything
that its content depends on (names, sizes and modification times of the raw files, facts, versions),
so a run after a killed one reuses the finished chunks. Each process holds only a few chunks in
memory. The worker processes never import TensorFlow.
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

CHUNK_SIZE = 64  # raw clips per chunk: a few MB of skeletons
MAX_WORKERS = 8  # each takes about 80 MB; with the writer, more would need over 2 GiB


@dataclasses.dataclass(frozen=True, slots=True)
class Chunk:
    """Raw clips of one cell, and the file of their records once they are parsed."""

    cell: str
    clips: tuple[RawClip, ...]
    file: Path


@dataclasses.dataclass(slots=True)
class ParseCounts:
    """Counts of a parsed chunk, or of a whole data set.

    Attributes:
        sources: raw clips that were parsed.
        clips: records.
        frames: frames of all records.
        persons: most people in one record.
        empty: records without a person in any frame.
        gaps: records in which nobody is present in some frames in the middle.
        not_finite: records with NaN or infinite numbers.
        damaged: records with frames that the video decoder had to conceal.
        bad: (file, reason) of the raw clips that could not be used.
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

    def add(self, other: "ParseCounts") -> None:
        """Adds the counts of `other`."""
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
        """Adds one record."""
        self.clips += 1
        self.frames += int(record["num_frames"])
        if "joints" not in record:
            self.damaged += int(record["damaged"] > 0)
            return
        joints = record["joints"]
        anybody = np.any(persons_present(joints), axis=1)
        self.persons = max(self.persons, joints.shape[1])
        self.empty += int(not anybody.any())
        self.gaps += int(gap_frames(anybody).any())
        self.not_finite += int(not np.isfinite(joints).all())


def make_chunks(
    clips: Iterable[RawClip], folder: Path, key: str, size: int | None = None
) -> list[Chunk]:
    """Divides raw clips into chunks of one cell each, in a fixed order.

    Args:
        clips: the raw clips.
        folder: folder of the chunks' files.
        key: what the records depend on beyond the raw clips: data set, version, layout.
        size: raw clips per chunk; None is `CHUNK_SIZE`.
    """
    chunks = []
    ordered = sorted(clips, key=lambda clip: (clip.cell, clip.id))
    for cell, cell_clips in itertools.groupby(ordered, key=lambda clip: clip.cell):
        while chunk_clips := tuple(itertools.islice(cell_clips, size or CHUNK_SIZE)):
            digest = hashlib.sha256(key.encode())
            for clip in chunk_clips:
                digest.update(repr((clip, _file_stamp(clip.path))).encode())
            file = folder / f"{digest.hexdigest()[:32]}.chunk"
            chunks.append(Chunk(cell, chunk_clips, file))
    return chunks


def parse_all(
    parse: Parse, chunks: Sequence[Chunk], workers: int
) -> Generator[ParseCounts, None, None]:
    """Parses every chunk that is not on disk yet, and yields the counts of each in order.

    Args:
        parse: parser of a raw clip.
        chunks: the chunks.
        workers: number of processes; 1 parses in this process.
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
    pending: collections.deque[concurrent.futures.Future[ParseCounts]] = collections.deque()
    try:
        for chunk in chunks:
            if len(pending) >= 4 * workers:
                yield pending.popleft().result()
            pending.append(pool.submit(parse_chunk, parse, chunk))
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def parse_chunk(parse: Parse, chunk: Chunk) -> ParseCounts:
    """Parses one chunk to disk, or reads its counts where an earlier run parsed it."""
    if chunk.file.exists():
        with (
            contextlib.suppress(OSError, ValueError, zlib.error, pickle.UnpicklingError, EOFError),
            open(chunk.file, "rb") as file,
        ):
            return _read_block(file)
    counts = ParseCounts(sources=len(chunk.clips))
    blocks: list[bytes] = []
    for clip in chunk.clips:
        try:
            for record in parse(clip):
                counts.count(record)
                level = 0 if "frames" in record else 1  # JPEG does not compress further
                blocks.append(_block(record, level))
        except UserError as error:
            counts.bad.append((clip.path or clip.id, str(error)))
        except OSError as error:
            reason = f"cannot read {clip.path!r}: {error.strerror or error}"
            counts.bad.append((clip.path, reason))
    with replacing(chunk.file) as temporary, open(temporary, "wb") as file:
        file.write(_block(counts))
        file.writelines(blocks)
    return counts


def read_chunk(chunk: Chunk) -> Iterator[Record]:
    """Yields the records of a parsed chunk, one at a time."""
    with open(chunk.file, "rb") as file:
        counts = _read_block(file)
        for _ in range(counts.clips):
            yield _read_block(file)


def _block(value: object, level: int = 1) -> bytes:
    """A value as bytes: the length of the compressed pickle, then the pickle."""
    compressed = zlib.compress(pickle.dumps(value, protocol=5), level=level)
    return struct.pack("<Q", len(compressed)) + compressed


def _read_block(file: BinaryIO) -> Any:
    header = file.read(8)
    if len(header) < 8:
        raise EOFError
    (length,) = struct.unpack("<Q", header)
    return pickle.loads(zlib.decompress(file.read(length)))


def _file_stamp(path: str) -> tuple[int, int] | None:
    """Size and modification time of a file; None where there is none."""
    if not path:
        return None
    try:
        status = os.stat(path)
    except OSError:  # parsing reports it
        return None
    return status.st_size, status.st_mtime_ns


def _start_worker() -> None:
    """Leaves interrupts to the parent process, and exits when the parent is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def exit_with_parent() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=exit_with_parent, daemon=True).start()
