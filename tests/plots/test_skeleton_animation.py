"""Animated skeletons and videos: their frames, their scenes and errors."""

import numpy as np
import pytest

from jaxact import cli, plots, skeletons
from jaxact.datasets.synthetic import sample_files
from jaxact.errors import UserError
from jaxact.plots import (
    skeleton_animation,
    skeleton_scene,
)
from tests.helpers.figures import walker

pytest.importorskip("matplotlib")
from PIL import Image


def test_a_gif_lasts_as_long_as_the_clip(tmp_path):
    plots.animation(
        walker(9), skeletons.get_layout("ntu-25"), tmp_path / "a.gif", fps=30, title="walk"
    )
    with Image.open(tmp_path / "a.gif") as picture:
        lengths = []
        for frame in range(getattr(picture, "n_frames", 1)):
            picture.seek(frame)
            lengths.append(picture.info["duration"])
    assert len(lengths) == 9 and sum(lengths) == 300


def test_an_mp4_holds_every_frame(tmp_path):
    reader = pytest.importorskip("imageio_ffmpeg")
    plots.animation(walker(7), skeletons.get_layout("ntu-25"), tmp_path / "a.mp4", fps=25)
    frames, seconds = reader.count_frames_and_secs(str(tmp_path / "a.mp4"))
    assert frames == 7 and abs(seconds - 7 / 25) < 0.05
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def shown(joints, layout, **options):
    """Segments drawn in each frame, by the colour of their side, without rendering a picture."""
    records = []
    move = skeleton_scene.Limbs.move

    def record(self, points, depth, visible):
        move(self, points, depth, visible)
        records.append((points.copy(), visible.copy(), len(self.lines.get_segments())))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(skeleton_scene.Limbs, "move", record)
        list(skeleton_animation.frames(joints, skeletons.get_layout(layout), dpi=20, **options))
    return records


def test_who_faces_a_sensor_has_the_left_on_the_viewers_right_and_the_head_on_top():
    joints = walker(2)
    for clip, options in (
        (joints, {}),
        (joints * (-1, -1, 1), {}),
    ):  # y up; and y down with x to the right
        points, *_ = shown(clip, "ntu-25", **options)[0]
        assert points[0, 4, 0] > points[0, 8, 0], "left shoulder"
        assert points[0, 3, 1] > points[0, 0, 1] > points[0, 15, 1], "head over hips over feet"


def test_image_coordinates_are_drawn_with_y_down_and_x_as_it_is():
    joints = walker(2, "openpose-18")[..., :2] * (1, -1)
    points, *_ = shown(joints, "openpose-18")[0]
    assert points[0, 0, 1] > points[0, 10, 1], "nose over ankle"
    assert points[0, 2, 0] > points[0, 5, 0], "x is not mirrored"


def test_missing_joints_and_their_bones_are_not_drawn():
    joints = walker(2)
    joints[1, 0, 13] = 0  # a knee: the bones to hip and ankle go with it
    (_, first, bones), (_, second, fewer) = shown(joints, "ntu-25")
    assert first[0].all() and not first[1].any(), "the second person is not there"
    assert not second[0, 13] and fewer == bones - 2 == 22


def test_a_score_of_zero_is_a_missing_joint():
    joints = walker(1, "openpose-18")
    joints[..., :2] *= 100
    joints[..., 2] = 0.9
    joints[0, 0, 4, 2] = 0
    (_, visible, _) = shown(joints, "openpose-18")[0]
    assert list(np.flatnonzero(~visible[0])) == [4]


def test_feet_stand_on_the_floor_of_the_picture():
    stage = skeleton_scene.FloorScene(
        walker(3)[:, :1] * (-1, 1, -1),
        np.ones((3, 1, 25), bool),
        skeletons.get_layout("ntu-25"),
        0.0,
    )
    assert abs(stage.points[..., 1].min()) < 1e-6 and stage.height == pytest.approx(
        1.7 * 0.95, abs=0.02
    )


