"""Tracks persons from frame to frame: each pose gets the id of the person that it continues.

    tracks, poses of a frame [n v c] -> tracks, ids [n]

A track predicts the position of its person from their speed, so people who cross keep their ids. A
track without a pose survives for some frames, so a person who was occluded gets the same id back.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from jaxact.errors import UserError, unknown

MEASURES = ("joints", "iou")
NO_ID = -1  # the id of a pose without a joint
SPEED_DECAY = 0.8  # factor on the speed of an occluded person per frame: five frames' way in all
SPEED_MOMENTUM = 0.5  # share of the old speed in the new one
_UNMATCHABLE = 1e6  # cost of a forbidden pair; higher than the sum of any number of allowed pairs


class Track(NamedTuple):
    """One person.

    Attributes:
        id: never given to another person.
        joints: last known x and y of each joint.
        present: joints that were detected at least once.
        speed: mean speed of the joints, in units of the joints per frame.
        missed: frames since the last pose.
    """

    id: int
    joints: Float[np.ndarray, "v 2"]
    present: Bool[np.ndarray, " v"]
    speed: Float[np.ndarray, "2"]
    missed: int


class Tracks(NamedTuple):
    """Every tracked person, and the id of the next new person."""

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
    """Assigns the poses of a frame to tracks.

    As many poses and tracks as possible are paired within `reach`, with the least sum of distances.
    A pose without a track starts a new one. A track without a pose waits.

    Args:
        tracks: the tracks after the previous frame; `Tracks()` before the first.
        poses: joints of the people in this frame, in any order; x and y first, missing ones zero.
        measure: "joints" is the mean distance between joints that both have, divided by the
          diagonal of the larger bounding box. "iou" is 1 - the intersection over union of the
          bounding boxes.
        reach: largest distance at which a pose continues a track.
        patience: number of frames without a pose after which a track ends.
        score: whether the last channel is a score, which is zero where a joint is missing.

    Returns:
        The tracks after this frame, and the id of each pose; -1 for a pose without a joint.

    Raises:
        UserError: an unknown measure, or poses with another number of joints than before.
    """
    if measure not in MEASURES:
        raise unknown("measure", measure, MEASURES)
    for track in tracks.held[:1]:
        if len(track.joints) != poses.shape[1]:
            raise UserError(
                f"poses of {poses.shape[1]} joints after poses of {len(track.joints)}; "
                "wanted the same"
            )
    positions = poses[..., :2].astype(np.float64)
    detected = poses[..., -1] > 0 if score else np.any(positions != 0, axis=-1)
    candidates = np.flatnonzero(detected.any(axis=1))  # poses with a joint
    matches: dict[int, int] = {}  # index of a track -> index of a candidate
    if tracks.held and len(candidates):
        costs = _distances(tracks.held, positions[candidates], detected[candidates], measure)
        matches = dict(_match(costs, reach))

    ids: Int[np.ndarray, " n"] = np.full(len(poses), NO_ID)
    updated, next_id = [], tracks.next_id
    for index, track in enumerate(tracks.held):
        if index in matches:
            pose = candidates[matches[index]]
            ids[pose] = track.id
            updated.append(_continue(track, positions[pose], detected[pose]))
        elif track.missed < patience:
            updated.append(track._replace(missed=track.missed + 1))
    for pose in candidates[ids[candidates] == NO_ID]:
        ids[pose] = next_id
        updated.append(Track(next_id, positions[pose], detected[pose], np.zeros(2), 0))
        next_id += 1
    return Tracks(tuple(updated), next_id), ids


def _predicted_shift(track: Track) -> np.ndarray:
    """Distance from the last pose to now: speed * (1 + 0.8 + 0.8^2 ...), a term per frame."""
    return track.speed * (1 - SPEED_DECAY ** (track.missed + 1)) / (1 - SPEED_DECAY)


def _continue(track: Track, positions: np.ndarray, detected: np.ndarray) -> Track:
    """The track with the pose that continues it."""
    both = track.present & detected
    shift: np.ndarray | float = 0.0
    speed = track.speed
    if both.any():
        shift = np.mean(positions[both] - track.joints[both], axis=0)
        speed = SPEED_MOMENTUM * speed + (1 - SPEED_MOMENTUM) * (shift / (track.missed + 1))
    # Joints that are not detected move with the others.
    joints = np.where(detected[:, None], positions, track.joints + shift)
    return Track(track.id, joints, track.present | detected, speed, 0)


def _distances(
    tracks: Sequence[Track],
    positions: Float[np.ndarray, "n v 2"],
    detected: Bool[np.ndarray, "n v"],
    measure: str,
) -> Float[np.ndarray, "k n"]:
    """The distance between the predicted position of each person and each pose."""
    predicted = np.stack([track.joints + _predicted_shift(track) for track in tracks])
    present = np.stack([track.present for track in tracks])
    track_boxes = _bounding_boxes(predicted[:, None], present[:, None])
    pose_boxes = _bounding_boxes(positions[None], detected[None])
    if measure == "iou":
        return 1 - _overlap(track_boxes, pose_boxes)
    both = present[:, None] & detected
    distance = np.sum(np.linalg.norm(predicted[:, None] - positions, axis=-1) * both, axis=-1)
    track_diagonal = np.linalg.norm(track_boxes[1] - track_boxes[0], axis=-1)
    pose_diagonal = np.linalg.norm(pose_boxes[1] - pose_boxes[0], axis=-1)
    size = np.maximum(track_diagonal, pose_diagonal)
    count = both.sum(axis=-1)
    return np.where(count, distance / np.maximum(count, 1) / np.maximum(size, 1e-9), _UNMATCHABLE)


def _bounding_boxes(
    positions: Float[np.ndarray, "k n v 2"], present: Bool[np.ndarray, "k n v"]
) -> Float[np.ndarray, "2 k n 2"]:
    """The [low, high] corners of the joints that are present."""
    low = np.where(present[..., None], positions, np.inf).min(axis=2)
    high = np.where(present[..., None], positions, -np.inf).max(axis=2)
    return np.stack([low, high])


def _overlap(
    one: Float[np.ndarray, "2 k _ 2"], other: Float[np.ndarray, "2 _ n 2"]
) -> Float[np.ndarray, "k n"]:
    """Intersection over union of boxes [low, high]."""
    sides = np.minimum(one[1], other[1]) - np.maximum(one[0], other[0])
    intersection = np.prod(np.maximum(sides, 0), axis=-1)
    areas = np.prod(one[1] - one[0], axis=-1) + np.prod(other[1] - other[0], axis=-1)
    union = areas - intersection
    return np.where(union > 0, intersection / np.where(union > 0, union, 1), 0.0)


def _match(costs: Float[np.ndarray, "k n"], reach: float) -> list[tuple[int, int]]:
    """Pairs rows with columns: as many pairs as possible within `reach`, at the least cost."""
    from scipy.optimize import linear_sum_assignment  # SciPy comes with JAX

    allowed = costs <= reach
    rows, columns = linear_sum_assignment(np.where(allowed, costs, _UNMATCHABLE))
    pairs = []
    for row, column in zip(rows, columns, strict=True):
        if allowed[row, column]:
            pairs.append((int(row), int(column)))
    return pairs
