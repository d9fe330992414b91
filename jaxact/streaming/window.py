"""The window of a stream: the last seconds of some people, as a record of the training data.

{id: frames with times} -> the same frame rate as the training data -> record [s n v c]
"""

import collections
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxact.streaming.frame_rate_conversion import convert_frame_rate, frame_times

Joints = Float[np.ndarray, "v c"]


def window_seconds(clip: Mapping[str, Any]) -> float:
    """Seconds that a window holds: `clip.seconds`, or else `clip.frames` at `clip.fps`."""
    return clip["seconds"] or clip["frames"] / clip["fps"]


class SlidingWindow:
    """The last seconds of every person.

    Attributes:
        seconds: length.
        fps: frame rate of the training data.
    """

    def __init__(self, *, seconds: float, fps: float) -> None:
        """Starts empty.

        Args:
            seconds: length of the window.
            fps: frames per second of the training data.
        """
        self.seconds, self.fps = seconds, fps
        self._limit = max(round(seconds * fps), 1)
        self._history: dict[int, collections.deque[tuple[float, Joints]]] = {}

    def add(self, time: float, people: Mapping[int, Joints]) -> None:
        """Adds a frame.

        Args:
            time: seconds, above those of the frames before.
            people: id -> joints, zero where missing.
        """
        for person, joints in people.items():
            history = self._history.setdefault(person, collections.deque())
            history.append((time, joints))
            # The last frame before the window remains: times inside it are interpolated from it.
            while len(history) > 2 and history[1][0] < time - self.seconds:
                history.popleft()

    def keep_only(self, ids: Collection[int]) -> None:
        """Drops all other people."""
        self._history = {id: history for id, history in self._history.items() if id in ids}

    def __contains__(self, person: int) -> bool:
        return person in self._history

    def record(self, ids: Sequence[int]) -> Float[np.ndarray, "s n v c"]:
        """The frames of some people at the frame rate of the training data.

        The last one is the newest frame. The first one is the oldest in the window in which one of
        the people was tracked. A person is missing in frames before their first one.
        """
        histories = [self._history[person] for person in ids]
        first = min(history[0][0] for history in histories)
        last = max(history[-1][0] for history in histories)
        times = frame_times(first, last, fps=self.fps, limit=self._limit)
        people = []
        for history in histories:
            frames = np.stack([joints for _, joints in history])
            people.append(convert_frame_rate(frames, [time for time, _ in history], times))
        return np.stack(people, axis=1)
