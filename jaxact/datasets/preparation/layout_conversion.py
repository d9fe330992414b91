"""Converts the joints of records to another layout: `prepare ... --to-layout`."""

import dataclasses
import functools
from collections.abc import Iterator, Sequence

from jaxact.datasets.preparation.builder import RawClip, RawDataset, Record
from jaxact.datasets.preparation.parallel_parsing import Parse
from jaxact.errors import UserError
from jaxact.skeletons import LAYOUTS, convert, get_layout
from jaxact.skeletons.conversion import conversion_path


def convert_layout(dataset: RawDataset, parse: Parse, target: str) -> tuple[RawDataset, Parse]:
    """The data set and its parser, with the joints of the layout `target`.

    Raises:
        UserError: no conversion leads to `target`. The message lists those that exist.
    """
    source = dataset.layout
    if LAYOUTS.get(source.name) != source:
        raise UserError(
            f"layout {source.name!r} is one of your own; only these convert: {', '.join(LAYOUTS)}"
        )
    conversion_path(source.name, target)  # raises where there is none
    converted = dataclasses.replace(dataset, layout=get_layout(target))
    return converted, functools.partial(
        _parse_converted, parse, source.name, target, dataset.channels
    )


def _parse_converted(
    parse: Parse, layout: str, target: str, channels: Sequence[str], clip: RawClip
) -> Iterator[Record]:
    for record in parse(clip):
        joints = convert(record["joints"], layout, target, channels=channels)
        yield {**record, "joints": joints}
