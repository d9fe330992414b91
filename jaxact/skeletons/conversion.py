"""Joints of one layout as joints of another.

`STEPS` is the whole truth: a joint of the target that the source has under the same name is taken
over as it is, and the table says how every other one is made. Conversions that are not in the table
are chains of those that are. Names carry the sides, so that left stays left whatever the order of
the joints.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from jaxact.errors import UserError, unknown
from jaxact.skeletons.layouts import LAYOUTS

Parts = tuple[str, ...]

SHOULDERS: Parts = ("left_shoulder", "right_shoulder")
MISSING: Parts = ()  # the source knows nothing of the joint: it is missing

# OpenPose's neck is not a joint that is seen but the middle of the shoulders; sets that have a neck
# of their own mean another place, so it is made from the shoulders there too. The middle of a head
# stands in for the nose.
_BODY: Mapping[str, Parts] = {"nose": ("head",), "neck": SHOULDERS}
STEPS: Mapping[tuple[str, str], Mapping[str, Parts]] = {
    ("coco-17", "openpose-18"): {"neck": SHOULDERS},
    ("openpose-18", "coco-17"): {},
    ("openpose-18", "body-14"): {},
    ("body-14", "openpose-18"): dict.fromkeys(
        ("left_eye", "right_eye", "left_ear", "right_ear"), MISSING
    ),
    ("body-25", "openpose-18"): {},
    ("mediapipe-33", "coco-17"): {},
    ("jhmdb-15", "body-14"): {"nose": ("face",), "neck": SHOULDERS},
    ("ntu-25", "body-14"): _BODY,
    ("ntu-25", "ntu-25-star"): {},
    ("ntu-25-star", "ntu-25"): {},
    ("ntu-25", "kinect-20"): {
        "shoulder_centre": ("spine_shoulder",),
        "spine": ("spine_mid",),
        "hip_centre": ("spine_base",),
    },
    ("kinect-20", "body-14"): _BODY,
    ("kinect-20", "kinect-20-hip"): {},
    ("kinect-20-hip", "kinect-20"): {},
    ("kinect-20", "kinect-20-msr"): {},
    ("kinect-20-msr", "kinect-20"): {},
}


def convert(
    joints: Float[np.ndarray, "*axes v c"],
    source: str,
    target: str,
    *,
    channels: Sequence[str] = ("x", "y", "z"),
) -> Float[np.ndarray, "*axes w c"]:
    """The same poses with the joints of another layout.

    A joint is copied, or it is the mean of the joints it is made from: x = sum_i x_i / n. Its score
    is the smallest of theirs. Where one of them is missing (zero, or without a score) it is missing
    too. A mean that falls on the origin cannot be told from a missing joint: convert before
    anything is centred.

    Args:
      joints: in the order of `source`, any axes before the joint's.
      source: name of their layout.
      target: name of the layout wanted.
      channels: what the last axis holds; "score" is no coordinate.

    Returns:
      Joints in the order of `target`; those that the source knows nothing of are zero.

    Raises:
      UserError: an unknown layout, no way from one to the other, or joints that are not of
          `source`.
    """
    way = conversion_path(source, target)
    if joints.shape[-2:] != (len(LAYOUTS[source].joints), len(channels)):
        raise UserError(
            f"{joints.shape[-2]} joints of {joints.shape[-1]} channels, but layout {source!r} has "
            f"{len(LAYOUTS[source].joints)} and the channels are {', '.join(channels)}"
        )
    for name in way:
        joints = _step(joints, source, name, list(channels))
        source = name
    return joints


def conversion_path(source: str, target: str) -> list[str]:
    """Layouts on the shortest way from `source` to `target`, without `source`.

    Raises:
      UserError: an unknown layout, or no way; lists what `source` can become.
    """
    for name in (source, target):
        if name not in LAYOUTS:
            raise unknown("layout", name, LAYOUTS)
    ways: dict[str, list[str]] = {source: []}
    queue = [source]
    for here in queue:
        for start, end in STEPS:
            if start == here and end not in ways:
                ways[end] = [*ways[here], end]
                queue.append(end)
    if target not in ways:
        raise UserError(
            f"layout {source!r} does not convert to {target!r}; it does to: {', '.join(queue[1:]) or 'none'}"
        )
    return ways[target]


def _step(joints: np.ndarray, source: str, target: str, channels: list[str]) -> np.ndarray:
    """One entry of the table."""
    names = LAYOUTS[source].joints
    made = STEPS[source, target]
    places = [axis for axis, channel in enumerate(channels) if channel != "score"]
    result = np.zeros(
        (*joints.shape[:-2], len(LAYOUTS[target].joints), joints.shape[-1]), joints.dtype
    )
    for index, joint in enumerate(LAYOUTS[target].joints):
        parts = joints[..., [names.index(part) for part in made.get(joint, (joint,))], :]
        if parts.shape[-2] == 1:
            result[..., index, :] = parts[..., 0, :]
        elif parts.shape[-2]:
            merged = parts.mean(-2, dtype=joints.dtype)
            there = np.any(parts[..., places] != 0, axis=-1)
            if "score" in channels:
                scores = parts[..., channels.index("score")]
                merged[..., channels.index("score")] = scores.min(-1)
                there &= scores > 0
            result[..., index, :] = np.where(there.all(-1)[..., None], merged, 0)
    return result
