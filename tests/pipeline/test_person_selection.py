"""Which people of a clip are selected."""

import numpy as np
import pytest
import tensorflow as tf

from jaxact.errors import UserError
from jaxact.pipeline import joint_ops, person_selection

XYZ, SCORED = ("x", "y", "z"), ("x", "y", "score")


def clip(seed=0, frames=7, people=6, joints=4, channels=3):
    return (
        np.random.default_rng(seed)
        .uniform(0.1, 1.0, (frames, people, joints, channels))
        .astype(np.float32)
    )


def select(x, **options):
    return person_selection.select(tf.constant(x), **options).numpy()


def test_file_order_keeps_the_first_slots_and_fills_up_with_empty_ones():
    x = clip(people=3)
    np.testing.assert_array_equal(select(x, persons=2, person="file", channels=XYZ), x[:, :2])
    padded = select(x, persons=5, person="file", channels=XYZ)
    np.testing.assert_array_equal(padded[:, :3], x)
    assert padded.shape == (7, 5, 4, 3)
    assert not padded[:, 3:].any()


def test_frame_score_sorts_the_first_five_detections_of_every_frame():
    x = clip(people=7)
    x[2, 3:] = 0
    selected = select(x, persons=2, person="frame_score", channels=SCORED)
    for t in range(len(x)):
        totals = [sum(float(score) for score in x[t, slot, :, 2]) for slot in range(5)]
        order = sorted(range(5), key=lambda slot: -totals[slot])
        np.testing.assert_array_equal(selected[t], x[t, order[:2]])


def test_equal_scores_keep_the_order_of_the_file():
    x = clip(people=4)
    x[..., 2] = 0.5
    np.testing.assert_array_equal(
        select(x, persons=3, person="frame_score", channels=SCORED), x[:, :3]
    )


def test_clip_mean_keeps_whole_slots_ranked_by_their_mean_score_over_the_clip():
    x = clip(people=6)
    x[..., 2] = np.array([0.1, 0.9, 0.2, 0.8, 0.3, 1.0])[None, :, None] + 0.01 * x[..., 2]
    x[:2, 1] = 0  # still the best mean but one
    selected = select(x, persons=2, person="clip_mean", channels=SCORED)
    np.testing.assert_array_equal(selected, x[:, [3, 1]])


def test_energy_is_the_spread_of_the_frames_in_which_a_person_is_there():
    x = clip(seed=3, people=4)
    x[:, 0] = x[:1, 0] * 0.01 + 3.0  # stands far off and still
    x[2:5, 2] = 0
    x[:, 3] = 0
    expected = []
    for person in range(4):
        in_frame = x[:, person][x[:, person].reshape(len(x), -1).any(axis=1)]
        expected.append(
            sum(in_frame[..., axis].std() for axis in range(3)) if len(in_frame) else 0.0
        )
    np.testing.assert_allclose(
        person_selection.energy(tf.constant(x), 3), expected, rtol=1e-5, atol=1e-7
    )
    order = np.argsort(-np.array(expected))
    np.testing.assert_array_equal(
        select(x, persons=2, person="energy", channels=XYZ), x[:, order[:2]]
    )


def test_a_choice_made_once_is_not_changed_by_making_it_again():
    x = clip()
    for person in ("file", "frame_score", "clip_mean"):
        once = select(x, persons=2, person=person, channels=SCORED)
        np.testing.assert_array_equal(select(once, persons=2, person=person, channels=SCORED), once)


def test_choices_by_score_need_a_score():
    with pytest.raises(
        UserError, match=r"person='frame_score' ranks people by a score channel, .*'x', 'y', 'z'"
    ):
        person_selection.check(person="frame_score", channels=XYZ)
    with pytest.raises(
        UserError,
        match="unknown person choice 'frame'; available: clip_mean, denoised, energy, file",
    ):
        person_selection.check(person="frame", channels=SCORED)


def test_a_joint_with_nan_or_infinity_becomes_missing_and_no_other():
    x = clip()
    x[1, 2, 3, 0], x[4, 0, 1, 2] = np.nan, np.inf
    expected = x.copy()
    expected[1, 2, 3] = expected[4, 0, 1] = 0
    np.testing.assert_array_equal(joint_ops.non_finite_to_missing(tf.constant(x)), expected)


def test_a_clip_without_frames_becomes_one_empty_frame():
    np.testing.assert_array_equal(
        joint_ops.non_finite_to_missing(tf.zeros([0, 2, 4, 3])), np.zeros((1, 2, 4, 3))
    )


def test_shares_of_the_frame_are_measured_from_its_middle_and_zero_without_a_score():
    x = np.array(
        [[[[0.75, 0.1, 0.9], [0.5, 0.5, 0.0], [0.0, 0.0, 0.0], [0.5, 0.5, 0.3]]]], np.float32
    )
    expected = [[[[0.25, -0.4, 0.9], [0, 0, 0], [0, 0, 0], [0, 0, 0.3]]]]
    np.testing.assert_allclose(
        joint_ops.centre_image_coordinates(tf.constant(x)), expected, atol=1e-7
    )
