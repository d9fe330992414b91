"""An actor, its standing pose, and the two parts of every motion: hand movements and steps."""

import dataclasses

import numpy as np
from jaxtyping import Float

from jaxact.datasets.synthetic.motion.body import LEFT, RIGHT, Body
from jaxact.datasets.synthetic.motion.curves import ease, interpolate
from jaxact.datasets.synthetic.motion.pose import Pose

Time = Float[np.ndarray, " t"]  # 0 at the start of the action and 1 at its end; may rest at both


@dataclasses.dataclass(frozen=True, kw_only=True)
class Actor:
    """A body and its manner of moving.

    Attributes:
        body: bone lengths.
        stance: half the distance of the feet, metres.
        toes_out: outward rotation of the feet, radians.
        flare: distance of the hanging hands from the body, arm lengths.
        lean: forward bend of the upper body at rest, radians.
        size: amplitude of the movements, about 1.
        cadence: speed of the movements, about 1.
    """

    body: Body
    stance: float
    toes_out: float
    flare: float
    lean: float
    size: float
    cadence: float


def drift(time: Time, rng: np.random.Generator, waves: float = 2.0) -> Time:
    """A slow random curve of unit size: the sway of a standing body."""
    curve = np.zeros_like(time)
    for cycle in (0.35 * waves, 0.8 * waves, 1.5 * waves):
        curve += np.sin(2 * np.pi * (cycle * time + rng.random())) / (1 + cycle)
    return curve


def standing_pose(actor: Actor, seconds: Time, rng: np.random.Generator) -> Pose:
    """The pose of an actor who stands at the origin of the stage, breathes and sways a little."""
    body, frames = actor.body, len(seconds)
    pelvis, turn, chest, head = (np.zeros((frames, 3)) for _ in range(4))
    hands, elbows, grasp_at, feet, swing_at = (np.zeros((frames, 2, 3)) for _ in range(5))
    grasp, foot_yaw, foot_pitch, swing = (np.zeros((frames, 2)) for _ in range(4))
    pelvis[:, 0] = 0.010 * drift(seconds, rng, 0.8)
    pelvis[:, 1] = body.standing
    pelvis[:, 2] = 0.004 + 0.008 * drift(seconds, rng, 0.8)
    turn[:, 2] = 0.012 * drift(seconds, rng, 0.8)
    chest[:, 0] = actor.lean + 0.012 * np.sin(2 * np.pi * (0.28 * seconds + rng.random()))
    chest[:, 1] = 0.03 * drift(seconds, rng, 0.7)
    head[:, 0] = 0.05 + 0.04 * drift(seconds, rng, 0.7)
    head[:, 1] = 0.08 * drift(seconds, rng, 0.7)
    for side, sign in ((LEFT, 1.0), (RIGHT, -1.0)):
        hands[:, side] = (actor.flare, -0.955, 0.10)
        hands[:, side, 2] += 0.02 * drift(seconds, rng, 0.8)
        elbows[:, side] = (0.5, -0.3, -0.8)
        feet[:, side, 0] = sign * actor.stance
        feet[:, side, 2] = 0.55 * body.foot[1]
        foot_yaw[:, side] = sign * actor.toes_out
    return Pose(
        pelvis=pelvis,
        turn=turn,
        chest=chest,
        head=head,
        hands=hands,
        elbows=elbows,
        grasp=grasp,
        grasp_at=grasp_at,
        feet=feet,
        foot_yaw=foot_yaw,
        foot_pitch=foot_pitch,
        swing=swing,
        swing_at=swing_at,
    )


def move_hand(
    pose: Pose, side: int, time: Time, keys: dict[float, tuple[float, float, float] | None]
) -> None:
    """Moves one hand through targets.

    Args:
        pose: the pose that is changed.
        side: `LEFT` or `RIGHT`.
        time: time of each frame.
        keys: time -> target (out, up, forward) in arm lengths. None is the hand at rest.
    """
    rest = tuple(pose.hands[:, side].mean(axis=0))
    targets = {}
    for key_time, target in keys.items():
        targets[key_time] = rest if target is None else target
    pose.hands[:, side] += interpolate(time, targets) - rest


def take_step(
    pose: Pose,
    side: int,
    time: Time,
    start: float,
    end: float,
    *,
    by: tuple[float, float],
    lift: float = 0.07,
    turn: float = 0.0,
) -> None:
    """Adds one step of one foot. The heel leaves the floor first, and the toe clears the floor.

    Args:
        pose: the pose that is changed.
        side: `LEFT` or `RIGHT`.
        time: time of each frame.
        start: time at which the step begins.
        end: time at which it ends.
        by: the step (x, z), metres.
        lift: greatest height of the foot, metres.
        turn: rotation of the foot, radians.
    """
    progress = ease(time, start, end)
    u = np.clip((time - start) / (end - start), 0.0, 1.0)
    pose.feet[:, side, 0] += by[0] * progress
    pose.feet[:, side, 2] += by[1] * progress
    pose.feet[:, side, 1] += lift * np.sin(np.pi * u) ** 2
    pose.foot_yaw[:, side] += turn * progress
    heel_up = 0.5 * np.exp(-(((u - 0.22) / 0.16) ** 2))
    toe_up = 0.2 * np.exp(-(((u - 0.8) / 0.14) ** 2))
    pose.foot_pitch[:, side] += heel_up - toe_up
