"""People out of maps: planted ones come back, whatever stands beside, across or behind them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.models import pose_decoding
from jaxact.models.layers import pose_features
from jaxact.skeletons.pose_body import LIMBS
from tests.helpers import poses

ROWS = COLUMNS = 36  # cells; 288 pixels
PEAKS = jax.jit(pose_decoding.find_peaks, static_argnames="max_peaks")


def answers(*people, rows=ROWS, columns=COLUMNS):
    """What a perfect network's last stage says; the stage before it is noise."""
    maps = poses.maps(np.array(people), rows, columns)
    noise = (
        np.random.default_rng(0).uniform(0, 1, (rows, columns, 14)),
        np.zeros((rows, columns, 26)),
    )
    return {
        name: np.stack([bad, good])[None].astype(np.float32)
        for name, bad, good in zip(("joints", "limbs"), noise, maps, strict=True)
    }


def decode_people(*people, persons=30, **size):
    return pose_decoding.decode(answers(*people, **size), persons=persons)[0]


def assert_same(decoded, people, within=0.6):
    """As many as there are, each joint within so many pixels, each person once."""
    rows = decoded[(decoded[..., 2] > 0).any(axis=1)]
    assert len(rows) == len(people)
    for one in people:
        distance = [np.abs(other - one)[:, :2].max() for other in rows]
        best = rows[int(np.argmin(distance))]
        np.testing.assert_array_equal(best[:, 2] > 0, one[:, 2] > 0)
        assert np.abs((best - one)[one[:, 2] > 0][:, :2]).max() < within
        assert not best[one[:, 2] == 0].any()


def test_a_joint_is_found_to_a_fraction_of_a_pixel():
    one = poses.person(100.3, 40.7, 170)
    decoded = decode_people(one)
    assert_same(decoded, [one], within=0.05)
    assert decoded[0, :, 2].min() > 0.5 and not decoded[1:].any()


def empty():
    """Maps of one shape for all tests, so that XLA compiles `peaks` once."""
    return np.zeros((1, 8, 9, 15), np.float32)


def test_a_peak_is_where_the_parabola_of_logarithms_has_its_top():
    maps = empty()
    maps[0, 2, 3, 4], maps[0, 2, 2, 4], maps[0, 2, 4, 4], maps[0, 1, 3, 4], maps[0, 3, 3, 4] = (
        0.8,
        0.2,
        0.4,
        0.3,
        0.3,
    )
    peaks = jax.device_get(PEAKS(maps, max_peaks=4))
    before, here, after = np.log([0.2, 0.8, 0.4])
    shift = 0.5 * (before - after) / (before - 2 * here + after)
    np.testing.assert_allclose(peaks.positions[0, 4, 0], [8 * (3.5 + shift), 8 * 2.5], rtol=1e-5)
    np.testing.assert_allclose(peaks.scores[0, 4], [0.8, 0, 0, 0])
    assert not peaks.scores[0, 5].any() and not peaks.positions[0, 5].any()


def test_equal_neighbours_are_one_peak_and_low_ones_none():
    maps = empty()
    maps[0, 2:4, 2:4, 0] = 0.5
    maps[0, 2, 2, 1] = 0.1
    maps[0, 0, 0, 2] = maps[0, 7, 8, 2] = 0.3  # corners have fewer neighbours
    scores = np.asarray(PEAKS(maps, max_peaks=4).scores[0])
    assert [int((row > 0).sum()) for row in scores[:3]] == [1, 0, 2]


def test_peaks_are_the_highest_ones_and_of_a_fixed_number():
    maps = empty()
    maps[0, ::2, ::2, 0] = np.linspace(0.2, 0.9, 20).reshape(4, 5)
    peaks = PEAKS(maps, max_peaks=4)
    assert peaks.positions.shape == (1, 14, 4, 2)
    np.testing.assert_allclose(peaks.scores[0, 0], np.linspace(0.2, 0.9, 20)[:-5:-1], rtol=1e-5)


