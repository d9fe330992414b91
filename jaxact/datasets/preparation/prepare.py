"""`prepare`: raw files of a dataset -> a prepared TFDS set with everything a reader needs beside
it.

    find (names, lists) -> parse (processes, chunks on disk) -> write (TFDS, shuffled shards) ->
    summary

The set appears under its name whole or not at all. Finished chunks outlive a killed run and are
used again. Memory is bounded by a few chunks per process and TFDS's sorting buffer, whatever the
size of the set.
"""

import contextlib
import dataclasses
import functools
import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jaxact
from jaxact import files, progress
from jaxact.datasets import DATASETS, dataset_info
from jaxact.datasets.preparation.builder import Job, RawDataset, Record, RecordBuilder
from jaxact.datasets.preparation.layout_conversion import convert_layout
from jaxact.datasets.preparation.parallel_parsing import (
    MAX_WORKERS,
    Chunk,
    Parse,
    ParseCounts,
    make_chunks,
    parse_all,
    read_chunk,
)
from jaxact.datasets.preparation.summary import Summary, metadata_summary, read_summary
from jaxact.datasets.preparation.tfds_writer import clean_up, restore_replaced, work_folder, write
from jaxact.datasets.preparation.video_builder import PICTURE, with_video_options
from jaxact.datasets.skeletons_from_video import Finder, SkeletonsFromVideo, people_by
from jaxact.errors import UserError, missing_extra, unknown


def prepare(
    name: str,
    *,
    raw: str | os.PathLike[str] | None = None,
    data_dir: str | os.PathLike[str] = "",
    workers: int | None = None,
    skip_bad: bool = False,
    beam_options: str | None = None,
    layout: str | None = None,
    to_layout: str | None = None,
    short_side: int | None = None,
    flow: str | None = None,
    finder: Finder | None = None,
    overwrite: bool = False,
) -> Summary:
    """Writes a dataset's records under `data_dir`.

    Args:
      name: one of `DATASETS`; `custom/NAME` for a set of your own.
      raw: folder (or file) of the raw data; none for generated sets.
      data_dir: folder of prepared sets; "" is $TFDS_DATA_DIR or ~/tensorflow_datasets.
      workers: processes that parse; None is one per core, at most 8.
      skip_bad: leave out raw files that cannot be used, and list them; else the first one is an
          error.
      beam_options: run under Apache Beam with these pipeline options, e.g. "runner=DirectRunner";
          None does not.
      layout: joint layout of a set that you name, by name or JSON file.
      to_layout: convert its joints to this layout.
      short_side: videos: pixels of the shorter side that larger frames are scaled down to; None is
          256.
      flow: videos: also store optical flow by this method, "dis" or "farneback".
      finder: skeletons of videos: finds the people in place of the files beside them.
      overwrite: replace the set where it exists.

    Raises:
      UserError: unknown dataset, no raw data where it should be, an unusable raw file, or a disk
          that is full.
    """
    maker, config = _builder(name)
    target = dataset_info.data_root(data_dir) / name / str(maker.VERSION)
    restore_replaced(target)
    if target.is_dir() and not overwrite:
        progress.log(f"{name} is prepared already in {target}; --overwrite prepares it again")
        return read_summary(target, existed=True)
    _check_options(
        name,
        maker,
        layout=layout,
        to_layout=to_layout,
        short_side=short_side,
        flow=flow,
        finder=finder,
    )
    folder = _raw_folder(maker, name, raw)
    if workers is not None and workers < 1:
        raise UserError(f"workers must be 1 or more, got {workers!r}")
    if importlib.util.find_spec("tensorflow") is None:
        raise missing_extra("tensorflow", "data", "preparing a dataset")
    found, parse = maker.find(folder, layout=layout), maker.parse
    _check(found)
    if maker.KIND == "video":
        found, parse = with_video_options(found, short_side=short_side, flow_method=flow)
    elif maker.KIND == "skeleton" and found.layout is PICTURE:
        if finder is not None and beam_options is not None:
            raise UserError(
                "a pose network finds people in one process; leave --beam-pipeline-options out"
            )
        found, parse = people_by(found, finder, layout=layout)
    elif finder is not None:
        raise UserError(f"{str(folder)!r} holds poses already; --checkpoint finds them in videos")
    if to_layout:
        found, parse = convert_layout(found, parse, to_layout)
    work = work_folder(target)
    busy = f"another run is preparing {name!r} in {str(work.parent)!r}; wait for it to end"
    with files.locked(work, busy), clean_up(target):
        if beam_options is None:
            _prepare_here(maker, name, config, target, found, parse, workers, skip_bad)
        else:
            _prepare_with_beam(maker, name, config, target, found, parse, skip_bad, beam_options)
        shutil.rmtree(work)
    return read_summary(target)


