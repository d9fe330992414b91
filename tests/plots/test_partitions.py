"""Drawings of layouts and their partitions."""

import numpy as np
import pytest

from jaxact import plots, skeletons
from jaxact.errors import UserError
from jaxact.plots import (
    layout_drawing,
    partitions,
)

pytest.importorskip("matplotlib")


@pytest.mark.parametrize("name", skeletons.LAYOUTS)
def test_every_layout_has_a_pose_of_its_own_for_drawing(name):
    layout = skeletons.get_layout(name)
    points = layout_drawing.standing_pose(layout)
    assert len(np.unique(points, axis=0)) == len(layout.joints), "two joints on one place"
    for left, right in layout.pairs:
        np.testing.assert_allclose(points[left] * (-1, 1), points[right])
        assert points[left, 0] > 0, "seen from the front the left is on the right"
    assert not np.allclose(points, layout_drawing.tree(layout))


def test_a_layout_of_ones_own_is_drawn_as_a_tree_without_crossings(tmp_path):
    edges = [(1, 0), (2, 1), (3, 0), (4, 3), (5, 3)]
    layout = skeletons.Layout.from_dict(
        {"name": "own", "joints": list("abcdef"), "edges": edges, "centre": 0}
    )
    points = layout_drawing.standing_pose(layout)
    assert len(np.unique(points.round(6), axis=0)) == 6
    np.testing.assert_allclose(
        np.linalg.norm(points, axis=-1), 0.2 * skeletons.hop_distances(layout), atol=1e-9
    )
    plots.partition(layout, tmp_path / "own.png")
    assert (tmp_path / "own.png").stat().st_size > 1000


def test_the_spatial_panel_colours_root_nearer_and_farther_as_the_adjacency_does(tmp_path, drawn):
    layout = skeletons.get_layout("openpose-18")
    plots.partition(layout, tmp_path / "p.png", strategies=("spatial",), root="left_elbow")
    points = layout_drawing.standing_pose(layout)
    from matplotlib.colors import to_rgba

    def joints_in(colour):
        offsets = [
            dots.get_offsets()
            for dots in drawn[0].axes[1].collections
            if hasattr(dots, "get_sizes") and len(dots.get_sizes()) and dots.get_sizes()[0] == 105
            if np.allclose(dots.get_facecolors()[0], to_rgba(colour))
        ]
        return [
            int(np.argmin(np.linalg.norm(points - place, axis=-1)))
            for place in np.concatenate(offsets)
        ]

    names = {
        colour: [layout.joints[joint] for joint in joints_in(colour)]
        for _, colour in partitions._SUBSETS["spatial"]
    }
    assert list(names.values()) == [["left_elbow"], ["left_shoulder"], ["left_wrist"]]


def test_partition_has_a_panel_for_the_frame_and_one_for_every_strategy(tmp_path, drawn):
    plots.partition(
        skeletons.get_layout("ntu-25"), tmp_path / "p.pdf", strategies=skeletons.STRATEGIES
    )
    heads = [axes.get_title(loc="left") for axes in drawn[0].axes]
    assert (
        len(heads) == 7
        and heads[0] == "(a) Input frame"
        and heads[4] == "(e) Spatial configuration"
    )


def test_partition_refuses_names_it_does_not_know(tmp_path):
    layout = skeletons.get_layout("ntu-25")
    with pytest.raises(UserError, match=r"unknown strategy 'spatail'; .* did you mean 'spatial'"):
        plots.partition(layout, tmp_path / "p.png", strategies=("spatail",))
    with pytest.raises(UserError, match="unknown joint of layout 'ntu-25' 'tail'"):
        plots.partition(layout, tmp_path / "p.png", root="tail")
    with pytest.raises(UserError, match="no joint 25; its joints are numbered 0 to 24"):
        plots.partition(layout, tmp_path / "p.png", root=25)
