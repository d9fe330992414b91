"""The One-Euro filter: the paper's equations in a plain loop, jitter, delay and missing joints."""

import math

import numpy as np

from jaxact.skeletons.one_euro_filter import smooth_joints


def factor(cutoff, seconds):
    tau = 1 / (2 * math.pi * cutoff)
    return 1 / (1 + tau / seconds)


def test_the_filter_is_the_papers_on_a_joint_that_moves_along_one_axis():
    times = np.cumsum(np.random.default_rng(0).uniform(0.02, 0.06, 30))
    values = np.random.default_rng(1).normal(0, 1, 30)
    state, smoothed, speed = None, values[0], 0.0
    for t, (time, value) in enumerate(zip(times, values, strict=True)):
        position = np.array([[value, 5.0]])
        state = smooth_joints(
            state, position, np.array([True]), time, min_cutoff=1.5, beta=0.3, speed_cutoff=2.0
        )
        if t:
            seconds = time - times[t - 1]
            speed += factor(2.0, seconds) * ((value - smoothed) / seconds - speed)
            smoothed += factor(1.5 + 0.3 * abs(speed), seconds) * (value - smoothed)
        np.testing.assert_allclose(state.positions, [[smoothed, 5.0]], rtol=1e-9)


def run(values, **options):
    state, smoothed = None, []
    for t, value in enumerate(values):
        position = np.array([[value, 0.0]])
        state = smooth_joints(state, position, np.array([True]), t / 30, **options)
        smoothed.append(state.positions[0, 0])
    return np.array(smoothed)


def test_a_resting_joint_is_still_and_a_fast_one_is_not_late():
    noise = np.random.default_rng(0).normal(0, 0.01, 300)
    assert np.std(run(noise, beta=1.0)[60:]) < 0.5 * np.std(noise)
    ramp = np.arange(120) / 30 * 4.0  # four image heights per second
    slow, quick = run(ramp, beta=0.0), run(ramp, beta=5.0)
    assert ramp[-1] - slow[-1] > 0.4 > 0.1 > ramp[-1] - quick[-1]


def test_a_missing_joint_keeps_its_state_and_returns_where_it_is():
    state = smooth_joints(None, np.array([[1.0, 1.0], [0, 0]]), np.array([True, False]), 0.0)
    for t in range(1, 4):
        state = smooth_joints(state, np.zeros((2, 2)), np.array([False, False]), t / 30)
    np.testing.assert_array_equal(state.positions[0], [1, 1])
    state = smooth_joints(state, np.array([[1.0, 1.0], [3, 3]]), np.array([True, True]), 100.0)
    np.testing.assert_array_equal(state.positions, [[1, 1], [3, 3]])
    state = smooth_joints(state, np.array([[9.0, 1.0], [3, 3]]), np.array([True, True]), 200.0)
    assert abs(state.positions[0, 0] - 9) < 0.1  # after a long time the past does not matter
