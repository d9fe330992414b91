"""Skeletons in motion: a GIF or an MP4 of one record, seen from the sensor in 3-D or in the image
plane in 2-D.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from jaxact import files
from jaxact.errors import UserError, missing_extra
from jaxact.plots import style
from jaxact.plots.skeleton_scene import Plane, Screen, Space
from jaxact.skeletons import Layout

SUFFIXES = (".gif", ".mp4")
SIZE = (4.0, 4.2)  # inches
HEAD = 0.294  # inches of it above the picture


def animation(
    joints: Float[np.ndarray, "t m v c"],
    layout: Layout,
    out: str | os.PathLike[str],
    fps: float | int = 30.0,
    title: str = "",
    *,
    scores: bool | None = None,
    y_up: bool | None = None,
    turn: float | int = 0.0,
    dpi: int = 110,
) -> None:
    """Writes the clip as a moving picture.

    Left limbs are blue, right limbs orange and the trunk dark; a second person has lighter tones of
    the same. Missing joints, which are zero, and the bones that lead to them are not drawn.

    Args:
      joints: two channels in image coordinates, three in sensor coordinates (x, y, depth), or x, y
          and a score.
      layout: of the joints.
      out: a .gif or .mp4 file.
      fps: frames a second, above 0.
      title: written above the picture.
      scores: the last channel is a score and no coordinate; None: it is where every value of it
        lies in [0, 1] and the first two do not.
      y_up: whether y grows upwards; None: as the spine of the layout stands in the clip, else up in
          3-D, down in 2-D.
      turn: degrees by which a 3-D scene is turned to its left before it is drawn.
      dpi: picture size: 440 x 462 pixels at 110.

    Raises:
      UserError: another suffix, a shape that does not fit the layout, no visible joint, or a
          missing package.
    """
    write(
        frames(joints, layout, fps, title, scores=scores, y_up=y_up, turn=turn, dpi=dpi),
        len(joints),
        out,
        fps,
    )


def write(
    pictures: Iterator[UInt8[np.ndarray, "h w 3"]],
    count: int,
    out: str | os.PathLike[str],
    fps: float | int,
    *,
    shared: bool = True,
) -> None:
    """Writes `count` pictures as the GIF or MP4 that the suffix of `out` asks for.

    Args:
      pictures: one by one.
      count: of them.
      out, fps: see `animation`.
      shared: the first picture's colours serve all of a GIF; else each has its own.

    Raises:
      UserError: another suffix, no positive `fps`, or a missing package.
    """
    suffix = os.path.splitext(os.fspath(out))[1].lower()
    if suffix not in SUFFIXES:
        raise UserError(
            f"cannot animate to {os.fspath(out)!r}: the suffix must be one of {', '.join(SUFFIXES)}"
        )
    if not fps > 0:
        raise UserError(f"fps must be above 0, got {fps!r}")
    if suffix == ".gif":
        _write_gif(pictures, count, out, fps, shared)
    else:
        _write_mp4(pictures, count, out, fps)


def frames(
    joints: Float[np.ndarray, "t m v c"],
    layout: Layout,
    fps: float | int = 30.0,
    title: str = "",
    *,
    scores: bool | None = None,
    y_up: bool | None = None,
    turn: float | int = 0.0,
    dpi: int = 110,
) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """The pictures that `animation` writes, one by one."""
    yield from film(stage(joints, layout, scores=scores, y_up=y_up, turn=turn), fps, title, dpi=dpi)


def stage(
    joints: Float[np.ndarray, "t m v c"],
    layout: Layout,
    *,
    scores: bool | None = None,
    y_up: bool | None = None,
    turn: float | int = 0.0,
) -> Space | Plane:
    """The clip as a scene that can be drawn; for the arguments see `animation`."""
    places, visible = _places(np.asarray(joints), layout, scores)
    if y_up is None:
        y_up = _upright(places, visible, layout)
    # A half turn, never a mirror: a sensor's x runs to its left where y is up and to its right
    # where y is down.
    places = places * ((-1.0, 1.0, -1.0) if y_up else (1.0, -1.0, -1.0))[: places.shape[-1]]
    if y_up and places.shape[-1] == 2:
        places = places * (-1.0, 1.0)
    return (
        Space(places, visible, layout, turn)
        if places.shape[-1] == 3
        else Plane(places, visible, layout)
    )


def film(
    scene: Space | Plane | Screen,
    fps: float | int,
    title: str = "",
    *,
    dpi: int = 110,
    size: tuple[float, float] = SIZE,
    beside: Callable[..., Any] | None = None,
) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    """A scene's pictures, one by one.

    Args:
      scene: what is shown.
      fps, title, dpi: see `animation`.
      size: of the whole picture in inches, its heading of 0.294 inches included.
      beside: prepares axes as a scene does, for what else is shown with a frame.
    """
    tall = size[1]
    with style.context():
        drawing = style.figure(*size, dpi=dpi, layout=None)
        axes = drawing.add_axes((0.0, 0.0, 1.0, 1 - HEAD / tall))
        axes.set_axis_off()
        drawing.text(
            0.035, 1 - 0.105 / tall, style.shorten(title, 36), fontsize=12, weight="bold", va="top"
        )
        clock = drawing.text(
            0.965, 1 - 0.1176 / tall, "", fontsize=9, color=style.SOFT, va="top", ha="right"
        )
        shows = [scene.prepare(axes), *([beside(axes)] if beside else [])]
        for t in range(len(scene.places)):
            for show in shows:
                show(t)
            clock.set_text(f"{t / fps:.2f} s")
            drawing.canvas.draw()
            yield np.asarray(drawing.canvas.buffer_rgba())[..., :3].copy()


def _places(
    joints: np.ndarray, layout: Layout, scores: bool | None
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates [t, m, v, 2 or 3] and where they are visible [t, m, v]."""
    count = len(layout.joints)
    if (
        joints.ndim != 4
        or joints.shape[2] != count
        or joints.shape[3] not in (2, 3)
        or not len(joints)
    ):
        raise UserError(
            f"layout {layout.name!r} wants joints of shape [frames, persons, {count}, 2 or 3], got {joints.shape}"
        )
    joints = joints.astype(float)
    if joints.shape[3] == 3 and scores is None:
        last, first = joints[..., 2], np.abs(joints[..., :2])
        scores = bool(
            last.min() >= 0 and last.max() <= 1 and layout.spine is None and first.max() > 0
        )
    visible = np.any(joints != 0, axis=-1) & np.all(np.isfinite(joints), axis=-1)
    if joints.shape[3] == 3 and scores:
        visible &= joints[..., 2] > 0
        joints = joints[..., :2]
    if not visible.any():
        raise UserError("nothing to animate: every joint of the clip is zero (missing)")
    return joints, visible