def _prepare_here(
    maker: type[RecordBuilder],
    name: str,
    config: str,
    target: Path,
    found: RawDataset,
    parse: Parse,
    workers: int | None,
    skip_bad: bool,
) -> None:
    key = f"{jaxact.__version__} {name} {maker.VERSION} {found.layout} {found.channels} {found.labels} {found.stored}"
    chunks = make_chunks(found.sources, work_folder(target), key, maker.CHUNK)
    parsed = _parse(parse, chunks, 1 if found.single_process else workers, skip_bad)
    found = _without_empty_cells(found, chunks)
    ticks = progress.track(range(parsed.clips), total=parsed.clips, what="writing", unit="clips")
    job = Job(
        found=found,
        cells=_cells(found),
        metadata=_metadata(name, maker, found, parsed),
        examples=functools.partial(_examples, chunks, ticks),
    )
    write(maker, config, target, job)


def _prepare_with_beam(
    maker: type[RecordBuilder],
    name: str,
    config: str,
    target: Path,
    found: RawDataset,
    parse: Parse,
    skip_bad: bool,
    beam_options: str,
) -> None:
    from jaxact.datasets.preparation import beam

    options = beam.pipeline_options(beam_options)
    job = Job(
        found=found,
        cells=_cells(found),
        metadata=_metadata(name, maker, found, ParseCounts()),
        examples=beam.example_transforms(parse, found, skip_bad),
        counted=lambda result: metadata_summary(beam.read_counts(result)),
    )
    try:
        write(maker, config, target, job, options)
    except Exception as error:
        raise beam.find_user_error(error) or error from error


def _builder(name: str) -> tuple[type[RecordBuilder], str]:
    head, _, config = name.partition("/")
    if head not in DATASETS:
        raise unknown("dataset", name, DATASETS)
    maker = DATASETS[head]
    valid = (config.isidentifier() and config.islower()) or not (config or maker.NAME_NEEDED)
    if maker.NAMED and not valid:
        raise UserError(
            f"a set of the kind {head!r} needs a name of lower-case letters, digits and _, as in '{head}/mine'; "
            f"got {name!r}"
        )
    if config and not maker.NAMED:
        raise UserError(f"dataset {head!r} has no configurations, got {name!r}")
    return maker, config


def _check_options(name: str, maker: type[RecordBuilder], **given: object) -> None:
    """Raises UserError for an option that this kind of set does not have."""
    for kind, options in (("skeleton", ("layout", "to_layout")), ("video", ("short_side", "flow"))):
        if odd := [
            option for option in options if given[option] is not None and kind != maker.KIND
        ]:
            raise UserError(
                f"{odd[0]} is for {kind} sets; the records of {name!r} are of the kind {maker.KIND}"
            )
    if given["finder"] is not None and not issubclass(maker, SkeletonsFromVideo):
        from_videos = ", ".join(
            name for name, maker in DATASETS.items() if issubclass(maker, SkeletonsFromVideo)
        )
        raise UserError(
            f"a pose network (--checkpoint) finds people for the sets {from_videos}, not for {name!r}"
        )
    if given["to_layout"] and not maker.NAMED:
        named = ", ".join(
            name for name, maker in DATASETS.items() if maker.NAMED and maker.KIND == "skeleton"
        )
        raise UserError(
            f"to_layout is for the sets that you name ({named}); {name!r} has the layout of its files"
        )


