"""Joints of a standing person, and the ground-truth maps of a pose network."""

import numpy as np

from jaxact.skeletons.pose_body import LIMBS

# A standing body in shares of its height: nose, neck, right arm, left arm, right leg, left leg; y
# down.
STANDING = np.array(
    [
        *((0.00, 0.00), (0.00, 0.14)),
        *((-0.12, 0.16), (-0.20, 0.34), (-0.24, 0.52)),
        *((0.12, 0.16), (0.20, 0.34), (0.24, 0.52)),
        *((-0.07, 0.50), (-0.08, 0.75), (-0.09, 1.00)),
        *((0.07, 0.50), (0.08, 0.75), (0.09, 1.00)),
    ]
)


def person(x: float, y: float, height: float, **moved: tuple[float, float]) -> np.ndarray:
    """Joints f32 [14, 3] of a person with the nose at (x, y) pixels; `j4=(0.1, 0.2)` moves one."""
    positions = STANDING.copy()
    for name, position in moved.items():
        positions[int(name[1:])] = position
    visibility = np.full((14, 1), 2.0)
    return np.concatenate([positions * height + (x, y), visibility], axis=1).astype(np.float32)


def maps(people, rows: int, columns: int, sigma: float = 7.0, thickness: float = 1.0):
    """S [rows, columns, 14] and L [rows, columns, 26] of people [m, 14, 3], by definition."""
    people = np.asarray(people, np.float64).reshape(-1, 14, 3)
    y, x = np.mgrid[:rows, :columns] + 0.5
    joints, limbs = np.zeros((rows, columns, 14)), np.zeros((rows, columns, 13, 2))
    for joint in range(14):
        for joint_x, joint_y, visible in people[:, joint]:
            if not visible:
                continue
            value = np.exp(-((8 * x - joint_x) ** 2 + (8 * y - joint_y) ** 2) / (2 * sigma**2))
            value = np.where(value >= 0.01, value, 0)
            joints[..., joint] = np.maximum(joints[..., joint], value)
    for limb, (first, second) in enumerate(LIMBS):
        count = np.zeros((rows, columns, 1))
        for one in people:
            start, step = one[first, :2] / 8, (one[second, :2] - one[first, :2]) / 8
            length = np.hypot(*step)
            if not (one[first, 2] and one[second, 2]) or length < 1e-3:
                continue
            share = (((x - start[0]) * step[0] + (y - start[1]) * step[1]) / length**2).clip(0, 1)
            distance = np.hypot(x - start[0] - share * step[0], y - start[1] - share * step[1])
            near = (distance <= thickness)[..., None]
            limbs[:, :, limb] += near * step / length
            count += near
        limbs[:, :, limb] /= np.maximum(count, 1)
    return joints, limbs.reshape(rows, columns, 26)
