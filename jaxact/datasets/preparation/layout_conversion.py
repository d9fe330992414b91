"""Records in another joint layout than their raw files: `prepare ... --to-layout`."""

import dataclasses
import functools
from collections.abc import Iterator, Sequence

from jaxact.datasets.preparation.builder import RawClip, RawDataset, Record
from jaxact.datasets.preparation.parallel_parsing import Parse
from jaxact.errors import UserError
from jaxact.skeletons import LAYOUTS, convert, get_layout
from jaxact.skeletons.conversion import conversion_path


def convert_layout(found: RawDataset, parse: Parse, target: str) -> tuple[RawDataset, Parse]:
    """What was found and its parser, with the joints of `target`.

    Raises:
      UserError: no conversion leads there; lists what there is.
    """
    source = found.layout
    if LAYOUTS.get(source.name) != source:
        raise UserError(
            f"layout {source.name!r} is one of your own; only these convert: {', '.join(LAYOUTS)}"
        )
    conversion_path(source.name, target)
    made = dataclasses.replace(found, layout=get_layout(target))
    return made, functools.partial(_parse, parse, source.name, target, found.channels)


def _parse(
    parse: Parse, layout: str, target: str, channels: Sequence[str], source: RawClip
) -> Iterator[Record]:
    for record in parse(source):
        yield {**record, "joints": convert(record["joints"], layout, target, channels=channels)}
