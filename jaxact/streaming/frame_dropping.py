"""Frames that come by themselves: the newest is taken, those that nobody was ready for are dropped
and counted.

`Latest` is for a camera or a stream, whose frames a thread takes off it; `Paced` plays a file as if
it were one.
"""

import collections
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from jaxact.streaming.frame import Shot

NOTES = 64  # notes that wait to be read at most, the newest


class Latest:
    """The newest shot of a source at every time that one is asked for.

    Attributes:
      dropped: frames that a newer one has taken the place of.
    """

    def __init__(self, shots: Iterable[Shot]) -> None:
        self.dropped = 0
        self._shots, self._held, self._notes = shots, None, collections.deque(maxlen=NOTES)
        self._ready, self._ended, self._error = threading.Condition(), False, None

    def put(self, shot: Shot) -> None:
        """Takes a shot off the source; one that holds only a note waits for its turn."""
        with self._ready:
            if shot.picture is None and shot.people is None:
                self._notes.append(shot)
            else:
                self.dropped += self._held is not None
                self._held = shot
            self._ready.notify()

    def end(self, error: BaseException | None = None) -> None:
        """Nothing more comes, because of `error` where there is one."""
        with self._ready:
            self._ended, self._error = True, error
            self._ready.notify()

    def __iter__(self) -> Iterator[Shot]:
        """Starts to read the source.

        Raises:
          Exception: whatever the source raised, after its last shot.
        """
        threading.Thread(target=self._read, daemon=True).start()
        try:
            while (shot := self._next()) is not None:
                yield shot
        finally:
            self._ended = True  # and so the thread
        if self._error is not None:
            raise self._error

    def _read(self) -> None:
        try:
            for shot in self._shots:
                if self._ended:
                    return
                self.put(shot)
        except Exception as error:  # raised where the shots are read
            self.end(error)
        else:
            self.end()

    def _next(self) -> Shot | None:
        with self._ready:
            while not (self._notes or self._held or self._ended):
                self._ready.wait(1.0)  # so that Ctrl-C is heard
            if self._notes:
                return self._notes.popleft()
            shot, self._held = self._held, None
            return shot


class Paced:
    """Shots at the time at which they are due; those whose time has passed are left out.

    Attributes:
      dropped: frames left out.
      late: seconds after which a frame's time has passed.
    """

    def __init__(
        self,
        shots: Iterable[Shot],
        *,
        late: float = 0.04,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.dropped, self.late = 0, late
        self._shots, self._clock, self._sleep = shots, clock, sleep

    def __iter__(self) -> Iterator[Shot]:
        """The first shot is due at once."""
        begun = None
        for shot in self._shots:
            now = self._clock()
            begun = now - shot.time if begun is None else begun
            ahead = begun + shot.time - now
            if ahead < -self.late and not shot.note:
                self.dropped += 1
                continue
            if ahead > 0:
                self._sleep(ahead)
            yield shot
