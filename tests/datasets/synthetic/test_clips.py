"""The generated clips: their documented properties, and no shortcuts for a classifier."""

import numpy as np
import pytest

from jaxact.datasets.synthetic import clips as synthetic
from jaxact.datasets.synthetic.motion.body import LEFT, RIGHT
from jaxact.errors import UserError
from jaxact.skeletons import get_layout

SIDES = {LEFT: (12, 13, 14, 15), RIGHT: (16, 17, 18, 19)}


@pytest.fixture(scope="module")
def clips():
    """Every subject and action once, the repetitions in turn: (subject, action) -> joints."""
    return {
        (subject, action): synthetic.generate_clip(
            subject, action, (subject + number) % synthetic.REPETITIONS
        )
        for subject in synthetic.SUBJECTS
        for number, action in enumerate(synthetic.LABELS)
    }


@pytest.fixture
def clean(monkeypatch):
    """The generator with a perfect sensor that stands level on the floor."""
    monkeypatch.setattr(synthetic, "_add_sensor_noise", lambda points, subject, rng: points)
    draw_subject = synthetic.Subject.of

    def level(number, seed=0):
        performer = draw_subject(number, seed)
        return synthetic.dataclasses.replace(performer, sensor_pitch=0.0, sensor_height=0.0)

    monkeypatch.setattr(synthetic.Subject, "of", level)
    return synthetic.generate_clip


def test_a_clip_depends_on_its_four_numbers_alone_and_on_each_of_them():
    clip = synthetic.generate_clip(2, "throw", 1)
    np.testing.assert_array_equal(clip, synthetic.generate_clip(2, "throw", 1))
    for other in (
        synthetic.generate_clip(4, "throw", 1),
        synthetic.generate_clip(2, "kick", 1),
        synthetic.generate_clip(2, "throw", 2),
        synthetic.generate_clip(2, "throw", 1, seed=1),
    ):
        assert clip.shape != other.shape or np.abs(clip - other).max() > 0.05


def test_the_set_has_twelve_actions_and_no_subject_on_both_sides():
    assert len(synthetic.LABELS) == len(set(synthetic.LABELS)) == 12
    assert len(synthetic.SUBJECTS) == 24
    assert not set(synthetic.TRAIN_SUBJECTS) & set(synthetic.TEST_SUBJECTS)
    assert sorted((*synthetic.TRAIN_SUBJECTS, *synthetic.TEST_SUBJECTS)) == list(synthetic.SUBJECTS)
    assert (len(synthetic.TRAIN_SUBJECTS), len(synthetic.TEST_SUBJECTS)) == (16, 8)


@pytest.mark.slow
def test_clips_have_forty_to_ninety_frames_of_finite_joints_in_front_of_the_sensor(clips):
    lengths = {len(clip) for clip in clips.values()}
    assert min(lengths) >= 40 and max(lengths) <= 90 and len(lengths) > 20
    for clip in clips.values():
        assert clip.dtype == np.float32 and clip.shape[1:] == (2, 25, 3)
        assert np.isfinite(clip).all()
        joints = clip[np.any(clip != 0, axis=-1)]
        assert joints[:, 2].min() > 0.8 and joints[:, 2].max() < 5.5
        assert np.abs(joints[:, :2]).max() < 3.0


@pytest.mark.slow
def test_the_second_person_is_there_in_encounters_only(clips):
    for (_, action), clip in clips.items():
        assert np.any(clip[:, 1] != 0) == (action in ("handshake", "push")), action


def test_the_body_is_the_right_way_up_and_its_left_is_left(clips):
    for (subject, action), clip in clips.items():
        for person in range(2 if action in ("handshake", "push") else 1):
            start = clip[0, person]
            if not np.all(np.any(start != 0, axis=-1)):
                continue
            assert start[3, 1] > start[0, 1] > start[14, 1], (subject, action)
            ahead = start[15] - start[14] + start[19] - start[18]  # from the ankles to the toes
            left = np.cross((0.0, 1.0, 0.0), ahead)
            assert left @ (start[4] - start[8]) > 0, (subject, action)


def test_some_joints_are_lost_for_a_while_and_most_are_not(clips):
    lost = [np.any(clip[:, 0] == 0) for clip in clips.values()]
    assert 0.1 < np.mean(lost) < 0.5
    for clip in clips.values():
        assert np.mean(np.all(clip[:, 0] == 0, axis=-1)) < 0.12


@pytest.mark.parametrize("action", synthetic.LABELS)
def test_bones_keep_their_lengths(clean, action):
    joints = clean(7, action, 0)[:, 0]
    for child, parent in get_layout("ntu-25").edges:
        length = np.linalg.norm(joints[:, child] - joints[:, parent], axis=-1)
        # Shoulders ride on the collar bone, and the neck bends between two vertebrae.
        assert np.ptp(length) < (0.05 if 20 in (child, parent) or child == 2 else 2e-3), (
            child,
            parent,
        )


