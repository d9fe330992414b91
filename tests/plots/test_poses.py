"""Panels of single poses."""

import numpy as np
import pytest

from jaxact import plots, skeletons
from jaxact.errors import UserError
from tests.helpers.figures import texts, walker

pytest.importorskip("matplotlib")


def pose(title="gap", layout="ntu-25", **changes):
    joints = walker(2, layout)
    present = np.any(joints != 0, axis=-1)
    fields = {
        "title": title, "note": "clip, frame 1 of 2", "points": joints[1], "present": present[1],
        "previous": joints[0], "previous_present": present[0],
    }  # fmt: skip
    return plots.PosePanel(**{**fields, **changes})


def test_poses_stand_four_in_a_row_over_the_frame_before(tmp_path, drawn):
    layout = skeletons.get_layout("ntu-25")
    plots.poses([pose(f"rule {i}") for i in range(5)], layout, tmp_path / "p.png", y_up=True)
    axes = [one for one in drawn[0].axes if one.axison]
    assert len(drawn[0].axes) == 8 and len(axes) == 5
    assert {f"rule {i}\n" for i in range(5)} | {"clip, frame 1 of 2"} <= set(texts(drawn[0]))
    previous, current = (
        collection for collection in axes[0].collections if hasattr(collection, "get_segments")
    )
    if previous.get_zorder() > current.get_zorder():
        previous, current = current, previous
    assert len(previous.get_segments()) == len(current.get_segments()) == 24
    assert previous.get_alpha() < 1
    moved = current.get_segments()[0][0] - previous.get_segments()[0][0]
    # The clip's x grows, and a sensor's x runs to its left.
    assert moved[0] < 0 and moved[1] == pytest.approx(0)


@pytest.mark.parametrize(("y_up", "sign"), [(True, 1), (False, -1)])
def test_poses_have_the_head_where_y_says(tmp_path, drawn, y_up, sign):
    plots.poses([pose()], skeletons.get_layout("ntu-25"), tmp_path / "p.svg", y_up=y_up)
    dots = next(c for c in drawn[0].axes[0].collections if len(c.get_offsets()) == 25).get_offsets()
    assert sign * (dots[3][1] - dots[15][1]) > 0, "head over foot"


def test_a_pose_without_a_joint_or_a_frame_before_is_drawn_and_no_pose_is_refused(tmp_path):
    layout = skeletons.get_layout("ntu-25")
    nobody = np.zeros((2, 25), bool)
    empty = pose(present=nobody, previous_present=nobody)
    plots.poses([pose(previous_present=nobody), empty], layout, tmp_path / "p.png", y_up=True)
    assert (tmp_path / "p.png").stat().st_size > 1000
    with pytest.raises(UserError, match="no pose to draw"):
        plots.poses([], layout, tmp_path / "q.png", y_up=True)
