"""Pictures with what was seen in them: skeletons, ids and classes; as an MP4, or in a window."""

import contextlib
import fractions
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from jaxact import files
from jaxact.datasets.formats import video_file
from jaxact.errors import UserError, missing_extra
from jaxact.plots import drawing_poses, style
from jaxact.skeletons import Layout, get_layout
from jaxact.streaming.processor import Person, Seen

BACKGROUND = (34, 38, 43)  # where there is no picture
COLOURS = style.CYCLE[:-1]  # black is lost in a dark picture
CANVAS = (720, 1280)  # height and width there, where no size is known
TICKS = 1000  # of an MP4's clock, a second
INKS = ("#ffffff", "#22262b")  # of text on a dark and on a light colour


class Painter:
    """Draws everybody in a colour of their own, the left limbs lighter."""

    def __init__(self, labels: Sequence[str]) -> None:
        try:
            from PIL import Image, ImageDraw, ImageFont
        except ImportError as error:
            raise missing_extra("pillow", "plot", "drawing on pictures") from error
        self._image, self._drawing, self._font = Image, ImageDraw, ImageFont
        self._labels, self._fonts = labels, {}

    def __call__(
        self, picture: UInt8[np.ndarray, "h w 3"] | None, seen: Seen, layout: str
    ) -> UInt8[np.ndarray, "h w 3"]:
        """The picture with these people on it; without one, a dark one."""
        if picture is None:
            height, width = seen.size if seen.size != (1, 1) else CANVAS
            picture = np.full((height, width, 3), BACKGROUND, np.uint8)
        if not seen.people:
            return picture
        image = self._image.fromarray(picture)
        drawing = self._drawing.Draw(image, "RGBA")
        height, width = picture.shape[:2]
        scale = np.array([width / seen.size[1], height / seen.size[0]])
        for person in seen.people:
            self._body(drawing, person, scale, get_layout(layout), max(2, height // 160))
        for person in seen.people:
            self._name(drawing, person, scale, max(11, height // 26), (width, height))
        return np.asarray(image)

    def _body(
        self, drawing: Any, person: Person, scale: np.ndarray, layout: Layout, width: int
    ) -> None:
        places, there = person.joints[:, :2] * scale, person.joints[:, 2] > 0
        colour = COLOURS[person.id % len(COLOURS)]
        tones = {
            "left": _mixed(colour, 0.45),
            "right": _mixed(colour, 0.0),
            "middle": _mixed(colour, 0.2),
        }
        sides = drawing_poses.sides(layout)
        for child, parent in layout.edges:
            if there[child] and there[parent]:
                ends = [tuple(places[parent]), tuple(places[child])]
                drawing.line(ends, fill=tones[sides[child]], width=width)
        for (x, y), side, seen in zip(places.tolist(), sides, there, strict=True):
            if seen:
                drawing.ellipse((x - width, y - width, x + width, y + width), fill=tones[side])

    def _name(
        self, drawing: Any, person: Person, scale: np.ndarray, size: int, room: tuple[int, int]
    ) -> None:
        """Id, class and probability in a box above the person, inside the picture."""
        text = str(person.id)
        if (said := person.said) is not None and said.label is not None:
            text += f"  {style.shorten(self._labels[said.label], 24)} {100 * said.probabilities[said.label]:.0f} %"
        if size not in self._fonts:
            self._fonts = {size: self._font.load_default(size)}
        font, edge = self._fonts[size], size // 4
        places = (person.joints[:, :2] * scale)[person.joints[:, 2] > 0]
        right, low = drawing.textbbox((0, 0), text, font=font)[2:]
        wide, tall = right + 2 * edge, low + 2 * edge
        x = np.clip((places[:, 0].min() + places[:, 0].max() - wide) / 2, 0, max(room[0] - wide, 0))
        y = np.clip(places[:, 1].min() - tall - size, 0, max(room[1] - tall, 0))
        colour = _mixed(COLOURS[person.id % len(COLOURS)], 0.0)
        ink = INKS[int(np.dot(colour, (0.299, 0.587, 0.114)) > 140)]
        drawing.rectangle((x, y, x + wide, y + tall), fill=(*colour, 220))
        drawing.text((x + edge, y + edge), text, font=font, fill=ink)


class Film:
    """An MP4 that is there, whole, when it is closed; every picture at its own time."""

    def __init__(self, out: str | os.PathLike[str]) -> None:
        """Begins a film.

        Raises:
          UserError: another suffix, or PyAV or its encoder is not there.
        """
        if Path(out).suffix.lower() != ".mp4":
            raise UserError(f"cannot film to {os.fspath(out)!r}: the suffix must be .mp4")
        self._av = video_file.need_av()
        self._stack, self._container, self._stream, self._last = (
            contextlib.ExitStack(),
            None,
            None,
            -1,
        )
        self._path = self._stack.enter_context(files.replacing(out))

    def add(self, picture: UInt8[np.ndarray, "h w 3"], seconds: float) -> None:
        """Appends a picture; one of another size than the first is brought to that one's."""
        if self._stream is None:
            self._open(picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2)
        stream, container = self._stream, self._container
        assert stream is not None and container is not None
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame = frame.reformat(stream.width, stream.height, "yuv420p")
        self._last = max(self._last + 1, round(TICKS * seconds))
        frame.pts, frame.time_base = self._last, fractions.Fraction(1, TICKS)
        container.mux(stream.encode(frame))

    def close(self, *, whole: bool = True) -> None:
        """Puts the film in its place, or away."""
        if self._stream is None or self._container is None:
            whole = False
        else:
            self._container.mux(self._stream.encode(None))
            self._container.close()
        with contextlib.suppress(_Away):
            if whole:
                self._stack.close()
            else:
                self._stack.__exit__(_Away, _Away(), None)

    def _open(self, height: int, width: int) -> None:
        if not min(height, width):
            raise UserError(f"a picture of {width} x {height} pixels is too small to be filmed")
        self._container = self._av.open(str(self._path), "w")
        self._stream = stream = self._container.add_stream(
            "libx264", rate=25, options={"crf": "21", "preset": "veryfast"}
        )
        stream.width, stream.height, stream.pix_fmt, stream.thread_count = (
            width,
            height,
            "yuv420p",
            1,
        )
        stream.codec_context.time_base = fractions.Fraction(1, TICKS)


class _Away(Exception):
    """A film that nobody keeps."""


class Window:
    """A window of OpenCV's with the newest picture."""

    def __init__(self, title: str) -> None:
        """Opens it.

        Raises:
          UserError: OpenCV is not there, or has no display.
        """
        try:
            import cv2
        except ImportError as error:
            raise missing_extra("opencv-python", "flow", "a window") from error
        if os.name == "posix" and not (
            os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        ):
            raise UserError(
                "--window needs a display, and there is none; leave it out, or give --video FILE.mp4"
            )
        self._cv2, self._title = cv2, title
        try:
            cv2.namedWindow(title, cv2.WINDOW_NORMAL)
        except cv2.error as error:
            raise UserError(
                "--window needs an OpenCV that can open windows, the package opencv-python in place of "
                "opencv-python-headless; or give --video FILE.mp4"
            ) from error

    def show(self, picture: UInt8[np.ndarray, "h w 3"]) -> bool:
        """Shows a picture; False once `q` or Escape was pressed."""
        self._cv2.imshow(self._title, picture[..., ::-1])
        return self._cv2.waitKey(1) & 0xFF not in (ord("q"), 27)


def _mixed(colour: str, light: float) -> tuple[int, int, int]:
    """A colour and a share of white."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return tuple(round(part + light * (255 - part)) for part in (red, green, blue))  # pyright: ignore[reportReturnType]
