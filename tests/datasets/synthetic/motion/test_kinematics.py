"""The moving body: curves through keyframes, and limbs that reach their targets."""

import numpy as np
import pytest

from jaxact.datasets.synthetic.clips import random_actor
from jaxact.datasets.synthetic.motion.actor import standing_pose
from jaxact.datasets.synthetic.motion.body import RIGHT, Body
from jaxact.datasets.synthetic.motion.curves import ease, interpolate
from jaxact.datasets.synthetic.motion.kinematics import forward_kinematics, solve_two_bones
from jaxact.datasets.synthetic.motion.rotations import rotate_y, rotation_matrix

TIME = np.linspace(0.0, 1.0, 41)


def still(frames=5):
    actor = random_actor(np.random.default_rng(0))
    return actor.body, standing_pose(actor, np.arange(frames) / 30, np.random.default_rng(1))


def test_a_keyed_curve_passes_its_keys_never_overshoots_and_stays_put():
    curve = interpolate(
        TIME, {0.0: (0.0, 1.0), 0.25: (2.0, 1.0), 0.5: (3.0, 1.0), 1.0: (1.0, -1.0)}
    )
    np.testing.assert_allclose(
        curve[[0, 10, 20, 40]], [(0, 1), (2, 1), (3, 1), (1, -1)], atol=1e-12
    )
    assert curve[:, 0].max() <= 3.0 and np.all(np.diff(curve[:21, 0]) >= 0)
    np.testing.assert_array_equal(curve[:21, 1], 1.0)
    np.testing.assert_allclose(interpolate(np.array([-1.0, 2.0]), {0.0: 5.0, 1.0: 7.0}), [5.0, 7.0])


def test_easing_rests_at_both_ends_and_is_half_way_in_the_middle():
    curve = ease(TIME, 0.25, 0.75)
    assert curve[10] == 0 and curve[30] == 1 and curve[20] == pytest.approx(0.5)
    assert curve[11] < 0.01


def test_rotation_is_yaw_after_pitch_after_roll():
    pitch, yaw, roll = (np.array([angle]) for angle in (0.3, -0.7, 0.2))
    zero = np.zeros(1)
    whole = rotation_matrix(pitch, yaw, roll)[0]
    steps = [
        rotation_matrix(zero, yaw, zero),
        rotation_matrix(pitch, zero, zero),
        rotation_matrix(zero, zero, roll),
    ]
    np.testing.assert_allclose(whole, (steps[0] @ steps[1] @ steps[2])[0], atol=1e-12)
    np.testing.assert_allclose(
        rotation_matrix(np.array([0.3]), zero, zero)[0] @ (0, 1, 0), (0, np.cos(0.3), np.sin(0.3))
    )
    np.testing.assert_allclose(
        rotate_y(np.array([[0.0, 0.0, 1.0]]), yaw)[0], steps[0][0] @ (0, 0, 1), atol=1e-12
    )


def test_two_bones_reach_the_target_with_the_middle_on_the_side_of_the_pole():
    start, target, pole = (
        np.array([point]) for point in ((0.0, 1.0, 0.0), (0.2, 0.4, 0.1), (0.0, 0.0, 1.0))
    )
    middle, end = solve_two_bones(start, target, (0.45, 0.40), pole)
    np.testing.assert_allclose(end, target, atol=1e-9)
    assert np.linalg.norm(middle - start) == pytest.approx(0.45)
    assert np.linalg.norm(end - middle) == pytest.approx(0.40)
    assert (middle - 0.5 * (start + end))[0, 2] > 0


def test_a_target_out_of_reach_is_approached_on_a_stretched_limb():
    start, target, pole = (
        np.array([point]) for point in ((0.0, 0.0, 0.0), (0.0, 0.0, 9.0), (0.0, 1.0, 0.0))
    )
    _, end = solve_two_bones(start, target, (0.4, 0.4), pole)
    np.testing.assert_allclose(end, [(0, 0, 0.8 * 0.998)])


def test_hips_sink_until_both_feet_reach_their_places():
    body, pose = still()
    pose.feet[:, :, 0] *= 6.0  # a split
    joints = forward_kinematics(body, pose)
    np.testing.assert_allclose(joints[:, (15, 19)][..., (0, 2)], pose.feet[..., (0, 2)], atol=1e-6)
    assert joints[:, 0, 1].max() < body.standing - 0.05


def test_a_grasping_wrist_is_where_it_grasps():
    body, pose = still()
    pose.grasp[:, RIGHT] = 1.0
    pose.grasp_at[:, RIGHT] = (-0.1, 1.2, 0.3)
    np.testing.assert_allclose(
        forward_kinematics(body, pose)[:, 10], np.broadcast_to((-0.1, 1.2, 0.3), (5, 3)), atol=1e-6
    )


def test_a_taller_body_is_taller_in_every_bone():
    small, tall = Body.of(1.5), Body.of(1.9)
    for bone in ("spine", "shoulder", "arm", "hip", "leg", "foot"):
        np.testing.assert_allclose(np.divide(getattr(tall, bone), getattr(small, bone)), 1.9 / 1.5)


def test_smoothing_leaves_a_still_pose_alone_and_halves_a_jolt():
    _, pose = still(31)
    pose.pelvis[:] = 0.0
    pose.pelvis[15] = 1.0
    smooth = pose.smoothed(1.0).pelvis[:, 0]
    assert smooth[15] == pytest.approx(0.4, abs=0.01) and smooth.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(pose.smoothed(1.0).elbows, pose.elbows)