def test_two_people_side_by_side_and_one_in_front_of_the_other():
    near, far = poses.person(90, 30, 230), poses.person(200, 60, 150)
    assert_same(decode_people(near, far), [near, far])
    behind = poses.person(130, 60, 150)
    assert_same(decode_people(near, behind), [near, behind])


def test_crossing_limbs_stay_with_their_bodies():
    """Right forearms of two people that cross: the nearer wrist to each elbow is the other's."""
    first_person = poses.person(80, 30, 220, j3=(0.10, 0.34), j4=(0.36, 0.52))
    second_person = poses.person(190, 30, 220, j3=(-0.12, 0.56), j4=(-0.12, 0.30))
    assert np.hypot(*(first_person[3] - second_person[4])[:2]) < np.hypot(
        *(first_person[3] - first_person[4])[:2]
    )
    assert_same(decode_people(first_person, second_person), [first_person, second_person])


@pytest.mark.parametrize("joint", [0, 4, 10, 13])
def test_a_missing_end_of_a_limb_leaves_the_rest(joint):
    one = poses.person(120, 40, 190)
    one[joint] = 0
    other = poses.person(220, 40, 190)
    assert_same(decode_people(one, other), [one, other])


def test_a_missing_neck_leaves_pieces_of_three_joints_and_no_crumbs():
    one = poses.person(120, 40, 190)
    one[1] = 0
    decoded = decode_people(one)
    pieces = [tuple(np.flatnonzero(piece[:, 2])) for piece in decoded if piece.any()]
    assert sorted(pieces) == [(2, 3, 4), (5, 6, 7), (8, 9, 10), (11, 12, 13)]


def test_nobody_is_nobody():
    assert not decode_people().any()


def test_thirty_people():
    people = [
        poses.person(40 + 70 * column, 20 + 80 * row, 62) for row in range(5) for column in range(6)
    ]
    assert_same(decode_people(*people, rows=54, columns=56), people)


def test_the_best_person_comes_first_and_the_others_are_left_out():
    whole, half = poses.person(80, 30, 200), poses.person(200, 30, 200)
    half[[9, 10, 12, 13]] = 0
    for people in ((whole, half), (half, whole)):
        assert_same(decode_people(*people, persons=1), [whole])


def test_bodies_are_ranked_by_their_totals_and_crumbs_are_left_out():
    """The first neck has the better shoulder, the second one more joints; two joints alone are
    nobody.
    """
    joints, limbs = np.full((14, 3), 0.5, np.float32), np.zeros((13, 3, 3), np.float32)
    limbs[0, 0, 0], limbs[1, 0, 0] = 0.9, 0.9
    for limb in (0, 1, 2, 3):
        limbs[limb, 1, 1] = 0.6
    limbs[8, 2, 2] = 0.9
    first, second = pose_decoding.assemble(joints, limbs)
    assert first == {1: 1, 2: 1, 5: 1, 3: 1, 4: 1} and second == {1: 0, 2: 0, 5: 0}


