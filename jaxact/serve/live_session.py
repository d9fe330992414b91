"""The session of one camera: its stream processor, its clock, and the frame in processing."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from jaxact.errors import UserError
from jaxact.serve.live_frame import decode_jpeg, result_json
from jaxact.streaming.frame import Frame
from jaxact.streaming.processor import StreamProcessor


class LiveSession:
    """The session of one camera.

    Attributes:
        processor: tracks and classifies its people.
        last_used: time of its last request, in seconds of the server's clock.
        running: the frame in processing; None while there is none.
    """

    def __init__(self, processor: StreamProcessor, labels: Sequence[str], now: float) -> None:
        self.processor = processor
        self.last_used = now
        self.running: asyncio.Future[Any] | None = None
        self._labels = labels
        self._frames = 0
        self._start_time = 0.0
        self._last_time = 0.0

    def process(self, content: bytes, seconds: float, *, max_side: int) -> dict[str, Any]:
        """Processes the next frame; runs in a worker thread.

        Args:
            content: a JPEG file.
            seconds: time of the frame by the camera's clock.
            max_side: largest width and height in pixels.

        Returns:
            See `result_json`; also `frame` (its number), and `seconds` of each stage.

        Raises:
            UserError: no readable JPEG, or a time before that of the previous frame.
        """
        start = time.perf_counter()
        image = decode_jpeg(content, max_side=max_side)
        stages = {"read": time.perf_counter() - start}
        before = self._stage_seconds()
        result = self.processor.process(Frame(self._frames, self._advance(seconds), image))
        for stage, total in self._stage_seconds().items():
            stages[stage] = total - before.get(stage, 0.0)
        values = {
            "frame": self._frames,
            "seconds": {stage: round(value, 5) for stage, value in stages.items()},
            **result_json(result, self._labels),
        }
        self._frames += 1
        return values

    def _advance(self, seconds: float) -> float:
        """Returns the seconds from the first frame."""
        if not self._frames:
            self._start_time = self._last_time = seconds
        if seconds < self._last_time:
            raise UserError(
                f"the frame is of {seconds:g} s, but the one before it of {self._last_time:g} s; "
                "wanted frames in order"
            )
        self._last_time = seconds
        return seconds - self._start_time

    def _stage_seconds(self) -> dict[str, float]:
        seconds = dict(self.processor.seconds)
        if self.processor.estimator is not None:
            seconds |= self.processor.estimator.seconds
        return seconds
