"""Who moves: a body with a manner, how it stands, and the two things all motions are made of,
reaches and steps.
"""

import dataclasses

import numpy as np
from jaxtyping import Float

from jaxact.datasets.synthetic.motion.kinematics import LEFT, RIGHT, Body, Pose, ease, keyed

Time = Float[np.ndarray, " t"]  # 0 at the start of the action and 1 at its end; may rest at both


@dataclasses.dataclass(frozen=True, kw_only=True)
class Actor:
    """A body and its manner."""

    body: Body
    stance: float  # half the distance of the feet, metres
    toes_out: float  # radians
    flare: float  # how far the hanging hands are from the body, arm lengths
    lean: float  # forward bend of the upper body at rest, radians
    size: float  # how large the movements are, about 1
    cadence: float  # how fast they are, about 1


def drift(time: Time, rng: np.random.Generator, waves: float = 2.0) -> Time:
    """A slow random curve of unit size: what a standing body does by itself."""
    curve = np.zeros_like(time)
    for cycle in (0.35 * waves, 0.8 * waves, 1.5 * waves):
        curve += np.sin(2 * np.pi * (cycle * time + rng.random())) / (1 + cycle)
    return curve


def standing(actor: Actor, seconds: Time, rng: np.random.Generator) -> Pose:
    """Standing at ease at the origin of the stage, breathing and swaying a little."""
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
        pelvis, turn, chest, head, hands, elbows, grasp, grasp_at, feet, foot_yaw, foot_pitch, swing, swing_at
    )  # fmt: skip


def hand(
    pose: Pose, side: int, time: Time, keys: dict[float, tuple[float, float, float] | None]
) -> None:
    """Moves one hand through targets (out, up, forward) in arm lengths; None: where it hangs at
    rest.
    """
    rest = tuple(pose.hands[:, side].mean(axis=0))
    path = keyed(time, {at: rest if target is None else target for at, target in keys.items()})
    pose.hands[:, side] += path - rest


def step(pose: Pose, side: int, time: Time, start: float, end: float, *, by: tuple[float, float], lift: float = 0.07,
         turn: float = 0.0) -> None:  # fmt: skip
    """One step of one foot by (x, z) metres and `turn` radians: the heel leaves first, the toe
    clears the floor.
    """
    done = ease(time, start, end)
    u = np.clip((time - start) / (end - start), 0.0, 1.0)
    pose.feet[:, side, 0] += by[0] * done
    pose.feet[:, side, 2] += by[1] * done
    pose.feet[:, side, 1] += lift * np.sin(np.pi * u) ** 2
    pose.foot_yaw[:, side] += turn * done
    pose.foot_pitch[:, side] += 0.5 * np.exp(-(((u - 0.22) / 0.16) ** 2)) - 0.2 * np.exp(
        -(((u - 0.8) / 0.14) ** 2)
    )
