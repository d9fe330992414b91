"""Actions of one person, mostly with the arms. Right-handed; mirrored for left-handed actors."""

import numpy as np

from jaxact.datasets.synthetic.motion.actor import Actor, Time, move_hand, standing_pose, take_step
from jaxact.datasets.synthetic.motion.body import LEFT, RIGHT
from jaxact.datasets.synthetic.motion.curves import ease, interpolate
from jaxact.datasets.synthetic.motion.pose import Pose


def wave(actor: Actor, time: Time, seconds: Time, rng: np.random.Generator) -> Pose:
    """One hand beside the head; the forearm swings from side to side."""
    pose, size = standing_pose(actor, seconds, rng), actor.size
    top = (0.42 + 0.1 * rng.normal(), 0.62 + 0.10 * rng.normal(), 0.30)
    down = 0.88 if rng.random() < 0.75 else 1.6  # some clips end with the hand still up
    move_hand(
        pose,
        RIGHT,
        time,
        {
            0.0: None,
            0.10: (0.3, -0.55, 0.5),
            0.22: top,
            down - 0.16: top,
            down: None,
            down + 0.1: None,
        },
    )
    raised = ease(time, 0.05, 0.22) * (1 - ease(time, down - 0.18, down))
    count = rng.integers(3, 6)
    beat = (
        np.sin(2 * np.pi * count * np.clip((time - 0.16) / (min(down, 1.0) - 0.30), 0, 1)) * raised
    )
    pose.hands[:, RIGHT, 0] += 0.27 * size * beat
    pose.hands[:, RIGHT, 1] -= 0.10 * beat**2
    pose.elbows[:, RIGHT] += raised[:, None] * np.array((0.5, -0.6, 0.9))
    pose.chest[:, 2] += 0.05 * raised + 0.03 * beat
    pose.chest[:, 1] -= 0.06 * raised
    pose.head[:, 2] += 0.05 * raised
    pose.pelvis[:, 0] += 0.02 * raised
    return pose


def throw(actor: Actor, time: Time, seconds: Time, rng: np.random.Generator) -> Pose:
    """An overarm throw: wind-up, a step, hips before chest before arm, follow-through."""
    pose, size = standing_pose(actor, seconds, rng), actor.size
    move_hand(pose, RIGHT, time, {
        0.0: None, 0.12: (-0.15, -0.48, 0.50), 0.22: (0.30, -0.80, 0.18),
        0.31: (0.72, -0.38, -0.40),
        0.41: (0.68, 0.42, -0.44),
        0.53: (0.20, 0.70, 0.62), 0.62: (-0.35, -0.25, 0.80), 0.72: (-0.55, -0.72, 0.42),
        0.96: None,
    })  # fmt: skip
    pose.elbows[:, RIGHT] = interpolate(time, {
        0.0: (0.5, -0.3, -0.8), 0.12: (0.9, -0.2, -0.5), 0.22: (0.9, 0.2, -0.3),
        0.31: (0.6, -0.4, 0.7),
        0.41: (0.8, -0.6, 0.6),
        0.62: (1.0, 0.2, -0.2), 0.8: (0.6, 0.0, -0.6), 1.0: (0.5, -0.3, -0.8),
    })  # fmt: skip
    move_hand(pose, LEFT, time, {
        0.0: None, 0.14: (-0.15, -0.45, 0.50), 0.34: (0.15, 0.05, 0.92), 0.44: (0.25, 0.05, 0.85),
        0.55: (0.35, -0.55, 0.15), 0.70: (0.35, -0.75, -0.25), 0.95: None,
    })  # fmt: skip
    pose.turn[:, 1] += size * interpolate(
        time, {0.10: 0, 0.34: -0.50, 0.42: -0.35, 0.54: 0.30, 0.66: 0.40, 0.95: 0}
    )
    pose.chest += size * interpolate(time, {
        0.10: (0, 0, 0), 0.36: (-0.10, -0.45, 0.14), 0.45: (-0.14, -0.40, 0.05),
        0.56: (0.25, 0.25, -0.16),
        0.70: (0.50, 0.42, -0.08), 0.96: (0, 0, 0),
    })  # fmt: skip
    pose.head[:, 1] += size * interpolate(
        time, {0.10: 0, 0.36: 0.75, 0.54: -0.35, 0.70: -0.5, 0.95: 0}
    )
    ahead = 0.46 * actor.body.leg_length * size
    forward = interpolate(
        time, {0.12: 0, 0.33: -0.16, 0.46: 0.35, 0.62: 0.85, 0.72: 0.92, 0.95: 1.0}
    )
    pose.pelvis[:, 2] += ahead * forward
    pose.pelvis[:, 1] -= 0.06 * ease(time, 0.3, 0.5) * (1 - ease(time, 0.66, 0.9))
    take_step(pose, LEFT, time, 0.28, 0.48, by=(0.02, ahead), lift=0.11)
    pose.foot_pitch[:, RIGHT] += 0.75 * ease(time, 0.44, 0.56) * (1 - ease(time, 0.6, 0.70))
    pose.foot_yaw[:, RIGHT] -= 0.5 * ease(time, 0.15, 0.32) * (1 - ease(time, 0.45, 0.6))
    take_step(pose, RIGHT, time, 0.62, 0.86, by=(0.0, ahead), lift=0.06)
    return pose


