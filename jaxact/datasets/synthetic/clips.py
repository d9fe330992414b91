"""Generates the clips of `synthetic_actions`, a data set of moving people.

24 subjects perform twelve actions four times each: 1152 clips of the 25 joints of a Kinect v2
(layout ``ntu-25``) at 30 frames per second. A clip is a function of (subject, action, repetition,
seed) alone. Coordinates are those of a Kinect: metres from the sensor, right-handed, x to the
sensor's left, y up, z away from it. The person is about three metres away; facing the sensor, the
left hand is at negative x.

    actor (bones, manner) -> motion (keyframes) -> kinematics (joints on a stage) -> mirror -> view
    -> sensor
"""

import dataclasses
import zlib

import numpy as np
from jaxtyping import Float

from jaxact.datasets.synthetic.motion import DUO, SOLO
from jaxact.datasets.synthetic.motion.actor import Actor
from jaxact.datasets.synthetic.motion.body import JOINTS, MIRRORED, Body
from jaxact.datasets.synthetic.motion.kinematics import forward_kinematics
from jaxact.datasets.synthetic.motion.rotations import rotate_y
from jaxact.errors import UserError, unknown

VERSION = "1.0.0"  # increases whenever a clip changes
LABELS = (*SOLO, *DUO)
SUBJECTS = tuple(range(1, 25))
TEST_SUBJECTS = (3, 6, 9, 12, 15, 18, 21, 24)
TRAIN_SUBJECTS = tuple(subject for subject in SUBJECTS if subject not in TEST_SUBJECTS)
REPETITIONS = 4
FPS = 30
FRAMES = (40, 90)  # shortest and longest clip
# Left and right joints that the sensor may lose.
ARMS = ((5, 6, 7, 21, 22), (9, 10, 11, 23, 24))
FEET = ((14, 15), (18, 19))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subject:
    """A person, and the position of the sensor.

    Attributes:
        actor: body and manner of moving.
        left_handed: whether actions are mirrored.
        view: angle between the subject's view and the sensor, radians.
        sensor_height: metres.
        sensor_pitch: radians.
        noise: scale of the sensor noise, metres.
    """

    actor: Actor
    left_handed: bool
    view: float
    sensor_height: float
    sensor_pitch: float
    noise: float

    @classmethod
    def of(cls, number: int, seed: int = 0) -> "Subject":
        """Subject `number`, 1 to 24.

        The viewpoints of all subjects are evenly spaced over 120 degrees.
        """
        rng = np.random.default_rng((seed, number))
        positions = np.random.default_rng(seed).permutation(len(SUBJECTS))
        fan = positions[number - 1] / (len(SUBJECTS) - 1) - 0.5
        return cls(
            actor=random_actor(rng),
            left_handed=bool(rng.random() < 0.25),
            view=np.radians(120) * fan,
            sensor_height=rng.uniform(0.7, 1.5),
            sensor_pitch=np.radians(rng.uniform(-4, 4)),
            noise=rng.uniform(0.003, 0.010),
        )


def random_actor(rng: np.random.Generator) -> Actor:
    """An actor with a random body and manner of moving."""
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
    """Generates one clip.

    Args:
        subject: 1 to 24.
        action: one of `LABELS`.
        repetition: 0 or more; each is another performance. The data set holds the first four.
        seed: seed of the whole data set.

    Returns:
        Joints in metres in sensor coordinates, 40 to 90 frames. The second person is zero in an
        action of one person. A joint that the sensor lost is zero.

    Raises:
        UserError: an unknown subject or action, or a negative repetition.
    """
    if subject not in SUBJECTS:
        raise UserError(f"subject {subject!r} is not one of 1 to {len(SUBJECTS)}")
    if action not in LABELS:
        raise unknown("action", action, LABELS)
    if repetition < 0:
        raise UserError(f"repetition {repetition!r} must be 0 or more")
    performer = Subject.of(subject, seed)
    rng = np.random.default_rng((seed, subject, zlib.crc32(action.encode()), repetition))
    actor = performer.actor
    actor = dataclasses.replace(actor, size=actor.size * rng.uniform(0.94, 1.06))
    _, mean_seconds = (SOLO | DUO)[action]
    length = round(FPS * mean_seconds / actor.cadence * rng.uniform(0.88, 1.14))
    frames = int(np.clip(length, *FRAMES))
    seconds = np.arange(frames) / FPS
    time = _pace(seconds / seconds[-1], rng)
    if action in SOLO:
        motion, _ = SOLO[action]
        pose = motion(actor, time, seconds, rng).smoothed()
        stage = forward_kinematics(actor.body, pose)[:, None]
    else:
        # Each subject has a partner of their own, so the partners of test subjects are new too.
        motion, _ = DUO[action]
        other = random_actor(np.random.default_rng((seed, subject, 1 + repetition)))
        scene = motion(actor, other, time, seconds, rng)
        bodies = (actor.body, other.body)
        stage = np.stack(
            [
                place.to_shared(forward_kinematics(body, pose.smoothed()))
                for body, (pose, place) in zip(bodies, scene, strict=True)
            ],
            axis=1,
        )
    # Everyone shakes hands with the right hand.
    if performer.left_handed and action != "handshake":
        stage = stage[:, :, MIRRORED] * (-1.0, 1.0, 1.0)
    if action in DUO and rng.random() < 0.5:
        stage = stage[:, ::-1]
    points = _to_sensor(stage, performer, action in DUO, rng)
    points = _add_sensor_noise(points, performer, rng)
    joints = np.zeros((frames, 2, JOINTS, 3), np.float32)
    joints[:, : points.shape[1]] = points
    return joints


