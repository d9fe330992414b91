"""Who is who among Kinect bodies, and who is nobody: against a loop over bodies that follows the
release's rules.
"""

import numpy as np
import pytest
import tensorflow as tf

from jaxact.pipeline import body_denoising


def pose(height=2.0, width=1.0, offset=0.0):
    """Three joints that span `width` by `height`, moved along x; none of them is at the origin."""
    return np.array(
        [
            [1.0 + offset, 1.0, 3.0],
            [1.0 + width + offset, 1.0 + height, 3.0],
            [1.0 + offset, 2.0, 3.0],
        ]
    )


def record(length, **people):
    """Joints [t, n, 3, 3] and ids of people {name_ID: (first, last, pose by frame)}; each frame
    fills slots from 0.
    """
    joints, ids = (
        np.zeros((length, len(people) or 1, 3, 3), np.float32),
        np.zeros((length, len(people) or 1), np.int64),
    )
    for t in range(length):
        slot = 0
        for name, (first, last, shape) in people.items():
            if first <= t <= last:
                joints[t, slot], ids[t, slot] = shape(t), int(name.split("_")[1])
                slot += 1
    return joints, ids


def still(_):
    return pose()


def mover(t):
    return pose(offset=0.1 * t)


def fast(t):
    return pose(offset=0.5 * t)


def wide(_):
    return pose(height=1.0, width=2.0)


def by_loops(joints, ids):
    """The two people of a record, body by body."""
    actual = {}
    for t in range(len(joints)):
        for slot in range(joints.shape[1]):
            if joints[t, slot].any():
                actual.setdefault(int(ids[t, slot]), {})[t] = joints[t, slot].astype(np.float64)

    def spread(poses):
        return np.concatenate(poses).var(axis=0).sum() if poses else 0.0

    motion = {name: spread(list(poses.values())) for name, poses in actual.items()}
    if len(actual) > 1:
        actual = {name: poses for name, poses in actual.items() if len(poses) > 11} or actual
    for name, poses in list(actual.items()):
        if len(actual) == 1:
            break
        calm = [p for p in poses.values() if np.ptp(p[:, 0]) <= 0.8 * np.ptp(p[:, 1])]
        if (len(poses) - len(calm)) / len(poses) >= 0.69754:
            del actual[name]
        else:
            motion[name] = min(motion[name], spread(calm))
    out, times = np.zeros((len(joints), 2, *joints.shape[2:])), {1: (0, 0)}
    for name in sorted(actual, key=lambda name: -motion[name]):
        first, last = min(actual[name]), max(actual[name])
        for slot in (0, 1):
            start, end = times.get(slot, (first, last))
            if slot not in times or min(end, last) - max(start, first) <= 0:
                times[slot] = (min(start, first), max(end, last))
                for t, shape in actual[name].items():
                    out[t, slot] = shape
                break
    return out


def two_people(joints, ids):
    run = tf.function(body_denoising.two_people)
    return run(tf.constant(joints), tf.constant(ids)).numpy()


CASES = {
    "one body alone, however short": record(5, a_7=(0, 4, wide)),
    "the mover before the one who stands": record(20, a_7=(0, 19, still), b_3=(0, 19, mover)),
    "a body of eleven frames is nobody": record(20, a_7=(0, 19, still), b_3=(3, 13, fast)),
    "one of twelve is somebody": record(20, a_7=(0, 19, still), b_3=(3, 14, fast)),
    "only short bodies": record(20, a_7=(0, 4, still), b_3=(3, 13, fast)),
    "wider than high is nobody": record(20, a_7=(0, 19, still), b_3=(0, 19, wide)),
    "the last one is kept where all are": record(
        20, a_7=(0, 19, wide), b_3=(0, 19, lambda t: 2 * wide(t))
    ),
    "13 noisy poses of 19 stay": record(
        19, a_7=(0, 18, mover), b_3=(0, 18, lambda t: wide(t) if t < 13 else fast(t))
    ),
    "14 of 20 do not": record(
        20, a_7=(0, 19, mover), b_3=(0, 19, lambda t: wide(t) if t < 14 else fast(t))
    ),
    "one who comes when another has gone": record(
        40, a_7=(0, 13, fast), b_3=(0, 39, mover), c_5=(13, 39, still), d_6=(20, 39, fast)
    ),
    "a second slot's time begins at frame 0": record(
        60, a_7=(0, 59, fast), b_3=(40, 55, mover), c_5=(10, 25, still), d_6=(50, 59, still)
    ),
    "nobody": record(4),
}


@pytest.mark.parametrize("case", CASES)
def test_people_are_told_from_bodies_as_by_loops(case):
    joints, ids = CASES[case]
    np.testing.assert_array_equal(two_people(joints, ids), by_loops(joints, ids).astype(np.float32))


@pytest.mark.slow
def test_many_random_records_come_out_as_by_loops():
    run = tf.function(body_denoising.two_people, reduce_retracing=True)
    rng = np.random.default_rng(0)
    two_people_count = 0
    for _ in range(60):
        people = {}
        for number in range(rng.integers(1, 5)):
            first, last = np.sort(rng.integers(0, 40, 2))
            steps, width = rng.normal(0, 0.3, 40).cumsum(), rng.uniform(0.5, 2.2, 40)
            people[f"p_{number + 5}"] = (
                first,
                last,
                lambda t, s=steps, w=width: pose(width=w[t], offset=s[t] + 5),
            )
        joints, ids = record(40, **people)
        expected = by_loops(joints, ids).astype(np.float32)
        two_people_count += bool(expected[:, 1].any())
        np.testing.assert_array_equal(run(tf.constant(joints), tf.constant(ids)), expected)
    assert 10 < two_people_count < 60


def test_a_body_that_changes_its_slot_is_still_one_body():
    joints, ids = record(30, a_7=(0, 14, still), b_3=(0, 29, mover))
    assert ids[0].tolist() == [7, 3] and ids[20].tolist() == [3, 0]
    people = two_people(joints, ids)
    np.testing.assert_array_equal(
        people[:, 0], np.stack([mover(t) for t in range(30)]).astype(np.float32)
    )
    np.testing.assert_array_equal(
        people[:15, 1], np.stack([still(t) for t in range(15)]).astype(np.float32)
    )
    assert not people[15:, 1].any()
