"""Actions of one person with the whole body. Right-handed; mirrored for left-handed actors."""

import numpy as np

from jaxact.datasets.synthetic.motion.actor import Actor, Time, move_hand, standing_pose, take_step
from jaxact.datasets.synthetic.motion.body import LEFT, RIGHT
from jaxact.datasets.synthetic.motion.curves import ease, interpolate
from jaxact.datasets.synthetic.motion.pose import Pose


def walk(actor: Actor, time: Time, seconds: Time, rng: np.random.Generator) -> Pose:
    """Steady walking: each foot stands for 62 % of the stride; arms swing with the opposite leg."""
    pose, body = standing_pose(actor, seconds, rng), actor.body
    stride = 1.50 * body.leg_length * actor.size
    phase = rng.random() + seconds * 0.88 * actor.cadence / np.sqrt(actor.size)
    pose.pelvis[:, 2] = stride * phase
    for side, sign, lag in ((LEFT, 1.0, 0.0), (RIGHT, -1.0, 0.5)):
        count = np.floor(phase + lag)
        u = phase + lag - count
        swing = np.clip((u - 0.60) / 0.40, 0.0, 1.0)
        path = swing**2 * (3 - 2 * swing)
        pose.feet[:, side, 2] = stride * (count - lag + 0.30 + path) + 0.9 * body.foot[1]
        pose.feet[:, side, 0] = sign * (0.55 * actor.stance + 0.01)
        pose.feet[:, side, 1] = 0.035 * np.sin(np.pi * swing) ** 2
        heel_off = np.exp(-(((u - 0.62) / 0.085) ** 2)) * 0.85
        toe_up = np.exp(-(((u - 0.97) / 0.06) ** 2)) + np.exp(-(((u + 0.03) / 0.06) ** 2))
        pose.foot_pitch[:, side] = heel_off - 0.30 * toe_up
        ahead = np.cos(2 * np.pi * (u + 0.06))  # 1 where this leg is farthest ahead
        other = RIGHT if side == LEFT else LEFT
        pose.hands[:, other, 2] += 0.06 + 0.38 * actor.size * ahead
        pose.hands[:, other, 1] += 0.05 + 0.05 * ahead + 0.05 * ahead**2
        pose.hands[:, other, 0] -= 0.06 * ahead
    swing = np.cos(2 * np.pi * (phase + 0.06))  # 1: left leg ahead
    pose.pelvis[:, 1] = 0.985 * body.standing - 0.016 * np.cos(4 * np.pi * (phase + 0.06))
    pose.pelvis[:, 0] += 0.018 * np.sin(2 * np.pi * (phase + 0.0))
    pose.turn[:, 0] += 0.03
    pose.turn[:, 1] -= 0.09 * swing
    pose.turn[:, 2] += 0.04 * np.sin(2 * np.pi * phase)
    pose.chest[:, 1] += 0.20 * swing
    pose.head[:, 1] -= 0.10 * swing
    return pose