def _upright(places: np.ndarray, visible: np.ndarray, layout: Layout) -> bool:
    """Whether y grows upwards, read from the spine where the layout has one."""
    if layout.spine is not None:
        lower, upper = layout.spine
        both = visible[..., lower] & visible[..., upper]
        if both.any():
            return bool(np.median((places[..., upper, 1] - places[..., lower, 1])[both]) > 0)
    return places.shape[-1] == 3


def _write_gif(
    pictures: Iterator[UInt8[np.ndarray, "h w 3"]],
    count: int,
    out: str | os.PathLike[str],
    fps: float | int,
    shared: bool,
) -> None:
    try:
        from PIL import Image
    except ImportError as error:
        raise missing_extra("pillow", "plot", "writing a GIF") from error
    # A GIF counts hundredths of a second: whole ones that add up to the true length.
    ends = np.round(100 * np.arange(count + 1) / fps).astype(int)
    lengths = [10 * int(length) for length in np.maximum(np.diff(ends), 2)]
    palette, images = None, []
    for picture in pictures:
        image = Image.fromarray(picture)
        if palette is None or not shared:
            palette = image.quantize(96 if shared else 256, method=Image.Quantize.MEDIANCUT)
        images.append(image.quantize(palette=palette, dither=Image.Dither.NONE))
    first, *rest = images
    with files.replacing(out) as temporary:
        first.save(
            temporary,
            format="GIF",
            save_all=True,
            append_images=rest,
            duration=lengths,
            loop=0,
            optimize=False,
        )


def _write_mp4(
    pictures: Iterator[UInt8[np.ndarray, "h w 3"]],
    count: int,
    out: str | os.PathLike[str],
    fps: float | int,
) -> None:
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise missing_extra("imageio-ffmpeg", "plot", "writing an MP4") from error
    with files.replacing(out) as temporary:
        writer = None
        for picture in pictures:
            picture = picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]
            if writer is None:
                size = (picture.shape[1], picture.shape[0])
                writer = imageio_ffmpeg.write_frames(
                    str(temporary), size, fps=fps,  # pyright: ignore[reportArgumentType]
                    codec="libx264", pix_fmt_out="yuv420p", macro_block_size=2,
                    output_params=["-crf", "20", "-threads", "2"], ffmpeg_log_level="error",
                )  # fmt: skip
                writer.send(None)
            writer.send(np.ascontiguousarray(picture))
        if writer is not None:
            writer.close()
