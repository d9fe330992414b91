"""Ranks of people: motion and size against a plain loop, newcomers, and a lead that is kept."""

import numpy as np
import pytest

from jaxact.streaming.person_ranking import LEAD, MOTION_WEIGHT, TIME_CONSTANT, PersonRanking


def pose(random, size=0.2, centre=(0.5, 0.5)):
    joints = np.ones((14, 3))
    joints[:, :2] = random.normal(centre, size, (14, 2))
    return joints


def test_a_rank_is_the_visible_share_times_the_size_and_motion():
    random = np.random.default_rng(0)
    poses = [pose(random) for _ in range(20)]
    for frame in poses[5:]:
        frame[3] = 0  # a joint that is lost
    ranking = PersonRanking()
    visible = size = 0.0
    mean, variance = poses[0][:, :2].copy(), np.zeros(14)
    weight = 1 - np.exp(-(1 / 30) / TIME_CONSTANT)
    for t, frame in enumerate(poses):
        ranking.update({4: frame}, t / 30)
        visible += weight * (1 - visible)
        present = frame[:, 2] > 0
        positions = frame[present, :2]
        spread = np.square(positions - positions.mean(axis=0)).sum(axis=1).mean()
        if t == 0:
            size = spread
            continue
        size += weight * (spread - size)
        for joint in np.flatnonzero(present):
            step = frame[joint, :2] - mean[joint]
            mean[joint] += weight * step
            variance[joint] = (1 - weight) * (variance[joint] + weight * step @ step)
    expected = visible * np.sqrt(size + MOTION_WEIGHT * variance.mean())
    assert ranking.importance(4) == pytest.approx(expected)
    assert ranking.importance(5) == 0


def test_motion_and_size_come_first_and_a_flash_does_not():
    random = np.random.default_rng(0)
    still, small, large = pose(random, 0.1), pose(random, 0.02), pose(random, 0.3)
    ranking = PersonRanking()
    for t in range(60):
        moving = still + np.array([0.1 * np.sin(t / 3), 0, 0])
        people = {0: still, 1: small, 2: moving}
        if t == 59:
            people[3] = large  # seen for one frame
        ranking.update(people, t / 30)
    assert ranking.order(4) == [2, 0, 1, 3]
    assert ranking.order(1) == [2]


def test_another_person_overtakes_by_a_clear_lead_only():
    random = np.random.default_rng(0)
    first = pose(random, 0.1)
    for growth, expected in (((1 + LEAD) / 2, 0), (1.1 * LEAD, 1)):
        ranking = PersonRanking()
        for t in range(400):
            size = 1 + (growth - 1) * min(t / 300, 1)
            second = first * (size, size, 1)
            ranking.update({0: first, 1: second}, t / 30)
            (followed,) = ranking.order(1)
        assert followed == expected
    ranking.keep_only({0})
    assert ranking.order(5) == [0]
