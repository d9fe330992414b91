"""Who is who from frame to frame: every pose gets the id of the person that it continues.

    tracks, poses of a frame [n v c] -> tracks, ids [n]

A track is carried on by how fast its person went, so that people who cross keep their ids, and is
kept for a while without a pose, so that somebody who was hidden comes back as who they were.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from jaxact.errors import UserError, unknown

MEASURES = ("joints", "iou")
NO_ID = -1  # the id of a pose without a joint
SPEED_DECAY = (
    0.8  # share of the speed that a person out of sight keeps per frame: five frames' way in all
)
SPEED_MOMENTUM = 0.5  # share of the old speed in the new one
_UNMATCHABLE = 1e6  # a pair that must not be; dearer than any number of pairs that may


class Track(NamedTuple):
    """One person.

    Attributes:
      id: never given to anybody else.
      joints: x and y where each joint was seen last.
      present: joints that were seen ever.
      speed: of the whole person, in units of the joints per frame.
      missed: frames since the last pose.
    """

    id: int
    joints: Float[np.ndarray, "v 2"]
    present: Bool[np.ndarray, " v"]
    speed: Float[np.ndarray, "2"]
    missed: int


class Tracks(NamedTuple):
    """Everybody who is followed, and the id that the next new person gets."""

    held: tuple[Track, ...] = ()
    next_id: int = 0


def update_tracks(
    tracks: Tracks,
    poses: Float[np.ndarray, "n v c"],
    *,
    measure: str = "joints",
    reach: float = 0.5,
    patience: int = 30,
    score: bool = False,
) -> tuple[Tracks, Int[np.ndarray, " n"]]:
    """The tracks after a frame, and the id of each of its poses; -1 for a pose without a joint.

    Poses and tracks are paired so that the sum of their distances is the least possible, as many of
    them as are within `reach`. A pose that is left over is a new person; a track without a pose
    waits.

    Args:
      tracks: those after the frame before; `Tracks()` before the first.
      poses: joints of this frame's people in any order; x and y first, those missing zero.
      measure: "joints", the mean distance between joints that both have, divided by the diagonal of
        the larger of their boxes; or "iou", 1 - the overlap of the boxes around their joints.
      reach: the largest distance at which a pose can continue a track.
      patience: frames without a pose after which a track is given up.
      score: whether the last channel is a score, zero where a joint is missing.

    Raises:
      UserError: an unknown measure, or poses of another number of joints than before.
    """
    if measure not in MEASURES:
        raise unknown("measure", measure, MEASURES)
    for track in tracks.held[:1]:
        if len(track.joints) != poses.shape[1]:
            raise UserError(
                f"poses of {poses.shape[1]} joints after poses of {len(track.joints)}; wanted the same"
            )
    places = poses[..., :2].astype(np.float64)
    seen = poses[..., -1] > 0 if score else np.any(places != 0, axis=-1)
    real = np.flatnonzero(seen.any(axis=1))
    pairs: dict[int, int] = {}
    if tracks.held and len(real):
        pairs = dict(_paired(_distances(tracks.held, places[real], seen[real], measure), reach))

    ids: Int[np.ndarray, " n"] = np.full(len(poses), NO_ID)
    held, next_id = [], tracks.next_id
    for index, track in enumerate(tracks.held):
        if index in pairs:
            n = real[pairs[index]]
            ids[n] = track.id
            held.append(_moved(track, places[n], seen[n]))
        elif track.missed < patience:
            held.append(track._replace(missed=track.missed + 1))
    for n in real[ids[real] == NO_ID]:
        ids[n] = next_id
        held.append(Track(next_id, places[n], seen[n], np.zeros(2), 0))
        next_id += 1
    return Tracks(tuple(held), next_id), ids


def _way(track: Track) -> np.ndarray:
    """How far the person should have come by now: speed * (1 + 0.8 + 0.8^2 ...), a term for every
    frame.
    """
    return track.speed * (1 - SPEED_DECAY ** (track.missed + 1)) / (1 - SPEED_DECAY)


def _moved(track: Track, places: np.ndarray, seen: np.ndarray) -> Track:
    """The track with the pose that continues it."""
    both, speed = track.present & seen, track.speed
    if both.any():
        newest = np.mean(places[both] - track.joints[both], axis=0) / (track.missed + 1)
        speed = SPEED_MOMENTUM * speed + (1 - SPEED_MOMENTUM) * newest
    shifted = track.joints + (
        np.mean(places[both] - track.joints[both], axis=0) if both.any() else 0.0
    )
    joints = np.where(seen[:, None], places, shifted)  # what is hidden went with the rest
    return Track(track.id, joints, track.present | seen, speed, 0)


def _distances(
    tracks: Sequence[Track],
    places: Float[np.ndarray, "n v 2"],
    seen: Bool[np.ndarray, "n v"],
    measure: str,
) -> Float[np.ndarray, "k n"]:
    """Between where each person should be and each pose."""
    expected = np.stack([track.joints + _way(track) for track in tracks])
    present = np.stack([track.present for track in tracks])
    boxes = [_box(expected[:, None], present[:, None]), _box(places[None], seen[None])]
    if measure == "iou":
        return 1 - _overlap(*boxes)
    both = present[:, None] & seen
    apart = np.sum(np.linalg.norm(expected[:, None] - places, axis=-1) * both, axis=-1)
    size = np.maximum(*(np.linalg.norm(box[1] - box[0], axis=-1) for box in boxes))
    count = both.sum(axis=-1)
    return np.where(count, apart / np.maximum(count, 1) / np.maximum(size, 1e-9), _UNMATCHABLE)


def _box(
    places: Float[np.ndarray, "k n v 2"], there: Bool[np.ndarray, "k n v"]
) -> Float[np.ndarray, "2 k n 2"]:
    """Low and high corner of the joints that are there."""
    masked = [np.where(there[..., None], places, far) for far in (np.inf, -np.inf)]
    return np.stack([masked[0].min(axis=2), masked[1].max(axis=2)])


def _overlap(
    one: Float[np.ndarray, "2 k _ 2"], other: Float[np.ndarray, "2 _ n 2"]
) -> Float[np.ndarray, "k n"]:
    """Area of the intersection of two boxes [low, high], divided by that of their union."""
    sides = np.minimum(one[1], other[1]) - np.maximum(one[0], other[0])
    common = np.prod(np.maximum(sides, 0), axis=-1)
    union = np.prod(one[1] - one[0], axis=-1) + np.prod(other[1] - other[0], axis=-1) - common
    return np.where(union > 0, common / np.where(union > 0, union, 1), 0.0)


def _paired(costs: Float[np.ndarray, "k n"], reach: float) -> list[tuple[int, int]]:
    """Rows and columns, at most `reach` apart: as many pairs as there can be, and of these the
    nearest.
    """
    from scipy.optimize import linear_sum_assignment  # JAX needs it too

    allowed = costs <= reach
    rows, columns = linear_sum_assignment(np.where(allowed, costs, _UNMATCHABLE))
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if allowed[i, j]]
