"""Live sources that reconnect: a camera or stream is reopened after an interruption."""

import time
from collections.abc import Callable, Iterator

from jaxact.errors import UserError
from jaxact.streaming.frame import Frame
from jaxact.streaming.video_decoding import TIMEOUT, error_text

_FIRST_WAIT = 0.5  # seconds before the first attempt to reconnect; doubled after each


class LiveFrames:
    """Frames of a source that may disconnect; it is reopened until the patience is exhausted.

    Attributes:
        name: name of the source in notes.
    """

    def __init__(
        self,
        connect: Callable[[], Iterator[Frame]],
        *,
        name: str,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Stores how to connect; nothing is opened yet.

        Args:
            connect: opens the source and yields its frames; raises an OSError when it disconnects.
            name: name of the source in notes.
            patience: seconds after which an interrupted source is given up.
            clock: seconds.
            sleep: waits for some seconds.
        """
        self.name = name
        self._connect, self._patience, self._clock, self._sleep = connect, patience, clock, sleep

    def __iter__(self) -> Iterator[Frame]:
        """Yields frames; numbers and times continue across interruptions.

        Raises:
            UserError: the source cannot be opened in the first place.
        """
        number, wait = 0, _FIRST_WAIT
        start: float | None = None  # time of the first frame
        lost_at: float | None = None  # time of the interruption
        while True:
            try:
                for frame in self._connect():
                    current = self._clock()
                    if start is None:
                        start = current
                    if lost_at is not None and frame.image is not None:
                        note = f"{self.name} is back after {current - lost_at:.1f} s"
                        yield Frame(number, current - start, note=note)
                        lost_at, wait = None, _FIRST_WAIT
                    yield frame._replace(number=number, time=current - start)
                    number += 1
                return  # the source has an end
            except OSError as error:  # includes PyAV's errors and ConnectionError
                reason = error_text(error)
                if start is None:
                    raise UserError(f"{self.name!r} cannot be opened: {reason}") from error
                current = self._clock()
                if lost_at is None:
                    lost_at = current
                    yield Frame(number, current - start, note=f"{self.name} is gone: {reason}")
            if current - lost_at >= self._patience:
                note = f"{self.name} did not come back within {self._patience:g} s"
                yield Frame(number, current - start, note=note)
                return
            self._sleep(min(wait, self._patience))
            wait = min(2 * wait, TIMEOUT)
