"""Track ids: people who cross, are occluded, leave and return; thirty at once, and nobody."""

import numpy as np
import pytest

from jaxact.errors import UserError
from jaxact.skeletons.tracking import NO_ID, Tracks, update_tracks

BODY = np.random.default_rng(0).uniform(-1, 1, (14, 2)) * (0.1, 0.25)


def person(x, y=0.5, hidden=()):
    pose = BODY + np.array([x, y])
    pose[list(hidden)] = 0
    return pose


def ids(frames, **options):
    """Of each frame's poses, the frames' people handed over in another order each time."""
    random, tracks, frame_ids = np.random.default_rng(1), Tracks(), []
    for poses in frames:
        order = random.permutation(len(poses))
        shuffled_poses = np.array([poses[n] for n in order]).reshape(-1, 14, 2)
        tracks, shuffled = update_tracks(tracks, shuffled_poses, **options)
        row = np.zeros(len(poses), int)
        row[order] = shuffled
        frame_ids.append(row.tolist())
    return frame_ids, tracks


@pytest.mark.parametrize("measure", ["joints", "iou"])
def test_two_people_who_cross_keep_their_ids(measure):
    walk = np.linspace(0.2, 0.8, 24)  # they meet between two frames
    frame_ids, _ = ids([[person(x), person(1 - x)] for x in walk], measure=measure, reach=0.9)
    assert sorted(frame_ids[0]) == [0, 1] and all(row == frame_ids[0] for row in frame_ids)


def test_whoever_is_hidden_while_they_cross_comes_out_on_the_other_side():
    walk = np.linspace(0.2, 0.8, 25)
    frames = [
        [person(x)] if 10 < t < 14 else [person(x), person(1 - x)] for t, x in enumerate(walk)
    ]
    frame_ids, _ = ids(frames)
    assert frame_ids[9] == frame_ids[14] == frame_ids[-1] and all(
        row == frame_ids[0][:1] for row in frame_ids[11:14]
    )


def test_one_leaves_and_is_known_on_coming_back_in_time_and_is_new_after_that():
    both, one = [person(0.2), person(0.8)], [person(0.2)]
    back = ids([both] * 3 + [one] * 4 + [both] * 2, patience=4)[0]
    assert back[-1] == back[0]
    late, tracks = ids([both] * 3 + [one] * 5 + [both] * 2, patience=4)
    assert late[-1] == [late[0][0], 2] and tracks.next_id == 3 and len(tracks.held) == 2


def test_thirty_people_keep_their_ids_and_nobody_has_two():
    random = np.random.default_rng(2)
    starts = np.array([(x, y) for x in range(6) for y in range(5)], float)
    steps = random.uniform(-0.02, 0.02, (30, 2))
    frames = [
        [person(*(start + t * step)) for start, step in zip(starts, steps, strict=True)]
        for t in range(12)
    ]
    frame_ids, _ = ids(frames)
    assert sorted(frame_ids[0]) == list(range(30)) and all(row == frame_ids[0] for row in frame_ids)


def test_nobody_has_no_id_and_changes_nothing():
    tracks, pose_ids = update_tracks(Tracks(), np.zeros((0, 14, 2)))
    assert tracks == Tracks() and pose_ids.shape == (0,)
    tracks, _ = update_tracks(Tracks(), np.array([person(0.5)]))
    empty, _ = update_tracks(tracks, np.zeros((0, 14, 2)))
    assert empty.held[0].missed == 1
    updated, pose_ids = update_tracks(tracks, np.array([np.zeros((14, 2)), person(0.5)]))
    assert pose_ids.tolist() == [NO_ID, 0] and updated.next_id == 1


def test_the_whole_is_nearest_and_not_the_nearest_pair_first():
    """The first is nearer to the second's pose; taken first, it would leave the second without
    any.
    """
    tracks, _ = update_tracks(Tracks(), np.array([person(0.50), person(0.72)]))
    _, pose_ids = update_tracks(tracks, np.array([person(0.62), person(0.35)]), reach=0.35)
    assert pose_ids.tolist() == [1, 0]
    assert update_tracks(tracks, np.array([person(0.62)]), reach=0.35)[1].tolist() == [1]


def test_hidden_joints_do_not_count_and_a_half_seen_person_is_still_known():
    tracks, _ = update_tracks(Tracks(), np.array([person(0.3), person(0.6)]))
    tracks, pose_ids = update_tracks(
        tracks, np.array([person(0.61, hidden=range(4, 14)), person(0.31, hidden=range(7))])
    )
    assert pose_ids.tolist() == [1, 0]
    _, pose_ids = update_tracks(tracks, np.array([person(0.32, hidden=range(7, 14)), person(0.62)]))
    assert pose_ids.tolist() == [0, 1]


def test_a_score_of_zero_hides_a_joint():
    def scored(pose, value):
        return np.concatenate([pose, np.full((14, 1), value)], axis=1)

    tracks, pose_ids = update_tracks(
        Tracks(), np.array([scored(person(0.3), 0.9), scored(person(0.6), 0.0)]), score=True
    )
    assert pose_ids.tolist() == [0, NO_ID] and len(tracks.held) == 1


def test_somebody_out_of_reach_is_somebody_new():
    tracks, _ = update_tracks(Tracks(), np.array([person(0.2)]))
    assert update_tracks(tracks, np.array([person(0.7)]))[1].tolist() == [1]
    assert update_tracks(tracks, np.array([person(0.7)]), reach=2.0)[1].tolist() == [0]
    assert update_tracks(tracks, np.array([person(0.7)]), measure="iou", reach=0.99)[
        1
    ].tolist() == [1]


def test_errors_say_what_was_wanted():
    with pytest.raises(
        UserError, match="unknown measure 'joint'; available: iou, joints; did you mean 'joints'"
    ):
        update_tracks(Tracks(), np.zeros((0, 14, 2)), measure="joint")
    tracks, _ = update_tracks(Tracks(), np.array([person(0.2)]))
    with pytest.raises(UserError, match="poses of 17 joints after poses of 14; wanted the same"):
        update_tracks(tracks, np.ones((1, 17, 2)))
