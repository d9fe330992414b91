"""A clean corpus of people who move, and ways to spoil it: one for every rule, each with a harmless
neighbour.
"""

from collections.abc import Callable

import numpy as np

from jaxact.check import Corpus
from jaxact.datasets.synthetic import clips
from jaxact.datasets.synthetic.motion.body import MIRRORED
from jaxact.skeletons import get_layout

LABELS = ("wave", "jump", "handshake")
HALVES = {"train/test": (("train",), ("test",))}
SUBJECTS = {1: "train", 2: "train", 4: "train", 3: "test", 6: "test"}


def clean() -> list[dict]:
    """Three classes, three subjects to train and two to test, two clips of each: 30 clips of 40
    frames.
    """
    return [
        {
            "id": f"{action}_s{subject:02d}_r{repetition}",
            "label": label,
            "cell": cell,
            "subject": subject,
            "joints": clips.generate_clip(subject, action, repetition)[:40],
        }
        for label, action in enumerate(LABELS)
        for subject, cell in SUBJECTS.items()
        for repetition in range(2)
    ]


def corpus(
    records: list[dict],
    *,
    layout="ntu-25",
    channels=("x", "y", "z"),
    labels=LABELS,
    protocols=HALVES,
) -> Corpus:
    return Corpus(
        name="toy",
        layout=get_layout(layout),
        channels=channels,
        labels=labels,
        protocols=protocols,
        total=len(records),
        records=lambda: iter(records),
    )


def spoil(
    name: str, change: Callable[[np.ndarray], np.ndarray | None]
) -> Callable[[list[dict]], None]:
    """The fault that changes the joints of one clip, in place or by what it returns."""

    def plant(records: list[dict]) -> None:
        record = next(record for record in records if record["id"] == name)
        joints = record["joints"].copy()
        changed = change(joints)
        record["joints"] = joints if changed is None else changed.astype(np.float32)

    return plant


def put(name: str, **fields: object) -> Callable[[list[dict]], None]:
    """The fault that changes other fields of one clip."""

    def plant(records: list[dict]) -> None:
        next(record for record in records if record["id"] == name).update(fields)

    return plant


def copy(name: str, onto: str, noise: float = 0.0) -> Callable[[list[dict]], None]:
    """The fault that one clip has the joints of another."""

    def plant(records: list[dict]) -> None:
        joints = {record["id"]: record["joints"] for record in records}
        put(onto, joints=joints[name] + np.float32(noise) * (joints[name] != 0))(records)

    return plant


def zero(frames: slice, slot: int | slice = slice(None)) -> Callable[[np.ndarray], None]:
    def change(joints: np.ndarray) -> None:
        joints[frames, slot] = 0

    return change


def setting(value: float, where: object) -> Callable[[np.ndarray], None]:
    def change(joints: np.ndarray) -> None:
        joints[where] = value

    return change


def exchange_persons(frames: slice) -> Callable[[np.ndarray], None]:
    def change(joints: np.ndarray) -> None:
        joints[frames] = joints[frames][:, ::-1]

    return change


def exchange_sides(
    frames: slice, only: tuple[int, ...] = tuple(range(25))
) -> Callable[[np.ndarray], None]:
    def change(joints: np.ndarray) -> None:
        joints[frames][:, :, list(only)] = joints[frames][:, :, np.array(MIRRORED)[list(only)]]

    return change


def stretch(factor: float, frames: slice) -> Callable[[np.ndarray], None]:
    """The lower leg of the first person grows: ankle and foot fly off along it."""

    def change(joints: np.ndarray) -> None:
        knee, ankle = joints[frames, 0, 13], joints[frames, 0, 14]
        joints[frames, 0, 14] = knee + factor * (ankle - knee)

    return change


def freeze(frames: slice) -> Callable[[np.ndarray], None]:
    def change(joints: np.ndarray) -> None:
        joints[frames] = joints[frames.start]

    return change


def on_head(share: float) -> Callable[[np.ndarray], None]:
    """Turned, not reflected, in the image plane for the first `share` of the clip."""

    def change(joints: np.ndarray) -> None:
        joints[: round(share * len(joints)), ..., :2] *= -1

    return change


def flip(joints: np.ndarray) -> None:
    """y counted the other way."""
    joints[..., 1] *= -1


def mirror_image(joints: np.ndarray) -> np.ndarray:
    """What a looking-glass shows: x reversed and left called right."""
    return joints[:, :, MIRRORED] * (-1.0, 1.0, 1.0)
