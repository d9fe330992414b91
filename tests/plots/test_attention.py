"""Attention figures: every value is read back from the figure; video, the command, errors."""

import builtins
import dataclasses
import sys

import jax
import numpy as np
import pytest

from jaxact import cli, config, plots, skeletons
from jaxact.errors import UserError
from jaxact.models import stgcn
from jaxact.plots import attention_figure, attention_panels, style, video
from jaxact.runs import state, trained_model
from tests.helpers.random_weights import fill

pytest.importorskip("matplotlib")
from PIL import Image

LAYOUT = skeletons.get_layout("kinect-15")
GREY = "#b9c0c9"


@pytest.fixture
def drawn(monkeypatch):
    """Figures as they are saved."""
    figures = []
    save = style.save
    monkeypatch.setattr(
        style, "save", lambda drawing, out: (figures.append(drawing), save(drawing, out))
    )
    return figures


def shown(frames=12, people=2, segments=3, **changes) -> plots.AttentionMaps:
    random = np.random.default_rng(0)
    joints = random.uniform(0.5, 2.0, (frames, people, 15, 3))
    joints[0, 0, 4] = 0
    fields = {
        "joints": joints,
        "frames": 2 * np.arange(frames),
        "heat": random.uniform(size=(frames, people, 15)) * joints.any(-1),
        "gate": random.uniform(size=(frames, people, 15)),
        "received": random.dirichlet(np.ones(15), people),
        "confidence": np.array([0.75, 0.25, 0.5])[:segments],
        "selected": np.array([True, False, True])[:segments],
        "segment_labels": ("wave", "clap", "wave")[:segments],
        "pixels": None,
        "predicted": "wave",
        "probability": 0.75,
    }
    return plots.AttentionMaps(**{**fields, **changes})


def texts(figure) -> set[str]:
    return {text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))}


def titled(figure, title):
    return next(axes for axes in figure.axes if axes.get_title(loc="left") == title)


def discs(axes):
    """Places, areas and colours of the heat."""
    matches = [each for each in axes.collections if each.get_zorder() == 5]
    return (
        (np.asarray(matches[0].get_offsets()), matches[0].get_sizes(), matches[0].get_facecolors())
        if matches
        else None
    )


def bars(axes):
    return [patch for patch in axes.patches if patch.get_hatch() or patch.get_facecolor()]


# --- stills


def test_the_discs_of_a_key_frame_have_the_heat_of_their_joint_in_place_size_and_colour(
    tmp_path, drawn
):
    maps = shown()
    plots.attention(maps, LAYOUT, tmp_path / "a.png")
    panels = [axes for axes in drawn[0].axes if discs(axes)]
    assert len(panels) == 3
    for axes, t in zip(panels, (2, 6, 10), strict=True):
        points, areas, colours = discs(axes)
        joint = next(
            each for each in axes.collections if each.get_zorder() == 4
        )  # those of the scene, not shown
        expected = {tuple(np.round(place, 6)) for place in np.asarray(joint.get_offsets())}
        assert {tuple(np.round(place, 6)) for place in points} == expected
        assert not joint.get_visible()
        heat = np.sort(maps.heat[t].ravel())
        np.testing.assert_allclose(areas, (3 + 7 * heat) ** 2)
        np.testing.assert_allclose(colours, attention_panels.heat_colours()(heat))
        limbs = next(each for each in axes.collections if each.get_zorder() == 3)
        assert style.need_matplotlib().colors.to_hex(limbs.get_colors()[0]) == GREY


def test_a_disc_lies_on_its_own_joint(tmp_path, drawn):
    """In the picture's plane, where a joint's place in the axes is known: each has one colour of
    its own.
    """
    layout = skeletons.get_layout("openpose-18")
    joints = np.zeros((3, 1, 18, 3))
    joints[..., 0], joints[..., 1], joints[..., 2] = (
        np.arange(1, 19),
        np.arange(18, 0, -1) ** 2,
        0.9,
    )
    heat = np.random.default_rng(4).permutation(
        np.broadcast_to(np.linspace(0, 1, 18), (3, 1, 18)), axis=2
    )
    maps = shown(3, 1, joints=joints, heat=heat, gate=None, received=None)
    plots.attention(maps, layout, tmp_path / "a.png", "joints", scores=True)
    points, areas, _ = discs(next(axes for axes in drawn[0].axes if discs(axes)))
    order = np.argsort(heat[0, 0])
    np.testing.assert_allclose(points, joints[0, 0, order, :2] * (1, -1))
    np.testing.assert_allclose(areas, (3 + 7 * heat[0, 0, order]) ** 2)


