"""Frames decoded by PyAV, packet by packet, with a note for each one that is damaged."""

import re
from collections.abc import Iterator
from typing import Any

from jaxact.errors import UserError
from jaxact.streaming.frame import Frame

TIMEOUT = 10.0  # seconds for opening a stream, and for each packet
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_url(name: str) -> bool:
    """Whether the name of a source is a URL."""
    return _URL.match(name) is not None


def error_text(error: OSError) -> str:
    """Returns the message of an error, or its type where it has none."""
    return error.strerror or str(error) or type(error).__name__


def decode_frames(name: str, options: dict[str, Any]) -> Iterator[Frame]:
    """Decodes the video of a file, device or URL.

    Args:
        name: what to open.
        options: further options of `av.open`.

    Raises:
        OSError: it cannot be opened or read further, or an endless stream has ended.
        UserError: it has no video track.
    """
    from jaxact.datasets.formats import video_file

    av = video_file.need_av()
    try:
        with video_file.open_container(name, timeout=TIMEOUT, **options) as container:
            stream = container.streams.best("video")
            if stream is None:
                raise UserError(f"{name!r} holds no video")
            number, seconds = 0, 0.0
            for frame in _decode_packets(container, stream):
                yield frame
                number, seconds = frame.number + 1, frame.time
            duration = (container.duration or 0) / av.time_base
            tolerance = max(video_file.MAX_MISSING * duration, video_file.MIN_MISSING_SECONDS)
            if number > 1 and duration - seconds > tolerance:
                note = f"it is cut off after {seconds:.1f} of {duration:.1f} s"
                yield Frame(number, seconds, note=note)
            endless = is_url(name) and container.duration is None
    except av.FFmpegError as error:
        raise OSError(error.strerror or str(error)) from error
    if endless:
        raise ConnectionError("it sends no more frames")


def _decode_packets(container: Any, stream: Any) -> Iterator[Frame]:
    """Decodes packets; one that cannot be decoded gives a frame with a note."""
    from jaxact.datasets.formats import video_file

    av = video_file.need_av()
    number, first_time, seconds = 0, None, 0.0
    for packet in container.demux(stream):
        try:
            decoded = packet.decode()
        except av.FFmpegError as error:
            note = f"frame {number} cannot be decoded: {error.strerror}"
            yield Frame(number, seconds, note=note)
            number += 1
            continue
        for frame in decoded:
            time = frame.time
            if time is None:
                time = number / float(stream.average_rate or 25)
            if first_time is None:
                first_time = time
            seconds = time - first_time
            note = f"frame {number} is damaged" if frame.is_corrupt else ""
            image = video_file.upright(frame).to_ndarray(format="rgb24")
            yield Frame(number, seconds, image, note=note)
            number += 1
