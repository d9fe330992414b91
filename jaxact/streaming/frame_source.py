"""What is watched: a video file, a folder of pictures, a camera, a URL, or the poses that OpenPose
wrote.

    name -> Source -> Shot, Shot ...

A shot that cannot be read says so in its note and the next one follows; memory holds one at a time.
"""

import dataclasses
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from jaxact.errors import UserError
from jaxact.streaming import openpose_source
from jaxact.streaming.frame import Shot

PICTURES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
SECONDS = 10.0  # that opening a stream, or its next packet, may take
CAMERAS = {"linux": ("/dev/video{}", "v4l2"), "darwin": ("{}", "avfoundation")}


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """Shots, and what is known of them.

    Attributes:
      shots: to be iterated once.
      live: they come by themselves, whether or not anybody is ready.
      poses: they hold people in place of pictures.
    """

    shots: Iterable[Shot]
    live: bool = False
    poses: bool = False


def open_source(name: str, *, fps: float, patience: float) -> Source:
    """The source called `name`.

    Args:
      name: a file, a folder of pictures or of OpenPose's JSON files, the number of a camera, a URL,
        or "-" for JSON on standard input.
      fps: frames a second of pictures and poses, which have no times of their own.
      patience: seconds for which a live source that broke off is tried again.

    Raises:
      UserError: there is nothing of that name, or nothing that can be watched in it.
    """
    if not fps > 0:
        raise UserError(f"--fps is a number of frames a second above 0, got {fps!r}")
    if name == "-":
        return Source(openpose_source.from_pipe(sys.stdin.buffer, fps), poses=True)
    if name.isdigit():
        return Source(
            Live(lambda: _camera(int(name)), name=f"camera {name}", patience=patience), live=True
        )
    if URL.match(name):
        return Source(
            Live(lambda: _packets(name, _transport(name)), name=name, patience=patience), live=True
        )
    path = Path(name)
    if path.is_file():
        return Source(_Once(lambda: _file(name)))
    if not path.is_dir():
        raise UserError(
            f"no source {name!r}; wanted a video file, a folder of pictures or of OpenPose's JSON files, the number of "
            "a camera, a URL, or - for JSON on standard input"
        )
    files = sorted(each for each in path.iterdir() if each.suffix.lower() in (*PICTURES, ".json"))
    poses = [each for each in files if each.suffix.lower() == ".json"]
    if not files or 0 < len(poses) < len(files):
        held = "both pictures and JSON files" if files else "neither pictures nor JSON files"
        raise UserError(
            f"the folder {name!r} holds {held}; wanted one kind of them, a file for each frame"
        )
    if poses:
        return Source(openpose_source.from_files(poses, fps), poses=True)
    return Source(_Once(lambda: _pictures(files, fps)))


