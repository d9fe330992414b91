"""MATLAB files, with complaints that name the file and the array."""

import importlib.util

import numpy as np

from jaxact.errors import UserError, missing_extra


def load_mat(path: str, *keys: str) -> dict[str, np.ndarray]:
    """Arrays of a MATLAB file; those named in `keys` are there and numeric.

    Raises:
      UserError: not a MATLAB file, or an array is missing or not numeric.
    """
    if importlib.util.find_spec("scipy") is None:
        raise missing_extra("scipy", "data", "reading MATLAB files")
    from scipy.io import loadmat

    try:
        content = {
            key: array for key, array in loadmat(path).items() if isinstance(array, np.ndarray)
        }
    except (FileNotFoundError, PermissionError, MemoryError):
        raise
    except Exception as error:  # broken bytes surface as whatever scipy stumbled over
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{path!r} is not a readable MATLAB file: {reason}") from error
    for key in keys:
        if key not in content:
            raise UserError(
                f"{path!r} has no array {key!r}; it has: {', '.join(content) or 'none'}"
            )
        if not np.issubdtype(content[key].dtype, np.number):
            raise UserError(f"{path!r}: {key!r} is not numeric but {content[key].dtype}")
    return content