def test_the_map_over_time_has_joints_in_rows_frames_in_columns_and_gaps_where_joints_miss(
    tmp_path, drawn
):
    maps = shown()
    plots.attention(maps, LAYOUT, tmp_path / "a.svg", fps=10)
    axes = titled(drawn[0], "H of every joint over time")
    picture = axes.images[0].get_array()
    assert picture.shape == (30, 12) and picture.mask[4, 0] and picture.mask.sum() == 1
    for t, m, v in np.ndindex(12, 2, 15):
        if (t, m, v) != (0, 0, 4):
            assert picture[15 * m + v, t] == maps.heat[t, m, v]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[0] == "head, 1" and names[15 + 3] == "left shoulder, 2"
    assert list(axes.get_xticks()) == [2, 6, 10]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0.40", "1.20", "2.00"]
    assert [line.get_xdata()[0] for line in axes.get_lines()] == [3.5, 7.5]


def test_beside_the_map_stand_the_gates_means_and_what_is_taken_from_each_joint(tmp_path, drawn):
    maps = shown(people=1)
    plots.attention(maps, LAYOUT, tmp_path / "a.png", "joints")
    gate, received = titled(drawn[0], "Gate, mean h"), titled(drawn[0], "Received (S')")
    means = maps.gate.mean(0)[0]
    means[4] = maps.gate[1:, 0, 4].mean()
    np.testing.assert_allclose([bar.get_width() for bar in gate.patches], means)
    np.testing.assert_allclose(
        [bar.get_width() for bar in received.patches], 100 * maps.received[0]
    )
    np.testing.assert_allclose(received.get_lines()[0].get_xdata(), 100 / 15)
    rows = titled(drawn[0], "H of every joint over time")
    assert gate.get_ylim() == received.get_ylim() == rows.get_ylim()
    assert "head" in texts(drawn[0]), "one person's joints have no number"
    plots.attention(shown(gate=None, received=None), LAYOUT, tmp_path / "b.png")
    assert not {"Gate, mean h", "Received (S')"} & texts(drawn[1])


def test_a_segments_bar_is_as_long_as_its_confidence_and_hatched_where_it_is_excluded(
    tmp_path, drawn
):
    plots.attention(shown(), LAYOUT, tmp_path / "a.pdf", "segments", title="wave (c1)\nrecognised")
    matches = [axes for axes in drawn[0].axes if axes.patches and axes.get_xlim() == (0, 1)]
    lengths = [[bar.get_width() for bar in axes.patches] for axes in matches]
    np.testing.assert_allclose(lengths, [[1, 0.75], [1, 0.25], [1, 0.5]])
    assert [axes.patches[1].get_hatch() for axes in matches] == [None, "////", None]
    assert len({axes.patches[1].get_facecolor() for axes in matches}) == 2
    words = [[text.get_text() for text in axes.texts] for axes in matches]
    assert words == [["wave", "0.75"], ["clap", "0.25 excluded"], ["wave", "0.50"]]
    assert {"wave (c1), recognised", "segment 2, 0.40 s"} <= texts(drawn[0])
    assert not any(discs(axes) for axes in drawn[0].axes), "limbs keep their colours"
    assert "H of every joint over time" not in texts(drawn[0])


def test_joints_alone_have_six_frames_and_no_bars(tmp_path, drawn):
    plots.attention(shown(), LAYOUT, tmp_path / "a.png", "joints", fps=10)
    assert sum(bool(discs(axes)) for axes in drawn[0].axes) == 6
    assert "0.20 s" in texts(drawn[0]) and not {"wave", "0.25 excluded"} & texts(drawn[0])


def test_nothing_is_clipped_at_the_edges_of_a_picture(tmp_path, drawn):
    labels = ("draw circle counter clockwise", "pickup and throw", "baseball swing")
    for figure in attention_figure.FIGURES:
        plots.attention(
            shown(segment_labels=labels), LAYOUT, tmp_path / "a.png", figure, title="long " * 40
        )
        canvas = drawn[-1].canvas.get_renderer()
        box = drawn[-1].bbox
        written = list(drawn[-1].texts)
        for axes in drawn[-1].axes:
            written += [*axes.texts, axes.xaxis.label, axes._left_title]
            written += axes.get_yticklabels() if axes.images else []
        for text in written:
            inside = text.get_window_extent(canvas)
            if text.get_text() and text.get_visible():
                assert (
                    inside.x0 >= 0
                    and inside.x1 <= box.x1
                    and inside.y0 >= 0
                    and inside.y1 <= box.y1
                ), text


