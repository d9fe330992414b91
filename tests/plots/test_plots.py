"""Figures: their content is read from the figure and the written file, errors from their text."""

import builtins
import json
import sys

import numpy as np
import pytest

from jaxact import cli, plots, skeletons
from jaxact.datasets.synthetic import sample_files
from jaxact.errors import UserError
from jaxact.plots import (
    curves,
    layout_drawing,
    partitions,
    skeleton_animation,
    skeleton_scene,
    style,
)
from jaxact.plots.confusion_matrix import _MAX_NAMED, _MAX_NUMBERED

pytest.importorskip("matplotlib")
from PIL import Image


@pytest.fixture
def drawn(monkeypatch):
    """Figures as they are saved."""
    figures = []
    save = style.save
    monkeypatch.setattr(
        style, "save", lambda drawing, out: (figures.append(drawing), save(drawing, out))
    )
    return figures


def texts(figure) -> list[str]:
    return [
        text.get_text()
        for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))
        if text.get_text()
    ]


def line(axes, label):
    return next(drawn for drawn in axes.get_lines() if drawn.get_label() == label).get_xydata()


def write(path, lines):
    path.write_text("".join(json.dumps(entry) + "\n" for entry in lines))
    return path


LINES = [
    {"step": 10, "epoch": 0.5, "train_loss": 2.0, "train_top1": 0.25, "learning_rate": 0.1},
    {"step": 20, "epoch": 1.0, "train_loss": 1.0, "train_top1": 0.5, "learning_rate": 0.05},
    {"step": 20, "epoch": 1.0, "eval_top1": 0.75, "eval_top5": 1.0, "eval_loss": 0.5},
]


def walker(frames=8, layout="ntu-25"):
    """A standing figure that shifts sideways, three metres away, y up."""
    pose = layout_drawing.standing_pose(skeletons.get_layout(layout))
    joints = np.zeros((frames, 2, len(pose), 3))
    joints[:, 0] = np.column_stack([-1.7 * pose[:, 0], 1.7 * pose[:, 1], np.full(len(pose), 3.0)])
    joints[:, 0, :, 0] += np.linspace(0, 0.4, frames)[:, None]
    return joints


# --- curves


def test_curves_draw_the_numbers_of_the_file_in_percent_over_epochs(tmp_path, drawn):
    plots.training_curves(write(tmp_path / "metrics.jsonl", LINES), tmp_path / "curves.png")
    loss, accuracy, rate = drawn[0].axes
    np.testing.assert_allclose(line(loss, "training"), [[0.5, 2.0], [1.0, 1.0]])
    np.testing.assert_allclose(line(loss, "evaluation"), [[1.0, 0.5]])
    np.testing.assert_allclose(line(accuracy, "training, top-1"), [[0.5, 25.0], [1.0, 50.0]])
    np.testing.assert_allclose(line(accuracy, "evaluation, top-1"), [[1.0, 75.0]])
    np.testing.assert_allclose(line(accuracy, "evaluation, top-5"), [[1.0, 100.0]])
    np.testing.assert_allclose(line(rate, "learning rate")[:, 1], [0.1, 0.05])
    assert (loss.get_xlabel(), accuracy.get_ylabel()) == ("epoch", "%")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.size[0] > 600


def test_curves_leave_out_what_no_run_has(tmp_path, drawn):
    path = write(
        tmp_path / "m.jsonl", [{"step": 1, "train_loss": 3.0}, {"step": 2, "train_loss": 2.0}]
    )
    plots.training_curves(path, tmp_path / "c.svg")
    (loss,) = drawn[0].axes
    assert loss.get_title(loc="left") == "Loss" and loss.get_xlabel() == "step"


