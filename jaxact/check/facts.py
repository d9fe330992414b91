"""The line that stays in memory of every clip, for the rules that compare clips."""

import dataclasses
import hashlib
import re
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from jaxact.check import thresholds as limits
from jaxact.check.body import Anatomy, Clip

# Names that tell who or which recording: NTU RGB+D's, UCF101's, and `_s03_` or `subject3` in any
# name.
_NTU = re.compile(r"S\d{3}C\d{3}(P\d{3})R\d{3}A\d{3}")
_UCF = re.compile(r"v_(\w+_g\d+)_c\d+", re.ASCII)
_SUBJECT = re.compile(
    r"(?:^|[^A-Za-z0-9])(?:subject|subj|s)_?(\d+)(?=$|[^A-Za-z0-9])", re.IGNORECASE
)


@dataclasses.dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a clip after it has gone.

    Attributes:
      id, label, cell: as in the record.
      subject, group: who performs, and what recording it was cut from; "" where neither the record
          nor its id tells.
      digest: of the joints; b"" of an empty clip.
      reach: 95th percentile of the coordinates' magnitudes; 0 where there is none.
      size: of a person, in the units of the clip.
      up: share of frames with the head at larger y than the feet; NaN where too few frames tell.
      chirality: share of frames that are right-handed: the feet point along up x across in 3-D, the
        eyes are as the shoulders in 2-D; NaN where too few tell.
    """

    id: str
    label: int
    cell: str
    subject: str
    group: str
    digest: bytes
    reach: float
    size: float
    up: float
    chirality: float

    @classmethod
    def of(cls, record: dict[str, Any], clip: Clip | None, anatomy: Anatomy) -> "Facts":
        """The facts of a record; without a `clip` (unreadable, of other joints) those its name and
        label tell.
        """
        subject, group = _origin(record)
        names = {"id": record["id"], "label": record["label"], "cell": record.get("cell", "")}
        if clip is None or not clip.present.any():
            return cls(
                **names,
                subject=subject,
                group=group,
                digest=b"",
                reach=0.0,
                size=0.0,
                up=np.nan,
                chirality=np.nan,
            )
        content = np.ascontiguousarray(clip.joints)
        digest = hashlib.blake2b(
            repr(content.shape).encode() + content.tobytes(), digest_size=16
        ).digest()
        return cls(
            **names,
            subject=subject,
            group=group,
            digest=digest,
            reach=float(np.percentile(np.abs(clip.places[clip.present]), 95)),
            size=clip.size,
            up=_share(_up(clip, anatomy)),
            chirality=_share(
                _handed_3d(clip, anatomy) if anatomy.dims == 3 else _handed_2d(clip, anatomy)
            ),
        )


def _origin(record: dict[str, Any]) -> tuple[str, str]:
    """Subject and group from the record's fields, else from its id."""
    name = str(record["id"])
    subject, group = (str(record.get(field, "")) for field in ("subject", "group"))
    if not subject and (match := _NTU.fullmatch(name) or _SUBJECT.search(name)):
        subject = match[1]
    if not group and (match := _UCF.search(name)):
        group = match[1]
    return subject, group


def _share(votes: Float[np.ndarray, " n"]) -> float:
    """Share of the votes above zero; NaN where there are few."""
    return float((votes > 0).mean()) if len(votes) >= limits.VOTES else float("nan")


def _middle(
    clip: Clip, joints: tuple[int, ...]
) -> tuple[Float[np.ndarray, "t m d"], Bool[np.ndarray, "t m"]]:
    """Mean place of the joints, and where all of them are there."""
    return clip.places[..., list(joints), :].mean(2), np.all(
        clip.present[..., list(joints)], axis=2
    )


def _up(clip: Clip, anatomy: Anatomy) -> Float[np.ndarray, " n"]:
    """Height of the head over the feet, in y, where head and feet are well apart in it."""
    if anatomy.head is None or not anatomy.feet:
        return np.zeros(0)
    head, with_head = _middle(clip, (anatomy.head,))
    feet, with_feet = _middle(clip, anatomy.feet)
    height = (head - feet)[..., 1]
    return height[with_head & with_feet & (np.abs(height) > limits.VOTE_HEIGHT * clip.size)]


def _handed_3d(clip: Clip, anatomy: Anatomy) -> Float[np.ndarray, " n"]:
    """Cosine between where the feet point and up x across, the body's forward in right-handed
    axes.
    """
    if anatomy.head is None or anatomy.hips is None or not anatomy.toes:
        return np.zeros(0)
    head, with_head = _middle(clip, (anatomy.head,))
    hips, with_hips = _middle(clip, anatomy.hips)
    ankles, with_ankles = _middle(clip, tuple(ankle for ankle, _ in anatomy.toes))
    feet, with_feet = _middle(clip, tuple(foot for _, foot in anatomy.toes))
    left, right = (clip.places[..., joint, :] for joint in anatomy.hips)
    forward, ahead = np.cross(head - hips, right - left), feet - ankles
    lengths = np.linalg.norm(forward, axis=-1) * np.linalg.norm(ahead, axis=-1)
    cosine = (forward * ahead).sum(-1) / np.where(lengths > 0, lengths, 1)
    return cosine[
        with_head & with_hips & with_ankles & with_feet & (np.abs(cosine) > limits.FORWARD_COSINE)
    ]


def _handed_2d(clip: Clip, anatomy: Anatomy) -> Float[np.ndarray, " n"]:
    """Above zero where the left eye lies on the side of the right eye on which the left shoulder
    lies of the right.
    """
    if anatomy.eyes is None or anatomy.shoulders is None:
        return np.zeros(0)
    across = []
    there = np.ones(clip.seen.shape, bool)
    for (left, right), apart in (
        (anatomy.eyes, limits.EYES_APART),
        (anatomy.shoulders, limits.SHOULDERS_APART),
    ):
        x = clip.places[..., left, 0] - clip.places[..., right, 0]
        there &= (
            clip.present[..., left] & clip.present[..., right] & (np.abs(x) > apart * clip.size)
        )
        across.append(x)
    return (across[0] * across[1])[there]
