"""Actions of two people, each on a stage of their own that is placed in a shared one."""

import dataclasses

import numpy as np

from jaxact.datasets.synthetic.motion.actor import Actor, Time, move_hand, standing_pose, take_step
from jaxact.datasets.synthetic.motion.body import LEFT, RIGHT
from jaxact.datasets.synthetic.motion.curves import ease, interpolate
from jaxact.datasets.synthetic.motion.pose import Pose
from jaxact.datasets.synthetic.motion.rotations import rotate_y


@dataclasses.dataclass(frozen=True)
class Placement:
    """The position of an actor's stage in the shared one.

    Attributes:
        x, z: position, metres.
        yaw: rotation about the vertical axis, radians, applied before the translation.
    """

    x: float
    z: float
    yaw: float

    def to_shared(self, points: np.ndarray) -> np.ndarray:
        """Transforms points of the actor's stage into the shared one."""
        return rotate_y(points, np.asarray(self.yaw)) + np.array((self.x, 0.0, self.z))


Duo = tuple[tuple[Pose, Placement], tuple[Pose, Placement]]


def handshake(
    first: Actor, second: Actor, time: Time, seconds: Time, rng: np.random.Generator
) -> Duo:
    """Both step forward, shake their right hands three to five times, and part."""
    actors = (first, second)
    walk_in = 0.22 + 0.10 * rng.random()
    gap = 0.42 * (first.body.arm_length + second.body.arm_length) + 0.36 + 0.04 * rng.normal()
    count = rng.integers(3, 6)
    meet = ease(time, 0.14, 0.36) * (1 - ease(time, 0.74, 0.94))
    shaking = ease(time, 0.34, 0.42) * (1 - ease(time, 0.66, 0.74))
    pump = shaking * np.sin(2 * np.pi * count * np.clip((time - 0.36) / 0.36, 0, 1))
    height = 0.5 * sum(actor.body.standing + 0.05 for actor in actors) + 0.03 * rng.normal()
    scene = []
    for actor, sign in zip(actors, (1.0, -1.0), strict=True):
        late = rng.uniform(0.0, 0.04)
        pose = standing_pose(actor, seconds, rng)
        lead, trail = (RIGHT, LEFT) if rng.random() < 0.5 else (LEFT, RIGHT)
        take_step(pose, lead, time, 0.02 + late, 0.18 + late, by=(0.0, walk_in), lift=0.05)
        take_step(pose, trail, time, 0.18 + late, 0.34 + late, by=(0.0, walk_in - 0.06), lift=0.04)
        pose.pelvis[:, 2] += (walk_in - 0.02) * ease(time, 0.02 + late, 0.32 + late)
        # Each wrist stays a hand's length on its own side of the point where the palms meet.
        palm = np.zeros((len(time), 3))
        palm[:, 0] = -0.02
        palm[:, 1] = height + 0.05 * pump
        palm[:, 2] = walk_in + 0.5 * gap - 1.1 * actor.body.arm[2] + 0.012 * pump * sign
        pose.grasp[:, RIGHT] = meet
        pose.grasp_at[:, RIGHT] = palm
        pose.elbows[:, RIGHT] += meet[:, None] * np.array((-0.1, -0.8, 0.1))
        pose.chest[:, 0] += 0.10 * meet
        pose.chest[:, 1] += 0.16 * meet
        pose.turn[:, 0] += 0.04 * meet
        pose.head[:, 1] -= 0.14 * meet
        nod = rng.uniform(0.0, 0.12)
        pose.head[:, 0] += (
            nod * np.sin(np.pi * np.clip((time - 0.3) / 0.3, 0, 1)) ** 2 + 0.02 * pump
        )
        scene.append(
            (pose, Placement(0.0, -sign * (walk_in + 0.5 * gap), 0.0 if sign > 0 else np.pi))
        )
    return scene[0], scene[1]


