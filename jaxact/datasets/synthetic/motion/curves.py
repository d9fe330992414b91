"""Curves over time: interpolation between keyframes, and easing."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float


def interpolate(
    time: Float[np.ndarray, " t"], keys: Mapping[float, Any]
) -> Float[np.ndarray, " t *d"]:
    """Values at `time` of the monotone cubic curve through `keys`, at rest at both ends.

    The slope at a key is the harmonic mean of the slopes on both sides. The curve passes through
    the keys, never overshoots them, and is constant between equal ones.

    Args:
        time: where the curve is evaluated.
        keys: time -> value, in order of time. Values are numbers, or tuples of one length.
    """
    key_times = np.array(list(keys), float)
    values = np.array(list(keys.values()), float)
    shape = values.shape[1:]
    values = values.reshape(len(key_times), -1)
    length = np.diff(key_times)[:, None]
    rise = np.diff(values, axis=0) / length
    before, after = rise[:-1], rise[1:]
    same_sign = before * after > 0
    slope = np.zeros_like(values)
    harmonic_mean = 2 * before * after / np.where(same_sign, before + after, 1.0)
    slope[1:-1] = np.where(same_sign, harmonic_mean, 0.0)
    i = np.clip(np.searchsorted(key_times, time, side="right") - 1, 0, len(key_times) - 2)
    u = np.clip((time - key_times[i]) / length[i, 0], 0.0, 1.0)[:, None]
    curve = values[i] + (values[i + 1] - values[i]) * u**2 * (3 - 2 * u)
    curve += length[i] * u * (1 - u) * (slope[i] * (1 - u) - slope[i + 1] * u)
    return curve.reshape(len(time), *shape)


def ease(time: np.ndarray, start: float, end: float) -> np.ndarray:
    """The minimum-jerk curve of human reaching: 0 before `start`, 1 after `end`."""
    u = np.clip((time - start) / (end - start), 0.0, 1.0)
    return u**3 * (10 - 15 * u + 6 * u**2)