@pytest.mark.parametrize(
    ("seen", "parts", "wanted"),
    [
        ("111111", 3, [1, 3, 5]),
        ("111111111", 2, [2, 6]),
        ("000011110000", 3, [2, 6, 10]),
        ("110001000000", 3, [1, 5, 10]),
        ("11", 4, [0, 1, 1, 1]),
    ],
)
def test_a_key_frame_is_a_parts_middle_one_or_the_nearest_in_it_where_somebody_is(
    seen, parts, expected
):
    visible = np.array([[[letter == "1"]] for letter in seen])
    matches = attention_figure.key_frames(visible, parts)
    assert matches == expected if len(seen) > 2 else len(matches) == parts and max(matches) < 2


def test_a_segment_in_which_nobody_is_seen_says_so(tmp_path, drawn):
    maps = shown()
    maps.joints[8:] = 0
    plots.attention(maps, LAYOUT, tmp_path / "a.png", "segments")
    assert "segment 3, no person" in texts(drawn[0])


# --- films


@pytest.mark.parametrize("figure", attention_figure.FIGURES)
def test_a_film_has_every_frame_at_the_pace_of_the_record(tmp_path, figure):
    plots.attention(
        shown(6), LAYOUT, tmp_path / "a.gif", figure, fps=20, title="wave (c1)\nrecognised as clap"
    )
    lengths = []
    with Image.open(tmp_path / "a.gif") as picture:
        for frame in range(getattr(picture, "n_frames", 1)):
            picture.seek(frame)
            lengths.append(picture.info["duration"])
    assert lengths == [100] * 6, "every second frame of a record of twenty a second"


def test_a_film_of_repeated_frames_is_faster_and_ends_with_the_people(tmp_path):
    maps = dataclasses.replace(shown(6), frames=np.array([0, 0, 1, 1, 2, 2]))
    maps.joints[5:] = 0
    plots.attention(maps, LAYOUT, tmp_path / "a.gif", "segments", fps=5)
    with Image.open(tmp_path / "a.gif") as picture:
        assert getattr(picture, "n_frames", 1) == 5 and picture.info["duration"] == 100


def test_a_line_under_the_segments_tells_how_far_the_film_is(tmp_path, monkeypatch):
    figures, make = [], style.figure
    monkeypatch.setattr(
        style, "figure", lambda *a, **k: figures.append(make(*a, **k)) or figures[-1]
    )
    scene = plots.skeleton_animation.make_scene(shown(6).joints, LAYOUT)
    for t, _ in enumerate(attention_figure._render_frames(shown(6), scene, "both", 10, "", 6)):
        lines = [
            list(axes.get_lines()[0].get_xdata()) for axes in figures[0].axes if axes.get_lines()
        ]
        expected = [[0.5], [1], [1, 0.5], [1, 1], [1, 1, 0.5], [1, 1, 1]][t]
        assert lines == [[0, share] for share in expected] + [[]] * (3 - len(expected))
        panel = next(axes for axes in figures[0].axes if discs(axes))
        np.testing.assert_allclose(
            discs(panel)[1], (1.4 * (3 + 7 * np.sort(shown(6).heat[t][scene.visible[t]]))) ** 2
        )
    assert t == 5 and {"H 0, least attended", "0.25 excluded"} <= texts(figures[0])


# --- video


