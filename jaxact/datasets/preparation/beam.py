"""Parsing under Apache Beam, for data sets that outgrow one machine."""

import shlex
from collections.abc import Callable
from typing import Any

from jaxact.datasets.preparation.builder import RawClip, RawDataset
from jaxact.datasets.preparation.parallel_parsing import Parse, ParseCounts
from jaxact.errors import UserError, missing_extra

NAMESPACE = "jaxact"  # of the metrics
COUNTERS = ("sources", "clips", "frames", "empty", "gaps", "not_finite", "damaged")


def pipeline_options(text: str) -> Any:
    """Beam's pipeline options from one string.

    Args:
        text: "runner=DirectRunner,direct_num_workers=2" as TFDS writes them, or
          "--runner=DirectRunner --..." as Beam does.

    Raises:
        UserError: apache-beam is not installed.
    """
    try:
        from apache_beam.options.pipeline_options import (  # pyright: ignore[reportMissingImports]
            PipelineOptions,
        )
    except ImportError as error:
        raise missing_extra(
            "apache-beam", "beam", "preparing a dataset under Apache Beam"
        ) from error
    if "--" in text:
        return PipelineOptions(shlex.split(text))
    options = [option.strip() for option in text.split(",")]
    return PipelineOptions([f"--{option}" for option in options if option])


def example_transforms(parse: Parse, dataset: RawDataset, skip_bad: bool) -> Callable[[str], Any]:
    """The function from a cell to the Beam transform that yields its (key, record) pairs."""
    import apache_beam as beam  # pyright: ignore[reportMissingImports]

    def transform(cell: str) -> Any:
        clips = [clip for clip in dataset.clips if clip.cell == cell]
        return beam.Create(clips) | beam.Reshuffle() | beam.FlatMap(_ParseClip(parse, skip_bad))

    return transform


class _ParseClip:
    """Parses a raw clip in a Beam worker and counts the result in Beam's metrics."""

    def __init__(self, parse: Parse, skip_bad: bool) -> None:
        self.parse = parse
        self.skip_bad = skip_bad

    def __call__(self, clip: RawClip) -> list[tuple[str, dict[str, Any]]]:
        from apache_beam.metrics import Metrics  # pyright: ignore[reportMissingImports]

        try:
            records = list(self.parse(clip))
        except (UserError, OSError) as error:
            if not self.skip_bad:
                raise
            Metrics.string_set(NAMESPACE, "bad").add(f"{clip.path}\t{error}")
            records = []
        counts = ParseCounts(sources=1)
        for record in records:
            counts.count(record)
        for field in COUNTERS:
            Metrics.counter(NAMESPACE, field).inc(getattr(counts, field))
        Metrics.distribution(NAMESPACE, "persons").update(counts.persons)
        return [(record["id"], record) for record in records]


def read_counts(result: Any) -> ParseCounts:
    """Adds up the workers' counts of a finished pipeline.

    Every step of the pipeline (one per cell) has metrics of its own.
    """
    metrics = result.metrics().query()

    def own(kind: str) -> list[Any]:
        return [
            metric for metric in metrics.get(kind, []) if metric.key.metric.namespace == NAMESPACE
        ]

    counts = ParseCounts()
    for counter in own("counters"):
        field = counter.key.metric.name
        setattr(counts, field, getattr(counts, field) + counter.result)
    for distribution in own("distributions"):
        counts.persons = max(counts.persons, int(distribution.result.max))
    lines = sorted(line for metric in own("string_sets") for line in metric.result)
    for line in lines:
        path, _, reason = line.partition("\t")
        counts.bad.append((path, reason))
    return counts


def find_user_error(error: BaseException) -> UserError | None:
    """The UserError about a raw file that Beam wrapped in other errors, or None."""
    cause: BaseException | None = error
    while cause is not None:
        text = str(cause)
        if isinstance(cause, UserError) or "UserError: " in text:
            return UserError(text.split("UserError: ")[-1].split(" [while running")[0].strip())
        cause = cause.__cause__ or cause.__context__
    return None
