"""Confusion matrices and accuracies per class."""

import numpy as np
import pytest

from jaxact import plots
from jaxact.errors import UserError
from tests.helpers.figures import texts

pytest.importorskip("matplotlib")


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


@pytest.mark.slow
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
