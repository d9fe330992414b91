"""Ranking of the people in a stream: those who move and fill the picture come first."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

TIME_CONSTANT = 1.0  # seconds over which position, size and visibility are averaged
MOTION_WEIGHT = 4.0  # of the variance over time, beside the variance over joints
LEAD = 1.2  # how much higher a rank must be to overtake


class _Statistics(NamedTuple):
    """Running averages of one person, positions in image heights.

    Attributes:
        visible: share of the recent time in which the person was visible.
        size: variance of the joints about their centroid.
        mean: position of each joint.
        variance: variance of each joint over time, summed over the axes.
        known: joints that had a position in some frame.
    """

    visible: float
    size: float
    mean: Float[np.ndarray, "v 2"]
    variance: Float[np.ndarray, " v"]
    known: Bool[np.ndarray, " v"]


class PersonRanking:
    """Ranks people by how much they move and fill the picture.

    The rank is

        visible * sqrt(size + MOTION_WEIGHT * motion)

    where `size` is the variance of a person's joints about their centroid, `motion` is the variance
    of a joint's position over time, averaged over the joints, and `visible` is the share of time in
    which the person is visible. These are averages over about `TIME_CONSTANT` seconds. With a
    weight of 1, size + motion is the variance over frames and joints together, by which 2s-AGCN
    selects the bodies of a clip (`pipeline.person_selection.energy`). A person who is followed
    keeps their rank until another one exceeds it `LEAD` times.
    """

    def __init__(self) -> None:
        self._statistics: dict[int, _Statistics] = {}
        self._order: list[int] = []
        self._time: float | None = None

    def update(self, people: dict[int, Float[np.ndarray, "v 3"]], time: float) -> None:
        """Reads the poses of a frame.

        Args:
            people: id -> x, y in image heights, and a score; zero where missing.
            time: seconds, above those of the frames before.
        """
        seconds = 1 / 30
        if self._time is not None:
            seconds = time - self._time
        self._time = time
        weight = 1 - np.exp(-seconds / TIME_CONSTANT)
        for person, statistics in self._statistics.items():
            visible = (1 - weight) * statistics.visible
            self._statistics[person] = statistics._replace(visible=visible)
        for person, pose in people.items():
            present = pose[:, 2] > 0
            if present.any():
                previous = self._statistics.get(person)
                self._statistics[person] = _update(previous, pose[:, :2], present, weight)

    def keep_only(self, ids: Collection[int]) -> None:
        """Drops all other people."""
        self._statistics = {id: each for id, each in self._statistics.items() if id in ids}

    def importance(self, person: int) -> float:
        """The rank of a person; 0 for one without a pose."""
        statistics = self._statistics.get(person)
        if statistics is None:
            return 0.0
        motion = statistics.variance[statistics.known].mean()
        return statistics.visible * float(np.sqrt(statistics.size + MOTION_WEIGHT * motion))

    def order(self, limit: int) -> list[int]:
        """The ids of at most `limit` people, the most important first.

        The lower id wins ties.
        """
        ranks = {}
        for person in self._statistics:
            lead = LEAD if person in self._order else 1.0
            ranks[person] = lead * self.importance(person)
        ordered = sorted(ranks, key=lambda person: (-ranks[person], person))
        self._order = ordered[:limit]
        return self._order


def _update(
    previous: _Statistics | None,
    positions: Float[np.ndarray, "v 2"],
    present: Bool[np.ndarray, " v"],
    weight: float,
) -> _Statistics:
    """Adds a frame: mean m += a d and variance (1 - a) (v + a d^2), where d = x - m."""
    centroid = positions[present].mean(axis=0)
    size = float(np.square(positions[present] - centroid).sum(axis=1).mean())
    if previous is None:
        return _Statistics(weight, size, positions, np.zeros(len(positions)), present)
    starts = present & ~previous.known
    continues = (present & previous.known)[:, None]
    mean = np.where(starts[:, None], positions, previous.mean)
    step = np.where(continues, positions - mean, 0.0)
    variance = previous.variance + weight * np.square(step).sum(axis=1)
    variance = np.where(continues[:, 0], (1 - weight) * variance, previous.variance)
    return _Statistics(
        previous.visible + weight,
        previous.size + weight * (size - previous.size),
        mean + weight * step,
        variance,
        previous.known | present,
    )