def kick(actor: Actor, time: Time, seconds: Time, rng: np.random.Generator) -> Pose:
    """A short step, then a kick: the leg swings back, forward and returns; the arms balance it."""
    pose, size = standing_pose(actor, seconds, rng), actor.size
    high = size * (0.86 + 0.10 * rng.normal())
    ahead = 0.30 * actor.body.leg_length * size
    take_step(pose, LEFT, time, 0.08, 0.27, by=(-0.25 * actor.stance, ahead), lift=0.06)
    take_step(pose, RIGHT, time, 0.30, 0.86, by=(0.0, ahead), lift=0.0)
    pose.foot_pitch[:, RIGHT] = interpolate(time, {
        0.20: 0, 0.32: 0.7, 0.40: 1.1, 0.50: 0.55, 0.56: -0.45, 0.64: -0.7, 0.74: -0.2,
        0.82: 0.1, 0.92: 0,
    })  # fmt: skip
    pose.swing[:, RIGHT] = ease(time, 0.25, 0.36) * (1 - ease(time, 0.76, 0.90))
    angle = high * interpolate(
        time, {0.24: -0.25, 0.40: -0.60, 0.52: 0.55, 0.62: 1.25, 0.76: 0.35, 0.88: 0.0}
    )
    length = interpolate(
        time, {0.24: 0.97, 0.40: 0.78, 0.48: 0.84, 0.56: 0.985, 0.64: 0.985, 0.76: 0.85, 0.88: 0.97}
    )
    pose.swing_at[:, RIGHT] = (
        np.stack([0.03 - 0.10 * np.sin(angle), -np.cos(angle), np.sin(angle)], -1) * length[:, None]
    )
    pose.pelvis[:, 2] += ahead * interpolate(
        time, {0.06: 0, 0.28: 0.75, 0.5: 1.05, 0.62: 1.12, 0.80: 0.98, 0.95: 1.0}
    )
    pose.pelvis[:, 0] += 0.75 * actor.stance * ease(time, 0.16, 0.32) * (1 - ease(time, 0.72, 0.90))
    pose.pelvis[:, 1] -= 0.03 * ease(time, 0.22, 0.40) * (1 - ease(time, 0.5, 0.62))
    pose.turn += size * interpolate(time, {
        0.15: (0, 0, 0), 0.40: (0.10, -0.20, 0.0), 0.54: (-0.12, 0.15, -0.05),
        0.64: (-0.30, 0.30, -0.08), 0.92: (0, 0, 0),
    })  # fmt: skip
    pose.chest += size * interpolate(time, {
        0.15: (0, 0, 0), 0.40: (0.02, 0.30, 0), 0.54: (0.18, -0.25, 0), 0.64: (0.20, -0.45, 0),
        0.92: (0, 0, 0),
    })  # fmt: skip
    pose.head[:, 0] += 0.20 * ease(time, 0.1, 0.3) * (1 - ease(time, 0.65, 0.85))
    move_hand(
        pose,
        LEFT,
        time,
        {
            0.10: None,
            0.38: (0.65, -0.60, -0.15),
            0.58: (0.25, -0.45, 0.62),
            0.70: (0.3, -0.6, 0.45),
            0.95: None,
        },
    )
    move_hand(
        pose,
        RIGHT,
        time,
        {
            0.10: None,
            0.38: (0.30, -0.65, 0.50),
            0.58: (0.55, -0.65, -0.42),
            0.70: (0.5, -0.7, -0.3),
            0.95: None,
        },
    )
    return pose


def sit_down(actor: Actor, time: Time, seconds: Time, rng: np.random.Generator) -> Pose:
    """The trunk bends forward, the hips move back and down to knee height, the trunk rises."""
    pose, body = standing_pose(actor, seconds, rng), actor.body
    seat = body.foot[0] + body.leg[1] + body.hip[1] + 0.02 + 0.02 * rng.normal()
    back = 0.92 * body.leg[0]
    down = interpolate(time, {0.06: 0, 0.28: 0.22, 0.52: 0.88, 0.62: 1.0, 1.0: 1.0})
    pose.pelvis[:, 1] += (seat - body.standing) * down
    pose.pelvis[:, 2] -= back * interpolate(
        time, {0.06: 0, 0.26: 0.38, 0.52: 0.92, 0.64: 1.0, 1.0: 1.02}
    )
    pose.turn[:, 0] += interpolate(
        time, {0.06: 0, 0.32: 0.42, 0.48: 0.38, 0.70: -0.05, 0.85: -0.12, 1.0: -0.12}
    )
    pose.chest[:, 0] += interpolate(
        time, {0.06: 0, 0.32: 0.38, 0.50: 0.34, 0.72: 0.04, 0.86: 0.02, 1.0: 0.02}
    )
    pose.head[:, 0] += interpolate(time, {0.0: 0, 0.2: 0.2, 0.5: 0.0, 0.75: 0.02, 1.0: 0.0})
    look = rng.choice((-1.0, 1.0)) * 0.6 * (rng.random() < 0.5)
    pose.head[:, 1] += look * ease(time, 0.0, 0.14) * (1 - ease(time, 0.22, 0.42))
    for side in (LEFT, RIGHT):
        late = 0.02 * rng.normal()
        move_hand(pose, side, time, {
            0.08: None, 0.32 + late: (0.12, -0.82, 0.42), 0.55 + late: (0.10, -0.70, 0.52),
            0.74 + late: (0.02, -0.68, 0.55),
            1.0: (0.0, -0.69, 0.54),
        })  # fmt: skip
        pose.elbows[:, side] += ease(time, 0.2, 0.6)[:, None] * np.array((0.4, 0.1, 0.0))
    return pose


