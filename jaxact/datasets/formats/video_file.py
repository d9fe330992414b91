"""Video files in: every file that ffmpeg reads becomes upright frames, and frames become JPEG at a
configured size.

Nothing is resampled in time: the frames are those of the file, each with the time at which it is
shown, so that a variable rate is no special case. Pixels are taken as square. One file takes one
core; many files take many.
"""

import dataclasses
import fractions
from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from jaxact.datasets.formats import optical_flow as flows
from jaxact.errors import UserError, missing_extra

# What a folder is searched for; a file that a table names may be called anything.
SUFFIXES = (
    *(
        ".3gp",
        ".avi",
        ".flv",
        ".m4v",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpeg",
        ".mpg",
        ".mts",
        ".ogv",
        ".ts",
        ".webm",
        ".wmv",
    ),
)
QUANTISER = 2  # of the JPEG encoder, 1 (fine) to 31; 2 is 41 dB and 15 kB for a frame of 320x240
MOST_BYTES = 128 << 20  # of one record: about 8000 frames at a short side of 240
MOST_DAMAGED = 0.1  # share of frames that the decoder patched up, above which a file is refused
MOST_MISSING = 0.1  # share of the length that its header states, above which a file is cut off ...
LENGTH_ERROR = 0.2  # ... if it is more than so many seconds
TELL_LENGTH = (
    "avi",
    "mov",
    "matroska",
    "flv",
    "asf",
)  # containers whose header states it; others are guesses


@dataclasses.dataclass(frozen=True, slots=True)
class Encoded:
    """A clip as it is stored.

    Attributes:
      frames: a JPEG each.
      flow: a grey JPEG for each frame, see `jaxact.datasets.formats.optical_flow`; empty where none
          was asked for.
      times: seconds from the first frame.
      fps: mean rate, frames per second; 0 for a clip of one frame that states none.
      height: of a frame, pixels.
      width: of a frame, pixels.
      damaged: frames that the decoder had to patch up.
    """

    frames: list[bytes]
    flow: list[bytes]
    times: Float32[np.ndarray, " t"]
    fps: float
    height: int
    width: int
    damaged: int


