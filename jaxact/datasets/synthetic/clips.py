"""`synthetic_actions`: a data set of people moving that is generated, not downloaded.

24 subjects perform twelve actions four times each: 1152 clips of the 25 joints of a Kinect v2
(layout ``ntu-25``) at 30 frames a second. A clip is a function of (subject, action, repetition,
seed) alone. Coordinates are a Kinect's: metres from the sensor, right-handed, x to the sensor's
left, y up, z away from it; the person is about three metres away and, facing the sensor, has the
left hand at negative x.

    actor (bones, manner) -> motion (key poses) -> kinematics (joints on a stage) -> mirror -> view
    -> sensor
"""

import dataclasses
import zlib

import numpy as np
from jaxtyping import Float

from jaxact.datasets.synthetic.motion import DUO, SOLO
from jaxact.datasets.synthetic.motion.actor import Actor
from jaxact.datasets.synthetic.motion.kinematics import JOINTS, MIRRORED, Body, forward, heading
from jaxact.errors import UserError, unknown

VERSION = "1.0.0"  # raised whenever a clip changes
LABELS = (*SOLO, *DUO)
SUBJECTS = tuple(range(1, 25))
TEST_SUBJECTS = (3, 6, 9, 12, 15, 18, 21, 24)
TRAIN_SUBJECTS = tuple(subject for subject in SUBJECTS if subject not in TEST_SUBJECTS)
REPETITIONS = 4
FPS = 30
FRAMES = (40, 90)  # fewest and most of a clip


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subject:
    """Who moves, and where the sensor stands."""

    actor: Actor
    left_handed: bool
    view: float  # radians by which the subject looks past the sensor
    sensor_height: float  # metres
    sensor_pitch: float  # radians
    noise: float  # metres

    @classmethod
    def of(cls, number: int, seed: int = 0) -> "Subject":
        """Subject `number`, 1 to 24. The viewpoints of all subjects lie evenly in a fan of 120
        degrees.
        """
        rng = np.random.default_rng((seed, number))
        fan = (
            np.random.default_rng(seed).permutation(len(SUBJECTS))[number - 1] / (len(SUBJECTS) - 1)
            - 0.5
        )
        return cls(
            actor=random_actor(rng),
            left_handed=bool(rng.random() < 0.25),
            view=np.radians(120) * fan,
            sensor_height=rng.uniform(0.7, 1.5),
            sensor_pitch=np.radians(rng.uniform(-4, 4)),
            noise=rng.uniform(0.003, 0.010),
        )


def random_actor(rng: np.random.Generator) -> Actor:
    """A body and manner drawn at random."""
    body = Body.of(
        rng.uniform(1.52, 1.95),
        legs=np.clip(1 + 0.02 * rng.normal(), 0.95, 1.05),
        arms=np.clip(1 + 0.03 * rng.normal(), 0.92, 1.08),
        width=np.clip(1 + 0.06 * rng.normal(), 0.85, 1.2),
    )
    return Actor(
        body=body,
        stance=body.hip[0] + rng.uniform(0.0, 0.07),
        toes_out=rng.uniform(0.05, 0.30),
        flare=rng.uniform(0.10, 0.26),
        lean=rng.uniform(-0.02, 0.12),
        size=rng.uniform(0.80, 1.16),
        cadence=rng.uniform(0.85, 1.18),
    )