def _raw_folder(maker: type[RecordBuilder], name: str, raw: str | os.PathLike[str] | None) -> Path:
    if not maker.NEEDS_RAW:
        return Path()
    if raw is None:
        raise UserError(f"dataset {name!r} needs its raw data (--raw DIR): {maker.EXPECTS}")
    folder = Path(raw).expanduser()
    if not folder.exists():
        raise UserError(
            f"no raw data at {os.fspath(raw)!r}; {name!r} expects there {maker.EXPECTS}"
        )
    return folder


def _check(found: RawDataset) -> None:
    first: dict[str, str] = {}
    for source in found.sources:
        if source.id in first:
            raise UserError(
                f"the clip {source.id!r} is there twice: {first[source.id]!r} and {source.path!r}"
            )
        first[source.id] = source.path
        if not 0 <= source.label < len(found.labels):
            raise UserError(
                f"{source.path!r}: label {source.label} is outside the list of {len(found.labels)} classes"
            )


def _parse(parse: Parse, chunks: list[Chunk], workers: int | None, skip_bad: bool) -> ParseCounts:
    """Brings every chunk onto disk and adds up what they gave."""
    workers = min(workers or min(os.cpu_count() or 1, MAX_WORKERS), len(chunks))
    total = ParseCounts()
    count = sum(len(chunk.sources) for chunk in chunks)
    # Closed before an error goes on: a process still at work would write into a folder that is
    # being removed.
    with contextlib.closing(parse_all(parse, chunks, workers)) as done:
        for parsed in progress.track(
            done, total=len(chunks), what=f"parsing {count} files", unit="parts"
        ):
            total.add(parsed)
            if parsed.bad and not skip_bad:
                raise UserError(
                    f"{parsed.bad[0][1]}; --skip-bad leaves such files out and lists them"
                )
    if not total.clips:
        raise UserError(f"none of the {count} files could be used; the first: {total.bad[0][1]}")
    return total


def _without_empty_cells(found: RawDataset, chunks: list[Chunk]) -> RawDataset:
    """TFDS writes no empty split: a cell whose every file was skipped does not exist."""
    filled = {chunk.cell for chunk in chunks if next(read_chunk(chunk), None) is not None}
    return dataclasses.replace(
        found, sources=[source for source in found.sources if source.cell in filled]
    )


def _examples(chunks: list[Chunk], ticks: Iterator[int], cell: str) -> Iterator[tuple[str, Record]]:
    for chunk in chunks:
        if chunk.cell == cell:
            for record in read_chunk(chunk):
                yield record["id"], record
                next(ticks, None)


def _cells(found: RawDataset) -> tuple[str, ...]:
    return tuple(sorted({source.cell for source in found.sources}))


def _metadata(
    name: str, maker: type[RecordBuilder], found: RawDataset, parsed: ParseCounts
) -> dict[str, Any]:
    cells = _cells(found)
    unions = {
        split: [cell for cell in cells if cell in members]
        for split, members in found.unions.items()
    }
    return {
        "jaxact": jaxact.__version__,
        "name": name,
        "kind": maker.KIND,
        "layout": found.layout.to_dict(),
        "labels": list(found.labels),
        "channels": list(found.channels),
        "unions": {
            **{split: members for split, members in unions.items() if members},
            "all": list(cells),
        },
        "subsets": {subset: list(ids) for subset, ids in found.subsets.items()},
        "test_only": list(found.test_only),
        "leaks": found.leaks,
        "stored": found.stored,
        "licence": maker.LICENCE,
        "summary": {**metadata_summary(parsed), "dropped": found.dropped},
    }
