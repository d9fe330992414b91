"""Sources of frames: a video file, a folder of images, a camera, a URL, or poses of OpenPose.

A frame that cannot be read has a note, and the next one follows. One frame is in memory at a time.
"""

import dataclasses
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from jaxact.errors import UserError
from jaxact.streaming import openpose_source
from jaxact.streaming.frame import Frame
from jaxact.streaming.live_source import LiveFrames
from jaxact.streaming.video_decoding import decode_frames, error_text, is_url

IMAGE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
# Platform -> (file name of a camera, container format), as FFmpeg expects them.
CAMERAS = {"linux": ("/dev/video{}", "v4l2"), "darwin": ("{}", "avfoundation")}


@dataclasses.dataclass(frozen=True, slots=True)
class FrameSource:
    """Frames of a source.

    Attributes:
        frames: the frames, to be iterated once.
        live: whether frames arrive in real time.
        has_poses: whether frames hold poses in place of images.
    """

    frames: Iterable[Frame]
    live: bool = False
    has_poses: bool = False


def open_source(name: str, *, fps: float, patience: float) -> FrameSource:
    """Opens a source of frames.

    Args:
        name: a file, a folder of images or of OpenPose's JSON files, the number of a camera, a URL,
            or "-" for JSON on standard input.
        fps: frames per second of images and poses, which have no times of their own.
        patience: seconds for which an interrupted live source is reopened.

    Raises:
        UserError: no such source, or one that holds no frames.
    """
    if not fps > 0:
        raise UserError(f"--fps is a number of frames per second above 0, got {fps!r}")
    if name == "-":
        return FrameSource(openpose_source.from_pipe(sys.stdin.buffer, fps), has_poses=True)
    if name.isdigit():
        camera = LiveFrames(
            lambda: _read_camera(int(name)), name=f"camera {name}", patience=patience
        )
        return FrameSource(camera, live=True)
    if is_url(name):
        options = _url_options(name)
        stream = LiveFrames(lambda: decode_frames(name, options), name=name, patience=patience)
        return FrameSource(stream, live=True)
    path = Path(name)
    if path.is_file():
        return FrameSource(_Deferred(lambda: _read_file(name)))
    if path.is_dir():
        return _open_folder(path, fps)
    raise UserError(
        f"no source {name!r}; wanted a video file, a folder of images or of OpenPose's JSON files, "
        "the number of a camera, a URL, or - for JSON on standard input"
    )


def _open_folder(folder: Path, fps: float) -> FrameSource:
    files = sorted(folder.iterdir())
    images = [file for file in files if file.suffix.lower() in IMAGE_SUFFIXES]
    poses = [file for file in files if file.suffix.lower() == ".json"]
    if bool(images) == bool(poses):
        content = "both images and JSON files" if images else "neither images nor JSON files"
        raise UserError(
            f"the folder {str(folder)!r} holds {content}; wanted one kind, one file per frame"
        )
    if poses:
        return FrameSource(openpose_source.from_files(poses, fps), has_poses=True)
    return FrameSource(_Deferred(lambda: _read_images(images, fps)))


class _Deferred:
    """An iterable that calls its function when it is iterated."""

    def __init__(self, function: Callable[[], Iterator[Frame]]) -> None:
        self._function = function

    def __iter__(self) -> Iterator[Frame]:
        return self._function()


def _read_file(name: str) -> Iterator[Frame]:
    """Reads a video file; where it is cut off, a frame with a note is the last one."""
    count, seconds = 0, 0.0
    try:
        for frame in decode_frames(name, {}):
            yield frame
            count, seconds = frame.number + 1, frame.time
    except OSError as error:
        reason = error_text(error)
        if not count:
            raise UserError(f"{name!r} cannot be read as a video: {reason}") from error
        yield Frame(count, seconds, note=f"the file is cut off after {count} frames: {reason}")
        return
    if not count:
        raise UserError(f"{name!r} holds no frames")


def _read_images(files: list[Path], fps: float) -> Iterator[Frame]:
    """Reads an image from each file."""
    for number, file in enumerate(files):
        frame = Frame(number, number / fps, note=f"no image in {file.name}: it holds none")
        try:
            for decoded in decode_frames(str(file), {}):
                if decoded.image is not None:
                    frame = decoded._replace(number=number, time=number / fps)
                    break
        except OSError as error:
            frame = frame._replace(note=f"no image in {file.name}: {error_text(error)}")
        yield frame


def _read_camera(number: int) -> Iterator[Frame]:
    if sys.platform not in CAMERAS:
        raise UserError(f"cameras have no numbers on {sys.platform}; wanted a URL or a file")
    file, kind = CAMERAS[sys.platform]
    yield from decode_frames(file.format(number), {"format": kind})
    raise ConnectionError("it sends no more frames")


def _url_options(url: str) -> dict[str, Any]:
    if url.startswith("rtsp"):
        return {"options": {"rtsp_transport": "tcp"}}
    return {}