def generate_clip(
    subject: int, action: str, repetition: int, seed: int = 0
) -> Float[np.ndarray, "t 2 25 3"]:
    """One recording.

    Args:
      subject: 1 to 24.
      action: one of `LABELS`.
      repetition: 0 and up; each is another performance. The data set holds the first four.
      seed: of the whole data set.

    Returns:
      Joints in metres in sensor coordinates, 40 to 90 frames; the second person is zero where the
      action takes one person, and a joint the sensor lost is zero.

    Raises:
      UserError: an unknown subject or action, or a negative repetition.
    """
    if subject not in SUBJECTS:
        raise UserError(f"subject {subject!r} is not one of 1 to {len(SUBJECTS)}")
    if action not in LABELS:
        raise unknown("action", action, LABELS)
    if repetition < 0:
        raise UserError(f"repetition {repetition!r} must be 0 or more")
    who = Subject.of(subject, seed)
    rng = np.random.default_rng((seed, subject, zlib.crc32(action.encode()), repetition))
    actor = dataclasses.replace(who.actor, size=who.actor.size * rng.uniform(0.94, 1.06))
    mean = (SOLO | DUO)[action][1]
    frames = int(np.clip(round(FPS * mean / actor.cadence * rng.uniform(0.88, 1.14)), *FRAMES))
    seconds = np.arange(frames) / FPS
    time = _pace(seconds / seconds[-1], rng)
    if action in SOLO:
        pose = SOLO[action][0](actor, time, seconds, rng).smoothed()
        stage = forward(actor.body, pose)[:, None]
    else:
        # The partner is this subject's own, so a test subject's partner is unseen too.
        other = random_actor(np.random.default_rng((seed, subject, 1 + repetition)))
        scene = DUO[action][0](actor, other, time, seconds, rng)
        bodies = (actor.body, other.body)
        stage = np.stack(
            [
                place.shared(forward(body, pose.smoothed()))
                for body, (pose, place) in zip(bodies, scene, strict=True)
            ],
            axis=1,
        )
    # Hands are shaken with the right by everyone.
    if who.left_handed and action != "handshake":
        stage = stage[:, :, MIRRORED] * (-1.0, 1.0, 1.0)
    if action in DUO and rng.random() < 0.5:
        stage = stage[:, ::-1]
    seen = _sensed(_viewed(stage, who, action in DUO, rng), who, rng)
    joints = np.zeros((frames, 2, JOINTS, 3), np.float32)
    joints[:, : seen.shape[1]] = seen
    return joints


def _pace(progress: Float[np.ndarray, " t"], rng: np.random.Generator) -> Float[np.ndarray, " t"]:
    """Progress of the action, which starts after the recording, hurries and lingers, and ends
    before it.
    """
    start, end = rng.uniform(0.0, 0.12), 1 - rng.uniform(0.0, 0.12)
    time = np.clip((progress - start) / (end - start), 0.0, 1.0)
    return time + 0.03 * rng.normal() * np.sin(np.pi * time) ** 2


def _viewed(
    stage: Float[np.ndarray, "t m v c"], who: Subject, duo: bool, rng: np.random.Generator
) -> Float[np.ndarray, "t m v c"]:
    """The stage in sensor coordinates, its middle about three metres away."""
    base = stage[:, :, 0].reshape(-1, 3)
    middle = 0.5 * (base.min(axis=0) + base.max(axis=0)) * (1.0, 0.0, 1.0)
    # One person is watched from the front, two from the side, where neither hides the other.
    yaw = (
        np.pi + np.radians(10) * rng.normal() + (0.5 * np.pi + 0.5 * who.view if duo else who.view)
    )
    points = heading(stage - middle, np.asarray(yaw))
    points += (0.25 * rng.normal(), -who.sensor_height, 3.1 + 0.25 * rng.normal())
    c, s = np.cos(who.sensor_pitch), np.sin(who.sensor_pitch)
    y, z = points[..., 1], points[..., 2]
    return np.stack([points[..., 0], c * y - s * z, s * y + c * z], axis=-1)


def _sensed(
    points: Float[np.ndarray, "t m v c"], who: Subject, rng: np.random.Generator
) -> Float[np.ndarray, "t m v c"]:
    """What a depth sensor reports: noise, larger at hands and feet and with distance, slow wander,
    lost joints.
    """
    spread = np.ones((JOINTS, 1))
    spread[[7, 11, 15, 19]] = 1.6
    spread[[21, 22, 23, 24]] = 2.2
    white = rng.normal(size=points.shape)
    white[1:] = 0.6 * white[1:] + 0.4 * white[:-1]
    wander = np.cumsum(rng.normal(size=points.shape), axis=0) / np.sqrt(len(points))
    wander -= wander.mean(axis=0)
    depth = points[..., 2:3] / 3.0
    seen = points + who.noise * spread * depth * (0.6 * white + 0.8 * wander)
    for one in range(points.shape[1]):
        if rng.random() < 0.3:
            # An arm or foot on the far side of the body is lost for a while.
            far = points[:, one, :, 2].mean(axis=0)
            left, right = (
                ((5, 6, 7, 21, 22), (9, 10, 11, 23, 24))
                if rng.random() < 0.7
                else ((14, 15), (18, 19))
            )
            lost = left if far[left[0]] > far[right[0]] else right
            lost = lost[rng.integers(0, len(lost)) :]
            start = rng.integers(0, len(points) - 10)
            seen[start : start + rng.integers(3, 13), one, list(lost)] = 0.0
    return seen
