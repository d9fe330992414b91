"""Converts joints from one layout to another.

`STEPS` defines every direct conversion. A joint that the source has under the same name is copied;
the table lists the source joints of every other joint. Other conversions are chains of direct ones.
Joints are matched by name, so left stays left whatever the order of the joints.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from jaxact.errors import UserError, unknown
from jaxact.skeletons.layouts import LAYOUTS

SourceJoints = tuple[str, ...]

SHOULDERS: SourceJoints = ("left_shoulder", "right_shoulder")
MISSING: SourceJoints = ()  # the source has no such joint

# OpenPose's neck is not a detected joint but the midpoint of the shoulders. The necks of other data
# sets are at another position, so the neck is computed from the shoulders there too. The middle of
# a head stands in for the nose.
_BODY: Mapping[str, SourceJoints] = {"nose": ("head",), "neck": SHOULDERS}
# (source, target) -> joint of the target -> the joints of the source whose mean it is.
STEPS: Mapping[tuple[str, str], Mapping[str, SourceJoints]] = {
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
    """Converts joints to another layout.

    A joint of the target is a copy of a source joint, or the mean of several: x = sum_i x_i / n.
    Its score is their lowest score. It is missing if one of them is missing (zero, or score 0). A
    mean at the origin is indistinguishable from a missing joint, so convert before centring.

    Args:
        joints: joints in the order of `source`, with any leading axes.
        source: name of their layout.
        target: name of the layout to convert to.
        channels: names of the channels on the last axis. "score" is not a coordinate.

    Returns:
        Joints in the order of `target`; those without a source joint are zero.

    Raises:
        UserError: an unknown layout, no conversion between the two, or joints that do not fit
          `source`.
    """
    path = conversion_path(source, target)
    if joints.shape[-2:] != (len(LAYOUTS[source].joints), len(channels)):
        raise UserError(
            f"{joints.shape[-2]} joints of {joints.shape[-1]} channels, but layout {source!r} has "
            f"{len(LAYOUTS[source].joints)} and the channels are {', '.join(channels)}"
        )
    for name in path:
        joints = _step(joints, source, name, list(channels))
        source = name
    return joints


def conversion_path(source: str, target: str) -> list[str]:
    """The layouts on the shortest chain of conversions from `source` to `target`.

    Returns:
        Names of the layouts, without `source` and with `target`.

    Raises:
        UserError: an unknown layout, or no such chain. The message lists the layouts that `source`
          converts to.
    """
    for name in (source, target):
        if name not in LAYOUTS:
            raise unknown("layout", name, LAYOUTS)
    paths: dict[str, list[str]] = {source: []}
    queue = [source]
    for layout in queue:  # breadth first; the queue grows in the loop
        for start, end in STEPS:
            if start == layout and end not in paths:
                paths[end] = [*paths[layout], end]
                queue.append(end)
    if target not in paths:
        raise UserError(
            f"layout {source!r} does not convert to {target!r}; "
            f"it does to: {', '.join(queue[1:]) or 'none'}"
        )
    return paths[target]


def _step(joints: np.ndarray, source: str, target: str, channels: list[str]) -> np.ndarray:
    """Applies one direct conversion."""
    names = LAYOUTS[source].joints
    source_joints = STEPS[source, target]
    coordinates = [axis for axis, channel in enumerate(channels) if channel != "score"]
    target_shape = (*joints.shape[:-2], len(LAYOUTS[target].joints), joints.shape[-1])
    converted = np.zeros(target_shape, joints.dtype)
    for index, joint in enumerate(LAYOUTS[target].joints):
        indices = [names.index(name) for name in source_joints.get(joint, (joint,))]
        if len(indices) == 1:
            converted[..., index, :] = joints[..., indices[0], :]
        elif indices:
            parts = joints[..., indices, :]
            mean = parts.mean(-2, dtype=joints.dtype)
            present = np.any(parts[..., coordinates] != 0, axis=-1)
            if "score" in channels:
                scores = parts[..., channels.index("score")]
                mean[..., channels.index("score")] = scores.min(-1)
                present &= scores > 0
            converted[..., index, :] = np.where(present.all(-1)[..., None], mean, 0)
    return converted
