"""A 25-joint body that moves: bone lengths, key poses with easing, inverse kinematics of arms and
legs. Numpy only.

Stage coordinates, right-handed, metres: x to the left of an actor who faces z, y up, the floor at y
= 0. Arms follow hand targets and legs follow foot targets (two-bone inverse kinematics), so hands
arrive where they aim and planted feet stay where they are. Joints are in the order of the layout
``ntu-25``.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

LEFT, RIGHT = 0, 1
JOINTS = 25
MIRRORED = (
    0,
    1,
    2,
    3,
    8,
    9,
    10,
    11,
    4,
    5,
    6,
    7,
    16,
    17,
    18,
    19,
    12,
    13,
    14,
    15,
    20,
    23,
    24,
    21,
    22,
)

Vector = Float[np.ndarray, "t 3"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Body:
    """Bone lengths in metres."""

    spine: tuple[
        float, float, float, float
    ]  # base to middle, middle to shoulder level, to neck, to head
    shoulder: tuple[float, float]  # half width, drop below the shoulder level of the spine
    arm: tuple[float, float, float]  # upper arm, forearm, wrist to hand
    hip: tuple[float, float]  # half width, drop below the base of the spine
    leg: tuple[float, float]  # thigh, shank
    foot: tuple[float, float]  # height of the ankle, ankle to toe

    @classmethod
    def of(
        cls, height: float, *, legs: float = 1.0, arms: float = 1.0, width: float = 1.0
    ) -> "Body":
        """A body of `height` metres with the proportions of an average adult, each varied by a
        factor near 1.
        """
        h = height
        trunk = h * (1.0 - 0.5 * legs) / 0.5
        return cls(
            spine=(0.165 * trunk, 0.135 * trunk, 0.036 * trunk, 0.085 * trunk),
            shoulder=(0.104 * h * width, 0.026 * h),
            arm=(0.162 * h * arms, 0.142 * h * arms, 0.045 * h * arms),
            hip=(0.047 * h * width, 0.022 * h),
            leg=(0.238 * h * legs, 0.226 * h * legs),
            foot=(0.044 * h, 0.075 * h),
        )

    @property
    def arm_length(self) -> float:
        """Shoulder to wrist, stretched."""
        return self.arm[0] + self.arm[1]

    @property
    def leg_length(self) -> float:
        """Hip to ankle, stretched."""
        return self.leg[0] + self.leg[1]

    @property
    def standing(self) -> float:
        """Height of the base of the spine over the floor on almost stretched legs."""
        return 0.99 * self.leg_length + self.foot[0] + self.hip[1]


@dataclasses.dataclass
class Pose:
    """What an actor does in each frame. Motions start from `standing` and change the arrays.

    Sides are indexed `LEFT`, `RIGHT`. "Outward" axes are (away from the body, up, forward) in the
    actor's heading.
    """

    pelvis: Vector  # base of the spine on the stage, metres; lowered where a leg would not reach its foot
    turn: Vector  # of the pelvis, radians: pitch forward, yaw to the left, roll to the right
    chest: Vector  # of the chest relative to the pelvis: flexion forward, twist to the left, bend to the right
    head: Vector  # of the head relative to the chest: nod, turn to the left, tilt to the right
    hands: Float[
        np.ndarray, "t 2 3"
    ]  # wrist relative to the shoulder, outward axes, in arm lengths
    elbows: Float[np.ndarray, "t 2 3"]  # direction in which the elbow points, outward axes
    grasp: Float[np.ndarray, "t 2"]  # 1: the wrist is at `grasp_at` instead
    grasp_at: Float[np.ndarray, "t 2 3"]  # on the stage, metres
    feet: Float[
        np.ndarray, "t 2 3"
    ]  # toe on the stage, metres; y is the height over its place on the floor
    foot_yaw: Float[np.ndarray, "t 2"]  # radians to the left
    foot_pitch: Float[np.ndarray, "t 2"]  # radians; positive: heel up, negative: toe up
    swing: Float[np.ndarray, "t 2"]  # 1: the ankle is at `swing_at` instead
    swing_at: Float[np.ndarray, "t 2 3"]  # ankle relative to the hip, outward axes, in leg lengths

    def smoothed(self, frames: float = 1.0) -> "Pose":
        """Every array convolved with a Gaussian of standard deviation `frames`: no joint changes
        speed at once.
        """
        reach = int(np.ceil(3 * frames))
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / frames) ** 2)
        kernel /= kernel.sum()
        values = [getattr(self, field.name) for field in dataclasses.fields(self)]
        flat = np.concatenate([value.reshape(len(value), -1) for value in values], axis=1)
        padded = np.pad(flat, ((reach, reach), (0, 0)), mode="edge")
        flat = sum(weight * padded[i : i + len(flat)] for i, weight in enumerate(kernel))
        ends = np.cumsum([value[0].size for value in values])
        return Pose(
            *(
                part.reshape(value.shape)
                for part, value in zip(np.split(flat, ends[:-1], axis=1), values, strict=True)
            )
        )


def keyed(time: Float[np.ndarray, " t"], keys: Mapping[float, Any]) -> Float[np.ndarray, " t *d"]:
    """Values at `time` of the monotone cubic curve through `keys` (time -> value), at rest at both
    ends.

    Slopes are harmonic means of the rises on both sides: the curve flows through key poses, never
    overshoots them, and stays put between equal ones. Keys are in order; values are numbers or
    tuples of one length.
    """
    at = np.array(list(keys), float)
    values = np.array(list(keys.values()), float)
    shape = values.shape[1:]
    values = values.reshape(len(at), -1)
    length = np.diff(at)[:, None]
    rise = np.diff(values, axis=0) / length
    before, after = rise[:-1], rise[1:]
    same = before * after > 0
    slope = np.zeros_like(values)
    slope[1:-1] = np.where(same, 2 * before * after / np.where(same, before + after, 1.0), 0.0)
    i = np.clip(np.searchsorted(at, time, side="right") - 1, 0, len(at) - 2)
    u = np.clip((time - at[i]) / length[i, 0], 0.0, 1.0)[:, None]
    curve = values[i] + (values[i + 1] - values[i]) * u**2 * (3 - 2 * u)
    curve += length[i] * u * (1 - u) * (slope[i] * (1 - u) - slope[i + 1] * u)
    return curve.reshape(len(time), *shape)


def ease(time: np.ndarray, start: float, end: float) -> np.ndarray:
    """0 before `start`, 1 after `end`, and between them the minimum-jerk curve of human
    reaching.
    """
    u = np.clip((time - start) / (end - start), 0.0, 1.0)
    return u**3 * (10 - 15 * u + 6 * u**2)


def rotation(pitch: np.ndarray, yaw: np.ndarray, roll: np.ndarray) -> Float[np.ndarray, "t 3 3"]:
    """Matrices of yaw about y after pitch about x after roll about z, for column vectors."""
    cp, sp, cy, sy, cr, sr = (
        np.cos(pitch),
        np.sin(pitch),
        np.cos(yaw),
        np.sin(yaw),
        np.cos(roll),
        np.sin(roll),
    )
    rows = [
        [cy * cr + sy * sp * sr, sy * sp * cr - cy * sr, sy * cp],
        [cp * sr, cp * cr, -sp],
        [cy * sp * sr - sy * cr, sy * sr + cy * sp * cr, cy * cp],
    ]
    return np.stack([np.stack(np.broadcast_arrays(*row), axis=-1) for row in rows], axis=-2)


def heading(vectors: Float[np.ndarray, "*n 3"], yaw: np.ndarray) -> Float[np.ndarray, "*n 3"]:
    """Vectors turned by `yaw` about the vertical."""
    c, s = np.cos(yaw), np.sin(yaw)
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    return np.stack([c * x + s * z, y, c * z - s * x], axis=-1)


def two_bone(
    start: Vector,
    target: Vector,
    lengths: tuple[float, float],
    pole: Vector,
    stretch: float = 0.998,
) -> tuple[Vector, Vector]:
    """Middle and end joint of two bones from `start` towards `target`, the middle on the side of
    `pole`.

    A target out of reach is approached as far as `stretch` of the full length, one too near is kept
    off.
    """
    upper, lower = lengths
    offset = target - start
    distance = np.linalg.norm(offset, axis=-1, keepdims=True)
    axis = offset / np.maximum(distance, 1e-9)
    reach = np.clip(
        distance, 1.02 * abs(upper - lower) + 0.12 * (upper + lower), stretch * (upper + lower)
    )
    along = (upper**2 - lower**2 + reach**2) / (2 * reach)
    side = pole - axis * np.sum(axis * pole, axis=-1, keepdims=True)
    side /= np.maximum(np.linalg.norm(side, axis=-1, keepdims=True), 1e-9)
    middle = start + axis * along + side * np.sqrt(np.maximum(upper**2 - along**2, 0.0))
    return middle, start + axis * reach


def forward(body: Body, pose: Pose) -> Float[np.ndarray, "t 25 3"]:
    """Joint positions of `body` in `pose`, metres on the stage."""
    joints = np.empty((len(pose.pelvis), JOINTS, 3))
    pelvis_turn = rotation(*pose.turn.T)
    half_turn = pelvis_turn @ rotation(*(0.5 * pose.chest).T)
    chest_turn = pelvis_turn @ rotation(*pose.chest.T)
    yaw = pose.turn[:, 1] + pose.chest[:, 1]
    # Eyes stay near the horizon: the head takes over only part of the trunk's lean.
    lean = 0.45 * (pose.turn[:, 0] + pose.chest[:, 0])
    head_turn = rotation(
        lean + pose.head[:, 0], yaw + pose.head[:, 1], 0.5 * pose.chest[:, 2] + pose.head[:, 2]
    )

    sides = {LEFT: 1.0, RIGHT: -1.0}
    hips = {
        side: pelvis_turn @ (sign * body.hip[0], -body.hip[1], 0.0) for side, sign in sides.items()
    }
    plant = {side: _foot(body, pose, side) for side in sides}
    base = pose.pelvis.copy()
    base[:, 1] = np.minimum(base[:, 1], _reachable(body, pose, hips, plant))

    joints[:, 0] = base
    joints[:, 1] = joints[:, 0] + half_turn @ (0.0, body.spine[0], 0.0)
    joints[:, 20] = joints[:, 1] + chest_turn @ (0.0, body.spine[1], 0.0)
    joints[:, 2] = joints[:, 20] + 0.5 * (chest_turn + head_turn) @ (0.0, body.spine[2], 0.02)
    joints[:, 3] = joints[:, 2] + head_turn @ (0.0, body.spine[3], 0.02)
    for side, sign in sides.items():
        shoulder = joints[:, 20] + chest_turn @ (sign * body.shoulder[0], -body.shoulder[1], 0.0)
        _arm(body, pose, joints, side, sign, shoulder, yaw)
        _leg(body, pose, joints, side, sign, base + hips[side], plant[side])
    return joints


def _foot(body: Body, pose: Pose, side: int) -> tuple[Vector, Vector]:
    """Ankle of a planted foot, and the vector from ankle to toe."""
    toe_height = 0.3 * body.foot[0]
    turned = rotation(pose.foot_pitch[:, side], pose.foot_yaw[:, side], np.zeros(1))
    bone = turned @ (0.0, toe_height - body.foot[0], body.foot[1])
    toe = pose.feet[:, side].copy()
    # With the toe up the heel is what stands on the floor.
    toe[:, 1] += toe_height + body.foot[1] * np.maximum(0.0, -np.sin(pose.foot_pitch[:, side]))
    return toe - bone, bone


def _reachable(body: Body, pose: Pose, hips: dict, plant: dict) -> np.ndarray:
    """Greatest height of the base of the spine with both planted feet in reach; a swinging leg sets
    no limit.
    """
    limits = []
    for side, (ankle, _) in plant.items():
        hip = pose.pelvis + hips[side]
        flat = np.sum((hip - ankle)[:, (0, 2)] ** 2, axis=-1)
        top = np.sqrt(
            np.maximum((0.997 * body.leg_length) ** 2 - flat, (0.3 * body.leg_length) ** 2)
        )
        limits.append(ankle[:, 1] + top - hips[side][:, 1] + pose.swing[:, side])
    # A soft minimum: the hips follow the legs without a kink where support changes.
    soft = 0.01
    return -soft * np.logaddexp(-limits[0] / soft, -limits[1] / soft)


def _leg(
    body: Body,
    pose: Pose,
    joints: np.ndarray,
    side: int,
    sign: float,
    hip: Vector,
    plant: tuple[Vector, Vector],
) -> None:
    """Hip, knee, ankle and toe of one side."""
    outward = np.array((sign, 1.0, 1.0))
    yaw = 0.5 * (pose.turn[:, 1] + pose.foot_yaw[:, side])
    weight = pose.swing[:, side, None]
    swung = hip + heading(pose.swing_at[:, side] * outward, pose.turn[:, 1]) * body.leg_length
    ankle = (1 - weight) * plant[0] + weight * swung
    knee_side = heading(np.broadcast_to((0.08 * sign, 0.15, 1.0), hip.shape), yaw)
    first = 12 + 4 * side
    joints[:, first] = hip
    joints[:, first + 1], joints[:, first + 2] = two_bone(hip, ankle, body.leg, knee_side)
    joints[:, first + 3] = joints[:, first + 2] + plant[1]


def _arm(
    body: Body,
    pose: Pose,
    joints: np.ndarray,
    side: int,
    sign: float,
    shoulder: Vector,
    yaw: np.ndarray,
) -> None:
    """Shoulder, elbow, wrist, hand, hand tip and thumb of one side."""
    outward = np.array((sign, 1.0, 1.0))
    aim = shoulder + heading(pose.hands[:, side] * outward, yaw) * body.arm_length
    weight = pose.grasp[:, side, None]
    aim = (1 - weight) * aim + weight * pose.grasp_at[:, side]
    # A raised hand takes its shoulder along, as the collar bone does.
    lift = np.clip((aim - shoulder)[:, 1:2] / body.arm_length + 0.2, 0.0, 1.0)
    shoulder = shoulder + lift * np.array((-0.08 * sign, 0.22, 0.0)) * body.shoulder[0]
    first = 4 + 4 * side
    elbow, wrist = two_bone(
        shoulder, aim, body.arm[:2], heading(pose.elbows[:, side] * outward, yaw)
    )
    along = (wrist - elbow) / body.arm[1]
    # Thumbs point forward on hanging arms and up on arms stretched forward.
    thumb = heading(np.broadcast_to((-0.3 * sign, 1.0, 0.8), along.shape), yaw)
    thumb = thumb - along * np.sum(along * thumb, axis=-1, keepdims=True)
    thumb /= np.maximum(np.linalg.norm(thumb, axis=-1, keepdims=True), 1e-9)
    joints[:, first] = shoulder
    joints[:, first + 1] = elbow
    joints[:, first + 2] = wrist
    joints[:, first + 3] = wrist + along * body.arm[2]
    joints[:, 21 + 2 * side] = wrist + along * 2.0 * body.arm[2]
    joints[:, 22 + 2 * side] = wrist + along * 0.7 * body.arm[2] + thumb * 0.8 * body.arm[2]
