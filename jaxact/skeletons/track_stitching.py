"""Stitching of broken tracks: a track that ends, and one that starts near it soon after."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from jaxact.skeletons.tracking import Track, Tracks

REACH = 1.0  # largest distance between the centres of the boxes, in diagonals of the larger one
MIN_SIZE_RATIO = 0.5  # of the smaller to the larger diagonal


class _Box(NamedTuple):
    """Centre and diagonal of a bounding box."""

    centre: Float[np.ndarray, "2"]
    diagonal: float


def stitch_tracks(
    tracks: Tracks, first_new_id: int, *, reach: float = REACH
) -> tuple[Tracks, dict[int, int]]:
    """Joins tracks that started in this frame with tracks that have no pose in it.

    `update_tracks` compares a pose with the position that a track is expected at. A person who
    turned, jumped or was hidden may be too far from there. Here a new track continues the nearest
    waiting one whose last bounding box is within `reach` and of a similar size.

    Args:
        tracks: the tracks after this frame, as returned by `update_tracks`.
        first_new_id: `next_id` of the tracks before this frame.
        reach: largest distance between the centres of the boxes, in diagonals of the larger one.

    Returns:
        The tracks, and for each stitched one: the id that it had -> the id that it continues.
    """
    started = [track for track in tracks.held if track.id >= first_new_id]
    waiting = [track for track in tracks.held if track.missed and track.id < first_new_id]
    distances = []
    for new in started:
        for old in waiting:
            distance = _distance(new, old)
            if distance <= reach:
                distances.append((distance, old.id, new.id))
    continued: dict[int, int] = {}
    for _, old_id, new_id in sorted(distances):
        if new_id not in continued and old_id not in continued.values():
            continued[new_id] = old_id
    held = []
    for track in tracks.held:
        if track.id in continued.values():
            continue
        held.append(track._replace(id=continued.get(track.id, track.id)))
    held.sort(key=lambda track: track.id)
    return tracks._replace(held=tuple(held)), continued


def _distance(first: Track, second: Track) -> float:
    """Distance of two boxes in diagonals of the larger one; infinite for other sizes."""
    one, other = _bounding_box(first), _bounding_box(second)
    larger = max(one.diagonal, other.diagonal)
    if larger <= 0 or min(one.diagonal, other.diagonal) < MIN_SIZE_RATIO * larger:
        return float("inf")
    return float(np.linalg.norm(one.centre - other.centre)) / larger


def _bounding_box(track: Track) -> _Box:
    joints = track.joints[track.present]
    low, high = joints.min(axis=0), joints.max(axis=0)
    return _Box((low + high) / 2, float(np.linalg.norm(high - low)))