def push(first: Actor, second: Actor, time: Time, seconds: Time, rng: np.random.Generator) -> Duo:
    """The first steps in and pushes with both hands; the second staggers back in two steps."""
    body, other = first.body, second.body
    hit = 0.42 + 0.03 * rng.normal()
    done = hit + 0.10
    force = 0.34 + 0.12 * rng.random()
    stepped = 0.34 * body.leg_length
    gap = stepped + 0.84 * body.arm_length + 0.24
    pusher, pushed = standing_pose(first, seconds, rng), standing_pose(second, seconds, rng)

    foot, rear = (LEFT, RIGHT) if rng.random() < 0.5 else (RIGHT, LEFT)
    take_step(pusher, foot, time, hit - 0.22, hit - 0.03, by=(0.0, stepped), lift=0.07)
    take_step(pusher, rear, time, 0.74, 0.94, by=(0.0, 0.9 * stepped), lift=0.05)
    pusher.foot_pitch[:, rear] += 0.6 * ease(time, hit - 0.08, done) * (1 - ease(time, 0.68, 0.78))
    pusher.pelvis[:, 2] += stepped * interpolate(
        time, {0.10: 0, hit - 0.16: -0.08, hit: 0.52, done: 0.72, 0.72: 0.62, 0.95: 0.93}
    )
    pusher.pelvis[:, 1] -= 0.05 * ease(time, hit - 0.2, hit) * (1 - ease(time, 0.7, 0.9))
    pusher.turn[:, 0] += interpolate(
        time, {0.10: 0, hit - 0.12: -0.06, done: 0.20, 0.70: 0.08, 0.92: 0}
    )
    pusher.chest[:, 0] += interpolate(
        time, {0.10: 0, hit - 0.12: -0.08, done: 0.22, 0.70: 0.06, 0.92: 0}
    )
    level = float(
        np.clip(
            (0.80 * (other.standing + sum(other.spine[:2])) - body.standing) / body.arm_length
            - 0.62,
            -0.35,
            0.1,
        )
    )
    for side in (LEFT, RIGHT):
        late = 0.015 * rng.normal()
        move_hand(pusher, side, time, {
            0.06: None, hit - 0.10 + late: (-0.05, -0.25, 0.38),
            hit - 0.05 + late: (-0.05, -0.22, 0.40),
            hit + 0.03: (-0.10, level, 0.80),
            done: (-0.10, level, 0.98), 0.66 + late: (0.0, -0.40, 0.60), 0.92: None,
        })  # fmt: skip
        pusher.elbows[:, side] += (ease(time, 0.1, hit) * (1 - ease(time, done, 0.9)))[
            :, None
        ] * np.array((0.3, -0.3, 0.2))

    # The chest moves first, then the hips; the feet follow in two steps.
    back = interpolate(time, {hit - 0.005: 0, done: 0.55, done + 0.14: 0.95, 0.86: 1.0, 1.0: 1.0})
    pushed.pelvis[:, 2] -= force * back * (1.2 + 0.02)
    take_step(pushed, rear, time, hit + 0.03, done + 0.10, by=(0.0, -1.35 * force), lift=0.07)
    take_step(pushed, foot, time, done + 0.06, done + 0.26, by=(0.0, -1.15 * force), lift=0.05)
    shock = interpolate(
        time, {hit - 0.005: 0, hit + 0.06: 1.0, done + 0.08: 0.35, done + 0.18: -0.45, 0.92: 0}
    )
    pushed.turn[:, 0] -= 0.16 * shock
    pushed.chest[:, 0] -= 0.26 * shock
    pushed.chest[:, 1] += 0.14 * rng.normal() * shock
    pushed.head[:, 0] += 0.30 * shock
    pushed.pelvis[:, 1] -= 0.05 * ease(time, hit, done + 0.1) * (1 - ease(time, 0.72, 0.95))
    for side in (LEFT, RIGHT):
        high = -0.45 + 0.20 * rng.normal()
        move_hand(pushed, side, time, {
            hit - 0.02: None, hit + 0.08: (0.30, -0.60, 0.55), done + 0.08: (0.58, high, 0.42),
            done + 0.24: (0.42, -0.74, 0.12), 0.96: None,
        })  # fmt: skip
    return (pusher, Placement(0.0, -0.5 * gap, 0.0)), (pushed, Placement(0.0, 0.5 * gap, np.pi))
