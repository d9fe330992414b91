"""Tracking of the people in a stream: an id per person, smoothed joints, and a rank.

poses of a frame -> tracks -> stitched tracks -> smoothed joints -> ranks
"""

from collections.abc import Collection

import numpy as np
from jaxtyping import Float

from jaxact.skeletons.one_euro_filter import FilterState, smooth_joints
from jaxact.skeletons.track_stitching import stitch_tracks
from jaxact.skeletons.tracking import Tracks, update_tracks
from jaxact.streaming.person_ranking import PersonRanking

MAX_TRACKS = 64  # tracked people, including those out of sight
_NO_LIMIT = 1 << 30  # frames; tracks end by their time

Poses = dict[int, Float[np.ndarray, "v 3"]]


class PersonTracker:
    """Follows everybody through the frames of a stream; a track ends `patience` s after a pose.

    Attributes:
        patience: seconds for which a person out of sight is tracked.
        smooth: whether joints are smoothed over time.
    """

    def __init__(self, *, patience: float, smooth: bool) -> None:
        """Starts without people.

        Args:
            patience: seconds for which a person out of sight is tracked.
            smooth: whether joints are smoothed over time.
        """
        self.patience, self.smooth = patience, smooth
        self._tracks = Tracks()
        self._stitched = 0
        self._last_seen: dict[int, float] = {}
        self._filters: dict[int, FilterState] = {}
        self._ranking = PersonRanking()

    @property
    def people_count(self) -> int:
        """Number of different people so far."""
        return self._tracks.next_id - self._stitched

    @property
    def ids(self) -> Collection[int]:
        """Ids of the tracked people, including those out of sight."""
        return self._last_seen.keys()

    def order(self, limit: int) -> list[int]:
        """Ids of at most `limit` tracked people, the most important first."""
        return self._ranking.order(limit)

    def restart(self) -> None:
        """Drops every track; new ids continue the old ones."""
        self._tracks = Tracks(next_id=self._tracks.next_id)
        self._last_seen, self._filters, self._ranking = {}, {}, PersonRanking()

    def update(
        self, poses: Float[np.ndarray, "n v 3"], time: float, height: float
    ) -> dict[int, Float[np.ndarray, "v 3"]]:
        """Reads the poses of a frame.

        Args:
            poses: x, y in pixels, and a score; zero where missing.
            time: seconds, above those of the frames before.
            height: height of the image in pixels; distances are measured in image heights, so that
                tracks continue when the image size changes.

        Returns:
            id -> pose of this frame, its joints smoothed over time.
        """
        scaled = poses / np.array([height, height, 1], np.float32)
        ids = self._match(scaled, time)
        people = {}
        for person, pose in zip(ids, scaled, strict=True):
            if person in self._last_seen:
                people[person] = self._smoothed(person, pose, time) if self.smooth else pose
        self._ranking.update(people, time)
        restored = {}
        for person, pose in people.items():
            restored[person] = (pose * (height, height, 1)).astype(np.float32)
        return restored

    def _match(self, poses: Float[np.ndarray, "n v 3"], time: float) -> list[int]:
        """Updates the tracks; returns the id of each pose."""
        first_new_id = self._tracks.next_id
        tracks, assigned = update_tracks(self._tracks, poses, patience=_NO_LIMIT, score=True)
        tracks, continued = stitch_tracks(tracks, first_new_id)
        self._stitched += len(continued)
        ids: list[int] = []
        for person in map(int, assigned):
            ids.append(continued.get(person, person))
        self._last_seen.update({person: time for person in ids if person >= 0})
        alive = []
        for track in sorted(tracks.held, key=lambda track: (track.missed, track.id)):
            if time - self._last_seen[track.id] <= self.patience:
                alive.append(track)
        alive = sorted(alive[:MAX_TRACKS], key=lambda track: track.id)
        self._tracks = tracks._replace(held=tuple(alive))
        self._drop({track.id for track in alive})
        return ids

    def _drop(self, alive: Collection[int]) -> None:
        """Drops the state of everybody else."""
        self._last_seen = {id: time for id, time in self._last_seen.items() if id in alive}
        self._filters = {id: state for id, state in self._filters.items() if id in alive}
        self._ranking.keep_only(alive)

    def _smoothed(
        self, person: int, pose: Float[np.ndarray, "v 3"], time: float
    ) -> Float[np.ndarray, "v 3"]:
        present = pose[:, 2] > 0
        state = smooth_joints(self._filters.get(person), pose[:, :2], present, time)
        self._filters[person] = state
        smoothed = pose.copy()
        smoothed[present, :2] = state.positions[present]
        return smoothed