def test_limb_scores_are_the_mean_agreement_along_the_line():
    random = np.random.default_rng(3)
    fields = random.normal(size=(1, 6, 7, 26)).astype(np.float32)
    positions = random.uniform(8, 40, (1, 14, 2, 2)).astype(np.float32)
    fields[0, ..., 2:] = np.abs(fields[0, ..., 2:])
    positions[0, :, :, 0].sort(axis=0)
    scores = np.ones((1, 14, 2), np.float32)
    scores[0, 4, 1] = 0
    peaks = pose_decoding.Peaks(jnp.asarray(positions), jnp.asarray(scores))
    actual = np.asarray(jax.jit(pose_decoding.limb_scores)(jnp.asarray(fields), peaks))

    def read(limb, x, y):
        """Interpolated between the middles of the cells."""
        x, y = min(max(x / 8 - 0.5, 0), 6), min(max(y / 8 - 0.5, 0), 5)
        total = np.zeros(2)
        for i, j in np.ndindex(6, 7):
            weight = max(0, 1 - abs(y - i)) * max(0, 1 - abs(x - j))
            total += weight * fields[0, i, j, 2 * limb : 2 * limb + 2]
        return total

    count = 0
    for limb, (first, second) in enumerate(LIMBS):
        for p, q in np.ndindex(2, 2):
            start, end = positions[0, first, p].astype(float), positions[0, second, q].astype(float)
            unit = (end - start) / np.hypot(*(end - start))
            along = [
                read(limb, *(start + share * (end - start))) @ unit
                for share in np.linspace(0, 1, 10)
            ]
            good = (
                sum(each > 0.05 for each in along) >= 8
                and scores[0, first, p]
                and scores[0, second, q]
            )
            count += bool(good)
            assert actual[0, limb, p, q] == pytest.approx(np.mean(along) if good else 0, abs=1e-5)
    assert 10 < count < 42


def test_pairs_are_taken_best_first_and_each_peak_once():
    scores = np.array([[0.9, 0.8, 0.0], [0.85, 0.1, 0.0], [0.0, 0.0, -1.0]])
    assert pose_decoding.match_pairs(scores) == [(0, 0), (1, 1)]


def test_noise_between_people_joins_nobody():
    """Lone peaks of every joint, and no field between them."""
    maps = answers(poses.person(80, 40, 180))
    maps["joints"][0, -1, 30, ::3] = 0.6
    assert_same(pose_decoding.decode(maps)[0], [poses.person(80, 40, 180)])


def test_the_fields_along_a_body_point_as_its_parts_do_and_a_part_without_limbs_points_nowhere():
    one = poses.person(
        100, 30, 160, j4=(-0.42, 0.34)
    )  # the lower second_person arm stretched to the side
    one[[6, 7]] = 0  # no first_person arm
    one[11] = 0  # one hip: the trunk is the limb to the other
    _, fields = poses.maps([one], 32, 32)
    body = one[None, None]
    positions, present, last = (
        body[..., :2] / 256 - 0.5,
        body[..., 2] > 0,
        np.zeros((1, 14, 2), np.float32),
    )

    @jax.jit
    def run(fields, body, positions, present, last):
        """The parts' vectors, and the recogniser's without and with them."""
        vectors, has_limbs = pose_decoding.part_vectors(fields, body)
        along = (vectors[:, :1], has_limbs[:, :1])
        plain, _ = pose_features.frame_vectors(positions, present, last, parts=True)
        read, _ = pose_features.frame_vectors(positions, present, last, parts=True, measured=along)
        return vectors, has_limbs, plain, read

    vectors, has_limbs, plain, read = map(
        np.asarray, run(np.float32(fields)[None], body, positions, present, last)
    )
    assert list(pose_decoding.PARTS) == list(pose_features.ORDER)
    assert has_limbs[0, 0].tolist() == [True, True, True, False, True, True]
    ends = {
        "head": [(1, 0)],
        "trunk": [(1, 8)],
        "right_arm": [(2, 3), (3, 4)],
        "right_leg": [(8, 9), (9, 10)],
    }
    ends["left_leg"] = [(12, 13)]  # what is first_person of it
    for index, name in enumerate(pose_features.ORDER):
        units = [
            (one[b] - one[a])[:2] / np.linalg.norm((one[b] - one[a])[:2])
            for a, b in ends.get(name, [])
        ]
        np.testing.assert_allclose(
            vectors[0, 0, index], np.mean(units, axis=0) if units else 0, atol=0.08
        )
    np.testing.assert_array_equal(plain[..., :28], read[..., :28])
    assert plain[0, 0, 29] == 0 != read[0, 0, 29] and abs(read[0, 0, 30] - plain[0, 0, 30]) < 0.08