def test_the_floor_of_a_tilted_sensor_is_drawn_level():
    joints = walker(5)[:, :1] * (-1, 1, -1)
    joints[..., 2] += np.linspace(0, 2, 5)[:, None, None]
    joints[..., 1] += 0.2 * joints[..., 2]
    stage = skeleton_scene.FloorScene(
        joints, np.ones((5, 1, 25), bool), skeletons.get_layout("ntu-25"), 0.0
    )
    np.testing.assert_allclose(stage.points[..., 1].min(axis=(1, 2)), 0, atol=0.01)


@pytest.mark.parametrize(
    ("joints", "out", "options", "message"),
    [
        (walker(2), "a.avi", {}, "the suffix must be one of .gif, .mp4"),
        (
            walker(2)[:, :, :20],
            "a.gif",
            {},
            r"layout 'ntu-25' wants joints of shape .* 25, .* got \(2, 2, 20, 3\)",
        ),
        (np.zeros((2, 1, 25, 3)), "a.gif", {}, "every joint of the clip is zero"),
        (walker(2), "a.gif", {"fps": 0.0}, "fps must be above 0, got 0.0"),
    ],
)
def test_animation_refuses_what_it_cannot_draw_and_leaves_nothing(
    tmp_path, joints, out, options, message
):
    with pytest.raises(UserError, match=message):
        plots.animation(joints, skeletons.get_layout("ntu-25"), tmp_path / out, **options)
    assert not list(tmp_path.iterdir())


def film(frames=5, height=30, width=40):
    """Pictures whose left half turns from red to blue, u8 [t, h, w, 3]."""
    pictures = np.full((frames, height, width, 3), 200, np.uint8)
    pictures[:, :, : width // 2] = 0
    pictures[:, :, : width // 2, 0] = np.linspace(250, 0, frames)[:, None, None]
    pictures[:, :, : width // 2, 2] = np.linspace(0, 250, frames)[:, None, None]
    return pictures


def test_a_video_is_played_under_its_title_with_its_own_colours(tmp_path):
    pictures = film()
    plots.playback(pictures, tmp_path / "v.gif", fps=25, title="laugh")
    with Image.open(tmp_path / "v.gif") as picture:
        assert (getattr(picture, "n_frames", 1), picture.size) == (5, (440, 362))
        for number, truth in enumerate(pictures):
            picture.seek(number)
            shown = np.asarray(picture.convert("RGB")).astype(int)
            assert picture.info["duration"] == 40
            for column, side in ((10, truth[0, 0]), (430, truth[0, -1])):
                for row in (40, 355):
                    assert np.abs(shown[row, column] - side).max() < 12, (number, row, column)
        assert (np.asarray(picture.convert("L"))[:32] < 100).any(), "a title above"


def test_a_video_is_played_as_an_mp4_and_a_tall_one_fits(tmp_path):
    reader = pytest.importorskip("imageio_ffmpeg")
    plots.playback(film(7, 90, 30), tmp_path / "v.mp4", fps=25)
    frames, seconds = reader.count_frames_and_secs(str(tmp_path / "v.mp4"))
    assert frames == 7 and abs(seconds - 7 / 25) < 0.05
    with pytest.raises(UserError, match=r"the suffix must be one of .gif, .mp4"):
        plots.playback(film(), tmp_path / "v.png")


def test_the_command_plays_a_record_of_videos_at_its_own_rate(tmp_path, capsys):
    sample_files.hmdb51(tmp_path / "raw")
    assert (
        cli.main(
            ["prepare", "hmdb51", "--raw", f"{tmp_path}/raw", "--data-dir", f"{tmp_path}/data"]
        )
        == 0
    )
    play = ["plot", "clip", "hmdb51", "--data-dir", f"{tmp_path}/data", "--split", "official1_test"]
    for out, options, duration in (("own", [], 40), ("slow", ["--fps", "10"], 100)):
        assert cli.main([*play, *options, "--index", "1", "--out", f"{tmp_path}/{out}.gif"]) == 0
        with Image.open(tmp_path / f"{out}.gif") as picture:
            assert getattr(picture, "n_frames", 1) == 6 and picture.info["duration"] == duration
    assert cli.main([*play, "--id", "laugh/none", "--out", f"{tmp_path}/none.gif"]) == 2
    assert (
        "no record with the id 'laugh/none' in the split 'official1_test' of 'hmdb51'"
        in capsys.readouterr().err
    )
