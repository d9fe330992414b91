"""JPEG decoding and resizing without TensorFlow: the same bits as with it."""

import io
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from jaxact.errors import UserError
from jaxact.pipeline import images

SIZES = [(24, 40), (23, 41), (1, 1), (7, 5), (65, 33), (96, 128)]


def picture(height, width, seed=0):
    """Waves with noise, so that neither luma nor chroma is smooth."""
    y, x = np.mgrid[:height, :width]
    waves = np.stack([127 + 100 * np.sin(x / 9), 127 + 100 * np.cos(y / 7), x + y], axis=-1)
    noise = np.random.default_rng(seed).normal(0, 12, waves.shape)
    return (waves + noise).clip(0, 255).astype(np.uint8)


def jpeg(pixels, **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", **options)
    return stream.getvalue()


def decoded_twice(file, channels):
    numpy_pixels = images.decode(np.array([file], object), channels=channels)
    return numpy_pixels, images.decode(tf.constant([file]), channels=channels).numpy()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("channels", [1, 3])
def test_pillow_decodes_the_pixels_that_tensorflow_does(size, subsampling, channels):
    for quality, progressive in ((30, False), (95, True)):
        options = {"subsampling": subsampling, "quality": quality, "progressive": progressive}
        numpy_pixels, tensorflow_pixels = decoded_twice(jpeg(picture(*size), **options), channels)
        assert numpy_pixels.shape == (1, *size, channels)
        np.testing.assert_array_equal(numpy_pixels, tensorflow_pixels)


@pytest.mark.parametrize("channels", [1, 3])
def test_grey_files_have_as_many_channels_as_asked_for(channels):
    numpy_pixels, tensorflow_pixels = decoded_twice(jpeg(picture(17, 21)[..., 0]), channels)
    assert numpy_pixels.shape == (1, 17, 21, channels)
    np.testing.assert_array_equal(numpy_pixels, tensorflow_pixels)


@pytest.mark.parametrize("old", [(24, 40, 3), (65, 33, 1), (1, 1, 3), (5, 90, 3)])
@pytest.mark.parametrize("new", [(12, 18), (99, 101), (1, 1), (24, 41)])
def test_numpy_interpolates_as_tensorflow_does(old, new):
    pictures = np.random.default_rng(0).integers(0, 256, (2, *old), np.uint8)
    numpy_pixels = images.resize(pictures, new)
    tensorflow_pixels = images.resize(tf.constant(pictures), new).numpy()
    assert numpy_pixels.dtype == np.float32 and numpy_pixels.shape == (2, *new, old[2])
    np.testing.assert_allclose(
        numpy_pixels, tensorflow_pixels, rtol=0, atol=1e-4
    )  # equal on x86; elsewhere TensorFlow fuses products


def test_a_picture_keeps_its_pixels_at_its_own_size():
    pictures = picture(9, 14)[None]
    np.testing.assert_array_equal(images.resize(pictures, (9, 14)), pictures.astype(np.float32))


def test_a_missing_pillow_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(
        UserError, match=r"reading video files needs the package 'pillow', .* 'jaxact\[video\]'"
    ):
        images.decode(np.array([b""], object), channels=3)
