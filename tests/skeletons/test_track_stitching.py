"""Broken tracks: who is continued by whom."""

import numpy as np

from jaxact.skeletons.track_stitching import stitch_tracks
from jaxact.skeletons.tracking import Track, Tracks


def track(id, x, missed=0, size=1.0):
    joints = np.array([[x, 0.0], [x + 0.6 * size, 0.8 * size], [99, 99]])
    return Track(id, joints, np.array([True, True, False]), np.zeros(2), missed)


def stitched(*tracks, first_new_id):
    result, continued = stitch_tracks(Tracks(tracks, 9), first_new_id)
    return [each.id for each in result.held], continued


def test_a_new_track_continues_the_nearest_that_waits():
    tracks = [track(0, 0.0, missed=5), track(1, 0.5, missed=2), track(2, 5.0), track(3, 0.6)]
    assert stitched(*tracks, first_new_id=3) == ([0, 1, 2], {3: 1})
    two = [*tracks, track(4, 0.7)]
    assert stitched(*two, first_new_id=3) == ([0, 1, 2], {3: 1, 4: 0})


def test_no_track_is_stitched_that_is_seen_far_of_another_size_or_old():
    assert stitched(track(0, 0.0), track(1, 0.1), first_new_id=1) == ([0, 1], {})
    assert stitched(track(0, 0.0, missed=1), track(1, 1.1), first_new_id=1) == ([0, 1], {})
    small = track(1, 0.1, size=0.4)
    assert stitched(track(0, 0.0, missed=1), small, first_new_id=1) == ([0, 1], {})
    assert stitched(track(0, 0.0, missed=1), track(1, 0.1), first_new_id=2) == ([0, 1], {})


def test_the_continued_track_has_the_new_pose():
    tracks = Tracks((track(0, 0.0, missed=3), track(1, 0.3)), 2)
    result, _ = stitch_tracks(tracks, 1)
    (held,) = result.held
    assert held.missed == 0 and held.joints[0, 0] == 0.3 and result.next_id == 2
