"""Clips in plain array files: .npy, .npz, nested lists in JSON, and packed sets."""

import functools
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxact.datasets.formats.json_file import load_json
from jaxact.datasets.preparation.builder import RawClip
from jaxact.errors import UserError


def clip_array(joints: np.ndarray, where: str) -> Float[np.ndarray, "t m v c"]:
    """A clip as float32 with a person axis.

    Args:
        joints: [t, v, c] or [t, m, v, c].
        where: Name of the file, for errors.

    Raises:
        UserError: The array has another shape, or is not numeric.
    """
    if joints.ndim not in (3, 4) or 0 in joints.shape:
        raise UserError(
            f"{where}: joints have the shape {joints.shape}, "
            "wanted [t, v, c] or [t, m, v, c] with at least one frame"
        )
    if not np.issubdtype(joints.dtype, np.number) or np.iscomplexobj(joints):
        raise UserError(f"{where}: joints are {joints.dtype}, wanted numbers")
    if joints.ndim == 3:
        joints = joints[:, None]
    return joints.astype(np.float32)


def without_padding(joints: Float[np.ndarray, "t m v c"]) -> Float[np.ndarray, "s m v c"]:
    """A copy of a clip without the empty frames at its end; at least one frame stays."""
    occupied = np.flatnonzero(np.any(joints != 0, axis=(1, 2, 3)))
    length = occupied[-1] + 1 if len(occupied) else 1
    return joints[:length].copy()


@functools.lru_cache(maxsize=1)
def packed_arrays(path: str) -> dict[str, np.ndarray]:
    """The arrays of a packed set; those of the last file stay in memory."""
    return _load_npz(path)


def _load_npz(path: str) -> dict[str, np.ndarray]:
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as content:
            return {key: content[key] for key in content.files}
    except FileNotFoundError:
        raise
    except Exception as error:  # zipfile and numpy raise many types for a broken archive
        reason = str(error).splitlines()[0]
        raise UserError(f"{path!r} is not a readable .npz of plain arrays: {reason}") from error


def joints_of(raw_clip: RawClip) -> Float[np.ndarray, "t m v c"]:
    """The joints of a clip as its file holds them; their number is not checked."""
    facts = raw_clip.facts
    if "stop" in facts:
        joints = packed_arrays(raw_clip.path)["x"][facts["start"] : facts["stop"]]
    else:
        joints = load_clip(raw_clip.path)
    return clip_array(joints, where_of(raw_clip))


def where_of(raw_clip: RawClip) -> str:
    """The name of a clip in error messages: its file, and its clip in a packed file."""
    if "stop" in raw_clip.facts:
        return f"{raw_clip.path!r}, clip {raw_clip.id!r}"
    return repr(raw_clip.path)


def load_clip(path: str) -> np.ndarray:
    """The array of one clip's .npy, .npz or .json file.

    Raises:
        UserError: The file is not of its kind or holds no array; names the key.
    """
    suffix = Path(path).suffix
    if suffix == ".npz":
        return _npz_joints(path)
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


def _npz_joints(path: str) -> np.ndarray:
    """The array `joints` of an .npz, or its only array."""
    arrays = _load_npz(path)
    if "joints" in arrays:
        return arrays["joints"]
    if len(arrays) != 1:
        raise UserError(f"{path!r} has the keys {', '.join(arrays) or 'none'}; wanted `joints`")
    return next(iter(arrays.values()))
