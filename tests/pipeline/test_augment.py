"""Random changes: what each does, that it draws what it says, and that missing joints stay
missing.
"""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from jaxact.pipeline import augment, seeds
from jaxact.skeletons import get_layout

NTU, OPENPOSE = get_layout("ntu-25"), get_layout("openpose-18")


def clip(layout=NTU, channels=3, seed=0, frames=8):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.1, 1.0, (frames, 2, len(layout.joints), channels)).astype(np.float32)
    present = rng.uniform(size=x.shape[:3]) > 0.2
    return x * present[..., None], present


def seed_of(position):
    return tf.constant([7, position], tf.int64)


def tensors(x, present):
    return tf.constant(x), tf.constant(present)


@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("frames", [2, 9, 150])
def test_random_moving_with_given_choices_equals_a_loop_over_frames(frames, everything):
    x, present = clip(OPENPOSE, frames=frames)
    angles, scales, shifts_x, shifts_y = (-10.0, 5.0), (0.9, 1.1), (0.2, -0.1), (-0.2, 0.1)
    expected = x.astype(np.float64).copy()
    for t in range(frames):
        share = t / (frames - 1)
        angle, scale, dx, dy = (
            a + (b - a) * share for a, b in (angles, scales, shifts_x, shifts_y)
        )
        cosine, sine = np.cos(np.pi * angle / 180), np.sin(np.pi * angle / 180)
        for m, v in np.ndindex(x.shape[1:3]):
            if everything or present[t, m, v]:
                px, py = x[t, m, v, :2].astype(np.float64)
                expected[t, m, v, 0] = scale * (cosine * px - sine * py) + dx
                expected[t, m, v, 1] = scale * (sine * px + cosine * py) + dy
    nodes = {
        "angles": tf.constant(angles),
        "scales": tf.constant(scales),
        "shifts_x": tf.constant(shifts_x),
        "shifts_y": tf.constant(shifts_y),
    }
    result = augment.move(*tensors(x, present), **nodes, move_missing=everything)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-6)


@pytest.mark.slow
def test_random_moving_draws_every_key_frame_from_the_candidates_and_moves_people_alike():
    first, last = set(), set()
    probe = np.zeros((5, 2, 18, 3), np.float32)
    probe[:, :, 0, :2], probe[:, :, 1, :2] = (1.0, 0.0), (3.0, 0.0)
    probe[..., 2] = 0.7
    present = np.zeros(probe.shape[:3], bool)
    present[:, :, :2] = True
    for position in range(150):
        result = augment.random_move(*tensors(probe, present), seed=seed_of(position)).numpy()
        np.testing.assert_array_equal(result[:, 0], result[:, 1])
        np.testing.assert_array_equal(result[..., 2], probe[..., 2])
        assert not result[:, :, 2:, :2].any()
        for t, draws in ((0, first), (4, last)):
            along = (result[t, 0, 1, :2] - result[t, 0, 0, :2]) / 2
            angle, scale = np.degrees(np.arctan2(along[1], along[0])), np.hypot(*along)
            shift = result[t, 0, 0, :2] - along
            draws.add(
                (
                    round(float(angle), 2),
                    round(float(scale), 3),
                    *(round(float(s), 3) + 0.0 for s in shift),
                )
            )
    for draws in (first, last):
        for axis, candidates in enumerate(
            (augment.ANGLES, augment.SCALES, augment.SHIFTS, augment.SHIFTS)
        ):
            assert {values[axis] for values in draws} == set(candidates)
    assert first != last


def test_rotation_about_three_axes_is_the_product_of_the_three():
    a, b, c = 0.3, -0.7, 1.1
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    np.testing.assert_allclose(
        augment.rotation_matrix(tf.constant([a, b, c])), rz @ ry @ rx, atol=1e-6
    )
    np.testing.assert_allclose(augment.rotation_matrix(tf.constant([c])), rz[:2, :2], atol=1e-6)


@pytest.mark.parametrize(
    ("layout", "channels", "dims"), [(NTU, 3, 3), (OPENPOSE, 3, 2), (OPENPOSE, 2, 2)]
)
def test_rotation_keeps_lengths_and_scores_and_stays_within_its_angle(layout, channels, dims):
    x, present = clip(layout, channels)
    largest = 0.0
    for position in range(40):
        rotated = augment.random_rotate(
            tf.constant(x), rotate=0.3, dims=dims, seed=seed_of(position)
        ).numpy()
        lengths = np.linalg.norm(x[..., :dims], axis=-1)
        np.testing.assert_allclose(np.linalg.norm(rotated[..., :dims], axis=-1), lengths, atol=1e-5)
        np.testing.assert_array_equal(rotated[..., dims:], x[..., dims:])
        np.testing.assert_array_equal(rotated.any(axis=-1), present)
        if dims == 2:
            angle = np.arctan2(rotated[..., 1], rotated[..., 0]) - np.arctan2(x[..., 1], x[..., 0])
            largest = max(largest, np.abs(angle[present]).max())
            np.testing.assert_allclose(angle[present], angle[present][0], atol=1e-4)
    assert dims == 3 or 0.2 < largest <= 0.3 + 1e-4


