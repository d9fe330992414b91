"""Frame rate conversion: joints at the times of a source to the frame rate of the training data."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from jaxact.pipeline import joint_ops, resampling

TOLERANCE = 0.003  # seconds from a frame within which it is not interpolated


def frame_times(first: float, last: float, *, fps: float, limit: int) -> Float[np.ndarray, " t"]:
    """Times of frames at a constant rate that end at `last`.

    Args:
        first: seconds of the first frame that exists; none of the times is before it.
        last: seconds of the newest frame.
        fps: frames per second.
        limit: largest number of times.
    """
    count = int((last - first + TOLERANCE) * fps) + 1
    return last - np.arange(min(count, limit) - 1, -1, -1) / fps


def convert_frame_rate(
    joints: Float[np.ndarray, "s v c"],
    times: Sequence[float],
    new_times: Float[np.ndarray, " t"],
) -> Float[np.ndarray, "t v c"]:
    """Joints at other times, by linear interpolation between frames that both have a joint.

    A joint is zero before the first frame, and where both neighbouring frames lack it. If one of
    them has it, that frame's value is used.

    Args:
        joints: joints of each frame; zero where missing.
        times: seconds of each frame, increasing.
        new_times: seconds; none is after the last frame.
    """
    last = len(joints) - 1
    positions = np.interp(new_times, times, np.arange(last + 1))
    nearest = np.round(positions)
    distances = np.abs(new_times - np.asarray(times)[nearest.astype(int)])
    positions = np.where(distances < TOLERANCE, nearest, positions)
    slots = joints[:, None]
    converted, _ = resampling.interpolate(
        slots, joint_ops.present(slots), positions.astype(np.float32), 0, last
    )
    converted = converted[:, 0]
    converted[new_times < times[0] - TOLERANCE] = 0
    return converted
