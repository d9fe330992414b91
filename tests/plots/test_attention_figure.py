"""Attention figures: every value is read back from the figure; stills, animations, errors."""

import dataclasses

import numpy as np
import pytest

from jaxact import plots, skeletons
from jaxact.errors import UserError
from jaxact.plots import attention_figure, attention_panels, style
from tests.helpers.attention_figures import discs, random_maps
from tests.helpers.figures import texts

pytest.importorskip("matplotlib")
from PIL import Image

LAYOUT = skeletons.get_layout("kinect-15")
GREY = "#b9c0c9"


def titled(figure, title):
    return next(axes for axes in figure.axes if axes.get_title(loc="left") == title)


def test_the_discs_of_a_key_frame_have_the_heat_of_their_joint_in_place_size_and_colour(
    tmp_path, drawn
):
    maps = random_maps()
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
    maps = random_maps(3, 1, joints=joints, heat=heat, gate=None, received=None)
    plots.attention(maps, layout, tmp_path / "a.png", "joints", scores=True)
    points, areas, _ = discs(next(axes for axes in drawn[0].axes if discs(axes)))
    order = np.argsort(heat[0, 0])
    np.testing.assert_allclose(points, joints[0, 0, order, :2] * (1, -1))
    np.testing.assert_allclose(areas, (3 + 7 * heat[0, 0, order]) ** 2)


def test_the_map_over_time_has_joints_in_rows_frames_in_columns_and_gaps_where_joints_miss(
    tmp_path, drawn
):
    maps = random_maps()
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
    maps = random_maps(people=1)
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
    plots.attention(random_maps(gate=None, received=None), LAYOUT, tmp_path / "b.png")
    assert not {"Gate, mean h", "Received (S')"} & set(texts(drawn[1]))


@pytest.mark.slow
def test_a_segments_bar_is_as_long_as_its_confidence_and_hatched_where_it_is_excluded(
    tmp_path, drawn
):
    plots.attention(
        random_maps(), LAYOUT, tmp_path / "a.pdf", "segments", title="wave (c1)\nrecognised"
    )
    matches = [axes for axes in drawn[0].axes if axes.patches and axes.get_xlim() == (0, 1)]
    lengths = [[bar.get_width() for bar in axes.patches] for axes in matches]
    np.testing.assert_allclose(lengths, [[1, 0.75], [1, 0.25], [1, 0.5]])
    assert [axes.patches[1].get_hatch() for axes in matches] == [None, "////", None]
    assert len({axes.patches[1].get_facecolor() for axes in matches}) == 2
    words = [[text.get_text() for text in axes.texts] for axes in matches]
    assert words == [["wave", "0.75"], ["clap", "0.25 excluded"], ["wave", "0.50"]]
    assert {"wave (c1), recognised", "segment 2, 0.40 s"} <= set(texts(drawn[0]))
    assert not any(discs(axes) for axes in drawn[0].axes), "limbs keep their colours"
    assert "H of every joint over time" not in texts(drawn[0])


def test_joints_alone_have_six_frames_and_no_bars(tmp_path, drawn):
    plots.attention(random_maps(), LAYOUT, tmp_path / "a.png", "joints", fps=10)
    assert sum(bool(discs(axes)) for axes in drawn[0].axes) == 6
    assert "0.20 s" in texts(drawn[0]) and not {"wave", "0.25 excluded"} & set(texts(drawn[0]))


@pytest.mark.slow
def test_nothing_is_clipped_at_the_edges_of_a_picture(tmp_path, drawn):
    labels = ("draw circle counter clockwise", "pickup and throw", "baseball swing")
    for figure in attention_figure.FIGURES:
        plots.attention(
            random_maps(segment_labels=labels),
            LAYOUT,
            tmp_path / "a.png",
            figure,
            title="long " * 40,
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
    ("seen", "parts", "expected"),
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
    maps = random_maps()
    maps.joints[8:] = 0
    plots.attention(maps, LAYOUT, tmp_path / "a.png", "segments")
    assert "segment 3, no person" in texts(drawn[0])


@pytest.mark.parametrize("figure", attention_figure.FIGURES)
def test_a_film_has_every_frame_at_the_pace_of_the_record(tmp_path, figure):
    plots.attention(
        random_maps(6),
        LAYOUT,
        tmp_path / "a.gif",
        figure,
        fps=20,
        title="wave (c1)\nrecognised as clap",
    )
    lengths = []
    with Image.open(tmp_path / "a.gif") as picture:
        for frame in range(getattr(picture, "n_frames", 1)):
            picture.seek(frame)
            lengths.append(picture.info["duration"])
    assert lengths == [100] * 6, "every second frame of a record of twenty a second"


def test_a_film_of_repeated_frames_is_faster_and_ends_with_the_people(tmp_path):
    maps = dataclasses.replace(random_maps(6), frames=np.array([0, 0, 1, 1, 2, 2]))
    maps.joints[5:] = 0
    plots.attention(maps, LAYOUT, tmp_path / "a.gif", "segments", fps=5)
    with Image.open(tmp_path / "a.gif") as picture:
        assert getattr(picture, "n_frames", 1) == 5 and picture.info["duration"] == 100


def test_a_line_under_the_segments_tells_how_far_the_film_is(tmp_path, monkeypatch):
    figures, make = [], style.figure
    monkeypatch.setattr(
        style, "figure", lambda *a, **k: figures.append(make(*a, **k)) or figures[-1]
    )
    scene = plots.skeleton_animation.make_scene(random_maps(6).joints, LAYOUT)
    for t, _ in enumerate(
        attention_figure._render_frames(random_maps(6), scene, "both", 10, "", 6)
    ):
        lines = [
            list(axes.get_lines()[0].get_xdata()) for axes in figures[0].axes if axes.get_lines()
        ]
        expected = [[0.5], [1], [1, 0.5], [1, 1], [1, 1, 0.5], [1, 1, 1]][t]
        assert lines == [[0, share] for share in expected] + [[]] * (3 - len(expected))
        panel = next(axes for axes in figures[0].axes if discs(axes))
        np.testing.assert_allclose(
            discs(panel)[1],
            (1.4 * (3 + 7 * np.sort(random_maps(6).heat[t][scene.visible[t]]))) ** 2,
        )
    assert t == 5 and {"H 0, least attended", "0.25 excluded"} <= set(texts(figures[0]))


def test_what_does_not_fit_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(
        UserError, match="unknown figure 'joint'; available: both, joints, segments; did you mean"
    ):
        plots.attention(random_maps(), LAYOUT, tmp_path / "a.png", "joint")
    with pytest.raises(
        UserError, match=r"want a heat of \(12, 2, 15\) and .* got \(2, 12, 15\) and 3 segments"
    ):
        plots.attention(
            random_maps(heat=np.zeros((2, 12, 15)), gate=None), LAYOUT, tmp_path / "a.png"
        )
    with pytest.raises(UserError, match=r"segments of equal length, .* and 3 segments"):
        plots.attention(random_maps(11), LAYOUT, tmp_path / "a.png")
    with pytest.raises(UserError, match="the suffix must be one of"):
        plots.attention(random_maps(), LAYOUT, tmp_path / "a.txt")
    with pytest.raises(UserError, match="fps must be above 0, got 0"):
        plots.attention(random_maps(), LAYOUT, tmp_path / "a.png", fps=0)
    assert not list(tmp_path.iterdir())