def jump(actor: Actor, time: Time, seconds: Time, rng: np.random.Generator) -> Pose:
    """Crouch with arms back, take-off with arms up, ballistic flight, landing with bent knees."""
    pose, body, size = standing_pose(actor, seconds, rng), actor.body, actor.size
    height = size * (0.20 + 0.03 * rng.normal())
    half = np.sqrt(2 * height / 9.81)  # half the flight time
    t = seconds - (0.5 + 0.03 * rng.normal()) * seconds[-1]
    air = height * np.clip(1 - (t / half) ** 2, 0.0, None)
    crouch = interpolate(
        t,
        {
            -0.62: 0,
            -half - 0.13: 1.0,
            -half + 0.03: 0.0,
            half - 0.02: 0.05,
            half + 0.12: 0.85,
            half + 0.42: 0,
        },
    )
    tiptoe = interpolate(t, {-half - 0.10: 0, -half: 0.55, 0.0: 0.75, half: 0.4, half + 0.08: 0})
    pose.pelvis[:, 1] += air - 0.21 * body.leg_length * size * crouch + 0.75 * body.foot[1] * tiptoe
    pose.pelvis[:, 2] -= 0.06 * crouch
    pose.feet[:, :, 1] += air[:, None]
    pose.foot_pitch += tiptoe[:, None]
    pose.turn[:, 0] += 0.38 * crouch
    pose.chest[:, 0] += 0.30 * crouch - 0.06 * np.exp(-((t / half / 0.8) ** 2))
    hop = rng.choice((0.0, 0.0, 0.25))  # some jumps go forward
    pose.pelvis[:, 2] += hop * ease(t, -1.4 * half, 1.2 * half)
    pose.feet[:, :, 2] += hop * ease(t, -half, half)[:, None]
    up = 0.62 + 0.18 * rng.normal()
    for side in (LEFT, RIGHT):
        move_hand(pose, side, t, {
            -0.62: None, -half - 0.14: (0.25, -0.72, -0.52), -half - 0.02: (0.15, -0.45, 0.65),
            -0.02: (0.22, up, 0.55),
            half: (0.28, 0.0, 0.75), half + 0.16: (0.25, -0.68, 0.42), half + 0.5: None,
        })  # fmt: skip
        # Raised arms bend with the elbows to the front and out, hanging ones to the back.
        raised = ease(t, -1.3 * half, -0.3 * half) * (1 - ease(t, 0.3 * half, 1.5 * half))
        pose.elbows[:, side] += raised[:, None] * np.array((0.3, -0.5, 0.9))
    return pose