def clap(actor: Actor, time: Time, seconds: Time, rng: np.random.Generator) -> Pose:
    """The hands meet three to six times in front of the chest."""
    pose, body, size = standing_pose(actor, seconds, rng), actor.body, actor.size
    count = rng.integers(3, 7)
    up = ease(time, 0.02, 0.20) * (1 - ease(time, 0.84, 1.0))
    meet = -(body.shoulder[0] - 0.02) / body.arm_length
    beat = 0.5 - 0.5 * np.cos(2 * np.pi * count * np.clip((time - 0.14) / 0.74, 0, 1))
    level = -0.30 + 0.12 * rng.normal()
    for side, sign in ((LEFT, 1.0), (RIGHT, -1.0)):
        move_hand(
            pose,
            side,
            time,
            {0.0: None, 0.2: (meet, level, 0.60), 0.84: (meet, level, 0.60), 1.0: None},
        )
        pose.hands[:, side, 0] += up * 0.34 * size * (1 - beat)
        pose.hands[:, side, 1] += 0.03 * sign * up * beat
        pose.elbows[:, side] += up[:, None] * np.array((0.7, -0.3, 0.4))
    pose.chest[:, 0] += 0.06 * up + 0.025 * up * beat
    pose.head[:, 0] += 0.05 * up * beat
    pose.pelvis[:, 1] -= 0.008 * up * beat
    return pose


def punch(actor: Actor, time: Time, seconds: Time, rng: np.random.Generator) -> Pose:
    """A guard with the feet apart, then two or three straight punches with hip and chest."""
    pose, body, size = standing_pose(actor, seconds, rng), actor.body, actor.size
    guarded = ease(time, 0.0, 0.18) * (1 - ease(time, 0.86, 1.0))
    guard = {LEFT: (-0.05, 0.0, 0.52), RIGHT: (-0.12, 0.02, 0.36)}
    pose.pelvis[:, 1] -= 0.05 * body.leg_length * guarded
    reach = 0.34 * body.leg_length
    take_step(pose, LEFT, time, 0.02, 0.17, by=(0.0, reach), lift=0.04)
    take_step(pose, LEFT, time, 0.86, 0.98, by=(0.0, -reach), lift=0.04)
    pose.pelvis[:, 2] += 0.5 * reach * guarded
    pose.turn[:, 1] -= 0.35 * guarded
    pose.head[:, 1] += 0.35 * guarded
    pose.chest[:, 0] += 0.10 * guarded
    first = RIGHT if rng.random() < 0.6 else LEFT
    blows = [first, LEFT if first == RIGHT else RIGHT, first][: rng.integers(2, 4)]
    hits = np.linspace(0.30, 0.76, len(blows)) + 0.015 * rng.normal(size=len(blows))
    for side in (LEFT, RIGHT):
        move_hand(pose, side, time, {0.0: None, 0.16: guard[side], 0.86: guard[side], 1.0: None})
        pose.elbows[:, side] += guarded[:, None] * np.array((0.1, -0.7, 0.4))
    for side, at in zip(blows, hits, strict=True):
        sign = 1.0 if side == LEFT else -1.0
        out = interpolate(
            time, {at - 0.11: -0.10, at - 0.06: -0.22, at: 1.0, at + 0.03: 0.95, at + 0.11: 0.0}
        )
        out += 0.10 * (1 - ease(time, at - 0.2, at - 0.11))
        target = np.array((-0.20, 0.02 + 0.08 * rng.normal(), 0.97))
        pose.hands[:, side] += out[:, None] * (target - guard[side])
        pose.chest[:, 1] -= sign * 0.42 * size * out
        pose.turn[:, 1] -= sign * 0.22 * size * out
        pose.head[:, 1] += sign * 0.60 * size * out
        pose.pelvis[:, 2] += 0.05 * out
        pose.elbows[:, side] += np.maximum(out, 0.0)[:, None] * np.array((0.7, 0.2, 0.0))
        if side == RIGHT:
            pose.foot_pitch[:, RIGHT] += 0.5 * np.maximum(out, 0.0)
    return pose
