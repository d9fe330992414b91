"""Discs of an activation map over skeletons."""

import numpy as np
import pytest

from jaxact import plots, skeletons
from jaxact.errors import UserError
from tests.helpers.figures import texts, walker

pytest.importorskip("matplotlib")
from PIL import Image


def discs(axes):
    """Places and areas of the discs behind a skeleton."""
    (artist,) = [drawn for drawn in axes.collections if drawn.get_zorder() == 2.5]
    return np.asarray(artist.get_offsets()), artist.get_sizes()


def test_a_discs_area_grows_with_the_strength_and_missing_joints_have_none(tmp_path, drawn):
    joints, strength = walker(11), np.random.default_rng(0).uniform(0, 4, (11, 2, 25))
    joints[0, 0, 13] = 0
    plots.activation_map(
        joints, strength, skeletons.get_layout("ntu-25"), tmp_path / "r.png", title="wave", fps=10
    )
    (figure,) = drawn
    assert len(figure.axes) == 6 and {"wave", "0.00 s", "1.00 s"} <= set(texts(figure))
    for axes, frame in zip(figure.axes, (0, 2, 4, 6, 8, 10), strict=True):
        points, areas = discs(axes)
        present = joints[frame].any(-1)
        assert len(points) == present.sum() == (24 if frame == 0 else 25)
        np.testing.assert_allclose(areas, 64 * strength[frame][present])
    joint = next(drawn for drawn in figure.axes[1].collections if drawn.get_zorder() == 4)
    np.testing.assert_allclose(
        np.sort(discs(figure.axes[1])[0], 0), np.sort(np.asarray(joint.get_offsets()), 0)
    )


def test_an_activation_map_is_animated_as_a_gif(tmp_path):
    layout = skeletons.get_layout("openpose-18")
    plots.activation_map(walker(3, "openpose-18"), np.ones((3, 2, 18)), layout, tmp_path / "r.gif")
    with Image.open(tmp_path / "r.gif") as picture:
        assert getattr(picture, "n_frames", 1) == 3


def test_a_strength_of_another_shape_is_refused(tmp_path):
    with pytest.raises(
        UserError, match=r"joints of shape .* want a strength of \(3, 2, 25\), got \(3, 25\)"
    ):
        plots.activation_map(
            walker(3), np.ones((3, 25)), skeletons.get_layout("ntu-25"), tmp_path / "r.png"
        )
    with pytest.raises(UserError, match="the suffix must be one of"):
        plots.activation_map(
            walker(3), np.ones((3, 2, 25)), skeletons.get_layout("ntu-25"), tmp_path / "r.txt"
        )
    assert not list(tmp_path.iterdir())
