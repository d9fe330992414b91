"""Forward kinematics of a body in a pose, with inverse kinematics of its arms and legs.

Stage coordinates, right-handed, metres: x to the left of an actor who faces z, y up, the floor at
y = 0. Arms follow hand targets and legs follow foot targets (two-bone inverse kinematics), so hands
reach their targets and planted feet do not slide. Joints are in the order of the layout ``ntu-25``.
"""

import numpy as np
from jaxtyping import Float

from jaxact.datasets.synthetic.motion.body import JOINTS, LEFT, RIGHT, Body, Vector
from jaxact.datasets.synthetic.motion.pose import Pose
from jaxact.datasets.synthetic.motion.rotations import rotate_y, rotation_matrix


def solve_two_bones(
    start: Vector,
    target: Vector,
    lengths: tuple[float, float],
    pole: Vector,
    stretch: float = 0.998,
) -> tuple[Vector, Vector]:
    """Inverse kinematics of two bones: their middle joint and their end.

    A target out of reach is approached up to `stretch` of the full length. The end also keeps a
    least distance from `start`.

    Args:
        start: first joint.
        target: target of the end.
        lengths: lengths of the two bones.
        pole: direction to which the middle joint bends.
        stretch: largest extension, as a share of the full length.
    """
    upper, lower = lengths
    offset = target - start
    distance = np.linalg.norm(offset, axis=-1, keepdims=True)
    axis = offset / np.maximum(distance, 1e-9)
    nearest = 1.02 * abs(upper - lower) + 0.12 * (upper + lower)
    reach = np.clip(distance, nearest, stretch * (upper + lower))
    along = (upper**2 - lower**2 + reach**2) / (2 * reach)
    side = pole - axis * np.sum(axis * pole, axis=-1, keepdims=True)
    side /= np.maximum(np.linalg.norm(side, axis=-1, keepdims=True), 1e-9)
    middle = start + axis * along + side * np.sqrt(np.maximum(upper**2 - along**2, 0.0))
    return middle, start + axis * reach


def forward_kinematics(body: Body, pose: Pose) -> Float[np.ndarray, "t 25 3"]:
    """Joint positions of `body` in `pose`, in metres on the stage."""
    joints = np.empty((len(pose.pelvis), JOINTS, 3))
    pelvis_turn = rotation_matrix(*pose.turn.T)
    half_turn = pelvis_turn @ rotation_matrix(*(0.5 * pose.chest).T)
    chest_turn = pelvis_turn @ rotation_matrix(*pose.chest.T)
    yaw = pose.turn[:, 1] + pose.chest[:, 1]
    # The eyes stay near the horizon: the head follows only part of the trunk's lean.
    lean = 0.45 * (pose.turn[:, 0] + pose.chest[:, 0])
    head_turn = rotation_matrix(
        lean + pose.head[:, 0], yaw + pose.head[:, 1], 0.5 * pose.chest[:, 2] + pose.head[:, 2]
    )

    sides = {LEFT: 1.0, RIGHT: -1.0}
    hips = {}
    planted = {}
    for side, sign in sides.items():
        hips[side] = pelvis_turn @ (sign * body.hip[0], -body.hip[1], 0.0)
        planted[side] = _planted_foot(body, pose, side)
    base = pose.pelvis.copy()
    base[:, 1] = np.minimum(base[:, 1], _highest_base(body, pose, hips, planted))

    joints[:, 0] = base
    joints[:, 1] = joints[:, 0] + half_turn @ (0.0, body.spine[0], 0.0)
    joints[:, 20] = joints[:, 1] + chest_turn @ (0.0, body.spine[1], 0.0)
    joints[:, 2] = joints[:, 20] + 0.5 * (chest_turn + head_turn) @ (0.0, body.spine[2], 0.02)
    joints[:, 3] = joints[:, 2] + head_turn @ (0.0, body.spine[3], 0.02)
    for side, sign in sides.items():
        shoulder = joints[:, 20] + chest_turn @ (sign * body.shoulder[0], -body.shoulder[1], 0.0)
        _arm(body, pose, joints, side, sign, shoulder, yaw)
        _leg(body, pose, joints, side, sign, base + hips[side], planted[side])
    return joints