class Live:
    """Shots of a source that may vanish and come back: it is opened again until it has been gone
    for too long.

    Attributes:
      name: what the notes call it.
    """

    def __init__(
        self,
        connect: Callable[[], Iterator[Shot]],
        *,
        name: str,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.name = name
        self._connect, self._patience, self._clock, self._sleep = connect, patience, clock, sleep

    def __iter__(self) -> Iterator[Shot]:
        """Shots, their numbers and times going on across interruptions.

        Raises:
          UserError: the source cannot be opened in the first place.
        """
        number, begun, gone, wait = 0, None, None, 0.5
        while True:
            try:
                for shot in self._connect():
                    now = self._clock()
                    begun = now if begun is None else begun
                    if gone is not None and shot.picture is not None:
                        yield Shot(
                            number,
                            now - begun,
                            note=f"{self.name} is back after {now - gone:.1f} s",
                        )
                        gone, wait = None, 0.5
                    yield shot._replace(number=number, time=now - begun)
                    number += 1
                return  # it has an end, and this was it
            except OSError as error:  # PyAV's errors are such, or of ConnectionError below
                if begun is None:
                    raise UserError(f"{self.name!r} cannot be opened: {_reason(error)}") from error
                now = self._clock()
                if gone is None:
                    gone = now
                    yield Shot(number, now - begun, note=f"{self.name} is gone: {_reason(error)}")
            if now - gone >= self._patience:
                yield Shot(
                    number,
                    now - begun,
                    note=f"{self.name} did not come back within {self._patience:g} s",
                )
                return
            self._sleep(min(wait, self._patience))
            wait = min(2 * wait, SECONDS)


class _Once:
    """A generator that begins when it is iterated."""

    def __init__(self, begin: Callable[[], Iterator[Shot]]) -> None:
        self._begin = begin

    def __iter__(self) -> Iterator[Shot]:
        return self._begin()


def _file(name: str) -> Iterator[Shot]:
    """A file's frames; where it breaks off, a note and the end."""
    number, seconds = 0, 0.0
    try:
        for shot in _packets(name, {}):
            yield shot
            number, seconds = shot.number + 1, shot.time
    except OSError as error:
        if not number:
            raise UserError(f"{name!r} cannot be read as a video: {_reason(error)}") from error
        yield Shot(
            number, seconds, note=f"the file breaks off after {number} frames: {_reason(error)}"
        )
        return
    if not number:
        raise UserError(f"{name!r} holds no frames")


def _pictures(files: list[Path], fps: float) -> Iterator[Shot]:
    """A picture of each file."""
    for number, file in enumerate(files):
        try:
            shot = next(shot for shot in _packets(str(file), {}) if shot.picture is not None)
            yield shot._replace(number=number, time=number / fps)
        except (OSError, StopIteration) as error:
            why = _reason(error) if isinstance(error, OSError) else "it holds none"
            yield Shot(number, number / fps, note=f"no picture in {file.name}: {why}")


def _camera(number: int) -> Iterator[Shot]:
    if sys.platform not in CAMERAS:
        raise UserError(f"cameras have no numbers on {sys.platform}; wanted a URL or a file")
    place, kind = CAMERAS[sys.platform]
    yield from _packets(place.format(number), {"format": kind})
    raise ConnectionError("it sends nothing more")


def _transport(url: str) -> dict[str, Any]:
    return {"options": {"rtsp_transport": "tcp"}} if url.startswith("rtsp") else {}


def _packets(name: str, options: dict[str, Any]) -> Iterator[Shot]:
    """What can be decoded, packet by packet; a packet that cannot be is a note.

    Raises:
      OSError: it cannot be opened or read on, or a stream without an end has ended.
      UserError: it holds no video.
    """
    from jaxact.datasets.formats import video_file

    av = video_file.need_av()
    try:
        with video_file.open_container(name, timeout=SECONDS, **options) as container:
            stream = container.streams.best("video")
            if stream is None:
                raise UserError(f"{name!r} holds no video")
            number, first, played = 0, None, 0.0
            for packet in container.demux(stream):
                try:
                    frames = packet.decode()
                except av.FFmpegError as error:
                    yield Shot(
                        number, played, note=f"frame {number} cannot be decoded: {error.strerror}"
                    )
                    number += 1
                    continue
                for frame in frames:
                    now = (
                        frame.time
                        if frame.time is not None
                        else number / float(stream.average_rate or 25)
                    )
                    first = now if first is None else first
                    note = f"frame {number} is damaged" if frame.is_corrupt else ""
                    picture = video_file.upright(frame).to_ndarray(format="rgb24")
                    played = now - first
                    yield Shot(number, played, picture, note=note)
                    number += 1
            stated = (container.duration or 0) / av.time_base
            if number > 1 and stated - played > max(
                video_file.MOST_MISSING * stated, video_file.LENGTH_ERROR
            ):
                yield Shot(
                    number, played, note=f"it breaks off after {played:.1f} of {stated:.1f} s"
                )
            endless = URL.match(name) and container.duration is None
    except av.FFmpegError as error:
        raise OSError(error.strerror or str(error)) from error
    if endless:
        raise ConnectionError("it sends nothing more")


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
