"""Frame rates: times end at the newest frame, joints are interpolated, gaps stay gaps."""

import numpy as np

from jaxact.streaming.frame_rate_conversion import convert_frame_rate, frame_times
from jaxact.streaming.state_clock import MAX_GAP, StateClock


def test_times_end_at_the_newest_frame_and_begin_in_the_stream():
    np.testing.assert_allclose(frame_times(0.0, 0.2, fps=10, limit=5), [0, 0.1, 0.2], atol=1e-12)
    np.testing.assert_allclose(frame_times(0.0, 9.0, fps=10, limit=3), [8.8, 8.9, 9.0])
    np.testing.assert_allclose(frame_times(4.0, 4.05, fps=10, limit=3), [4.05])


def test_joints_are_interpolated_between_frames_that_both_have_them():
    joints = np.zeros((3, 2, 2), np.float32)
    joints[:, 0] = [[1, 2], [3, 4], [5, 6]]
    joints[1, 1] = (7, 8)  # only the middle frame has it
    converted = convert_frame_rate(joints, [0.0, 1.0, 2.0], np.array([0, 0.5, 1, 1.25, 2]))
    np.testing.assert_allclose(converted[:, 0], [[1, 2], [2, 3], [3, 4], [3.5, 4.5], [5, 6]])
    np.testing.assert_allclose(converted[:, 1], [[0, 0], [7, 8], [7, 8], [7, 8], [0, 0]])


def test_times_before_the_first_frame_are_empty_and_those_near_a_frame_are_its_own():
    joints = np.arange(1.0, 7.0, dtype=np.float32).reshape(3, 1, 2)
    converted = convert_frame_rate(joints, [1.0, 1.1, 1.2], np.array([0.9, 1.0, 1.102, 1.2]))
    np.testing.assert_array_equal(converted[:, 0], [[0, 0], [1, 2], [3, 4], [5, 6]])


def read(clock, times):
    """The first coordinate of the frames that are read; it is the time of a frame."""
    values = []
    for time in times:
        for frame in clock.frames(time, np.full((1, 1, 2), 1 + time, np.float32)):
            values.append(frame[0, 0, 0] - 1)
    return values


def test_a_clock_gives_frames_at_its_own_rate():
    expected = np.arange(7) / 30
    for fps in (15, 30, 60):
        times = np.arange(int(0.2 * fps) + 1) / fps
        np.testing.assert_allclose(read(StateClock(30), times), expected, atol=1e-6)
    uneven = [0.0, 0.05, 0.06, 0.2]
    np.testing.assert_allclose(read(StateClock(30), uneven), expected, atol=1e-6)


def test_a_long_gap_is_shortened():
    assert len(read(StateClock(10), [0.0, 1000.0])) <= MAX_GAP * 10 + 2
