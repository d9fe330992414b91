"""Limits of the server."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of the server.

    Attributes:
        max_bytes: largest size of an upload.
        timeout: seconds for receiving an upload, then for waiting, then for its prediction; and for
            receiving, and then for processing, a frame of a camera.
        concurrent: uploads that are predicted at the same time.
        queued: uploads that may wait in addition.
        sessions: cameras that are processed at the same time.
        idle: seconds without a frame after which a camera's session ends.
        frame_bytes: largest size of a frame.
        frame_side: largest width and height of a frame in pixels.
    """

    max_bytes: int = 64_000_000
    timeout: float = 60.0
    concurrent: int = 2
    queued: int = 8
    sessions: int = 4
    idle: float = 30.0
    frame_bytes: int = 2_000_000
    frame_side: int = 1920
