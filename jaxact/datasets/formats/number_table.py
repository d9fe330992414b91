"""Text files that are tables of numbers."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxact.errors import UserError


def read_numbers(
    path: str, fields: int, separator: str | None = None
) -> Float[np.ndarray, "rows fields"]:
    """Reads a table of numbers; empty lines are skipped.

    Args:
        path: The text file.
        fields: Numbers in each row.
        separator: Text between two numbers; None is white space.

    Raises:
        UserError: The file is not text, has no row, has a row of another length, or holds
            something that is not a number; names the line.
    """
    try:
        lines = Path(path).read_text("ascii").splitlines()
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise UserError(f"{path!r} is not a text file: byte 0x{byte:02x}") from error
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        words = line.split(separator)
        if len(words) != fields:
            raise UserError(f"{path!r}, line {number}: {len(words)} numbers, wanted {fields}")
        try:
            rows.append([float(word) for word in words])
        except ValueError as error:
            raise UserError(f"{path!r}, line {number}: {error}") from error
    if not rows:
        raise UserError(f"{path!r} is empty; wanted rows of {fields} numbers")
    return np.array(rows)
