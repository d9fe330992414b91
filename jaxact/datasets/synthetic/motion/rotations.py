"""Rotations of vectors. y is up; angles are in radians."""

import numpy as np
from jaxtyping import Float


def rotation_matrix(
    pitch: np.ndarray, yaw: np.ndarray, roll: np.ndarray
) -> Float[np.ndarray, "t 3 3"]:
    """Matrices of yaw about y after pitch about x after roll about z, for column vectors."""
    cp, sp = np.cos(pitch), np.sin(pitch)
    cy, sy = np.cos(yaw), np.sin(yaw)
    cr, sr = np.cos(roll), np.sin(roll)
    rows = [
        [cy * cr + sy * sp * sr, sy * sp * cr - cy * sr, sy * cp],
        [cp * sr, cp * cr, -sp],
        [cy * sp * sr - sy * cr, sy * sr + cy * sp * cr, cy * cp],
    ]
    return np.stack([np.stack(np.broadcast_arrays(*row), axis=-1) for row in rows], axis=-2)


def rotate_y(vectors: Float[np.ndarray, "*n 3"], yaw: np.ndarray) -> Float[np.ndarray, "*n 3"]:
    """Vectors rotated by `yaw` about the vertical axis."""
    c, s = np.cos(yaw), np.sin(yaw)
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    return np.stack([c * x + s * z, y, c * z - s * x], axis=-1)
