"""Ids: two people cross, one is hidden, one leaves and comes back or not, thirty at once,
nobody.
"""

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
    random, tracks, found = np.random.default_rng(1), Tracks(), []
    for poses in frames:
        order = random.permutation(len(poses))
        given = np.array([poses[n] for n in order]).reshape(-1, 14, 2)
        tracks, shuffled = update_tracks(tracks, given, **options)
        row = np.zeros(len(poses), int)
        row[order] = shuffled
        found.append(row.tolist())
    return found, tracks


@pytest.mark.parametrize("measure", ["joints", "iou"])
def test_two_people_who_cross_keep_their_ids(measure):
    walk = np.linspace(0.2, 0.8, 24)  # they meet between two frames
    found, _ = ids([[person(x), person(1 - x)] for x in walk], measure=measure, reach=0.9)
    assert sorted(found[0]) == [0, 1] and all(row == found[0] for row in found)


def test_whoever_is_hidden_while_they_cross_comes_out_on_the_other_side():
    walk = np.linspace(0.2, 0.8, 25)
    frames = [
        [person(x)] if 10 < t < 14 else [person(x), person(1 - x)] for t, x in enumerate(walk)
    ]
    found, _ = ids(frames)
    assert found[9] == found[14] == found[-1] and all(row == found[0][:1] for row in found[11:14])


def test_one_leaves_and_is_known_on_coming_back_in_time_and_is_new_after_that():
    here, away = [person(0.2), person(0.8)], [person(0.2)]
    back = ids([here] * 3 + [away] * 4 + [here] * 2, patience=4)[0]
    assert back[-1] == back[0]
    late, tracks = ids([here] * 3 + [away] * 5 + [here] * 2, patience=4)
    assert late[-1] == [late[0][0], 2] and tracks.next_id == 3 and len(tracks.held) == 2


def test_thirty_people_keep_their_ids_and_nobody_has_two():
    random = np.random.default_rng(2)
    at = np.array([(x, y) for x in range(6) for y in range(5)], float)
    way = random.uniform(-0.02, 0.02, (30, 2))
    frames = [
        [person(*(place + t * step)) for place, step in zip(at, way, strict=True)]
        for t in range(12)
    ]
    found, _ = ids(frames)
    assert sorted(found[0]) == list(range(30)) and all(row == found[0] for row in found)


def test_nobody_has_no_id_and_changes_nothing():
    tracks, found = update_tracks(Tracks(), np.zeros((0, 14, 2)))
    assert tracks == Tracks() and found.shape == (0,)
    tracks, _ = update_tracks(Tracks(), np.array([person(0.5)]))
    empty, _ = update_tracks(tracks, np.zeros((0, 14, 2)))
    assert empty.held[0].missed == 1
    unseen, found = update_tracks(tracks, np.array([np.zeros((14, 2)), person(0.5)]))
    assert found.tolist() == [NO_ID, 0] and unseen.next_id == 1


def test_the_whole_is_nearest_and_not_the_nearest_pair_first():
    """The first is nearer to the second's pose; taken first, it would leave the second without
    any.
    """
    tracks, _ = update_tracks(Tracks(), np.array([person(0.50), person(0.72)]))
    _, found = update_tracks(tracks, np.array([person(0.62), person(0.35)]), reach=0.35)
    assert found.tolist() == [1, 0]
    assert update_tracks(tracks, np.array([person(0.62)]), reach=0.35)[1].tolist() == [1]


def test_hidden_joints_do_not_count_and_a_half_seen_person_is_still_known():
    tracks, _ = update_tracks(Tracks(), np.array([person(0.3), person(0.6)]))
    tracks, found = update_tracks(
        tracks, np.array([person(0.61, hidden=range(4, 14)), person(0.31, hidden=range(7))])
    )
    assert found.tolist() == [1, 0]
    _, found = update_tracks(tracks, np.array([person(0.32, hidden=range(7, 14)), person(0.62)]))
    assert found.tolist() == [0, 1]


def test_a_score_of_zero_hides_a_joint():
    def scored(pose, value):
        return np.concatenate([pose, np.full((14, 1), value)], axis=1)

    tracks, found = update_tracks(
        Tracks(), np.array([scored(person(0.3), 0.9), scored(person(0.6), 0.0)]), score=True
    )
    assert found.tolist() == [0, NO_ID] and len(tracks.held) == 1


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
