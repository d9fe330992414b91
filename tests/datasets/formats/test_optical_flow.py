"""Optical flow of a shifted picture, and its 8-bit encoding."""

import sys

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from jaxact.datasets.formats import optical_flow, video_encoding
from jaxact.errors import UserError
from tests.helpers import videos


def texture(height: int, width: int) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=(height, width))
    smooth = scipy.ndimage.gaussian_filter(noise, 3)
    return (255 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)


@pytest.mark.parametrize("method", optical_flow.METHODS)
@pytest.mark.parametrize("moved", [(3, 0), (0, 2), (-4, 1)])
def test_the_flow_of_a_shifted_picture_is_the_shift(method, moved):
    whole = texture(128, 160)
    first = whole[20:-20, 20:-20]
    second = np.ascontiguousarray(
        whole[20 - moved[1] : -20 - moved[1], 20 - moved[0] : -20 - moved[0]]
    )
    flow = optical_flow.flow_estimator(method)(np.ascontiguousarray(first), second)
    assert flow.shape == (88, 120, 2) and flow.dtype == np.float32
    np.testing.assert_allclose(np.median(flow[16:-16, 16:-16], (0, 1)), moved, atol=0.2)


def test_levels_follow_the_usual_formula():
    values = np.array([[-30.0, -20.0, -0.1, 0.0, 0.1, 7.3, 20.0, 30.0]], np.float32)
    levels = optical_flow.quantise(np.stack([values, -values], axis=-1))
    expected = [
        round(255 * (min(max(value, -20.0), 20.0) + 20.0) / 40.0)
        for value in (*values[0], *-values[0])
    ]
    assert levels.dtype == np.uint8 and levels.tolist() == [expected]
    assert expected[:4] == [0, 0, 127, 128] and expected[7] == 255


@pytest.mark.parametrize("method", optical_flow.METHODS)
def test_stored_flow_has_one_picture_per_frame_with_x_left_and_y_right(tmp_path, method):
    whole = texture(96, 140)
    clip = np.stack([whole[16:80, 30 - 3 * i : 110 - 3 * i] for i in range(4)])[..., None].repeat(
        3, 3
    )
    path = videos.write(tmp_path / "clip.mkv", clip, codec="ffv1")
    encoded = video_encoding.encode(str(path), short_side=256, flow=method)
    stored = [tf.io.decode_jpeg(picture, channels=1).numpy() for picture in encoded.flow]
    assert [picture.shape for picture in stored] == [(64, 160, 1)] * 4 and len(encoded.frames) == 4
    for picture in stored:
        pixels = picture[12:-12, :, 0].astype(np.float32) * 40 / 255 - 20
        np.testing.assert_allclose(np.median(pixels[:, 12:68]), 3, atol=0.4)
        np.testing.assert_allclose(np.median(pixels[:, 92:148]), 0, atol=0.4)
    assert encoded.flow[3] == encoded.flow[2] != encoded.flow[1]


def test_the_flow_of_one_frame_is_zero(tmp_path):
    encoded = video_encoding.encode(
        str(videos.write(tmp_path / "clip.mp4", videos.frames(1))), short_side=256, flow="dis"
    )
    (picture,) = [tf.io.decode_jpeg(picture, channels=1).numpy() for picture in encoded.flow]
    assert picture.shape == (24, 64, 1) and (picture == 128).all()


def test_the_error_of_an_unknown_method_lists_the_methods(monkeypatch):
    with pytest.raises(UserError, match=r"unknown flow 'tvl1'; available: dis, farneback"):
        optical_flow.flow_estimator("tvl1")
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(UserError, match=r"'opencv-contrib-python', .*pip install 'jaxact\[flow\]'"):
        optical_flow.flow_estimator("dis")