def pick_up(actor: Actor, time: Time, seconds: Time, rng: np.random.Generator) -> Pose:
    """Hips, back and knees bend, one hand reaches the floor; it stays raised on standing up."""
    pose, body = standing_pose(actor, seconds, rng), actor.body
    leg = body.leg_length
    low, knees = 0.46, 0.75 + 0.25 * rng.random()
    bent = interpolate(
        time, {0.04: 0, 0.24: 0.42, low: 1.0, low + 0.07: 1.0, 0.74: 0.30, 0.92: 0.0}
    )
    pose.pelvis[:, 1] -= 0.46 * knees * leg * bent
    pose.pelvis[:, 2] -= 0.18 * leg * bent
    pose.turn[:, 0] += (1.02 - 0.35 * knees) * bent
    pose.chest[:, 0] += 0.62 * bent
    pose.chest[:, 1] += 0.22 * bent
    pose.chest[:, 2] += 0.10 * bent
    pose.head[:, 0] += 0.30 * ease(time, 0.0, 0.2) * (1 - ease(time, 0.66, 0.86))
    take_step(pose, LEFT, time, 0.08, 0.28, by=(0.0, 0.12 * leg), lift=0.03)
    pose.foot_pitch[:, RIGHT] += 0.45 * knees * bent
    pose.grasp[:, RIGHT] = ease(time, 0.16, low - 0.02) * (1 - ease(time, low + 0.06, 0.80))
    pose.grasp_at[:, RIGHT] = (-0.04 - 0.06 * rng.random(), 0.12, 0.42 * leg + 0.03 * rng.normal())
    move_hand(
        pose,
        RIGHT,
        time,
        {
            0.05: None,
            0.3: (0.0, -0.85, 0.45),
            0.6: (0.0, -0.8, 0.45),
            0.86: (-0.05, -0.52, 0.58),
            1.0: (-0.05, -0.55, 0.55),
        },
    )
    move_hand(
        pose,
        LEFT,
        time,
        {
            0.05: None,
            low - 0.06: (0.10, -0.75, 0.28),
            low + 0.08: (0.10, -0.75, 0.28),
            0.84: None,
            1.0: None,
        },
    )
    return pose


def turn(actor: Actor, time: Time, seconds: Time, rng: np.random.Generator) -> Pose:
    """A turn by 120 to 200 degrees in small steps: the head leads, the feet come last."""
    pose = standing_pose(actor, seconds, rng)
    side = rng.choice((-1.0, 1.0))
    angle = side * np.radians(rng.uniform(120, 200))
    inner, outer = (LEFT, RIGHT) if side > 0 else (RIGHT, LEFT)
    yaw = angle * ease(time, 0.08, 0.90)
    pose.turn[:, 1] += yaw
    pose.chest[:, 1] += 0.30 * side * ease(time, 0.02, 0.25) * (1 - ease(time, 0.72, 0.95))
    pose.head[:, 1] += 0.55 * side * ease(time, 0.0, 0.2) * (1 - ease(time, 0.62, 0.9))
    pose.chest[:, 2] += 0.04 * side * ease(time, 0.1, 0.3) * (1 - ease(time, 0.7, 0.9))
    place = pose.feet.copy()
    plan = (
        (inner, 0.10, 0.30, 0.40),
        (outer, 0.28, 0.48, 0.62),
        (inner, 0.46, 0.66, 0.85),
        (outer, 0.62, 0.80, 1.0),
        (inner, 0.78, 0.93, 1.0),
    )
    turned, moved = np.zeros((len(time), 2)), {inner: 0.0, outer: 0.0}
    for foot, start, end, share in plan:
        turned[:, foot] += (share - moved[foot]) * ease(time, start, end)
        moved[foot] = share
        take_step(pose, foot, time, start, end, by=(0.0, 0.0), lift=0.05)
    turned *= angle
    for foot in (LEFT, RIGHT):
        c, s = np.cos(turned[:, foot]), np.sin(turned[:, foot])
        x, z = place[:, foot, 0] * 1.1, place[:, foot, 2]
        pose.feet[:, foot, 0], pose.feet[:, foot, 2] = c * x + s * z, c * z - s * x
        pose.foot_yaw[:, foot] += turned[:, foot]
    pose.pelvis[:, (0, 2)] += (
        0.15 * (pose.feet[:, LEFT] + pose.feet[:, RIGHT])[:, (0, 2)]
        - 0.15 * place.sum(axis=1)[:, (0, 2)]
    )
    rate = np.gradient(yaw, seconds)
    for foot in (LEFT, RIGHT):
        pose.hands[:, foot, 0] += 0.05 * np.abs(rate)  # arms fly out a little
        pose.hands[:, foot, 2] -= 0.05 * rate * (1.0 if foot == LEFT else -1.0)
        pose.hands[:, foot, 1] += 0.02 * np.abs(rate)
    pose.pelvis[:, 1] -= 0.012 * ease(time, 0.08, 0.3) * (1 - ease(time, 0.7, 0.95))
    return pose