def test_rescaling_draws_one_factor_per_axis_for_the_whole_clip():
    x, present = clip()
    factors = []
    for position in range(60):
        ratio = (
            augment.random_rescale(
                tf.constant(x), rescale=0.2, dims=3, seed=seed_of(position)
            ).numpy()[present]
            / x[present]
        )
        np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:1], ratio.shape), rtol=1e-5)
        factors.append(ratio[0])
    assert 0.8 <= np.min(factors) < 0.84
    assert 1.16 < np.max(factors) <= 1.2 + 1e-6
    assert np.abs(np.corrcoef(np.transpose(factors))[0, 1]) < 0.5


def test_jitter_is_noise_of_the_given_deviation_on_present_coordinates_only():
    x, present = clip(OPENPOSE, frames=300)
    noise = (
        augment.random_jitter(*tensors(x, present), jitter=0.05, dims=2, seed=seed_of(0)).numpy()
        - x
    )
    assert not noise[~present].any()
    assert not noise[..., 2].any()
    np.testing.assert_allclose(noise[present][:, :2].std(axis=0), 0.05, rtol=0.05)
    np.testing.assert_allclose(noise[present][:, :2].mean(axis=0), 0.0, atol=0.003)


@pytest.mark.parametrize(("layout", "channels", "dims"), [(NTU, 3, 3), (OPENPOSE, 3, 2)])
def test_a_mirror_turns_x_about_the_first_centre_and_exchanges_sides(layout, channels, dims):
    x, present = clip(layout, channels)
    present[:, 0, layout.centre] = True
    present[0, 0, layout.centre] = False
    x *= present[..., None]
    x[1:, 0, layout.centre] += 0.5
    joints, presence = (
        y.numpy() for y in augment.mirror(*tensors(x, present), layout=layout, dims=dims)
    )
    partner = {**dict(layout.pairs), **{right: left for left, right in layout.pairs}}
    plane = x[1, 0, layout.centre, 0]
    for v in range(len(layout.joints)):
        source = partner.get(v, v)
        expected = x[:, :, source].copy()
        expected[..., 0] = np.where(present[:, :, source], 2 * plane - expected[..., 0], 0.0)
        np.testing.assert_allclose(joints[:, :, v], expected, atol=1e-6)
        np.testing.assert_array_equal(presence[:, :, v], present[:, :, source])
    twice, _ = augment.mirror(tf.constant(joints), tf.constant(presence), layout=layout, dims=dims)
    np.testing.assert_allclose(twice, x, atol=1e-5)


def test_a_mirror_and_an_exchange_happen_half_of_the_time():
    x, present = clip()
    mirrored = [
        not np.array_equal(
            augment.random_mirror(*tensors(x, present), layout=NTU, dims=3, seed=seed_of(i))[0], x
        )
        for i in range(100)
    ]
    swapped = [
        not np.array_equal(augment.random_swap(*tensors(x, present), seed=seed_of(i))[0], x)
        for i in range(100)
    ]
    assert 30 < sum(mirrored) < 70
    assert 30 < sum(swapped) < 70


def test_two_people_change_places_but_one_alone_stays_first():
    x, present = clip()
    joints, presence = augment.swap(*tensors(x, present))
    np.testing.assert_array_equal(joints, x[:, ::-1])
    np.testing.assert_array_equal(presence, present[:, ::-1])
    present[:, 1] = False
    x *= present[..., None]
    np.testing.assert_array_equal(augment.swap(*tensors(x, present))[0], x)


def test_dropped_joints_are_missing_for_the_whole_clip():
    x, present = clip(frames=6)
    present[:] = True
    shares = []
    for position in range(40):
        joints, presence = augment.random_drop_joints(
            *tensors(x, present), drop_joints=0.25, seed=seed_of(position)
        )
        presence = presence.numpy()
        np.testing.assert_array_equal(presence, np.broadcast_to(presence[:1], presence.shape))
        np.testing.assert_array_equal(joints, x * presence[..., None])
        shares.append(1 - presence.mean())
    assert 0.2 < np.mean(shares) < 0.3


def test_operations_and_positions_and_seeds_draw_from_streams_of_their_own():
    draws = {
        tuple(
            tf.random.stateless_uniform(
                [2], seeds.subseed(tf.constant([seed, position], tf.int64), name)
            ).numpy()
        )
        for seed, position, name in itertools.product(
            (0, 1, 2**32 - 1), (0, 1, 2**40), seeds.OPERATIONS
        )
    }
    assert len(draws) == 3 * 3 * len(seeds.OPERATIONS)
