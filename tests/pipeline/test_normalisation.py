"""Centring, view alignment and scale."""

import numpy as np
import pytest
import tensorflow as tf

from jaxact.errors import UserError
from jaxact.pipeline import normalisation
from jaxact.skeletons import get_layout

NTU, OPENPOSE = get_layout("ntu-25"), get_layout("openpose-18")


def clip(layout=NTU, channels=3, missing=0.2, seed=0, frames=6):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.1, 1.0, (frames, 2, len(layout.joints), channels)).astype(np.float32)
    present = rng.uniform(size=x.shape[:3]) >= missing
    return x * present[..., None], present


def run(function, x, present, **options):
    return function(tf.constant(x), tf.constant(present), **options).numpy()


@pytest.mark.parametrize("center", ["first", "frame"])
@pytest.mark.parametrize(
    ("layout", "channels", "dims"), [(NTU, 3, 3), (OPENPOSE, 3, 2), (OPENPOSE, 2, 2)]
)
def test_centring_subtracts_the_first_persons_centre_from_present_joints(
    center, layout, channels, dims
):
    x, present = clip(layout, channels)
    present[:, 0, layout.centre] = [False, False, True, True, False, True]
    x *= present[..., None]
    centred = run(normalisation.centre, x, present, center=center, layout=layout, dims=dims)
    for t, m, v in np.ndindex(present.shape):
        has = present[t, 0, layout.centre]
        point = x[t if center == "frame" and has else 2, 0, layout.centre, :dims]
        expected = x[t, m, v].copy()
        expected[:dims] -= point * present[t, m, v]
        np.testing.assert_allclose(centred[t, m, v], expected, atol=1e-6)


def test_centring_without_a_centre_changes_nothing():
    x, present = clip()
    present[:, 0, NTU.centre] = False
    x *= present[..., None]
    np.testing.assert_array_equal(
        run(normalisation.centre, x, present, center="frame", layout=NTU, dims=3), x
    )


def rotated(source, target):
    """The rotation by its angle about the unit normal, written with a quaternion."""
    normal = np.cross(source, target)
    angle = np.arccos(source @ target / np.linalg.norm(source) / np.linalg.norm(target))
    w, (x, y, z) = np.cos(angle / 2), np.sin(angle / 2) * normal / np.linalg.norm(normal)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def test_alignment_turns_the_spine_to_z_and_then_the_shoulders_to_x():
    x, present = clip(missing=0.0)
    present[:3, 0, NTU.spine[1]] = False  # the fourth frame is the first complete one
    x *= present[..., None]
    x = x.astype(np.float64)
    (lower, upper), (right, left) = NTU.spine, NTU.shoulders
    upright = rotated(x[3, 0, upper] - x[3, 0, lower], np.array([0.0, 0, 1]))
    half = x @ upright.T
    across = rotated(half[3, 0, right] - half[3, 0, left], np.array([1.0, 0, 0]))
    aligned = run(normalisation.align, x.astype(np.float32), present, layout=NTU)
    np.testing.assert_allclose(aligned, half @ across.T, atol=1e-5)
    shoulders = aligned[3, 0, right] - aligned[3, 0, left]
    np.testing.assert_allclose(shoulders / np.linalg.norm(shoulders), [1, 0, 0], atol=1e-5)


def test_alignment_without_a_complete_frame_turns_nothing():
    x, present = clip()
    present[:, 0, NTU.shoulders[0]] = False
    x *= present[..., None]
    np.testing.assert_allclose(run(normalisation.align, x, present, layout=NTU), x, atol=1e-6)


@pytest.mark.parametrize("target", [[0.0, 0, 2.5], [0.0, 0, -1.0], [0.0, 0, 0]])
def test_parallel_opposite_and_zero_vectors_are_not_turned(target):
    np.testing.assert_allclose(
        normalisation.rotation_between(tf.constant(target), tf.constant([0.0, 0, 1])),
        np.eye(3),
        atol=1e-6,
    )


@pytest.mark.parametrize(("layout", "channels", "dims"), [(NTU, 3, 3), (OPENPOSE, 3, 2)])
def test_scale_makes_mean_bone_length_times_bones_one(layout, channels, dims):
    x, present = clip(layout, channels)
    scaled = run(normalisation.unit_skeleton, x, present, layout=layout, dims=dims)
    lengths = [
        np.linalg.norm(scaled[t, m, v, :dims] - scaled[t, m, parent, :dims])
        for t, m in np.ndindex(present.shape[:2])
        for v, parent in layout.bones
        if v != parent and present[t, m, v] and present[t, m, parent]
    ]
    np.testing.assert_allclose(np.mean(lengths) * (len(layout.joints) - 1), 1.0, rtol=1e-5)
    np.testing.assert_array_equal(scaled[..., dims:], x[..., dims:])
    assert np.array_equal(scaled.any(axis=-1), present)


def test_a_clip_without_bones_keeps_its_size():
    x, present = clip()
    present[:] = False
    present[0, 0, 3] = True
    x = x * present[..., None]
    np.testing.assert_array_equal(
        run(normalisation.unit_skeleton, x, present, layout=NTU, dims=3), x
    )


def test_alignment_says_what_it_lacks():
    with pytest.raises(
        UserError, match=r"align rotates 3-D joints, but these records hold \('x', 'y', 'score'\)"
    ):
        normalisation.check_align(layout=NTU, channels=("x", "y", "score"))
    with pytest.raises(
        UserError,
        match="align needs a layout with spine and shoulders, but 'openpose-18' has no spine",
    ):
        normalisation.check_align(layout=OPENPOSE, channels=("x", "y", "z"))
