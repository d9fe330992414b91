"""Smoothing of predictions: the average by hand, two thresholds, the majority."""

import numpy as np
import pytest

from jaxact.errors import UserError
from jaxact.streaming.smoothing import SmoothedPrediction, majority, smooth


def predicted(rows, **options):
    state, labels = None, []
    for row in rows:
        state = smooth(state, np.array(row), **options)
        labels.append(state.label)
    return labels, state


def test_the_average_forgets_by_its_share():
    rows = np.random.default_rng(0).dirichlet(np.ones(3), 6)
    _, state = predicted(rows, keep=0.7)
    expected = rows[0] * 0.7**5 + sum(0.3 * 0.7 ** (5 - t) * rows[t] for t in range(1, 6))
    np.testing.assert_allclose(state.probabilities, expected)
    np.testing.assert_allclose(state.probabilities.sum(), 1)


def test_a_class_is_predicted_from_one_threshold_on_until_it_falls_below_another():
    rows = [[p, (1 - p) * 0.6, (1 - p) * 0.4] for p in (0.5, 0.7, 0.5, 0.4, 0.35, 0.2, 0.5, 0.6)]
    assert predicted(rows, keep=0.0, enter=0.6, leave=0.35)[0] == [None, 0, 0, 0, 0, None, None, 0]


def test_another_class_takes_over_once_it_is_likelier_and_likely_enough():
    rows = [[0.7, 0.3], [0.45, 0.55], [0.35, 0.65], [0.55, 0.45]]
    assert predicted(rows, keep=0.0, enter=0.6, leave=0.1)[0] == [0, 0, 1, 1]
    assert predicted(rows[:2], keep=0.0, enter=0.4, leave=0.1)[0] == [0, 1]
    assert predicted([[0.3, 0.7], [0.5, 0.5]], keep=0.0, enter=0.5, leave=0.1)[0] == [
        1,
        1,
    ]  # no likelier, no change


def test_a_single_odd_frame_changes_nothing():
    rows = [[0.9, 0.1]] * 5 + [[0.0, 1.0]] + [[0.9, 0.1]] * 3
    assert set(predicted(rows)[0]) == {0}
    assert predicted(rows, keep=0.0)[0][5] == 1


@pytest.mark.parametrize(
    ("labels", "winner"),
    [([1], 1), ([1, 2, 1], 1), ([1, 2], 2), ([2, 1], 1), ([3, 3, 3, 1, 1, 2, 2, 1], 1)],
)
def test_the_majority_of_the_last_five_and_the_latest_of_equals(labels, winner):
    assert majority(labels) == winner


def test_errors_say_what_was_wanted():
    with pytest.raises(
        UserError, match=r"wanted 0 <= keep < 1 and .*got keep 1.0, leave 0.3, enter 0.5"
    ):
        smooth(None, np.ones(1), keep=1.0)
    with pytest.raises(UserError, match=r"got keep 0.8, leave 0.6, enter 0.5"):
        smooth(None, np.ones(1), leave=0.6)
    with pytest.raises(UserError, match="probabilities of 3 classes after those of 2"):
        smooth(SmoothedPrediction(np.ones(2), None), np.ones(3))
    with pytest.raises(UserError, match="a majority of the last 5 of 0 labels"):
        majority([])
