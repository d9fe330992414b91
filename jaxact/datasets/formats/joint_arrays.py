"""Clips in plain array files: .npy, .npz, nested lists in JSON, and packed sets."""

import functools
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxact.datasets.kinetics import load_json
from jaxact.datasets.preparation.builder import Source
from jaxact.errors import UserError


def clip_array(joints: np.ndarray, where: str) -> Float[np.ndarray, "t m v c"]:
    """A clip with its axis of persons.

    Raises:
      UserError: the array is not [t, v, c] or [t, m, v, c], or not of numbers.
    """
    if joints.ndim not in (3, 4) or 0 in joints.shape:
        raise UserError(
            f"{where}: joints have the shape {joints.shape}, wanted [t, v, c] or [t, m, v, c] with at least one frame"
        )
    if not np.issubdtype(joints.dtype, np.number) or np.iscomplexobj(joints):
        raise UserError(f"{where}: joints are {joints.dtype}, wanted numbers")
    return (joints[:, None] if joints.ndim == 3 else joints).astype(np.float32)


def without_padding(joints: Float[np.ndarray, "t m v c"]) -> Float[np.ndarray, "s m v c"]:
    """A clip of an array of one length without the empty frames at its end; one frame at least."""
    filled = np.flatnonzero(np.any(joints != 0, axis=(1, 2, 3)))
    return joints[: filled[-1] + 1 if len(filled) else 1].copy()


@functools.lru_cache(maxsize=1)
def packed_arrays(path: str) -> dict[str, np.ndarray]:
    """The arrays of a packed set; the last one read stays in memory, whole."""
    return _npz(path)


def _npz(path: str) -> dict[str, np.ndarray]:
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as content:
            return {key: content[key] for key in content.files}
    except FileNotFoundError:
        raise
    except (
        Exception
    ) as error:  # broken archives surface as whatever zipfile and numpy stumbled over
        raise UserError(
            f"{path!r} is not a readable .npz of plain arrays: {str(error).splitlines()[0]}"
        ) from error


def joints_of(source: Source) -> Float[np.ndarray, "t m v c"]:
    """The clip as its file has it, whatever its joints."""
    facts = source.facts
    packed = "stop" in facts
    joints = (
        packed_arrays(source.path)["x"][facts["start"] : facts["stop"]]
        if packed
        else load_clip(source.path)
    )
    return clip_array(joints, where_of(source))


def where_of(source: Source) -> str:
    """How a complaint names a clip's file."""
    return f"{source.path!r}" + (f", clip {source.id!r}" if "stop" in source.facts else "")


def load_clip(path: str) -> np.ndarray:
    """The array of one clip's .npy, .npz or .json file.

    Raises:
      UserError: the file is not of that kind, or holds no array; names the key.
    """
    suffix = Path(path).suffix
    if suffix == ".npz":
        content = _npz(path)
        if "joints" in content:
            return content["joints"]
        if len(content) != 1:
            raise UserError(
                f"{path!r} has the keys {', '.join(content) or 'none'}; wanted `joints`"
            )
        return next(iter(content.values()))
    if suffix == ".npy":
        try:
            return np.load(path, allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise UserError(f"{path!r} is not a readable .npy of plain numbers: {error}") from error
    content = load_json(path)
    joints = content.get("joints") if isinstance(content, dict) else content
    try:
        return np.array(joints, np.float32)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{path!r}: `joints` is not a list of frames of equal shape: {error}"
        ) from error
