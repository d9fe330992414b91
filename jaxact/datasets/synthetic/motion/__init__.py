"""Twelve actions as keyframes of a body, each a function of an actor and of time."""

from collections.abc import Callable

from jaxact.datasets.synthetic.motion.encounters import handshake, push
from jaxact.datasets.synthetic.motion.gestures import clap, punch, throw, wave
from jaxact.datasets.synthetic.motion.movements import jump, kick, pick_up, sit_down, turn, walk
from jaxact.datasets.synthetic.motion.pose import Pose

SOLO: dict[str, tuple[Callable[..., Pose], float]] = {
    "walk": (walk, 2.0),
    "wave": (wave, 2.2),
    "throw": (throw, 2.1),
    "kick": (kick, 2.0),
    "sit_down": (sit_down, 2.0),
    "jump": (jump, 1.9),
    "clap": (clap, 2.0),
    "punch": (punch, 2.0),
    "pick_up": (pick_up, 2.3),
    "turn": (turn, 2.2),
}
"""Action of one person -> motion function (actor, time, seconds, rng), mean length in seconds."""

DUO: dict[str, tuple[Callable[..., tuple], float]] = {
    "handshake": (handshake, 2.3),
    "push": (push, 2.1),
}
"""Action of two people -> motion function (first, second, time, seconds, rng), mean length."""
