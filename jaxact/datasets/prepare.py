"""`prepare`: raw files of a dataset -> a prepared TFDS set with everything a reader needs beside it.

    find (names, lists) -> parse (processes, chunks on disk) -> write (TFDS, shuffled shards) -> summary

The set appears under its name whole or not at all. Finished chunks outlive a killed run and are used again. Memory is
bounded by a few chunks per process and TFDS's sorting buffer, whatever the size of the set.
"""

import contextlib
import dataclasses
import functools
import io
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import jaxact
from jaxact import progress
from jaxact.datasets import DATASETS, read
from jaxact.datasets.builder import Found, Job, Record, SkeletonBuilder
from jaxact.datasets.chunks import MOST_WORKERS, Chunk, Parsed, cut, parse_all, stored
from jaxact.errors import UserError, unknown

SORT_BYTES = 256 << 20  # records that TFDS sorts in memory before it goes to disk
SHARD_BYTES = 128 << 20  # largest shard: many of them let several files be read in turn
WORTH_KEEPING = 60.0  # seconds of parsing above which an error keeps the finished chunks for the next run


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a prepared set holds, and what was left out of it.

    Attributes:
      clips: records.
      classes: labels that occur in the list of classes.
      frames: frames of all records.
      persons: most people in one record.
      empty: records without a person in any frame.
      splits: records of every split.
      skipped: (file, reason) of raw files that could not be used.
      dropped: reason -> clips that the dataset itself leaves out.
      path: the prepared folder.
      existed: the set was there already and nothing was done.
    """

    clips: int
    classes: int
    frames: int
    persons: int
    empty: int
    splits: dict[str, int]
    skipped: list[tuple[str, str]]
    dropped: dict[str, int]
    path: str
    existed: bool = False

    def __str__(self) -> str:
        people = "person" if self.persons == 1 else "persons"
        lines = [f"{self.clips} clips, {self.classes} classes, {self.frames} frames, up to {self.persons} {people}"]
        lines += [f"splits: {', '.join(f'{name} {count}' for name, count in self.splits.items())}"]
        lines += [f"{self.empty} clips have no person in any frame"] if self.empty else []
        lines += [f"left out, {reason}: {count}" for reason, count in self.dropped.items()]
        lines += [f"skipped {len(self.skipped)} files:"] if self.skipped else []
        lines += [f"  {file}: {reason}" for file, reason in self.skipped]
        return "\n".join([*lines, f"{'already in' if self.existed else 'written to'} {self.path}"])


def prepare(
    name: str,
    *,
    raw: str | os.PathLike[str] | None = None,
    data_dir: str | os.PathLike[str] = "",
    workers: int | None = None,
    skip_bad: bool = False,
    beam_options: str | None = None,
    layout: str | None = None,
    overwrite: bool = False,
) -> Summary:
    """Writes a dataset's records under `data_dir`.

    Args:
      name: one of `DATASETS`; `custom/NAME` for a set of your own.
      raw: folder (or file) of the raw data; none for generated sets.
      data_dir: folder of prepared sets; "" is $TFDS_DATA_DIR or ~/tensorflow_datasets.
      workers: processes that parse; None is one per core, at most 8.
      skip_bad: leave out raw files that cannot be used, and list them; else the first one is an error.
      beam_options: run under Apache Beam with these pipeline options, e.g. "--runner=DirectRunner"; None does not.
      layout: joint layout of a custom set, by name or JSON file.
      overwrite: replace the set where it exists.

    Raises:
      UserError: unknown dataset, no raw data where it should be, an unusable raw file, or a disk that is full.
    """
    maker, config = _builder(name)
    target = read.data_root(data_dir) / name / str(maker.VERSION)
    _restore(target)
    if target.is_dir() and not overwrite:
        progress.log(f"{name} is prepared already in {target}; --overwrite prepares it again")
        return _summary(target, existed=True)
    folder = _raw_folder(maker, name, raw)
    if workers is not None and workers < 1:
        raise UserError(f"workers must be 1 or more, got {workers!r}")
    found = maker.find(folder, layout=layout)
    _check_ids(found)
    work = _work(target)
    with _tidy(work, target), _locked(work, name):
        make = functools.partial(_write, maker, config, target)
        if beam_options is not None:
            from jaxact.datasets import beam

            make(found, beam.examples(maker.parse, found, skip_bad), _metadata(name, maker, found, None), beam_options)
        else:
            key = f"{jaxact.__version__} {name} {maker.VERSION} {found.layout} {found.channels} {found.labels}"
            chunks = cut(found.sources, work, key)
            parsed = _parse(maker, chunks, workers, skip_bad)
            ticks = progress.track(range(parsed.clips), total=parsed.clips, what="writing", unit="clips")
            filled = _without_empty_cells(found, chunks)
            make(filled, functools.partial(_examples, chunks, ticks), _metadata(name, maker, filled, parsed), None)
        shutil.rmtree(work)
    return _summary(target)


def _builder(name: str) -> tuple[type[SkeletonBuilder], str]:
    head, _, config = name.partition("/")
    if head not in DATASETS:
        raise unknown("dataset", name, DATASETS)
    maker = DATASETS[head]
    if maker.NAMED and not (config.isidentifier() and config.islower()):
        raise UserError(
            f"a {head} set needs a name of lower-case letters, digits and _, as in '{head}/mine'; got {name!r}"
        )
    if config and not maker.NAMED:
        raise UserError(f"dataset {head!r} has no configurations, got {name!r}")
    return maker, config


def _raw_folder(maker: type[SkeletonBuilder], name: str, raw: str | os.PathLike[str] | None) -> Path:
    if not maker.NEEDS_RAW:
        return Path()
    if raw is None:
        raise UserError(f"dataset {name!r} needs its raw data (--raw DIR): {maker.EXPECTS}")
    folder = Path(raw).expanduser()
    if not folder.exists():
        raise UserError(f"no raw data at {os.fspath(raw)!r}; {name!r} expects there {maker.EXPECTS}")
    return folder


def _check_ids(found: Found) -> None:
    first: dict[str, str] = {}
    for source in found.sources:
        if source.id in first:
            raise UserError(f"the clip {source.id!r} is there twice: {first[source.id]!r} and {source.path!r}")
        first[source.id] = source.path
        if not 0 <= source.label < len(found.labels):
            raise UserError(f"{source.path!r}: label {source.label} is outside the list of {len(found.labels)} classes")


def _parse(maker: type[SkeletonBuilder], chunks: list[Chunk], workers: int | None, skip_bad: bool) -> Parsed:
    """Brings every chunk onto disk and adds up what they gave."""
    workers = min(workers or min(os.cpu_count() or 1, MOST_WORKERS), len(chunks))
    total = Parsed()
    count = sum(len(chunk.sources) for chunk in chunks)

    def one_by_one() -> Iterator[None]:
        for parsed in parse_all(maker.parse, chunks, workers):
            total.add(parsed)
            if parsed.bad and not skip_bad:
                raise UserError(f"{parsed.bad[0][1]}; --skip-bad leaves such files out and lists them")
            yield from [None] * parsed.sources

    for _ in progress.track(one_by_one(), total=count, what="parsing", unit="files"):
        pass
    if not total.clips:
        raise UserError(f"none of the {count} files could be used; the first: {total.bad[0][1]}")
    return total


def _without_empty_cells(found: Found, chunks: list[Chunk]) -> Found:
    """TFDS writes no empty split: a cell whose every file was skipped does not exist."""
    filled = {chunk.cell for chunk in chunks if next(stored(chunk), None) is not None}
    return dataclasses.replace(found, sources=[source for source in found.sources if source.cell in filled])


def _examples(chunks: list[Chunk], ticks: Iterator[int], cell: str) -> Iterator[tuple[str, Record]]:
    for chunk in chunks:
        if chunk.cell == cell:
            for record in stored(chunk):
                yield record["id"], record
                next(ticks, None)


def _cells(found: Found) -> tuple[str, ...]:
    return tuple(sorted({source.cell for source in found.sources}))


def _metadata(name: str, maker: type[SkeletonBuilder], found: Found, parsed: Parsed | None) -> dict[str, Any]:
    cells = _cells(found)
    unions = {split: [cell for cell in cells if cell in members] for split, members in found.unions.items()}
    summary = dataclasses.asdict(parsed or Parsed())
    summary["skipped"] = summary.pop("bad")
    return {
        "jaxact": jaxact.__version__,
        "name": name,
        "layout": found.layout.to_dict(),
        "labels": list(found.labels),
        "channels": list(found.channels),
        "unions": {**{split: members for split, members in unions.items() if members}, "all": list(cells)},
        "subsets": {subset: list(ids) for subset, ids in found.subsets.items()},
        "test_only": list(found.test_only),
        "licence": maker.LICENCE,
        "summary": {**summary, "dropped": found.dropped},
    }


def _write(
    maker: type[SkeletonBuilder],
    config: str,
    target: Path,
    found: Found,
    examples: Any,
    metadata: dict[str, Any],
    beam_options: str | None,
) -> None:
    """Runs the TFDS builder; the old set, if there is one, makes way only when the new one is whole."""
    import tensorflow_datasets as tfds

    job = Job(found=found, cells=_cells(found), metadata=metadata, examples=examples)
    options = tfds.download.DownloadConfig(
        try_download_gcs=False, compute_stats=tfds.download.ComputeStatsMode.SKIP, max_shard_size=SHARD_BYTES
    )
    if beam_options is not None:
        from jaxact.datasets import beam

        options.beam_options = beam.pipeline_options(beam_options)
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
            # TFDS makes a folder for downloads although nothing is downloaded; it vanishes with the chunks.
            builder.download_and_prepare(download_config=options, download_dir=os.fspath(_work(target)))
    finally:
        _restore(target)
        shutil.rmtree(aside, ignore_errors=True)


def _work(target: Path) -> Path:
    return target.with_name(".parsing")


def _aside(target: Path) -> Path:
    return target.with_name(f".replaced-{target.name}")


def _restore(target: Path) -> None:
    """Gives the old set its name back where a run ended between setting it aside and writing the new one."""
    if _aside(target).is_dir() and not target.is_dir():
        _aside(target).rename(target)


@contextlib.contextmanager
def _quiet_and_small() -> Iterator[None]:
    """TFDS without its own progress bars, and with a sorting buffer that fits a small machine."""
    import resource

    import tensorflow_datasets as tfds
    from tensorflow_datasets.core import shuffle

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 4096 if hard == resource.RLIM_INFINITY else min(hard, 4096)
    before = shuffle.MAX_MEM_BUFFER_SIZE
    try:
        # Sorting on disk keeps a thousand files open.
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
        shuffle.MAX_MEM_BUFFER_SIZE = SORT_BYTES
        tfds.disable_progress_bar()
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        shuffle.MAX_MEM_BUFFER_SIZE = before
        tfds.enable_progress_bar()


@contextlib.contextmanager
def _locked(work: Path, name: str) -> Iterator[None]:
    """Keeps a second `prepare` of the same set out."""
    import fcntl

    work.mkdir(parents=True, exist_ok=True)
    with open(work / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(f"another run is preparing {name!r} in {str(work.parent)!r}; wait for it to end") from error
        yield


@contextlib.contextmanager
def _tidy(work: Path, target: Path) -> Iterator[None]:
    """Turns failures of the disk into errors of the user, and leaves nothing half-written behind them."""
    start = time.monotonic()
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        told = _disk_error(error)
        if told is not None or time.monotonic() - start < WORTH_KEEPING or not isinstance(error, UserError):
            shutil.rmtree(work, ignore_errors=True)
        for folder in (target.parent, *target.parents):
            if folder.name == "" or not _remove_empty(folder):
                break
        if told is not None:
            raise UserError(f"cannot write {str(target)!r}: {told}") from error
        raise


def _remove_empty(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


def _disk_error(error: BaseException) -> str | None:
    """What the disk refused, where that is what went wrong; TensorFlow has error classes of its own."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if type(error).__module__.startswith("tensorflow"):
        return str(getattr(error, "message", error)).split("\n")[0]
    return None


def _summary(target: Path, existed: bool = False) -> Summary:
    info = read.read_info(target)
    counted = {
        field.name: info.summary[field.name] for field in dataclasses.fields(Summary) if field.name in info.summary
    }
    counted["skipped"] = [tuple(pair) for pair in counted["skipped"]]
    return Summary(**counted, classes=len(info.labels), splits=dict(info.splits), path=info.path, existed=existed)
