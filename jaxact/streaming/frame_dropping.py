"""Frame dropping: real-time sources whose frames are skipped while the previous one is processed.

`LatestFrames` reads a camera or a stream in a thread; `PacedFrames` plays a file in real time.
"""

import collections
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from jaxact.streaming.frame import Frame

MAX_NOTES = 64  # unread notes; older ones are dropped


class LatestFrames:
    """Yields the newest frame of a source whenever the next frame is requested.

    Attributes:
        dropped: frames that were replaced by a newer one.
    """

    def __init__(self, frames: Iterable[Frame]) -> None:
        self.dropped = 0
        self._frames = frames
        self._latest: Frame | None = None
        self._notes: collections.deque[Frame] = collections.deque(maxlen=MAX_NOTES)
        self._changed = threading.Condition()
        self._ended = False
        self._error: BaseException | None = None

    def put(self, frame: Frame) -> None:
        """Adds a frame of the source. A frame with only a note is queued and never replaced."""
        with self._changed:
            if frame.image is None and frame.poses is None:
                self._notes.append(frame)
            else:
                self.dropped += self._latest is not None
                self._latest = frame
            self._changed.notify()

    def end(self, error: BaseException | None = None) -> None:
        """Marks the end of the source, with the error that caused it, if any."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify()

    def __iter__(self) -> Iterator[Frame]:
        """Starts the thread that reads the source.

        Raises:
            Exception: the source's own, after its last frame.
        """
        threading.Thread(target=self._read, daemon=True).start()
        try:
            while (frame := self._next()) is not None:
                yield frame
        finally:
            self._ended = True  # ends the thread
        if self._error is not None:
            raise self._error

    def _read(self) -> None:
        try:
            for frame in self._frames:
                if self._ended:
                    return
                self.put(frame)
        except Exception as error:  # raised in the thread that iterates
            self.end(error)
        else:
            self.end()

    def _next(self) -> Frame | None:
        with self._changed:
            while not (self._notes or self._latest or self._ended):
                self._changed.wait(1.0)  # a timeout lets Ctrl-C through
            if self._notes:
                return self._notes.popleft()
            frame, self._latest = self._latest, None
            return frame


class PacedFrames:
    """Yields frames at their own times, and drops those that are late.

    Attributes:
        dropped: number of dropped frames.
        late: seconds after its time at which a frame is dropped.
    """

    def __init__(
        self,
        frames: Iterable[Frame],
        *,
        late: float = 0.04,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.dropped, self.late = 0, late
        self._frames, self._clock, self._sleep = frames, clock, sleep

    def __iter__(self) -> Iterator[Frame]:
        """Starts the clock at the first frame."""
        start = None
        for frame in self._frames:
            elapsed = self._clock()
            if start is None:
                start = elapsed - frame.time
            delay = start + frame.time - elapsed
            if delay < -self.late and not frame.note:
                self.dropped += 1
                continue
            if delay > 0:
                self._sleep(delay)
            yield frame
