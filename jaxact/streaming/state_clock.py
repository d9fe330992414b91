"""The clock of a network with a state: frames at its own rate from frames at any times."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from jaxact.streaming.frame_rate_conversion import TOLERANCE, convert_frame_rate

MAX_GAP = 2.0  # seconds; a longer gap is shortened to it


class StateClock:
    """Converts frames to a constant rate, one after the other.

    A source of fewer frames per second gives interpolated ones in between; of a faster source, some
    frames are left out. The first frame is always read.
    """

    def __init__(self, fps: float) -> None:
        """Starts before the first frame.

        Args:
            fps: frames per second that the network reads.
        """
        self._period = 1 / fps
        self._next_time = 0.0
        self._last: tuple[float, Float[np.ndarray, "n v c"]] | None = None

    def frames(
        self, time: float, joints: Float[np.ndarray, "n v c"]
    ) -> Iterator[Float[np.ndarray, "n v c"]]:
        """Yields the frames that are due at this time.

        Args:
            time: seconds, above those of the frames before.
            joints: joints of some people; zero where missing.
        """
        if self._last is None:
            self._last, self._next_time = (time, joints), time + self._period
            yield joints
            return
        last_time, last_joints = self._last
        self._last = time, joints
        self._next_time = max(self._next_time, time - MAX_GAP)
        due = []
        while self._next_time <= time + TOLERANCE:
            due.append(min(self._next_time, time))
            self._next_time += self._period
        if not due:
            return
        people = []
        for before, after in zip(last_joints, joints, strict=True):
            both = np.stack([before, after])
            people.append(convert_frame_rate(both, [last_time, time], np.array(due)))
        yield from np.stack(people, axis=1)
