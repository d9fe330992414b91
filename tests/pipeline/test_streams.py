"""Joint, bone, motion and partner streams."""

import numpy as np
import pytest
import tensorflow as tf

from jaxact.errors import UserError
from jaxact.pipeline import streams
from jaxact.skeletons import get_layout

COCO = get_layout("coco-17")


def clip(channels=3, seed=0, persons=2):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.1, 1.0, (5, persons, 17, channels)).astype(np.float32)
    present = rng.uniform(size=x.shape[:3]) > 0.3
    return x * present[..., None], present


def run(x, present, name, dims):
    joints, presence = streams.compute(
        tf.constant(x), tf.constant(present), stream=name, layout=COCO, dims=dims
    )
    return joints.numpy(), presence.numpy()


def bone_loop(x, present, dims):
    out, presence = np.zeros_like(x), np.zeros_like(present)
    for t, m in np.ndindex(x.shape[:2]):
        for v, parent in COCO.bones:
            presence[t, m, v] = present[t, m, v] and present[t, m, parent]
            if presence[t, m, v]:
                out[t, m, v, :dims] = x[t, m, v, :dims] - x[t, m, parent, :dims]
                out[t, m, v, dims:] = (x[t, m, v, dims:] + x[t, m, parent, dims:]) / 2
    return out, presence


def motion_loop(x, present, dims):
    out, presence = np.zeros_like(x), np.zeros_like(present)
    for t, m, v in np.ndindex(len(x) - 1, *x.shape[1:3]):
        presence[t, m, v] = present[t, m, v] and present[t + 1, m, v]
        if presence[t, m, v]:
            out[t, m, v, :dims] = x[t + 1, m, v, :dims] - x[t, m, v, :dims]
            out[t, m, v, dims:] = (x[t + 1, m, v, dims:] + x[t, m, v, dims:]) / 2
    return out, presence


def partner_loop(x, present, dims):
    out, presence = np.zeros_like(x), np.zeros_like(present)
    persons = x.shape[1]
    for t, m, v in np.ndindex(x.shape[:3]):
        other = (m + 1) % persons
        presence[t, m, v] = persons > 1 and present[t, m, v] and present[t, other, COCO.centre]
        if presence[t, m, v]:
            out[t, m, v, :dims] = x[t, m, v, :dims] - x[t, other, COCO.centre, :dims]
            out[t, m, v, dims:] = (x[t, m, v, dims:] + x[t, other, COCO.centre, dims:]) / 2
    return out, presence


def second_difference_loop(x, present, dims):
    out, presence = np.zeros_like(x), np.zeros_like(present)
    for t, m, v in np.ndindex(present.shape):
        if 0 < t < len(x) - 1 and present[t - 1 : t + 2, m, v].all():
            presence[t, m, v] = True
            out[t, m, v, :dims] = (
                x[t, m, v, :dims] - (x[t + 1, m, v, :dims] + x[t - 1, m, v, :dims]) / 2
            )
            out[t, m, v, dims:] = x[t - 1 : t + 2, m, v, dims:].mean(axis=0)
    return out, presence


@pytest.mark.parametrize("persons", [1, 2, 3])
def test_the_partner_is_the_next_person_and_nobody_for_one(persons):
    x, present = clip(persons=persons)
    got, presence = run(x, present, "partner", 3)
    expected, expected_presence = partner_loop(x, present, 3)
    np.testing.assert_allclose(got, expected, atol=1e-6)
    np.testing.assert_array_equal(presence, expected_presence)
    assert presence.any() == (persons > 1)


@pytest.mark.parametrize(("channels", "dims"), [(2, 2), (3, 2), (3, 3)])
def test_streams_are_differences_of_present_joints(channels, dims):
    x, present = clip(channels)
    bone, motion = bone_loop(x, present, dims), motion_loop(x, present, dims)
    expected = {
        "joint": (x, present),
        "bone": bone,
        "joint_motion": motion,
        "bone_motion": motion_loop(*bone, dims),
    }
    expected["partner"] = partner_loop(x, present, dims)
    expected["joint_second_diff"] = second_difference_loop(x, present, dims)
    assert set(expected) == set(streams.STREAMS)
    for name, (joints, presence) in expected.items():
        got, actual_presence = run(x, present, name, dims)
        np.testing.assert_allclose(got, joints, atol=1e-6, err_msg=name)
        np.testing.assert_array_equal(actual_presence, presence, err_msg=name)


def test_a_joint_at_the_origin_that_is_present_has_a_bone_and_a_motion():
    x, present = clip()
    present[:] = True
    x[:, 0, 0] = 0.0  # the root, as after centring
    bone, _ = run(x, present, "bone", 3)
    np.testing.assert_allclose(bone[:, 0, 1], x[:, 0, 1])
    motion, presence = run(x, present, "joint_motion", 3)
    assert presence[:-1].all()
    assert not motion[:, 0, 0].any()


def test_an_unknown_stream_is_named():
    with pytest.raises(
        UserError, match="unknown stream 'bones'; available: bone, bone_motion, joint, joint_motion"
    ):
        run(*clip(), "bones", 3)


def test_streams_joined_by_a_plus_lie_side_by_side():
    x, present = clip()
    together, presence = run(x, present, "joint+bone_motion", 2)
    apart = [run(x, present, name, 2) for name in ("joint", "bone_motion")]
    np.testing.assert_array_equal(together, np.concatenate([part for part, _ in apart], axis=-1))
    np.testing.assert_array_equal(presence, apart[0][1] | apart[1][1])
