"""Training curves: lines and titles of the figure, and errors of unreadable metrics."""

import json

import numpy as np
import pytest

from jaxact import plots
from jaxact.errors import UserError
from jaxact.plots import (
    curves,
)
from tests.helpers.figures import texts

pytest.importorskip("matplotlib")
from PIL import Image


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


def test_a_run_of_one_logged_step_shows_a_point(tmp_path, drawn):
    plots.training_curves(write(tmp_path / "m.jsonl", LINES[1:]), tmp_path / "c.png")
    training = next(
        drawn for drawn in drawn[0].axes[0].get_lines() if drawn.get_label() == "training"
    )
    assert training.get_marker() == "o" and training.get_markersize() > 0
