"""The same parsers under Apache Beam, for sets that outgrow one machine."""

import shlex
from collections.abc import Callable
from typing import Any

from jaxact.datasets.preparation.builder import RawClip, RawDataset
from jaxact.datasets.preparation.parallel_parsing import Parse, ParseCounts
from jaxact.errors import UserError, missing_extra

COUNTERS = ("sources", "clips", "frames", "empty", "gaps", "not_finite", "damaged")


def pipeline_options(text: str) -> Any:
    """Beam's pipeline options from one string.

    Args:
      text: "runner=DirectRunner,direct_num_workers=2" as TFDS writes them, or
          "--runner=DirectRunner --..." as Beam.

    Raises:
      UserError: apache-beam is not installed.
    """
    try:
        from apache_beam.options.pipeline_options import PipelineOptions  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise missing_extra(
            "apache-beam", "beam", "preparing a dataset under Apache Beam"
        ) from error
    flags = (
        shlex.split(text)
        if "--" in text
        else [f"--{option.strip()}" for option in text.split(",") if option.strip()]
    )
    return PipelineOptions(flags)


def example_transforms(parse: Parse, found: RawDataset, skip_bad: bool) -> Callable[[str], Any]:
    """The function from a cell to the Beam transform that makes its (key, record) pairs."""
    import apache_beam as beam  # pyright: ignore[reportMissingImports]

    def of_cell(cell: str) -> Any:
        sources = [source for source in found.sources if source.cell == cell]
        return beam.Create(sources) | beam.Reshuffle() | beam.FlatMap(_Keyed(parse, skip_bad))

    return of_cell


class _Keyed:
    """Parses a source in a Beam worker and counts what came of it."""

    def __init__(self, parse: Parse, skip_bad: bool) -> None:
        self.parse = parse
        self.skip_bad = skip_bad

    def __call__(self, source: RawClip) -> list[tuple[str, dict[str, Any]]]:
        from apache_beam.metrics import Metrics  # pyright: ignore[reportMissingImports]

        try:
            records = list(self.parse(source))
        except (UserError, OSError) as error:
            if not self.skip_bad:
                raise
            Metrics.string_set("jaxact", "bad").add(f"{source.path}\t{error}")
            records = []
        parsed = ParseCounts(sources=1)
        for record in records:
            parsed.count(record)
        for field in COUNTERS:
            Metrics.counter("jaxact", field).inc(getattr(parsed, field))
        Metrics.distribution("jaxact", "persons").update(parsed.persons)
        return [(record["id"], record) for record in records]


def read_counts(result: Any) -> ParseCounts:
    """What the workers of a finished pipeline counted together; every step (cell) has metrics of
    its own.
    """
    metrics = result.metrics().query()

    def ours(kind: str) -> list[Any]:
        return [
            metric for metric in metrics.get(kind, []) if metric.key.metric.namespace == "jaxact"
        ]

    parsed = ParseCounts()
    for counter in ours("counters"):
        name = counter.key.metric.name
        setattr(parsed, name, getattr(parsed, name) + counter.result)
    parsed.persons = max((int(spread.result.max) for spread in ours("distributions")), default=0)
    texts = sorted(text for texts in ours("string_sets") for text in texts.result)
    parsed.bad = [(path, reason) for path, _, reason in (text.partition("\t") for text in texts)]
    return parsed


def find_user_error(error: BaseException) -> UserError | None:
    """The complaint about a raw file inside whatever Beam wrapped it in."""
    inner: BaseException | None = error
    while inner is not None:
        error, text = inner, str(inner)
        if isinstance(error, UserError) or "UserError: " in text:
            return UserError(text.split("UserError: ")[-1].split(" [while running")[0].strip())
        inner = error.__cause__ or error.__context__
    return None