def film(path, frames=5, height=48, width=64):
    """A video whose frame t is grey of brightness 30 t, in a codec that keeps it."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as out:
        stream = out.add_stream("ffv1", rate=30)
        stream.height, stream.width, stream.pix_fmt = height, width, "bgr0"
        for t in range(frames):
            picture = av.VideoFrame.from_ndarray(
                np.full((height, width, 3), 30 * t, np.uint8), format="rgb24"
            )
            out.mux(stream.encode(picture))
        out.mux(stream.encode())
    return path


def test_the_frames_that_are_asked_for_are_read_from_a_video(tmp_path):
    matches = video.read_frames(film(tmp_path / "v.mkv"), np.array([0, 3, 1, 3]), 5)
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
        video.read_frames(film(tmp_path / "v.mkv"), np.array([0]), 6)


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
    ("places", "message"),
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
    maps = shown(people=1, joints=joints, heat=heat)
    plots.attention(maps, LAYOUT, tmp_path / "a.png", images=images)
    panels = [axes for axes in drawn[0].axes if discs(axes)]
    for axes, t in zip(panels, (2, 6, 10), strict=True):
        np.testing.assert_allclose(discs(axes)[0], joints[t, 0])
        assert (np.asarray(axes.images[0].get_array()) == t).all()
        assert axes.get_xlim() == (-0.5, 63.5) and axes.get_ylim() == (47.5, -0.5), (
            "y down, a pixel's middle whole"
        )


# --- refusals


def test_what_does_not_fit_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(
        UserError, match="unknown figure 'joint'; available: both, joints, segments; did you mean"
    ):
        plots.attention(shown(), LAYOUT, tmp_path / "a.png", "joint")
    with pytest.raises(
        UserError, match=r"want a heat of \(12, 2, 15\) and .* got \(2, 12, 15\) and 3 segments"
    ):
        plots.attention(shown(heat=np.zeros((2, 12, 15)), gate=None), LAYOUT, tmp_path / "a.png")
    with pytest.raises(UserError, match=r"segments of equal length, .* and 3 segments"):
        plots.attention(shown(11), LAYOUT, tmp_path / "a.png")
    with pytest.raises(UserError, match="the suffix must be one of"):
        plots.attention(shown(), LAYOUT, tmp_path / "a.txt")
    with pytest.raises(UserError, match="fps must be above 0, got 0"):
        plots.attention(shown(), LAYOUT, tmp_path / "a.png", fps=0)
    assert not list(tmp_path.iterdir())


# --- the command


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Prepared clips whose joints are pixels, a video of one of them, and a network that was not
    trained.
    """
    root = tmp_path_factory.mktemp("world")
    (root / "raw").mkdir()
    rows = ["id,label,split"]
    for index, frames in enumerate((8, 8, 1)):
        points = np.random.default_rng(index).uniform(5, 45, (frames, 15, 2)).astype(np.float32)
        np.save(root / "raw" / f"c{index}.npy", points)
        rows.append(f"c{index},{'wave' if index else 'clap'},test")
    (root / "raw" / "labels.csv").write_text("\n".join(rows) + "\n")
    names = [
        "--name",
        "toy",
        "--layout",
        "jhmdb-15",
        "--raw",
        str(root / "raw"),
        "--data-dir",
        str(root / "data"),
    ]
    assert cli.main(["prepare", "custom", *names]) == 0
    run = config.TrainConfig(
        model=config.STAGCNConfig(width=4, segments=2, kept=1, init="he_fan_out")
    )
    run.clip = config.ClipConfig(frames=8, persons=1, center="first")
    run.data = config.DataConfig(name="custom/toy", data_dir=str(root / "data"), eval_split="test")
    meta = trained_model.RunMetadata(
        run, skeletons.get_layout("jhmdb-15"), ("clap", "wave"), ("x", "y")
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(stgcn.VARIANTS, "stem9", (("stem", 1, 1), ("unit1", 1, 1), ("unit2", 1, 1)))
        model = trained_model.build(meta)
        weights = fill(
            jax.eval_shape(lambda: state.init(model, trained_model.example_input(meta), 0))
        )
        net = trained_model.TrainedModel(
            model,
            weights,
            run,
            skeletons.get_layout("jhmdb-15"),
            ("clap", "wave"),
            ("x", "y"),
            0,
            "",
        )
        patch.setattr(trained_model, "load", lambda *args, **options: net)
        yield root


def plotted(root, clip, out, *more):
    return cli.main(
        ["plot", "attention", "--checkpoint", "run", "--id", clip, "--out", str(root / out), *more]
    )


def test_the_command_draws_a_record_alone_and_over_its_video(world, drawn, capsys):
    assert plotted(world, "c1", "a.png") == 0
    title = next(text for text in texts(drawn[0]) if text.startswith("wave (c1), recognised as "))
    assert title.endswith(" %")
    footage = str(film(world / "v.mkv", frames=8))
    assert plotted(world, "c1", "b.png", "--video", footage, "--figure", "joints") == 0
    panels = [axes for axes in drawn[1].axes if discs(axes)]
    shown_frames = [int(np.mean(axes.images[0].get_array())) for axes in panels]
    assert shown_frames == [0, 60, 90, 120, 180, 210]
    assert (
        plotted(world, "c1", "c.mp4", "--video", footage) == 0
        and (world / "c.mp4").stat().st_size > 1000
    )
    assert capsys.readouterr().out.split() == [
        str(world / name) for name in ("a.png", "b.png", "c.mp4")
    ]


@pytest.mark.parametrize(
    ("clip", "more", "message"),
    [
        ("c7", [], "no record with the id 'c7' in the split 'test' of 'custom/toy' (3 records)"),
        (
            "c2",
            [],
            "the record 'c2' has 1 frames, fewer than the 2 segments that the network cuts",
        ),
        ("c1", ["--video", "short.mkv"], "has 5 frames and the record 8; wanted the video"),
    ],
)
def test_the_command_refuses_in_one_sentence(world, capsys, monkeypatch, clip, more, message):
    monkeypatch.chdir(world)
    if more:
        film(world / "short.mkv")
    assert plotted(world, clip, "d.png", *more) == 2
    assert message in capsys.readouterr().err and not (world / "d.png").exists()
