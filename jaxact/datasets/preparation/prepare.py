"""`prepare`: writes the raw files of a data set as a prepared TFDS set with its metadata.

    find (names, lists) -> parse (processes, chunks on disk) -> write (TFDS, shuffled shards) ->
    summary

The set appears under its name complete or not at all. Finished chunks survive a killed run and are
reused. Memory is bounded by a few chunks per process and TFDS's sorting buffer, whatever the size
of the set.
"""

import contextlib
import dataclasses
import functools
import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import jaxact
from jaxact import files, progress
from jaxact.datasets import dataset_info
from jaxact.datasets.preparation.builder import Job, RawDataset, Record, RecordBuilder
from jaxact.datasets.preparation.layout_conversion import convert_layout
from jaxact.datasets.preparation.metadata import cells, dataset_metadata
from jaxact.datasets.preparation.options import (
    PrepareOptions,
    check_options,
    find_builder,
    raw_folder,
)
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
from jaxact.datasets.preparation.tfds_writer import (
    clean_up,
    restore_replaced,
    work_folder,
    write,
)
from jaxact.datasets.preparation.video_builder import PICTURE, with_video_options
from jaxact.datasets.skeletons_from_video import with_poses
from jaxact.errors import UserError, missing_extra


def prepare(
    name: str,
    *,
    raw: str | os.PathLike[str] | None = None,
    data_dir: str | os.PathLike[str] = "",
    options: PrepareOptions | None = None,
) -> Summary:
    """Writes the records of a data set under `data_dir`.

    Args:
        name: one of `DATASETS`; `custom/NAME` for a data set of your own.
        raw: folder (or file) of the raw data; none for generated data sets.
        data_dir: folder of prepared sets; "" is $TFDS_DATA_DIR or ~/tensorflow_datasets.
        options: None is the default of every option.

    Raises:
        UserError: an unknown data set, missing raw data, an unusable raw file, or a full disk.
    """
    options = options or PrepareOptions()
    builder, own_name = find_builder(name)
    target = dataset_info.data_root(data_dir) / name / str(builder.VERSION)
    restore_replaced(target)
    if target.is_dir() and not options.overwrite:
        progress.log(f"{name} is prepared already in {target}; --overwrite prepares it again")
        return read_summary(target, existed=True)
    check_options(name, builder, options)
    folder = raw_folder(name, builder, raw)
    if importlib.util.find_spec("tensorflow") is None:
        raise missing_extra("tensorflow", "data", "preparing a dataset")
    dataset, parse = _find_clips(builder, folder, options)
    preparation = _Preparation(name, own_name, builder, target, dataset, parse)
    work = work_folder(target)
    busy = f"another run is preparing {name!r} in {str(work.parent)!r}; wait for it to end"
    with files.locked(work, busy), clean_up(target):
        if options.beam_options is None:
            preparation.run(options.workers, options.skip_bad)
        else:
            preparation.run_beam(options.beam_options, options.skip_bad)
        shutil.rmtree(work)
    return read_summary(target)


def _find_clips(
    builder: type[RecordBuilder], folder: Path, options: PrepareOptions
) -> tuple[RawDataset, Parse]:
    """The raw clips in `folder` and their parser, after all conversions that were asked for."""
    estimator = options.pose_estimator
    dataset, parse = builder.find(folder, layout=options.layout), builder.parse
    _check_clips(dataset)
    if builder.KIND == "video":
        dataset, parse = with_video_options(
            dataset, short_side=options.short_side, flow_method=options.flow
        )
    elif builder.KIND == "skeleton" and dataset.layout is PICTURE:
        if estimator is not None and options.beam_options is not None:
            raise UserError(
                "--pose estimates poses in one process; leave --beam-pipeline-options out"
            )
        dataset, parse = with_poses(dataset, estimator, layout=options.layout)
    elif estimator is not None:
        raise UserError(f"{str(folder)!r} holds poses already; --pose estimates those of videos")
    if options.to_layout:
        dataset, parse = convert_layout(dataset, parse, options.to_layout)
    return dataset, parse


