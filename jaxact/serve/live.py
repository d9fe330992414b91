"""Sessions of cameras, with limits on their number, on a frame's time and on idle time.

Methods run on the event loop; frames are processed in worker threads.
"""

import asyncio
import concurrent.futures
import secrets
import time
from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException

from jaxact.errors import UserError
from jaxact.runs.trained_model import TrainedModel
from jaxact.serve.estimator_pool import EstimatorPool
from jaxact.serve.limits import Limits
from jaxact.serve.live_frame import layout_json
from jaxact.serve.live_session import LiveSession
from jaxact.streaming.processor import StreamProcessor
from jaxact.streaming.recognition import make_processor


class LiveSessions:
    """The cameras in processing."""

    def __init__(
        self,
        pool: EstimatorPool,
        net: TrainedModel,
        limits: Limits,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Starts without a session.

        Args:
            pool: lends every session a pose estimator.
            net: the network.
            limits: see `Limits`.
            clock: seconds.
        """
        self._pool, self._net, self._limits, self._clock = pool, net, limits, clock
        self._sessions: dict[str, LiveSession] = {}
        self._opening = 0
        self._workers = concurrent.futures.ThreadPoolExecutor(limits.sessions, "jaxact-live")

    def __len__(self) -> int:
        return len(self._sessions)

    async def __aenter__(self) -> "LiveSessions":
        self._closing = asyncio.create_task(self._keep_closing_idle())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.cancel()
        self._workers.shutdown(wait=False, cancel_futures=True)

    async def open(self) -> dict[str, Any]:
        """Opens a session.

        Returns:
            Its key, `session`, and the layout of its people; see `layout_json`.

        Raises:
            HTTPException: the limit of sessions is reached.
        """
        self.close_idle()
        count = len(self._sessions) + self._opening
        if count >= self._limits.sessions:
            raise HTTPException(
                503, f"the server is processing {count} cameras, its limit; try again later"
            )
        self._opening += 1
        loop = asyncio.get_running_loop()
        try:
            processor = await loop.run_in_executor(self._workers, self._open_processor)
        finally:
            self._opening -= 1
        key = secrets.token_urlsafe(16)
        self._sessions[key] = LiveSession(processor, self._net.labels, self._clock())
        return {"session": key, **layout_json(processor.layout)}

    def check(self, key: str) -> LiveSession:
        """Returns the session that can process a frame now.

        Raises:
            HTTPException: no such session, or its previous frame is in processing.
        """
        session = self._sessions.get(key)
        if session is None:
            raise HTTPException(
                404,
                "no such session; a session ends when it is closed, and after "
                f"{self._limits.idle:g} seconds without a frame",
            )
        if session.running is not None:
            raise HTTPException(409, "the previous frame is still in processing; try again later")
        return session

    async def process(self, key: str, content: bytes, seconds: float | None) -> dict[str, Any]:
        """Processes a frame.

        Args:
            key: key of the session.
            content: a JPEG file.
            seconds: time of the frame by the camera's clock; None for its arrival.

        Returns:
            See `LiveSession.process`.

        Raises:
            UserError: see `LiveSession.process`.
            HTTPException: see `check`; or the frame takes too long.
        """
        session = self.check(key)
        session.last_used = self._clock()
        if seconds is None:
            seconds = session.last_used
        side, timeout = self._limits.frame_side, self._limits.timeout

        def work() -> dict[str, Any]:
            return session.process(content, seconds, max_side=side)

        running = asyncio.get_running_loop().run_in_executor(self._workers, work)
        session.running = running
        running.add_done_callback(lambda _: self._finish(key, session))
        try:
            return await asyncio.wait_for(asyncio.shield(running), timeout)
        except TimeoutError:
            raise HTTPException(
                504, f"the frame was not processed within {timeout:g} seconds"
            ) from None

    def close(self, key: str) -> None:
        """Closes a session, if there is one; a frame in processing is finished first."""
        session = self._sessions.pop(key, None)
        if session is not None and session.running is None:
            self._release(session)

    def close_idle(self) -> None:
        """Closes the sessions without a frame for `Limits.idle` seconds."""
        oldest = self._clock() - self._limits.idle
        for key, session in list(self._sessions.items()):
            if session.last_used < oldest and session.running is None:
                self.close(key)

    async def _keep_closing_idle(self) -> None:
        while True:
            await asyncio.sleep(self._limits.idle / 4)
            self.close_idle()

    def _finish(self, key: str, session: LiveSession) -> None:
        """Ends a frame; the processor of a closed session is released, a failed one dropped."""
        running, session.running = session.running, None
        session.last_used = self._clock()
        error = None
        if running is not None and not running.cancelled():
            error = running.exception()
        if error is not None and not isinstance(error, UserError):
            self._sessions.pop(key, None)
        elif self._sessions.get(key) is not session:
            self._release(session)

    def _open_processor(self) -> StreamProcessor:
        estimator = self._pool.acquire()
        return make_processor(estimator=estimator, net=self._net)

    def _release(self, session: LiveSession) -> None:
        assert session.processor.estimator is not None
        self._pool.release(session.processor.estimator)
