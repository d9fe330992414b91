"""Choice of a record of a prepared data set on the command line."""

import argparse
from collections.abc import Sequence
from typing import Any

from jaxact.errors import UserError


def record_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options that select a record of a split."""
    parser.add_argument(
        "--index", type=int, default=0, help="position in the split (default: %(default)s)"
    )
    parser.add_argument("--id", help="id of the record, instead of --index")


def find_record(info: Any, options: argparse.Namespace, fields: Sequence[str]) -> dict[str, Any]:
    """Reads the record that `record_options` select in the split of `--split`."""
    from jaxact.datasets import records

    count = 0
    for index, record in enumerate(
        records.records(info, options.split, fields=fields).as_numpy_iterator()
    ):
        count += 1
        if options.id:
            match = record["id"].decode() == options.id
        else:
            match = index == options.index
        if match:
            return record
    selection = f"the id {options.id!r}" if options.id else f"the index {options.index}"
    raise UserError(
        f"no record with {selection} in the split {options.split!r} of {info.name!r} "
        f"({count} records)"
    )