def _planted_foot(body: Body, pose: Pose, side: int) -> tuple[Vector, Vector]:
    """The ankle of a planted foot, and the vector from ankle to toe."""
    toe_height = 0.3 * body.foot[0]
    matrix = rotation_matrix(pose.foot_pitch[:, side], pose.foot_yaw[:, side], np.zeros(1))
    bone = matrix @ (0.0, toe_height - body.foot[0], body.foot[1])
    toe = pose.feet[:, side].copy()
    # With the toe up, the heel stands on the floor.
    toe[:, 1] += toe_height + body.foot[1] * np.maximum(0.0, -np.sin(pose.foot_pitch[:, side]))
    return toe - bone, bone


def _highest_base(body: Body, pose: Pose, hips: dict, planted: dict) -> np.ndarray:
    """Greatest height of the base of the spine from which both planted feet are in reach.

    A swinging leg sets no limit.
    """
    limits = []
    for side, (ankle, _) in planted.items():
        hip = pose.pelvis + hips[side]
        horizontal = np.sum((hip - ankle)[:, (0, 2)] ** 2, axis=-1)
        vertical = (0.997 * body.leg_length) ** 2 - horizontal
        top = np.sqrt(np.maximum(vertical, (0.3 * body.leg_length) ** 2))
        limits.append(ankle[:, 1] + top - hips[side][:, 1] + pose.swing[:, side])
    # A soft minimum: the hips follow the legs without a kink where the weight shifts.
    softness = 0.01
    return -softness * np.logaddexp(-limits[0] / softness, -limits[1] / softness)


def _leg(
    body: Body,
    pose: Pose,
    joints: np.ndarray,
    side: int,
    sign: float,
    hip: Vector,
    planted: tuple[Vector, Vector],
) -> None:
    """Writes hip, knee, ankle and toe of one side."""
    planted_ankle, ankle_to_toe = planted
    outward = np.array((sign, 1.0, 1.0))
    yaw = 0.5 * (pose.turn[:, 1] + pose.foot_yaw[:, side])
    weight = pose.swing[:, side, None]
    swung_ankle = (
        hip + rotate_y(pose.swing_at[:, side] * outward, pose.turn[:, 1]) * body.leg_length
    )
    ankle = (1 - weight) * planted_ankle + weight * swung_ankle
    knee_pole = rotate_y(np.broadcast_to((0.08 * sign, 0.15, 1.0), hip.shape), yaw)
    first = 12 + 4 * side
    joints[:, first] = hip
    joints[:, first + 1], joints[:, first + 2] = solve_two_bones(hip, ankle, body.leg, knee_pole)
    joints[:, first + 3] = joints[:, first + 2] + ankle_to_toe


def _arm(
    body: Body,
    pose: Pose,
    joints: np.ndarray,
    side: int,
    sign: float,
    shoulder: Vector,
    yaw: np.ndarray,
) -> None:
    """Writes shoulder, elbow, wrist, hand, hand tip and thumb of one side."""
    outward = np.array((sign, 1.0, 1.0))
    target = shoulder + rotate_y(pose.hands[:, side] * outward, yaw) * body.arm_length
    weight = pose.grasp[:, side, None]
    target = (1 - weight) * target + weight * pose.grasp_at[:, side]
    # A raised hand lifts its shoulder, as the collar bone does.
    lift = np.clip((target - shoulder)[:, 1:2] / body.arm_length + 0.2, 0.0, 1.0)
    shoulder = shoulder + lift * np.array((-0.08 * sign, 0.22, 0.0)) * body.shoulder[0]
    first = 4 + 4 * side
    elbow_pole = rotate_y(pose.elbows[:, side] * outward, yaw)
    elbow, wrist = solve_two_bones(shoulder, target, body.arm[:2], elbow_pole)
    along = (wrist - elbow) / body.arm[1]
    # Thumbs point forward on hanging arms and up on arms stretched forward.
    thumb = rotate_y(np.broadcast_to((-0.3 * sign, 1.0, 0.8), along.shape), yaw)
    thumb = thumb - along * np.sum(along * thumb, axis=-1, keepdims=True)
    thumb /= np.maximum(np.linalg.norm(thumb, axis=-1, keepdims=True), 1e-9)
    joints[:, first] = shoulder
    joints[:, first + 1] = elbow
    joints[:, first + 2] = wrist
    joints[:, first + 3] = wrist + along * body.arm[2]
    joints[:, 21 + 2 * side] = wrist + along * 2.0 * body.arm[2]
    joints[:, 22 + 2 * side] = wrist + along * 0.7 * body.arm[2] + thumb * 0.8 * body.arm[2]