class Video:
    """The frames of a file, upright, in the order they are shown; iterate once.

    Attributes:
      times: of the frames so far in seconds, None where the container has none.
      damaged: frames so far that the decoder had to patch up.
      rate: frames per second as the file states it, 0 where it does not.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.times: list[float | None] = []
        self.damaged = 0
        self.rate = 0.0
        self._end = 0.0  # when the last frame ends

    def __iter__(self) -> Iterator[Any]:
        """PyAV frames.

        Raises:
          UserError: not a video, no frames, broken, or cut off; names the file.
        """
        av = need_av()
        try:
            with open_container(self.path) as container:
                stream = self._stream(container)
                for frame in container.decode(stream):
                    self.times.append(frame.time)
                    if frame.time is not None and frame.duration:
                        self._end = frame.time + float(frame.duration * frame.time_base)
                    self.damaged += bool(frame.is_corrupt)
                    yield upright(frame)
                stated = self._stated(container, stream)
        except av.FFmpegError as error:
            where = f" after frame {len(self.times)}" if self.times else ""
            raise UserError(
                f"{self.path!r} cannot be read as a video{where}: {error.strerror}"
            ) from error
        self._check(stated)

    def _stream(self, container: Any) -> Any:
        from av.stream import Disposition

        covers = Disposition.attached_pic  # the picture of a piece of music is no video
        streams = [stream for stream in container.streams.video if not stream.disposition & covers]
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

    def _stated(self, container: Any, stream: Any) -> float:
        """Seconds of video that the header promises; 0 where it does not."""
        name = container.format.name
        if not any(known in name for known in TELL_LENGTH):
            return 0.0
        if (
            name == "avi" and self.rate
        ):  # ffmpeg shortens the duration of a file that is cut off, but not this
            return stream.frames / self.rate
        if stream.duration:
            return float(stream.duration * stream.time_base)
        alone = len(container.streams) == 1  # else it may be the sound's
        return container.duration / 1e6 if alone and container.duration else 0.0

    def _check(self, stated: float) -> None:
        count = len(self.times)
        if not count:
            raise UserError(f"{self.path!r} holds no frames")
        if self.damaged > MOST_DAMAGED * count:
            raise UserError(
                f"{self.path!r} is damaged: {self.damaged} of its {count} frames cannot be decoded whole"
            )
        seconds, _ = clock(self.times, self.rate)
        played = float(seconds[-1]) + (1 / self.rate if self.rate else 0.0)
        played = max(
            played, self._end - (self.times[0] or 0.0)
        )  # a last frame may be shown for long
        if stated - played > max(MOST_MISSING * stated, LENGTH_ERROR):
            raise UserError(
                f"{self.path!r} is cut off: it states {stated:.1f} s, but its {count} frames last {played:.1f} s"
            )


def encode(path: str, *, short_side: int, flow: str | None = None) -> Encoded:
    """The frames of a file as JPEG, scaled down until the shorter side has `short_side` pixels,
    never up.

    Args:
      path: the file.
      short_side: pixels.
      flow: a method of `jaxact.datasets.formats.optical_flow`, to store the motion from each frame
          to the next as well.

    Raises:
      UserError: the file cannot be used, see `Video`, or has more frames than a record holds.
    """
    video, jpeg, motion = Video(path), None, None
    frames: list[bytes] = []
    height = width = taken = 0
    for frame in video:
        if jpeg is None:
            height, width = scaled(frame.height, frame.width, short_side)
            jpeg = Jpeg(height, width)
            motion = flows.Recorder(flow, Jpeg(height, 2 * width).grey) if flow else None
        # A JPEG is BT.601 in full range, whatever the video is.
        picture = frame.reformat(
            width, height, "yuvj420p", dst_colorspace="ITU601", interpolation="AREA"
        )
        frames.append(jpeg(picture))
        taken += len(frames[-1]) + (motion.add(picture.to_ndarray(format="gray")) if motion else 0)
        if taken > MOST_BYTES:
            raise UserError(
                f"{path!r} is too long for one record: its first {len(frames)} frames take {MOST_BYTES >> 20} MiB at a "
                f"short side of {short_side} pixels; cut it into clips, or give a smaller --short-side"
            )
    times, fps = clock(video.times, video.rate)
    return Encoded(frames, motion.end() if motion else [], times, fps, height, width, video.damaged)


def scaled(height: int, width: int, short_side: int) -> tuple[int, int]:
    """Height and width scaled down to a shorter side of `short_side`; smaller frames keep their
    size.
    """
    shorter = min(height, width)
    if shorter <= short_side:
        return height, width
    return round(height * short_side / shorter), round(width * short_side / shorter)


def clock(times: list[float | None], rate: float) -> tuple[Float32[np.ndarray, " t"], float]:
    """Seconds of each frame from the first one on, and the mean rate.

    Where a time is missing or they do not rise, frames are taken as evenly spaced at `rate` (25
    where it is 0).
    """
    seconds = np.array([np.nan if time is None else time for time in times], np.float64)
    rising = np.isfinite(seconds).all() and (np.diff(seconds) > 0).all()
    seconds = seconds - seconds[0] if rising else np.arange(len(times)) / (rate or 25.0)
    mean = (len(times) - 1) / seconds[-1] if len(times) > 1 else rate
    return seconds.astype(np.float32), float(mean)


def upright(frame: Any) -> Any:
    """The frame as it is shown: turned and mirrored as its display matrix says.

    The matrix takes a stored pixel (x, y) to (a x + c y, b x + d y); cameras write quarter turns
    and mirrors.
    """
    stored = frame.side_data.get("DISPLAYMATRIX")
    if stored is None:
        return frame
    (a, b, _), (c, d, _), _ = np.frombuffer(bytes(stored), np.int32).reshape(3, 3).tolist()
    if a > 0 and d > 0 and abs(b) < a:
        return frame
    picture = frame.to_ndarray(format="rgb24")
    if abs(b) > abs(a):
        picture, a, d = picture.transpose(1, 0, 2), c, b
    picture = picture[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    return type(frame).from_ndarray(np.ascontiguousarray(picture), format="rgb24")


class Jpeg:
    """Encodes frames of one size; every call gives a whole JPEG file."""

    def __init__(self, height: int, width: int) -> None:
        av = need_av()
        self._codec = codec = av.CodecContext.create("mjpeg", "w")
        codec.height, codec.width, codec.pix_fmt = height, width, "yuvj420p"
        codec.time_base = fractions.Fraction(1, 25)
        codec.thread_count = 1
        codec.options = {"qmin": str(QUANTISER), "qmax": str(QUANTISER), "flags": "+bitexact"}
        self._count = 0

    def __call__(self, frame: Any) -> bytes:
        """The file of a yuvj420p frame."""
        frame.pts, frame.time_base = self._count, self._codec.time_base
        self._count += 1
        (packet,) = self._codec.encode(frame)
        return bytes(packet)

    def grey(self, picture: UInt8[np.ndarray, "h w"]) -> bytes:
        """The file of a grey picture."""
        frame = need_av().VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="gray")
        return self(frame.reformat(format="yuvj420p"))


def open_container(path: str, **options: Any) -> Any:
    """PyAV's container of a file or URL, whatever the encoding of its tags.

    PyAV 18 and older raise UnicodeDecodeError for tags that are not UTF-8 unless they are told to
    replace what they cannot decode; PyAV 19 decodes every tag and has no such option.
    """
    av = need_av()
    try:
        return av.open(path, **options)
    except UnicodeDecodeError:
        return av.open(path, metadata_errors="replace", **options)


def need_av() -> Any:
    """PyAV.

    Raises:
      UserError: it is not installed; names the extra.
    """
    try:
        import av
    except ImportError as error:
        raise missing_extra("av", "video", "reading video files") from error
    return av
