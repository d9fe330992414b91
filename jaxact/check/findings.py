"""What can be found, and how bad it is."""

import dataclasses
import itertools
from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool

SEVERITIES = ("error", "warning", "note")


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """A kind of finding.

    Attributes:
      severity: `error` makes training or its figures wrong, `warning` harms a clip or asks for a
        look, `note` is odd but has innocent causes.
      means: one phrase for the table.
    """

    severity: str
    means: str


RULES: dict[str, Rule] = {
    # One clip.
    "unreadable": Rule("error", "the raw file cannot be used"),
    "joint-count": Rule("error", "joints or channels do not fit the layout"),
    "label-range": Rule("error", "the label is outside the list of classes"),
    "empty": Rule("error", "every joint of every frame is missing"),
    "not-finite": Rule("error", "NaN or infinite numbers"),
    "gap": Rule("warning", "nobody is seen for some frames in the middle"),
    "person-gap": Rule("note", "one of several persons is missing in the middle"),
    "person-swap": Rule("warning", "persons exchange or change their slots"),
    "left-right-swap": Rule("warning", "left and right joints exchange from one frame to the next"),
    "exploding-bones": Rule("warning", "bones of impossible length in some frames"),
    "frozen": Rule("warning", "many frames in a row are the same"),
    # One clip against the set.
    "scale-mixed": Rule("error", "coordinates of another unit than the set's"),
    "y-flipped": Rule("error", "the whole clip stands on its head, unlike its class"),
    "upside-down": Rule("note", "head below feet in most frames"),
    "mirrored": Rule("warning", "left and right contradict the body"),
    "duplicate-id": Rule("error", "two clips have one id"),
    "duplicate-content": Rule("warning", "the same joints under two ids"),
    "content-leak": Rule("error", "the same joints in training and test"),
    # The set.
    "y-mixed": Rule("error", "y grows upwards in some clips and downwards in others"),
    "y-convention": Rule("warning", "y does not grow the way it does in such data"),
    "units": Rule("warning", "not in the units that such data have"),
    "sides-exchanged": Rule("error", "the body's left and right are not the face's"),
    "handedness": Rule("warning", "left and right are exchanged, or an axis is reversed"),
    "subject-leak": Rule("error", "a subject is in training and test of a split by subject"),
    "group-leak": Rule("error", "clips cut from one recording are in training and test"),
    "untrained-class": Rule("error", "tested but without a training clip"),
    "untested-class": Rule("warning", "trained but without a test clip"),
    "absent-class": Rule("warning", "on the list but without a clip"),
    "few-clips": Rule("warning", "very few training clips"),
    "imbalance": Rule("note", "far fewer training clips than the largest class"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One thing found.

    Attributes:
      rule: a key of `RULES`.
      id: of the clip, the class, the subject; "*" where the whole set is meant.
      detail: what was seen, in one phrase with numbers.
      frames: where in the clip, 0-based; empty where it is the whole clip or no clip.
    """

    rule: str
    id: str
    detail: str
    frames: tuple[int, ...] = ()

    @property
    def severity(self) -> str:
        """`error`, `warning` or `note`."""
        return RULES[self.rule].severity


def spans(frames: Iterable[int]) -> str:
    """Frames as a reader writes them, "frame 5" or "frames 3-7, 12"; after the fifth run the rest
    is counted.
    """
    frames = sorted(frames)
    runs = [
        [frame for _, frame in group]
        for _, group in itertools.groupby(enumerate(frames), key=lambda item: item[1] - item[0])
    ]
    shown = [f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs[:5]]
    listed = ", ".join([*shown, f"and {len(runs) - 5} more"] if len(runs) > 5 else shown)
    return f"{'frame' if len(frames) == 1 else 'frames'} {listed}"


def frames_of(mask: Bool[np.ndarray, " t"]) -> tuple[int, ...]:
    """The frames at which `mask` is true."""
    return tuple(np.flatnonzero(mask).tolist())
