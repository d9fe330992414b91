"""Empty frames: kept, dropped, or filled. People of one joint with one coordinate, so that frames
are numbers.
"""

import numpy as np
import pytest
import tensorflow as tf

from jaxact.pipeline import empty_frames


def fill(people, empty, frames=8):
    """`people` are lists of numbers by frame, 0 where somebody is missing."""
    x = np.array(people, np.float32).T[:, :, None, None]
    run = tf.function(empty_frames.handle)
    joints, present = run(tf.constant(x), tf.constant(x[..., 0] != 0), empty=empty, frames=frames)
    np.testing.assert_array_equal(present, joints.numpy()[..., 0] != 0)
    return joints.numpy()[:, :, 0, 0].T.astype(int).tolist()


@pytest.mark.parametrize(
    ("empty", "people", "expected"),
    [
        ("keep", [[0, 1, 0], [0, 2, 3]], [[0, 1, 0], [0, 2, 3]]),
        ("drop", [[0, 1, 0, 0, 4], [0, 0, 5, 0, 6]], [[1, 0, 4], [0, 5, 6]]),
        ("drop", [[0, 0], [0, 0]], [[0, 0], [0, 0]]),
        ("drop_main", [[1, 0, 3, 4], [5, 6, 0, 0]], [[1, 3, 4], [5, 0, 0]]),
        (
            "drop_main",
            [[1, 0, 3, 0], [5, 6, 7, 0]],
            [[5, 6, 7], [1, 0, 3]],
        ),  # the second is there more often
        (
            "drop_main",
            [[1, 0, 3, 0], [0, 6, 7, 0]],
            [[1, 3], [0, 7]],
        ),  # a tie leaves the first in place
        ("drop_main", [[1, 0], [2, 3], [4, 5]], [[2, 3], [1, 0], [4, 5]]),
        ("drop_main", [[1, 0, 2]], [[1, 2]]),
        ("drop_main", [[0, 0], [0, 0]], [[0, 0], [0, 0]]),
        ("loop", [[1, 2, 3]], [[1, 2, 3, 1, 2, 3, 1, 2]]),
        ("loop", [[1, 2, 3, 0, 0]], [[1, 2, 3, 1, 2, 3, 1, 2]]),  # the tail is filled
        ("loop", [[1, 0, 3, 0]], [[1, 0, 3, 1, 0, 3, 1, 0]]),  # a gap inside stays
        (
            "loop",
            [[0, 0, 3, 0, 5]],
            [[3, 5, 3, 5, 3, 5, 3, 5]],
        ),  # whoever comes later starts at the first frame
        (
            "loop",
            [[1, 2, 3, 4, 5], [0, 7, 8, 0, 0]],
            [[1, 2, 3, 4, 5, 1, 2, 3], [7, 8, 7, 8, 7, 8, 7, 8]],
        ),
        ("loop", [[1, 2], [0, 0]], [[1, 2, 1, 2, 1, 2, 1, 2], [0] * 8]),
        ("loop", [list(range(1, 12))], [[1, 2, 3, 4, 5, 6, 7, 8]]),  # a longer clip is cut
        ("loop", [[0] * 9 + [1]], [[0] * 8]),  # before anything else
    ],
)
def test_empty_frames_become_what_was_asked_for(empty, people, expected):
    assert fill(people, empty) == expected