def test_only_the_panels_that_are_asked_for_are_drawn(tmp_path, drawn):
    path = write(tmp_path / "metrics.jsonl", LINES)
    plots.training_curves(path, tmp_path / "c.png", panels=["accuracy"])
    assert [axes.get_title(loc="left") for axes in drawn[0].axes] == ["Accuracy"]
    with pytest.raises(
        UserError,
        match="unknown panel 'acuracy'; available: accuracy, learning rate, loss; did you",
    ):
        plots.training_curves(path, tmp_path / "c.png", panels=["acuracy"])


def test_several_runs_share_a_panel_in_colours_of_their_own(tmp_path, drawn):
    for name in ("joint", "bone"):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "metrics.jsonl", LINES)
    plots.training_curves([tmp_path / "joint", tmp_path / "bone"], tmp_path / "both.png")
    loss = drawn[0].axes[0]
    assert len({drawn.get_color() for drawn in loss.get_lines()}) == 2
    assert {"joint", "bone"} <= set(texts(loss.get_legend()))


def test_a_line_cut_off_at_the_end_is_left_out_and_one_in_the_middle_is_an_error(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text(json.dumps(LINES[0]) + '\n{"step": 20, "trai')
    assert len(curves._read_rows(path)) == 1
    path.write_text('{"step": 20, "trai\n' + json.dumps(LINES[0]) + "\n")
    with pytest.raises(UserError, match="line 1, is not JSON"):
        curves._read_rows(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot read the metrics"), ("{}\n", "nothing to draw in"), ("[1]\n", "not a JSON")],
)
def test_curves_refuse_a_file_without_metrics(tmp_path, content, message):
    path = tmp_path / "metrics.jsonl"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=message):
        plots.training_curves(path, tmp_path / "c.png")
    assert not (tmp_path / "c.png").exists()


# --- classes


def test_a_confusion_matrix_normalises_rows_and_names_both_axes(tmp_path, drawn):
    counts = np.array([[3, 1, 0], [0, 2, 2], [0, 0, 0]])
    plots.confusion_matrix(counts, ["walk", "wave", "throw"], tmp_path / "c.png")
    axes = drawn[0].axes[0]
    shown = axes.images[0].get_array()
    np.testing.assert_allclose(shown[:2], [[0.75, 0.25, 0.0], [0.0, 0.5, 0.5]])
    assert shown.mask[2].all(), "a class without clips has no shares"
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("true class", "predicted class")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["walk", "wave", "throw"]
    cells = {
        (round(t.get_position()[1]), round(t.get_position()[0])): t.get_text() for t in axes.texts
    }
    assert cells == {(0, 0): "75", (0, 1): "25", (1, 1): "50", (1, 2): "50"}
    assert axes.get_title(loc="left") == "Confusion matrix    top-1 62.5 % of 8 clips"


@pytest.mark.parametrize("number", [1, 27, 60, 130])
def test_a_confusion_matrix_of_any_size_is_drawn(tmp_path, drawn, number):
    counts = 9 * np.eye(number, dtype=int)
    counts[0, -1] += 3
    plots.confusion_matrix(counts, [f"class {i}" for i in range(number)], tmp_path / "c.png")
    written = texts(drawn[0])
    assert (" 25 %  class 0 → class 129" in written) == (number == 130)
    assert ("class 26" in written) == (number in (27, 60))


@pytest.mark.parametrize("number", [2, 51, 101])
def test_heading_and_axes_of_a_confusion_matrix_lie_inside_the_picture(tmp_path, drawn, number):
    title = "ucf101, random_3to1_test"
    labels = [f"BalanceBeam number {i}" for i in range(number)]
    plots.confusion_matrix(9 * np.eye(number, dtype=int), labels, tmp_path / "c.png", title=title)
    axes, whole = drawn[0].axes[0], drawn[0].bbox
    heading = next(
        text for text in axes.findobj(lambda a: hasattr(a, "get_text")) if title in text.get_text()
    )
    for text in (heading, axes.xaxis.label, axes.yaxis.label):
        box = text.get_window_extent()
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= whole.x1 and box.y1 <= whole.y1, text


