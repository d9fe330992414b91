"""Decodes video files into upright frames.

Every format that ffmpeg reads is supported. Frames are not resampled in time: they are those of the
file, each with the time at which it is shown, so that a variable frame rate needs no special case.
Pixels are assumed to be square. Decoding a file uses one core; many files are decoded in parallel.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float32

from jaxact.errors import UserError, missing_extra

# fmt: off
# Suffixes of videos in a folder. A file that a table names may have any suffix.
SUFFIXES = (
    ".3gp", ".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts",
    ".webm", ".wmv",
)
# fmt: on
MAX_DAMAGED = 0.1  # fraction of concealed frames above which a file is rejected
MAX_MISSING = 0.1  # fraction of the stated duration above which a file counts as cut off,
MIN_MISSING_SECONDS = 0.2  # provided that more than this many seconds are missing
# Containers whose header states the duration; other containers only estimate it.
CONTAINERS_WITH_DURATION = ("avi", "mov", "matroska", "flv", "asf")
DEFAULT_RATE = 25.0  # frames per second where the file states neither times nor a rate


class Video:
    """The upright frames of a file in display order; can be iterated once.

    Attributes:
        times: Times of the frames so far in seconds, None where the container states none.
        damaged: Number of frames so far in which the decoder concealed errors.
        rate: Frames per second that the file states; 0 if it states none.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.times: list[float | None] = []
        self.damaged = 0
        self.rate = 0.0
        self._end = 0.0  # time at which the last frame ends

    def __iter__(self) -> Iterator[Any]:
        """Yields PyAV frames.

        Raises:
            UserError: The file is not a video, has no frames, is broken, or is cut off; names the
                file.
        """
        av = need_av()
        try:
            with open_container(self.path) as container:
                stream = self._open_stream(container)
                for frame in container.decode(stream):
                    self.times.append(frame.time)
                    if frame.time is not None and frame.duration:
                        self._end = frame.time + float(frame.duration * frame.time_base)
                    self.damaged += bool(frame.is_corrupt)
                    yield upright(frame)
                duration = self._stated_duration(container, stream)
        except av.FFmpegError as error:
            where = f" after frame {len(self.times)}" if self.times else ""
            raise UserError(
                f"{self.path!r} cannot be read as a video{where}: {error.strerror}"
            ) from error
        self._check_complete(duration)

    def _open_stream(self, container: Any) -> Any:
        """The first video stream, set to decode in one thread."""
        from av.stream import Disposition

        streams = []
        for stream in container.streams.video:
            if not stream.disposition & Disposition.attached_pic:  # cover art of an audio file
                streams.append(stream)
        if not streams:
            kinds = sorted({stream.type for stream in container.streams})
            raise UserError(
                f"{self.path!r} holds no video, only {' and '.join(kinds) or 'nothing'}"
            )
        stream = streams[0]
        if stream.codec_context is None:
            raise UserError(
                f"{self.path!r} cannot be read as a video: ffmpeg has no decoder for it"
            )
        stream.thread_type = "NONE"
        stream.codec_context.thread_count = 1
        self.rate = float(stream.average_rate or stream.guessed_rate or 0)
        return stream

    def _stated_duration(self, container: Any, stream: Any) -> float:
        """Seconds of video that the header states; 0 if it states none."""
        container_format = container.format.name
        if not any(name in container_format for name in CONTAINERS_WITH_DURATION):
            return 0.0
        if container_format == "avi" and self.rate:
            # ffmpeg shortens the duration of a file that is cut off, but not its frame count.
            return stream.frames / self.rate
        if stream.duration:
            return float(stream.duration * stream.time_base)
        # With more than one stream this may be the duration of the sound.
        if len(container.streams) == 1 and container.duration:
            return container.duration / 1e6
        return 0.0

    def _check_complete(self, duration: float) -> None:
        """Rejects a video without frames, with many damaged ones, or that is cut off."""
        count = len(self.times)
        if not count:
            raise UserError(f"{self.path!r} holds no frames")
        if self.damaged > MAX_DAMAGED * count:
            raise UserError(
                f"{self.path!r} is damaged: {self.damaged} of its {count} frames "
                "cannot be decoded completely"
            )
        seconds, _ = frame_times(self.times, self.rate)
        played = float(seconds[-1])
        if self.rate:
            played += 1 / self.rate
        # The last frame may be shown for longer than the others.
        played = max(played, self._end - (self.times[0] or 0.0))
        if duration - played > max(MAX_MISSING * duration, MIN_MISSING_SECONDS):
            raise UserError(
                f"{self.path!r} is cut off: its header states {duration:.1f} s, "
                f"but its {count} frames last {played:.1f} s"
            )


def frame_times(
    timestamps: list[float | None], rate: float
) -> tuple[Float32[np.ndarray, " t"], float]:
    """Seconds of each frame since the first one, and the mean rate.

    Frames are evenly spaced at `rate` (25 if it is 0) if a time is missing or the times do not
    increase.

    Args:
        timestamps: Time of each frame in seconds, None where it is unknown.
        rate: Frames per second that the file states, or 0.
    """
    seconds = np.array([np.nan if time is None else time for time in timestamps], np.float64)
    if np.isfinite(seconds).all() and (np.diff(seconds) > 0).all():
        seconds = seconds - seconds[0]
    else:
        seconds = np.arange(len(timestamps)) / (rate or DEFAULT_RATE)
    mean_rate = rate
    if len(timestamps) > 1:
        mean_rate = (len(timestamps) - 1) / seconds[-1]
    return seconds.astype(np.float32), float(mean_rate)


def upright(frame: Any) -> Any:
    """The frame as it is displayed: rotated and mirrored by its display matrix.

    The matrix maps a stored pixel (x, y) to (a x + c y, b x + d y). Cameras write quarter turns and
    mirrors.
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return frame
    (a, b, _), (c, d, _), _ = np.frombuffer(bytes(matrix), np.int32).reshape(3, 3).tolist()
    if a > 0 and d > 0 and abs(b) < a:
        return frame
    picture = frame.to_ndarray(format="rgb24")
    if abs(b) > abs(a):
        picture = picture.transpose(1, 0, 2)
        a, d = c, b
    if d < 0:
        picture = picture[::-1]
    if a < 0:
        picture = picture[:, ::-1]
    return type(frame).from_ndarray(np.ascontiguousarray(picture), format="rgb24")


def open_container(path: str, **options: Any) -> Any:
    """PyAV's container of a file or URL, whatever the encoding of its tags.

    PyAV 18 and older raise UnicodeDecodeError for tags that are not UTF-8 unless told to replace
    what they cannot decode. PyAV 19 decodes every tag and has no such option.
    """
    av = need_av()
    try:
        return av.open(path, **options)
    except UnicodeDecodeError:
        return av.open(path, metadata_errors="replace", **options)


def need_av() -> Any:
    """The PyAV module.

    Raises:
        UserError: PyAV is not installed; names the extra.
    """
    try:
        import av
    except ImportError as error:
        raise missing_extra("av", "video", "reading video files") from error
    return av
