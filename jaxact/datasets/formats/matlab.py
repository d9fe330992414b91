"""MATLAB files, with errors that name the file and the array."""

import importlib.util

import numpy as np

from jaxact.errors import UserError, missing_extra


def load_mat(path: str, *keys: str) -> dict[str, np.ndarray]:
    """Reads the arrays of a MATLAB file.

    Args:
        path: The `.mat` file.
        *keys: Arrays that must be present and numeric.

    Returns:
        All arrays by name.

    Raises:
        UserError: The file is not a MATLAB file, or an array of `keys` is missing or not numeric.
    """
    if importlib.util.find_spec("scipy") is None:
        raise missing_extra("scipy", "data", "reading MATLAB files")
    from scipy.io import loadmat

    try:
        variables = loadmat(path)
    except (FileNotFoundError, PermissionError, MemoryError):
        raise
    except Exception as error:  # scipy raises many types for broken bytes
        message = str(error)
        reason = message.splitlines()[0] if message else type(error).__name__
        raise UserError(f"{path!r} is not a readable MATLAB file: {reason}") from error
    arrays = {key: value for key, value in variables.items() if isinstance(value, np.ndarray)}
    for key in keys:
        if key not in arrays:
            raise UserError(f"{path!r} has no array {key!r}; it has: {', '.join(arrays) or 'none'}")
        if not np.issubdtype(arrays[key].dtype, np.number):
            raise UserError(f"{path!r}: {key!r} is {arrays[key].dtype}, wanted numbers")
    return arrays