def _pace(progress: Float[np.ndarray, " t"], rng: np.random.Generator) -> Float[np.ndarray, " t"]:
    """Time of the action, 0 to 1, from the progress of the recording.

    The action starts after the recording and ends before it. Its speed varies.
    """
    start, end = rng.uniform(0.0, 0.12), 1 - rng.uniform(0.0, 0.12)
    time = np.clip((progress - start) / (end - start), 0.0, 1.0)
    return time + 0.03 * rng.normal() * np.sin(np.pi * time) ** 2


def _to_sensor(
    stage: Float[np.ndarray, "t m v c"], subject: Subject, duo: bool, rng: np.random.Generator
) -> Float[np.ndarray, "t m v c"]:
    """Transforms the stage to sensor coordinates, with its middle about three metres away."""
    base = stage[:, :, 0].reshape(-1, 3)
    middle = 0.5 * (base.min(axis=0) + base.max(axis=0)) * (1.0, 0.0, 1.0)
    # One person is viewed from the front, two from the side, where neither occludes the other.
    view = 0.5 * np.pi + 0.5 * subject.view if duo else subject.view
    yaw = np.pi + np.radians(10) * rng.normal() + view
    points = rotate_y(stage - middle, np.asarray(yaw))
    points += (0.25 * rng.normal(), -subject.sensor_height, 3.1 + 0.25 * rng.normal())
    c, s = np.cos(subject.sensor_pitch), np.sin(subject.sensor_pitch)
    y, z = points[..., 1], points[..., 2]
    return np.stack([points[..., 0], c * y - s * z, s * y + c * z], axis=-1)


def _add_sensor_noise(
    points: Float[np.ndarray, "t m v c"], subject: Subject, rng: np.random.Generator
) -> Float[np.ndarray, "t m v c"]:
    """Adds the errors of a depth sensor: noise, slow drift and lost joints.

    The noise grows with the distance and is larger at hands and feet.
    """
    spread = np.ones((JOINTS, 1))
    spread[[7, 11, 15, 19]] = 1.6
    spread[[21, 22, 23, 24]] = 2.2
    white = rng.normal(size=points.shape)
    white[1:] = 0.6 * white[1:] + 0.4 * white[:-1]
    drift = np.cumsum(rng.normal(size=points.shape), axis=0) / np.sqrt(len(points))
    drift -= drift.mean(axis=0)
    depth = points[..., 2:3] / 3.0
    measured = points + subject.noise * spread * depth * (0.6 * white + 0.8 * drift)
    for person in range(points.shape[1]):
        if rng.random() < 0.3:
            # An arm or foot on the far side of the body is lost for some frames.
            left, right = FEET
            if rng.random() < 0.7:
                left, right = ARMS
            distance = points[:, person, :, 2].mean(axis=0)
            lost = left if distance[left[0]] > distance[right[0]] else right
            lost = lost[rng.integers(0, len(lost)) :]
            start = rng.integers(0, len(points) - 10)
            measured[start : start + rng.integers(3, 13), person, list(lost)] = 0.0
    return measured