@pytest.mark.parametrize("action", synthetic.LABELS)
def test_feet_stay_on_the_floor_and_do_not_slide_on_it(clean, action):
    for subject in (2, 5, 11):
        joints = clean(subject, action, 1)
        for person in range(2 if action in ("handshake", "push") else 1):
            toes = joints[:, person][:, (15, 19)]
            assert toes[..., 1].min() > 0.0, "a foot is under the floor"
            lowest = joints[:, person, :, 1].min(axis=-1)
            if action != "jump":
                assert lowest.max() < 0.06, "the body floats"
            speed = np.linalg.norm(np.diff(toes[..., (0, 2)], axis=0), axis=-1)
            planted = (
                np.maximum(toes[1:, :, 1], toes[:-1, :, 1]) < toes[..., 1].min() + 0.003
            ) & True
            # Turning on the ball of the foot moves the toe a little.
            assert np.median(speed[planted]) < 0.004
    if action == "jump":
        assert lowest.max() > 0.10


@pytest.mark.parametrize("action", synthetic.LABELS)
def test_motion_is_smooth(clean, action):
    for subject in (4, 13):
        change = np.linalg.norm(np.diff(clean(subject, action, 2), n=2, axis=0), axis=-1)
        assert change.max() < 0.25, "metres per frame squared; a hand that throws reaches 0.2"
        assert change[:, :, [0, 1, 2, 3, 12, 16, 20]].max() < 0.08, "the trunk jerks"


def test_knees_and_elbows_bend_the_human_way(clean):
    for action in synthetic.LABELS:
        joints = clean(10, action, 0)[:, 0]
        for hip, knee, ankle, toe in SIDES.values():
            line = 0.5 * (joints[:, hip] + joints[:, ankle])
            forward = (joints[:, toe] - joints[:, ankle]) * (1.0, 0.0, 1.0)
            bend = np.sum((joints[:, knee] - line) * forward, axis=-1)
            upright = joints[:, toe, 1] < joints[:, ankle, 1]
            assert bend[upright].min() > -0.02, action


def test_arms_swing_against_the_legs(clean):
    joints = clean(1, "walk", 0)[:, 0]
    ahead = joints[-1, 0] - joints[0, 0]
    ahead /= np.linalg.norm(ahead)
    legs = (joints[:, 14] - joints[:, 18]) @ ahead
    arms = (joints[:, 6] - joints[:, 10]) @ ahead
    assert np.corrcoef(legs, arms)[0, 1] < -0.7


def test_right_hands_meet_in_a_handshake(clean):
    for subject in range(1, 8):
        joints = clean(subject, "handshake", 3)
        apart = np.linalg.norm(joints[:, 0, 11] - joints[:, 1, 11], axis=-1)
        assert apart.min() < 0.12
        assert np.median(apart[: len(apart) // 10]) > 0.25


def test_a_push_moves_the_other_one_back(clean):
    for subject in range(1, 8):
        bases = clean(subject, "push", 0)[:, :, 0, ::2]
        travel = np.linalg.norm(bases[-1] - bases[0], axis=-1)
        between = np.linalg.norm(bases[:, 0] - bases[:, 1], axis=-1)
        assert travel.max() > 0.25 and between[-1] > between.min() + 0.08


def test_left_handed_subjects_throw_with_the_left():
    hands = {False: 10, True: 6}
    both = set()
    for number in synthetic.SUBJECTS:
        handed = synthetic.Subject.of(number).left_handed
        both.add(handed)
        joints = synthetic.generate_clip(number, "throw", 0)[:, 0]
        tops = {side: joints[:, wrist, 1].max() for side, wrist in hands.items()}
        assert tops[handed] > tops[not handed]
    assert both == {False, True}


def test_the_mean_pose_does_not_tell_the_action(clips):
    poses = np.array([clip.mean(axis=0).ravel() for clip in clips.values()])
    labels = np.array([synthetic.LABELS.index(action) for _, action in clips])
    test = np.array([subject in synthetic.TEST_SUBJECTS for subject, _ in clips])
    centroids = np.array([poses[~test & (labels == label)].mean(axis=0) for label in range(12)])
    nearest = np.linalg.norm(poses[test, None] - centroids, axis=-1).argmin(axis=1)
    assert np.mean(nearest == labels[test]) < 0.6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, "walk", 0), "subject 0 is not one of 1 to 24"),
        ((1, "wlak", 0), "unknown action 'wlak'; available: .*; did you mean 'walk'"),
        ((1, "walk", -1), "repetition -1 must be 0 or more"),
    ],
)
def test_a_clip_that_is_not_there_is_the_users_error(arguments, message):
    with pytest.raises(UserError, match=message):
        synthetic.generate_clip(*arguments)


def test_the_builder_lists_every_performance_once_and_parses_one():
    from jaxact.datasets.synthetic_actions import SyntheticActions

    dataset = SyntheticActions.find()
    assert len(dataset.clips) == len({raw_clip.id for raw_clip in dataset.clips}) == 1152
    assert dataset.layout.name == "ntu-25" and len(dataset.labels) == 12
    cells = {raw_clip.cell for raw_clip in dataset.clips}
    assert sorted((*dataset.unions["train"], *dataset.unions["test"])) == sorted(cells)
    (record,) = SyntheticActions.parse(dataset.clips[100])
    raw_clip = dataset.clips[100]
    assert (record["id"], record["label"]) == (raw_clip.id, raw_clip.label)
    expected = synthetic.generate_clip(
        raw_clip.facts["subject"], synthetic.LABELS[raw_clip.label], raw_clip.facts["repetition"]
    )
    np.testing.assert_array_equal(record["joints"], expected)
    assert record["num_frames"] == len(expected)
