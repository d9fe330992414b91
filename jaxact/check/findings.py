"""Rules with their severity, and findings."""

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
        severity: `error` makes training or its figures wrong, `warning` harms a clip or needs a
            closer look, `note` is odd but has innocent causes.
        meaning: one phrase for the table.
    """

    severity: str
    meaning: str


RULES: dict[str, Rule] = {
    # One clip.
    "unreadable": Rule("error", "the raw file cannot be used"),
    "joint-count": Rule("error", "joints or channels do not fit the layout"),
    "label-range": Rule("error", "the label is outside the list of classes"),
    "empty": Rule("error", "every joint of every frame is missing"),
    "not-finite": Rule("error", "NaN or infinite numbers"),
    "gap": Rule("warning", "no person in some frames in the middle"),
    "person-gap": Rule("note", "one of several persons is missing in the middle"),
    "person-swap": Rule("warning", "persons exchange or change their slots"),
    "left-right-swap": Rule("warning", "left and right joints exchange from one frame to the next"),
    "exploding-bones": Rule("warning", "bones of impossible length in some frames"),
    "frozen": Rule("warning", "many consecutive frames are the same"),
    # One clip against the set.
    "scale-mixed": Rule("error", "coordinates in another unit than the set's"),
    "y-flipped": Rule("error", "the whole clip is upside down, unlike its class"),
    "upside-down": Rule("note", "head below feet in most frames"),
    "mirrored": Rule("warning", "left and right contradict the body"),
    "duplicate-id": Rule("error", "several clips have the same id"),
    "duplicate-content": Rule("warning", "the same joints under two ids"),
    "content-leak": Rule("error", "the same joints in training and test"),
    # The set.
    "y-mixed": Rule("error", "y grows upwards in some clips and downwards in others"),
    "y-convention": Rule("warning", "y does not grow in the usual direction of such data"),
    "units": Rule("warning", "not in the usual units of such data"),
    "sides-exchanged": Rule("error", "left and right of the body contradict the face"),
    "handedness": Rule("warning", "left and right are exchanged, or an axis is reversed"),
    "subject-leak": Rule("error", "a subject is in training and test of a split by subject"),
    "group-leak": Rule("error", "clips cut from one recording are in training and test"),
    "untrained-class": Rule("error", "test clips but no training clips"),
    "untested-class": Rule("warning", "training clips but no test clips"),
    "absent-class": Rule("warning", "in the list of classes but without a clip"),
    "few-clips": Rule("warning", "very few training clips"),
    "imbalance": Rule("note", "far fewer training clips than the largest class"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One violation of a rule.

    Attributes:
        rule: a key of `RULES`.
        id: id of the clip, name of the class or the subject; "*" for the whole set.
        detail: what was measured, in one phrase with numbers.
        frames: frames of the clip, from 0; empty for the whole clip or where no clip is concerned.
    """

    rule: str
    id: str
    detail: str
    frames: tuple[int, ...] = ()

    @property
    def severity(self) -> str:
        """`error`, `warning` or `note`."""
        return RULES[self.rule].severity


def format_frames(frames: Iterable[int]) -> str:
    """Formats frame numbers as "frame 5" or "frames 3-7, 12"; at most five runs are listed."""
    frames = sorted(frames)
    runs: list[str] = []
    # Consecutive frames have a constant difference to their position.
    for _, group in itertools.groupby(enumerate(frames), key=lambda item: item[1] - item[0]):
        run = [frame for _, frame in group]
        runs.append(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]))
    listed = runs[:5]
    if len(runs) > 5:
        listed.append(f"and {len(runs) - 5} more")
    noun = "frame" if len(frames) == 1 else "frames"
    return f"{noun} {', '.join(listed)}"


def frames_of(mask: Bool[np.ndarray, " t"]) -> tuple[int, ...]:
    """Returns the frames at which `mask` is true."""
    return tuple(np.flatnonzero(mask).tolist())
