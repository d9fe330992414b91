"""Rendering of results: skeletons, ids and classes drawn on images, an MP4, or a window."""

import contextlib
import fractions
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from jaxact import files
from jaxact.datasets.formats import optical_flow, video_file
from jaxact.errors import UserError, missing_extra
from jaxact.plots import layout_drawing, style
from jaxact.skeletons import Layout, get_layout
from jaxact.streaming.processor import FrameResult, Person

BACKGROUND = (34, 38, 43)  # of frames without an image
CANVAS = (720, 1280)  # their height and width, where the image size is unknown
COLOURS = style.CYCLE[:-1]  # without black, which is invisible in a dark image
TEXT_COLOURS = ("#ffffff", "#22262b")  # on a dark and on a light background
TICKS = 1000  # of an MP4's clock per second


class Renderer:
    """Draws each person in a colour of their own, with left limbs lighter."""

    def __init__(self, labels: Sequence[str]) -> None:
        """Imports Pillow.

        Args:
            labels: class names.

        Raises:
            UserError: Pillow is not installed.
        """
        try:
            from PIL import Image, ImageDraw, ImageFont
        except ImportError as error:
            raise missing_extra("pillow", "plot", "drawing on images") from error
        self._image, self._drawing, self._font = Image, ImageDraw, ImageFont
        self._labels = labels
        self._fonts: dict[int, Any] = {}

    def __call__(
        self, image: UInt8[np.ndarray, "h w 3"] | None, result: FrameResult, layout: str
    ) -> UInt8[np.ndarray, "h w 3"]:
        """Returns an image with the people of a result drawn on it.

        Args:
            image: RGB; None for a dark background.
            result: the people.
            layout: layout of their joints.
        """
        if image is None:
            size = CANVAS if result.size == (1, 1) else result.size
            image = np.full((*size, 3), BACKGROUND, np.uint8)
        if not result.people:
            return image
        canvas = self._image.fromarray(image)
        drawing = self._drawing.Draw(canvas, "RGBA")
        height, width = image.shape[:2]
        scale = np.array([width / result.size[1], height / result.size[0]])
        for person in result.people:
            self._draw_body(drawing, person, scale, get_layout(layout), max(2, height // 160))
        for person in result.people:
            self._draw_name(drawing, person, scale, max(11, height // 26), (width, height))
        return np.asarray(canvas)

    def _draw_body(
        self, drawing: Any, person: Person, scale: np.ndarray, layout: Layout, width: int
    ) -> None:
        points = (person.joints[:, :2] * scale).tolist()
        visible = person.joints[:, 2] > 0
        colour = COLOURS[person.id % len(COLOURS)]
        tones = {
            "left": _lighten(colour, 0.45),
            "right": _lighten(colour, 0.0),
            "middle": _lighten(colour, 0.2),
        }
        sides = layout_drawing.joint_sides(layout)
        for child, parent in layout.edges:
            if visible[child] and visible[parent]:
                ends = [tuple(points[parent]), tuple(points[child])]
                drawing.line(ends, fill=tones[sides[child]], width=width)
        for joint in np.flatnonzero(visible):
            x, y = points[joint]
            box = (x - width, y - width, x + width, y + width)
            drawing.ellipse(box, fill=tones[sides[joint]])

    def _draw_name(
        self,
        drawing: Any,
        person: Person,
        scale: np.ndarray,
        font_size: int,
        image_size: tuple[int, int],
    ) -> None:
        """Draws id, class and probability in a box above the person, inside the image."""
        text = self._text(person)
        if font_size not in self._fonts:
            self._fonts = {font_size: self._font.load_default(font_size)}
        font, margin = self._fonts[font_size], font_size // 4
        right, bottom = drawing.textbbox((0, 0), text, font=font)[2:]
        width, height = right + 2 * margin, bottom + 2 * margin
        points = (person.joints[:, :2] * scale)[person.joints[:, 2] > 0]
        left, top = points.min(axis=0)
        middle = (left + points[:, 0].max() - width) / 2
        x = np.clip(middle, 0, max(image_size[0] - width, 0))
        y = np.clip(top - height - font_size, 0, max(image_size[1] - height, 0))
        colour = _lighten(COLOURS[person.id % len(COLOURS)], 0.0)
        luma = np.dot(colour, (0.299, 0.587, 0.114))
        text_colour = TEXT_COLOURS[int(luma > 140)]
        drawing.rectangle((x, y, x + width, y + height), fill=(*colour, 220))
        drawing.text((x + margin, y + margin), text, font=font, fill=text_colour)

    def _text(self, person: Person) -> str:
        prediction = person.prediction
        if prediction is None or prediction.label is None:
            return str(person.id)
        label = style.shorten(self._labels[prediction.label], 24)
        percent = 100 * prediction.probabilities[prediction.label]
        return f"{person.id}  {label} {percent:.0f} %"


class VideoWriter:
    """Writes an MP4 atomically; every image has its own time."""

    def __init__(self, out: str | os.PathLike[str]) -> None:
        """Opens the file.

        Raises:
            UserError: another suffix, or PyAV or its encoder is not installed.
        """
        if Path(out).suffix.lower() != ".mp4":
            raise UserError(f"cannot write a video to {os.fspath(out)!r}: the suffix must be .mp4")
        self._av = video_file.need_av()
        self._stack = contextlib.ExitStack()
        self._container: Any = None
        self._stream: Any = None
        self._last_tick = -1
        self._path = self._stack.enter_context(files.replacing(out))

    def add(self, image: UInt8[np.ndarray, "h w 3"], seconds: float) -> None:
        """Appends an image; one of another size than the first is resized."""
        if self._stream is None:
            self._stream = self._open(image.shape[0] // 2 * 2, image.shape[1] // 2 * 2)
        stream = self._stream
        frame = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame = frame.reformat(stream.width, stream.height, "yuv420p")
        self._last_tick = max(self._last_tick + 1, round(TICKS * seconds))
        frame.pts, frame.time_base = self._last_tick, fractions.Fraction(1, TICKS)
        self._container.mux(stream.encode(frame))

    def close(self, *, keep: bool = True) -> None:
        """Moves the video to its path, or deletes it."""
        if self._stream is None:
            keep = False
        else:
            self._container.mux(self._stream.encode(None))
            self._container.close()
        with contextlib.suppress(_Discarded):
            if keep:
                self._stack.close()
            else:
                self._stack.__exit__(_Discarded, _Discarded(), None)

    def _open(self, height: int, width: int) -> Any:
        """Opens the container and returns its video stream."""
        if not min(height, width):
            raise UserError(f"an image of {width} x {height} pixels is too small for a video")
        self._container = self._av.open(str(self._path), "w")
        options = {"crf": "21", "preset": "veryfast"}
        stream = self._container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height = width, height
        stream.pix_fmt, stream.thread_count = "yuv420p", 1
        stream.codec_context.time_base = fractions.Fraction(1, TICKS)
        return stream


class _Discarded(Exception):
    """Makes `files.replacing` delete the temporary file."""


class DisplayWindow:
    """A window of OpenCV that shows the newest image."""

    def __init__(self, title: str) -> None:
        """Opens the window.

        Raises:
            UserError: OpenCV is not installed, or has no display.
        """
        cv2 = optical_flow.need_opencv("--window")
        has_display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        if os.name == "posix" and not has_display:
            raise UserError(
                "--window needs a display, and there is none; "
                "leave it out, or give --video FILE.mp4"
            )
        self._cv2, self._title = cv2, title
        try:
            cv2.namedWindow(title, cv2.WINDOW_NORMAL)
        except cv2.error as error:
            raise UserError(
                "--window needs an OpenCV that can open windows, the package "
                "opencv-contrib-python of the extra `flow`; or give --video FILE.mp4"
            ) from error

    def show(self, image: UInt8[np.ndarray, "h w 3"]) -> bool:
        """Shows an image; False once `q` or Escape was pressed."""
        self._cv2.imshow(self._title, image[..., ::-1])
        return self._cv2.waitKey(1) & 0xFF not in (ord("q"), 27)


def _lighten(colour: str, share: float) -> tuple[int, int, int]:
    """Mixes a colour, "#rrggbb", with a share of white."""
    red, green, blue = (
        round(int(colour[start : start + 2], 16) * (1 - share) + 255 * share) for start in (1, 3, 5)
    )
    return red, green, blue
