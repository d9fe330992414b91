"""Video frames, joints in pixels, and attention drawn over a video."""

import builtins
import sys

import numpy as np
import pytest

from jaxact import plots, skeletons
from jaxact.errors import UserError
from jaxact.plots import video
from tests.helpers.attention_figures import discs, grey_video, random_maps

pytest.importorskip("matplotlib")

LAYOUT = skeletons.get_layout("kinect-15")
GREY = "#b9c0c9"


def test_the_frames_that_are_asked_for_are_read_from_a_video(tmp_path):
    matches = video.read_frames(grey_video(tmp_path / "v.mkv"), np.array([0, 3, 1, 3]), 5)
    assert matches.shape == (4, 48, 64, 3) and [int(picture.mean()) for picture in matches] == [
        0,
        90,
        30,
        90,
    ]


def test_a_video_of_another_length_is_refused(tmp_path):
    with pytest.raises(
        UserError, match=r"the video '.*v.mkv' has 5 frames and the record 6; wanted the video that"
    ):
        video.read_frames(grey_video(tmp_path / "v.mkv"), np.array([0]), 6)


def test_a_file_that_is_no_video_is_refused(tmp_path):
    (tmp_path / "v.mp4").write_text("no video")
    for name in ("v.mp4", "none.mp4"):
        with pytest.raises(UserError, match=rf"'.*{name}' cannot be read as a video: "):
            video.read_frames(tmp_path / name, np.array([0]), 1)


def test_without_pyav_the_extra_is_named(tmp_path, monkeypatch):
    original_import = builtins.__import__

    def no_av(name, *args, **options):
        if name.split(".")[0] == "av":
            raise ImportError(name)
        return original_import(name, *args, **options)

    monkeypatch.delitem(sys.modules, "av", raising=False)
    monkeypatch.setattr(builtins, "__import__", no_av)
    with pytest.raises(
        UserError,
        match=r"reading video files needs the package 'av'.*pip install 'jaxact\[video\]'",
    ):
        video.read_frames(tmp_path / "v.mp4", np.array([0]), 1)


def test_shares_of_the_picture_become_pixels_and_pixels_stay():
    shares = np.array([[[[0.5, 0.25, 0.9], [0.0, 0.0, 0.0]]]])
    np.testing.assert_allclose(
        video.to_pixels(shares, (100, 200), score=True), [[[[100, 25], [0, 0]]]]
    )
    np.testing.assert_allclose(
        video.to_pixels(shares[..., :2], (100, 200), score=False), [[[[100, 25], [0, 0]]]]
    )
    pixels = np.array([[[[150.0, 25.0], [-20.0, 80.0]]]])
    np.testing.assert_array_equal(video.to_pixels(pixels, (100, 200), score=False), pixels)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (
            np.ones((1, 1, 2, 3)),
            "joints of 3 coordinates cannot be drawn over a video; wanted a data set of 2-D joints",
        ),
        (
            np.array([[[[-1.2, 0.5], [1.0, 2.5]]]]),
            r"joints from \[-1.2, 0.5\] to \[1.0, 2.5\] are neither shares ",
        ),
        (
            np.array([[[[9.0, 5.0], [900.0, 50.0]]]]),
            "are neither shares of the image nor pixels in one of 200 x 100",
        ),
    ],
)
def test_joints_that_are_in_no_picture_are_refused(points, message):
    with pytest.raises(UserError, match=message):
        video.to_pixels(points, (100, 200), score=False)


def test_joints_lie_on_their_pixels_of_the_frame_they_were_found_in(tmp_path, drawn):
    images = (
        np.zeros((12, 48, 64, 3), np.uint8) + np.arange(12, dtype=np.uint8)[:, None, None, None]
    )
    joints = np.random.default_rng(1).uniform(4, 40, (12, 1, 15, 2))
    joints[0, 0, 4] = 0
    heat = np.broadcast_to(np.linspace(0, 1, 15), (12, 1, 15)).copy()
    maps = random_maps(people=1, joints=joints, heat=heat)
    plots.attention(maps, LAYOUT, tmp_path / "a.png", images=images)
    panels = [axes for axes in drawn[0].axes if discs(axes)]
    for axes, t in zip(panels, (2, 6, 10), strict=True):
        np.testing.assert_allclose(discs(axes)[0], joints[t, 0])
        assert (np.asarray(axes.images[0].get_array()) == t).all()
        assert axes.get_xlim() == (-0.5, 63.5) and axes.get_ylim() == (47.5, -0.5), (
            "y down, a pixel's middle whole"
        )
