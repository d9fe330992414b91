"""Summary of a clip that stays in memory for the rules that compare clips."""

import dataclasses
import hashlib
import re
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from jaxact.check import thresholds as limits
from jaxact.check.body import Anatomy, Clip

# Ids that contain the subject or the recording: those of NTU RGB+D and UCF101, and `_s03_` or
# `subject3` in any id.
_NTU = re.compile(r"S\d{3}C\d{3}(P\d{3})R\d{3}A\d{3}")
_UCF = re.compile(r"v_(\w+_g\d+)_c\d+", re.ASCII)
_SUBJECT = re.compile(
    r"(?:^|[^A-Za-z0-9])(?:subject|subj|s)_?(\d+)(?=$|[^A-Za-z0-9])", re.IGNORECASE
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Summary of a clip. The defaults are those of a clip that is empty or unreadable.

    Attributes:
        id, label, cell: as in the record.
        subject, group: who performs, and which recording the clip was cut from; "" where neither
            the record nor its id states it.
        digest: hash of the joints.
        reach: 95th percentile of the coordinates' magnitudes; 0 without a joint.
        size: size of a person, in the units of the clip.
        up: share of frames with the head at larger y than the feet; NaN with too few votes.
        chirality: share of frames that are right-handed: in 3-D the feet point along up x across,
            in 2-D the eyes have the order of the shoulders; NaN with too few votes.
    """

    id: str
    label: int
    cell: str
    subject: str
    group: str
    digest: bytes = b""
    reach: float = 0.0
    size: float = 0.0
    up: float = float("nan")
    chirality: float = float("nan")

    @classmethod
    def of(cls, record: dict[str, Any], clip: Clip | None, anatomy: Anatomy) -> "Facts":
        """Returns the facts of a record.

        Args:
            record: the record.
            clip: its clip; None where it is unreadable or has other joints than the layout.
            anatomy: anatomy of the layout.
        """
        subject, group = _origin(record)
        facts = cls(
            id=record["id"],
            label=record["label"],
            cell=record.get("cell", ""),
            subject=subject,
            group=group,
        )
        if clip is None or not clip.present.any():
            return facts
        handedness = _handedness_3d if anatomy.dims == 3 else _handedness_2d
        return dataclasses.replace(
            facts,
            digest=_digest(clip.joints),
            reach=float(np.percentile(np.abs(clip.points[clip.present]), 95)),
            size=clip.size,
            up=_positive_share(_head_height(clip, anatomy)),
            chirality=_positive_share(handedness(clip, anatomy)),
        )


def _digest(joints: np.ndarray) -> bytes:
    shape = repr(joints.shape).encode()
    return hashlib.blake2b(shape + np.ascontiguousarray(joints).tobytes(), digest_size=16).digest()


def _origin(record: dict[str, Any]) -> tuple[str, str]:
    """Returns subject and group from the record's fields, else from its id."""
    name = str(record["id"])
    subject, group = str(record.get("subject", "")), str(record.get("group", ""))
    if not subject and (match := _NTU.fullmatch(name) or _SUBJECT.search(name)):
        subject = match[1]
    if not group and (match := _UCF.search(name)):
        group = match[1]
    return subject, group


def _positive_share(votes: Float[np.ndarray, " n"]) -> float:
    """Returns the share of votes above zero; NaN with too few votes."""
    if len(votes) < limits.VOTES:
        return float("nan")
    return float((votes > 0).mean())


def _mean_point(
    clip: Clip, joints: tuple[int, ...]
) -> tuple[Float[np.ndarray, "t m d"], Bool[np.ndarray, "t m"]]:
    """Returns the mean position of some joints, and where all of them are present."""
    index = list(joints)
    return clip.points[..., index, :].mean(2), np.all(clip.present[..., index], axis=2)


def _head_height(clip: Clip, anatomy: Anatomy) -> Float[np.ndarray, " n"]:
    """Returns the height of the head over the feet in y, where they are well apart in y."""
    if anatomy.head is None or not anatomy.feet:
        return np.zeros(0)
    head, with_head = _mean_point(clip, (anatomy.head,))
    feet, with_feet = _mean_point(clip, anatomy.feet)
    height = (head - feet)[..., 1]
    return height[with_head & with_feet & (np.abs(height) > limits.VOTE_HEIGHT * clip.size)]


def _handedness_3d(clip: Clip, anatomy: Anatomy) -> Float[np.ndarray, " n"]:
    """Returns the cosine between the direction of the feet and up x across.

    The latter is the body's forward direction in right-handed axes.
    """
    if anatomy.head is None or anatomy.hips is None or not anatomy.toes:
        return np.zeros(0)
    head, with_head = _mean_point(clip, (anatomy.head,))
    hips, with_hips = _mean_point(clip, anatomy.hips)
    ankles, with_ankles = _mean_point(clip, tuple(ankle for ankle, _ in anatomy.toes))
    feet, with_feet = _mean_point(clip, tuple(foot for _, foot in anatomy.toes))
    left, right = (clip.points[..., joint, :] for joint in anatomy.hips)
    forward = np.cross(head - hips, right - left)
    feet_direction = feet - ankles
    lengths = np.linalg.norm(forward, axis=-1) * np.linalg.norm(feet_direction, axis=-1)
    cosine = (forward * feet_direction).sum(-1) / np.where(lengths > 0, lengths, 1)
    clear = np.abs(cosine) > limits.FORWARD_COSINE
    return cosine[with_head & with_hips & with_ankles & with_feet & clear]


def _handedness_2d(clip: Clip, anatomy: Anatomy) -> Float[np.ndarray, " n"]:
    """Returns the product of the distances in x from right to left eye and shoulder.

    It is positive where the eyes and the shoulders have the same order.
    """
    if anatomy.eyes is None or anatomy.shoulders is None:
        return np.zeros(0)
    eyes, clear_eyes = _width(clip, anatomy.eyes, limits.EYES_APART)
    shoulders, clear_shoulders = _width(clip, anatomy.shoulders, limits.SHOULDERS_APART)
    return (eyes * shoulders)[clear_eyes & clear_shoulders]


def _width(
    clip: Clip, pair: tuple[int, int], least: float
) -> tuple[Float[np.ndarray, "t m"], Bool[np.ndarray, "t m"]]:
    """Returns the distance in x from right to left, and where it exceeds `least` sizes."""
    left, right = pair
    x = clip.points[..., left, 0] - clip.points[..., right, 0]
    present = clip.present[..., left] & clip.present[..., right]
    return x, present & (np.abs(x) > least * clip.size)