def _check_clips(dataset: RawDataset) -> None:
    """Raises UserError for an id that occurs twice, or a label out of range."""
    paths: dict[str, str] = {}
    for clip in dataset.clips:
        if clip.id in paths:
            raise UserError(
                f"the clip {clip.id!r} is there twice: {paths[clip.id]!r} and {clip.path!r}"
            )
        paths[clip.id] = clip.path
        if not 0 <= clip.label < len(dataset.labels):
            raise UserError(
                f"{clip.path!r}: label {clip.label} is outside the list of {len(dataset.labels)} "
                "classes"
            )


@dataclasses.dataclass(slots=True)
class _Preparation:
    """One data set that is being prepared.

    Attributes:
        name: its full name, as passed to `prepare`.
        own_name: NAME of `custom/NAME`, else "".
        builder: the TFDS builder.
        target: the folder to write, `data_dir/name/version`.
        dataset: the raw clips.
        parse: parser of a raw clip.
    """

    name: str
    own_name: str
    builder: type[RecordBuilder]
    target: Path
    dataset: RawDataset
    parse: Parse

    def run(self, workers: int | None, skip_bad: bool) -> None:
        """Parses in worker processes, then writes."""
        dataset = self.dataset
        if dataset.single_process:
            workers = 1
        key = (
            f"{jaxact.__version__} {self.name} {self.builder.VERSION} {dataset.layout} "
            f"{dataset.channels} {dataset.labels} {dataset.stored}"
        )
        chunks = make_chunks(dataset.clips, work_folder(self.target), key, self.builder.CHUNK)
        counts = _parse_chunks(self.parse, chunks, workers, skip_bad)
        dataset = _without_empty_cells(dataset, chunks)
        ticks = progress.track(
            range(counts.clips), total=counts.clips, what="writing", unit="clips"
        )
        job = Job(
            dataset=dataset,
            cells=cells(dataset),
            metadata=dataset_metadata(self.name, self.builder, dataset, counts),
            examples=functools.partial(_examples, chunks, ticks),
        )
        write(self.builder, self.own_name, self.target, job)

    def run_beam(self, beam_options: str, skip_bad: bool) -> None:
        """Parses and writes under Apache Beam."""
        from jaxact.datasets.preparation import beam

        pipeline_options = beam.pipeline_options(beam_options)
        job = Job(
            dataset=self.dataset,
            cells=cells(self.dataset),
            metadata=dataset_metadata(self.name, self.builder, self.dataset, ParseCounts()),
            examples=beam.example_transforms(self.parse, self.dataset, skip_bad),
            beam_summary=lambda result: metadata_summary(beam.read_counts(result)),
        )
        try:
            write(self.builder, self.own_name, self.target, job, pipeline_options)
        except Exception as error:
            raise beam.find_user_error(error) or error from error


def _parse_chunks(
    parse: Parse, chunks: list[Chunk], workers: int | None, skip_bad: bool
) -> ParseCounts:
    """Parses every chunk to disk and adds up the counts."""
    workers = min(workers or min(os.cpu_count() or 1, MAX_WORKERS), len(chunks))
    total = ParseCounts()
    raw_count = sum(len(chunk.clips) for chunk in chunks)
    # The generator is closed before an error propagates: a worker that still runs would write into
    # a folder that is being removed.
    with contextlib.closing(parse_all(parse, chunks, workers)) as results:
        for counts in progress.track(
            results, total=len(chunks), what=f"parsing {raw_count} files", unit="parts"
        ):
            total.add(counts)
            if counts.bad and not skip_bad:
                _, reason = counts.bad[0]
                raise UserError(f"{reason}; --skip-bad leaves such files out and lists them")
    if not total.clips:
        _, reason = total.bad[0]
        raise UserError(f"none of the {raw_count} files could be used; the first: {reason}")
    return total


def _without_empty_cells(dataset: RawDataset, chunks: list[Chunk]) -> RawDataset:
    """Drops the cells whose every file was skipped, because TFDS writes no empty split."""
    filled = {chunk.cell for chunk in chunks if next(read_chunk(chunk), None) is not None}
    clips = [clip for clip in dataset.clips if clip.cell in filled]
    return dataclasses.replace(dataset, clips=clips)


def _examples(chunks: list[Chunk], ticks: Iterator[int], cell: str) -> Iterator[tuple[str, Record]]:
    """The (key, record) pairs of a cell; advances the progress bar by `ticks`."""
    for chunk in chunks:
        if chunk.cell != cell:
            continue
        for record in read_chunk(chunk):
            yield record["id"], record
            next(ticks, None)
