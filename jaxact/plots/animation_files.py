"""Animation files: images written as a GIF or MP4."""

import os
from collections.abc import Iterator

import numpy as np
from jaxtyping import UInt8

from jaxact import files
from jaxact.errors import UserError, missing_extra

SUFFIXES = (".gif", ".mp4")


def _suffix(out: str | os.PathLike[str]) -> str:
    return os.path.splitext(os.fspath(out))[1].lower()


def is_animation(out: str | os.PathLike[str]) -> bool:
    """Whether a file name has the suffix of an animation."""
    return _suffix(out) in SUFFIXES


def write_animation(
    images: Iterator[UInt8[np.ndarray, "h w 3"]],
    count: int,
    out: str | os.PathLike[str],
    fps: float | int,
    *,
    shared_palette: bool = True,
) -> None:
    """Writes images as a GIF or MP4, by the suffix of `out`.

    Args:
        images: the images, one by one.
        count: number of images.
        out: a .gif or .mp4 file.
        fps: frames per second, above 0.
        shared_palette: a GIF uses the palette of its first image for all; otherwise each image has
            its own.

    Raises:
        UserError: an unknown suffix, `fps` that is not positive, or a missing package.
    """
    if not is_animation(out):
        raise UserError(
            f"cannot animate to {os.fspath(out)!r}: the suffix must be one of {', '.join(SUFFIXES)}"
        )
    if not fps > 0:
        raise UserError(f"fps must be above 0, got {fps!r}")
    if _suffix(out) == ".gif":
        _write_gif(images, count, out, fps, shared_palette)
    else:
        _write_mp4(images, out, fps)


def _write_gif(
    images: Iterator[UInt8[np.ndarray, "h w 3"]],
    count: int,
    out: str | os.PathLike[str],
    fps: float | int,
    shared_palette: bool,
) -> None:
    try:
        from PIL import Image
    except ImportError as error:
        raise missing_extra("pillow", "plot", "writing a GIF") from error
    # A GIF counts hundredths of a second: integer durations that add up to the exact length.
    ends = np.round(100 * np.arange(count + 1) / fps).astype(int)
    durations = [10 * int(duration) for duration in np.maximum(np.diff(ends), 2)]
    colours = 96 if shared_palette else 256
    palette, quantized = None, []
    for pixels in images:
        image = Image.fromarray(pixels)
        if palette is None or not shared_palette:
            palette = image.quantize(colours, method=Image.Quantize.MEDIANCUT)
        quantized.append(image.quantize(palette=palette, dither=Image.Dither.NONE))
    first, *rest = quantized
    with files.replacing(out) as temporary:
        first.save(
            temporary, format="GIF", save_all=True, append_images=rest, duration=durations,
            loop=0, optimize=False,
        )  # fmt: skip


def _write_mp4(
    images: Iterator[UInt8[np.ndarray, "h w 3"]], out: str | os.PathLike[str], fps: float | int
) -> None:
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise missing_extra("imageio-ffmpeg", "plot", "writing an MP4") from error
    with files.replacing(out) as temporary:
        writer = None
        for pixels in images:
            pixels = pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2]
            if writer is None:
                size = (pixels.shape[1], pixels.shape[0])
                writer = imageio_ffmpeg.write_frames(
                    str(temporary), size, fps=fps,  # pyright: ignore[reportArgumentType]
                    codec="libx264", pix_fmt_out="yuv420p", macro_block_size=2,
                    output_params=["-crf", "20", "-threads", "2"], ffmpeg_log_level="error",
                )  # fmt: skip
                writer.send(None)
            writer.send(np.ascontiguousarray(pixels))
        if writer is not None:
            writer.close()
