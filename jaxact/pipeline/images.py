"""Decoding of JPEG files, and resizing of pictures.

TensorFlow decodes and resizes tensors; Pillow and NumPy decode and resize NumPy arrays. Both decode
with libjpeg-turbo's accurate integer transform and smooth chroma, and interpolate in float32 in the
same order.
"""

import functools
import io
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int32, Shaped, UInt8

from jaxact.errors import missing_extra
from jaxact.pipeline.array_dispatch import Array, tensorflow_of

# For every new pixel its two neighbours, and the weight of the second.
Neighbours = tuple[Int32[np.ndarray, " _"], Int32[np.ndarray, " _"], Float32[np.ndarray, " _"]]


def decode(pictures: Shaped[Array, " s"], *, channels: int) -> UInt8[Array, "s h w c"]:
    """The pixels of JPEG files of one size.

    Args:
        pictures: the files' bytes.
        channels: 3 for RGB, 1 for grey, which is the luma of a colour picture.
    """
    tf = tensorflow_of(pictures)
    if tf is None:
        return np.stack([_decode_with_pillow(picture, channels) for picture in pictures])
    decode_jpeg = functools.partial(
        tf.io.decode_jpeg, channels=channels, dct_method="INTEGER_ACCURATE"
    )
    pixels = tf.TensorSpec([None, None, channels], tf.uint8)
    return tf.map_fn(decode_jpeg, pictures, fn_output_signature=pixels)


def resize(pictures: UInt8[Array, "s h w c"], size: tuple[int, int]) -> Float[Array, "s i j c"]:
    """Bilinear interpolation without smoothing; the centre of pixel i is at i + 1/2.

    Args:
        pictures: pictures of one size.
        size: new height and width.
    """
    tf = tensorflow_of(pictures)
    if tf is not None:
        return tf.image.resize(pictures, size)
    rows = _neighbours(pictures.shape[1], size[0])
    columns = _neighbours(pictures.shape[2], size[1])
    resized = np.empty((len(pictures), *size, pictures.shape[3]), np.float32)
    for index, picture in enumerate(pictures):
        resized[index] = _resize_picture(picture, rows, columns)
    return resized


def letterbox(
    picture: UInt8[np.ndarray, "h w 3"], size: tuple[int, int]
) -> tuple[Float[np.ndarray, "i j 3"], Float[np.ndarray, "2"], Float[np.ndarray, "2"]]:
    """The whole picture, centred in another size with its aspect ratio, in [-1, 1]; 0 around it.

    The picture is resized to whole pixels, by their area if it shrinks.

    Args:
        picture: RGB.
        size: new height and width.

    Returns:
        The letterboxed picture; zoom and corner, each along x and y: p in the picture is zoom p +
        corner in the result.
    """
    resized, zoom = fit(picture, size)
    rows, columns = resized.shape[:2]
    top, left = (size[0] - rows) // 2, (size[1] - columns) // 2
    inputs = np.zeros((*size, 3), np.float32)
    inputs[top : top + rows, left : left + columns] = resized.astype(np.float32) / 127.5 - 1.0
    return inputs, zoom, np.array([left, top], np.float64)


def fit(
    picture: UInt8[np.ndarray, "h w 3"], size: tuple[int, int]
) -> tuple[UInt8[np.ndarray, "i j 3"], Float[np.ndarray, "2"]]:
    """The largest picture of the same aspect ratio that fits into a size, in whole pixels.

    Args:
        picture: RGB; averaged over areas where it shrinks, interpolated where it grows.
        size: largest height and width.

    Returns:
        The resized picture; its zoom along x and y.
    """
    from jaxact.datasets.formats import video_file

    height, width = picture.shape[:2]
    scale = min(size[0] / height, size[1] / width)
    rows = max(1, round(height * scale))
    columns = max(1, round(width * scale))
    pixels = np.ascontiguousarray(picture)
    frame = video_file.need_av().VideoFrame.from_ndarray(pixels, format="rgb24")
    method = "AREA" if scale < 1 else "BILINEAR"
    resized = frame.reformat(columns, rows, "rgb24", interpolation=method)
    return resized.to_ndarray(format="rgb24"), np.array([columns / width, rows / height])


def need_pillow() -> Any:
    """The module PIL.Image.

    Raises:
        UserError: Pillow is not installed; names the extra.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise missing_extra("pillow", "video", "reading video files") from error
    return Image


def _decode_with_pillow(picture: bytes, channels: int) -> UInt8[np.ndarray, "h w c"]:
    with need_pillow().open(io.BytesIO(picture)) as image:
        if channels == 1:
            image.draft("L", image.size)
        pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return pixels.reshape(*pixels.shape[:2], channels)


def _neighbours(old_size: int, new_size: int) -> Neighbours:
    """The neighbours of `new_size` pixels among `old_size` ones."""
    scale = np.float32(old_size) / np.float32(new_size)
    centres = np.arange(new_size, dtype=np.float32) + np.float32(0.5)
    positions = centres * scale - np.float32(0.5)
    floor = np.floor(positions)
    lower = np.maximum(floor.astype(np.int32), 0)
    upper = np.minimum(np.ceil(positions).astype(np.int32), old_size - 1)
    return lower, upper, positions - floor


def _resize_picture(
    picture: UInt8[np.ndarray, "h w c"], rows: Neighbours, columns: Neighbours
) -> Float32[np.ndarray, "i j c"]:
    left, right, weight = columns
    pixels = picture.astype(np.float32)
    resized = _interpolate(pixels[:, left], pixels[:, right], weight[:, None])
    above, below, weight = rows
    return _interpolate(resized[above], resized[below], weight[:, None, None])


def _interpolate(first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return first + (second - first) * weight