def test_a_run_of_one_logged_step_shows_a_point(tmp_path, drawn):
    plots.training_curves(write(tmp_path / "m.jsonl", LINES[1:]), tmp_path / "c.png")
    training = next(
        drawn for drawn in drawn[0].axes[0].get_lines() if drawn.get_label() == "training"
    )
    assert training.get_marker() == "o" and training.get_markersize() > 0


def test_bars_stand_in_the_order_of_accuracy_with_empty_classes_last(tmp_path, drawn):
    accuracy = np.array([0.5, np.nan, 1.0, 0.0])
    plots.per_class_bars(
        accuracy, ["a", "b", "c", "d"], tmp_path / "b.png", counts=np.array([4, 0, 2, 3])
    )
    axes = drawn[0].axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["c", "a", "d", "b"]
    np.testing.assert_allclose([bar.get_width() for bar in axes.patches], [100, 50, 0, 0])
    assert axes.get_title(loc="left") == "Accuracy per class    mean 50.0 %"
    assert "no clip" in texts(axes)


@pytest.mark.parametrize("draw", [plots.confusion_matrix, plots.per_class_bars])
def test_numbers_of_other_classes_than_the_labels_are_refused(tmp_path, draw):
    numbers = np.zeros((3, 3), int) if draw is plots.confusion_matrix else np.zeros(3)
    with pytest.raises(UserError, match="2 labels"):
        draw(numbers, ["a", "b"], tmp_path / "c.png")


def test_labels_are_shortened_to_their_place():
    assert style.shorten("swing", 5) == "swing" and style.shorten("tennis swing", 8) == "tennis…"
    assert _MAX_NUMBERED < _MAX_NAMED


# --- partition


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
        for colour in partitions._PALETTE
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


# --- animation


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


# --- playback


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


# --- activation map


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


# --- all


def test_a_suffix_that_is_no_picture_is_refused(tmp_path):
    with pytest.raises(
        UserError, match=r"cannot draw to .*c\.txt.*: the suffix must be one of .*\.png"
    ):
        plots.per_class_bars(np.ones(1), ["a"], tmp_path / "c.txt")
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_the_extra_is_named(tmp_path, monkeypatch):
    for module in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, module)
    original_import = builtins.__import__

    def no_matplotlib(name, *args, **options):
        if name.split(".")[0] == "matplotlib":
            raise ImportError(name)
        return original_import(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", no_matplotlib)
    with pytest.raises(UserError, match=r"matplotlib.*pip install 'jaxact\[plot\]'"):
        plots.per_class_bars(np.ones(1), ["a"], tmp_path / "c.png")


def test_drawing_leaves_the_style_of_the_caller_alone(tmp_path):
    import matplotlib

    before = dict(matplotlib.rcParams)
    plots.per_class_bars(np.ones(1), ["a"], tmp_path / "c.png")
    assert dict(matplotlib.rcParams) == before
    assert (
        "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
    )


# --- poses


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


# --- attention weights


def test_the_figure_of_weights_shows_them_in_percent(tmp_path, drawn):
    weights = np.random.default_rng(0).dirichlet(np.ones(5), 6).T.astype(np.float32)
    shares = np.full(6, 1 / 6, np.float32)
    plots.attention_weights(weights, shares, tmp_path / "w.png", title="wave")
    over_time, last, share = drawn[0].axes[:3]
    np.testing.assert_allclose(over_time.images[0].get_array(), 100 * weights, rtol=1e-5)
    np.testing.assert_allclose(
        [bar.get_height() for bar in last.patches], 100 * weights[-1], rtol=1e-5
    )
    np.testing.assert_allclose([bar.get_height() for bar in share.patches], 100 * shares, rtol=1e-5)
    assert [axes.get_lines()[0].get_ydata()[0] for axes in (last, share)] == [
        20.0,
        pytest.approx(100 / 6),
    ]
