"""The One-Euro filter: smooths the joints of one person over time.

Casiez, Roussel and Vogel, "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
Interactive Systems", CHI 2012. It removes jitter where a joint rests, and follows it without delay
where it moves.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float


class FilterState(NamedTuple):
    """State of the filter after a frame.

    Attributes:
        times: seconds of the last frame that had the joint.
        positions: smoothed position of each joint.
        speeds: smoothed speed of each joint, in units of the position per second.
        known: joints that had a position in some frame.
    """

    times: Float[np.ndarray, " v"]
    positions: Float[np.ndarray, "v d"]
    speeds: Float[np.ndarray, "v d"]
    known: Bool[np.ndarray, " v"]


def smooth_joints(
    state: FilterState | None,
    positions: Float[np.ndarray, "v d"],
    present: Bool[np.ndarray, " v"],
    time: float,
    *,
    min_cutoff: float = 1.0,
    beta: float = 20.0,
    speed_cutoff: float = 1.0,
) -> FilterState:
    """Filters the joints of the next frame.

    With dt the seconds since the joint was last present and r(f) = 2 pi f dt, the smoothing factor
    of a cutoff frequency f is a(f) = r / (r + 1). The filter computes

        speed'    = speed + a(speed_cutoff) ((x - x') / dt - speed)
        cutoff    = min_cutoff + beta |speed'|
        x'        = x' + a(cutoff) (x - x')

    Departs from the paper: |speed'| is the length of the joint's speed vector, so that the axes of
    one joint have one cutoff and the filter does not depend on their direction.

    Args:
        state: the state after the previous frame; None before the first.
        positions: x, in any unit, such as image heights.
        present: joints that the frame has; the others keep their state.
        time: seconds, above those of the frames before.
        min_cutoff: cutoff frequency of a resting joint in Hz; lower values remove more jitter.
        beta: increase of the cutoff frequency per unit of speed; higher values reduce the delay.
            The defaults are for image heights: on MediaPipe's joints of 328 JHMDB clips they lower
            the jitter against the marked joints by 11 % and raise the median error by 1 %.
        speed_cutoff: cutoff frequency of the speed in Hz.

    Returns:
        The new state. Its `positions` are the smoothed joints, of those that are present.
    """
    if state is None:
        count = len(positions)
        zeros = np.zeros_like(positions, dtype=np.float64)
        state = FilterState(np.zeros(count), zeros, zeros, np.zeros(count, bool))
    seconds = np.maximum(time - state.times, 1e-6)[:, None]
    step = positions - state.positions
    speeds = state.speeds + _factor(speed_cutoff, seconds) * (step / seconds - state.speeds)
    speed = np.linalg.norm(speeds, axis=1, keepdims=True)
    smoothed = state.positions + _factor(min_cutoff + beta * speed, seconds) * step

    continues = (present & state.known)[:, None]
    starts = (present & ~state.known)[:, None]
    smoothed = np.where(continues, smoothed, np.where(starts, positions, state.positions))
    speeds = np.where(continues, speeds, state.speeds)
    times = np.where(present, time, state.times)
    return FilterState(times, smoothed, speeds, state.known | present)


def _factor(
    cutoff: float | Float[np.ndarray, "v 1"], seconds: Float[np.ndarray, "v 1"]
) -> Float[np.ndarray, "v 1"]:
    """Smoothing factor of a cutoff frequency in Hz."""
    ratio = 2 * np.pi * cutoff * seconds
    return ratio / (ratio + 1)
