"""JPEG files to pixels, and pixels to another size.

Tensors are decoded and resized by TensorFlow, NumPy arrays by Pillow and NumPy. Both sides decode
with libjpeg-turbo's accurate integer transform and smooth chroma, and interpolate in float32 in the
same order.
"""

import functools
import io
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Int32, Shaped, UInt8

from jaxact.errors import missing_extra
from jaxact.pipeline.array_ops import Array, tensorflow_of

# For every pixel the two it lies between, and the weight of the second.
Neighbours = tuple[Int32[np.ndarray, " _"], Int32[np.ndarray, " _"], Float32[np.ndarray, " _"]]


def decode(pictures: Shaped[Array, " s"], *, channels: int) -> UInt8[Array, "s h w c"]:
    """The pixels of JPEG files of one size.

    Args:
      pictures: the files' bytes.
      channels: 3 for RGB, 1 for grey, which is the luma of a picture in colour.
    """
    tf = tensorflow_of(pictures)
    if tf is None:
        return np.stack([_decoded(picture, channels) for picture in pictures])
    decode_jpeg = functools.partial(
        tf.io.decode_jpeg, channels=channels, dct_method="INTEGER_ACCURATE"
    )
    pixels = tf.TensorSpec([None, None, channels], tf.uint8)
    return tf.map_fn(decode_jpeg, pictures, fn_output_signature=pixels)


def resize(pictures: UInt8[Array, "s h w c"], size: tuple[int, int]) -> Float[Array, "s i j c"]:
    """Bilinear interpolation without smoothing; the centre of pixel i lies at i + 1/2.

    Args:
      pictures: of one size.
      size: height and width wanted.
    """
    tf = tensorflow_of(pictures)
    if tf is not None:
        return tf.image.resize(pictures, size)
    rows, columns = (
        _neighbours(old, new) for old, new in zip(pictures.shape[1:3], size, strict=True)
    )
    resized = np.empty((len(pictures), *size, pictures.shape[3]), np.float32)
    for number, picture in enumerate(pictures):
        resized[number] = _resized(picture, rows, columns)
    return resized


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


def _decoded(picture: bytes, channels: int) -> UInt8[np.ndarray, "h w c"]:
    with need_pillow().open(io.BytesIO(picture)) as image:
        if channels == 1:
            image.draft("L", image.size)
        pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return pixels.reshape(*pixels.shape[:2], channels)


def _neighbours(old: int, new: int) -> Neighbours:
    """The neighbours of `new` pixels among `old` ones."""
    scale = np.float32(old) / np.float32(new)
    place = (np.arange(new, dtype=np.float32) + np.float32(0.5)) * scale - np.float32(0.5)
    below = np.floor(place)
    lower = np.maximum(below.astype(np.int32), 0)
    upper = np.minimum(np.ceil(place).astype(np.int32), old - 1)
    return lower, upper, place - below


def _resized(
    picture: UInt8[np.ndarray, "h w c"], rows: Neighbours, columns: Neighbours
) -> Float32[np.ndarray, "i j c"]:
    left, right, weight = columns
    pixels = picture.astype(np.float32)
    wide = _between(pixels[:, left], pixels[:, right], weight[:, None])
    above, below, weight = rows
    return _between(wide[above], wide[below], weight[:, None, None])


def _between(first: np.ndarray, second: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return first + (second - first) * weight
