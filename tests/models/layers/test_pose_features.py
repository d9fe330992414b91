"""The recogniser's vectors: joints by slow loops, angles by hand, the last place seen, stretches,
errors.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import skeletons
from jaxact.errors import UserError
from jaxact.models.layers import pose_features

COCO = skeletons.get_layout("coco-17")


def clip(frames=6, joints=14, batch=2, channels=2):
    """Joints of which a third is missing."""
    random = np.random.default_rng(0)
    x = random.uniform(-0.5, 0.5, (batch, frames, joints, channels)).astype(np.float32)
    x[random.uniform(size=x.shape[:3]) < 0.3] = 0
    return x


select_joints = jax.jit(pose_features.select_joints, static_argnums=(1, 2))
frame_vectors = jax.jit(pose_features.frame_vectors, static_argnames="parts")
directions = jax.jit(pose_features.directions)


def vectors(x, rows=None, parts=True, last=None):
    rows = rows or pose_features.joint_matrix(skeletons.get_layout("body-14"), "parts")
    positions, present = select_joints(x, rows, False)
    last = np.zeros((len(x), len(rows), 2), np.float32) if last is None else last
    return frame_vectors(positions, present, last, parts=parts)


def angle(vector, rest):
    """Turn from `rest` to `vector` as the viewer sees it, clockwise positive, y pointing down."""
    turn = np.degrees(np.arctan2(vector[1], vector[0]) - np.arctan2(rest[1], rest[0]))
    return (180 - (180 - turn) % 360) / 180  # in (-1, 1]


def by_hand(x):
    """The 34 numbers of each frame of one clip."""
    last, actual = np.zeros((14, 2)), []
    for frame in x:
        visible = [joint for joint in range(14) if frame[joint].any()]
        last[visible] = frame[visible]
        row = [last[joint][axis] for joint in range(14) for axis in (0, 1)]
        ends = [(1, [0]), (1, [8, 11]), (2, [4]), (5, [7]), (8, [10]), (11, [13])]
        for index, (start, end) in enumerate(ends):
            rest = (0, -1) if index == 0 else (0, 1)
            is_present = start in visible and set(end) <= set(visible)
            row.append(angle(np.mean(frame[end], 0) - frame[start], rest) if is_present else 0)
        actual.append(row)
    return actual


def test_a_vector_is_the_joints_and_the_six_directions_by_a_slow_loop():
    x = clip()
    actual, last = vectors(x)
    expected = np.array([by_hand(one) for one in x])
    assert actual.shape == (2, 6, 34)
    np.testing.assert_allclose(actual, expected, atol=1e-5)
    np.testing.assert_allclose(last.reshape(2, -1), expected[:, -1, :28], atol=1e-6)
    assert np.any(expected[:, :, 28:] == 0) and np.any(np.abs(expected[:, :, 28:]) > 0.5)


def test_a_clip_in_two_stretches_gives_the_same_vectors():
    whole, last = vectors(clip())
    first, middle = vectors(clip()[:, :2])
    second, end = vectors(clip()[:, 2:], last=middle)
    np.testing.assert_allclose(np.concatenate([first, second], 1), whole, atol=1e-6)
    np.testing.assert_array_equal(end, last)


def test_angles_are_measured_from_rest_clockwise_to_the_viewer():
    pointing = np.float32(
        [(0, -1), (0, 1), (1, 0), (-1, 0), (1, 1)]
    )  # up, down, right, left, down to the right
    actual = directions(np.tile(pointing[:, None, None], (1, 1, 6, 1)), np.ones((5, 1, 6), bool))[
        :, 0
    ]
    np.testing.assert_allclose(actual[:, 0], [0, 1, 0.5, -0.5, 0.75], atol=1e-6)
    np.testing.assert_allclose(
        actual[:, 1:], np.tile([[1], [0], [-0.5], [0.5], [-0.25]], 5), atol=1e-6
    )


def test_a_part_without_length_points_nowhere_and_its_gradient_is_finite():
    def total(x):
        return jnp.sum(pose_features.directions(x, jnp.ones((1, 1, 6), bool)))

    value, gradient = jax.jit(jax.value_and_grad(total))(np.zeros((1, 1, 6, 2), np.float32))
    assert value == 0 and np.all(np.isfinite(gradient))


def test_joints_of_coco_become_those_of_the_body_and_a_neck_needs_both_shoulders():
    rows = pose_features.joint_matrix(COCO, "parts")
    x = clip(frames=3, joints=17) + 2  # nothing is missing
    x[0, 1, 5] = 0  # a shoulder
    positions, present = select_joints(x, rows, False)
    expected = skeletons.convert(x, "coco-17", "body-14", channels=("x", "y"))
    np.testing.assert_array_equal(present, expected.any(-1))
    np.testing.assert_allclose(np.where(present[..., None], positions, 0), expected, rtol=1e-6)
    assert not present[0, 1, 1] and not present[0, 1, 5] and present.sum() == 2 * 3 * 14 - 2


def test_a_joint_whose_score_is_zero_is_missing_and_the_score_is_no_coordinate():
    x = clip(channels=3) + 2
    x[0, 2, 4, 2] = 0
    rows = pose_features.joint_matrix(skeletons.get_layout("body-14"), "parts")
    positions, present = select_joints(x, rows, True)
    np.testing.assert_array_equal(positions, x[..., :2])
    assert not present[0, 2, 4] and present.sum() == present.size - 1


def test_the_seventeen_joints_of_coco_are_taken_as_they_lie():
    actual, _ = vectors(
        clip(joints=17) + 2, pose_features.joint_matrix(COCO, "coco17"), parts=False
    )
    np.testing.assert_allclose(actual, (clip(joints=17) + 2).reshape(2, 6, 34), rtol=1e-6)
    openpose = skeletons.get_layout("openpose-18")
    positions, _ = select_joints(
        clip(joints=18) + 2, pose_features.joint_matrix(openpose, "coco17"), False
    )
    expected = skeletons.convert(clip(joints=18) + 2, "openpose-18", "coco-17", channels=("x", "y"))
    np.testing.assert_allclose(positions, expected, rtol=1e-6)


def test_errors_say_what_is_missing():
    with pytest.raises(
        UserError, match=r"unknown features 'part'; available: coco17, parts; did you mean 'parts'"
    ):
        pose_features.joint_matrix(COCO, "part")
    with pytest.raises(
        UserError,
        match=r"'coco17' need every joint of 'coco-17', but 'body-14' has no left_eye, rig",
    ):
        pose_features.joint_matrix(skeletons.get_layout("body-14"), "coco17")
    with pytest.raises(
        UserError, match=r"reads the channels x and y of a joint first, got y, x, score"
    ):
        pose_features.check_channels(("y", "x", "score"))
