"""JSON files, with errors that name the file and the line."""

import json
from pathlib import Path
from typing import Any

from jaxact.errors import UserError


def load_json(path: str | Path) -> Any:
    """The content of a JSON file.

    Raises:
        UserError: The file is not JSON; names the line.
    """
    try:
        return json.loads(Path(path).read_bytes())
    except json.JSONDecodeError as error:
        raise UserError(f"{str(path)!r}, line {error.lineno}: not JSON: {error.msg}") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"{str(path)!r} is not JSON: {error}") from error
