"""Selection of the people of a clip, and of their slots."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from jaxact.config.inputs import ClipConfig, choices
from jaxact.errors import UserError, unknown
from jaxact.pipeline import array_ops as ops
from jaxact.pipeline import body_denoising, joint_ops
from jaxact.pipeline.array_ops import Array

PERSONS = choices(ClipConfig)["person"]
DETECTIONS = 5  # the released Kinetics preprocessing reads the first five detections of a frame
BODIES = 4  # 2s-AGCN's reads the first four bodies of an NTU frame


def select(
    joints: Float[Array, "t n v c"],
    *,
    persons: int,
    person: str,
    channels: Sequence[str],
    ids: Int[Array, "t n"] | None = None,
) -> Float[Array, "t m v c"]:
    """Selects `persons` people and pads with empty slots.

    Args:
        joints: a record's joints, every person.
        persons: number of slots, m.
        person: "file" selects the first slots of the record. "frame_score" selects the best of each
            frame's first five detections by the sum of their joint scores, and sorts every frame by
            itself as the released Kinetics arrays do (a slot is then not an identity). "clip_mean"
            selects those of the first five slots whose scores have the highest mean over the clip,
            as in ST-GCN's section 4.1. "energy" selects those of the first four whose joints move
            most, as in 2s-AGCN's NTU arrays. "denoised" selects the two of
            `body_denoising.two_people` if there are `ids`; without them it selects the first slots,
            because the authors of such records have sorted them.
        channels: the record's channels.
        ids: the sensor's number of the body in each slot, 0 for none.
    """
    if person == "frame_score":
        joints = joints[:, :DETECTIONS]
        order = _descending(ops.reduce_sum(joints[..., -1], axis=2))
        joints = ops.gather(joints, order, axis=1, batch_dims=1)
    elif person == "clip_mean":
        joints = joints[:, :DETECTIONS]
        order = _descending(ops.reduce_mean(joints[..., -1], axis=(0, 2)))
        joints = ops.gather(joints, order, axis=1)
    elif person == "energy":
        joints = joints[:, :BODIES]
        order = _descending(energy(joints, joint_ops.spatial_dims(channels)))
        joints = ops.gather(joints, order, axis=1)
    elif person == "denoised":
        if ids is not None:
            joints = body_denoising.two_people(joints, ids)
    elif person != "file":
        raise unknown("person choice", person, PERSONS)
    selected = joints[:, :persons]
    padding = [[0, 0], [0, persons - ops.shape(selected)[1]], [0, 0], [0, 0]]
    return ops.ensure_shape(ops.pad(selected, padding), [None, persons, *joints.shape[2:]])


def energy(joints: Float[Array, "t n v c"], dims: int) -> Float[Array, " n"]:
    """How much each person moves: the standard deviation over frames and joints, summed over axes.

    Only frames in which the person is present count. 2s-AGCN selects NTU's two bodies of highest
    energy, because its false detections are chairs and other things that stand still.
    """
    in_frame = ops.reduce_any(joint_ops.present(joints), axis=2)[..., None, None]
    weight = ops.cast(in_frame, np.float32)
    count = ops.reduce_sum(weight, axis=(0, 2)) * ops.cast(ops.shape(joints)[2], np.float32)
    positions = joints[..., :dims] * weight
    mean = ops.divide_no_nan(ops.reduce_sum(positions, axis=(0, 2)), count)
    squares = ops.reduce_sum(ops.square(positions - mean[:, None]) * weight, axis=(0, 2))
    return ops.reduce_sum(ops.sqrt(ops.divide_no_nan(squares, count)), axis=-1)


def check(*, person: str, channels: Sequence[str]) -> None:
    """Raises UserError for an unknown choice, or one that these channels do not allow."""
    if person not in PERSONS:
        raise unknown("person choice", person, PERSONS)
    if person == "denoised" and joint_ops.spatial_dims(channels) != 3:
        raise UserError(
            f"person='denoised' is a rule for 3-D bodies, but these records hold "
            f"{tuple(channels)}; use person='file' or, with scores, person='frame_score'"
        )
    if person in ("frame_score", "clip_mean") and channels[-1] != "score":
        raise UserError(
            f"person={person!r} ranks people by a score channel, but these records hold "
            f"{tuple(channels)}; use person='file' or person='energy'"
        )


def _descending(values: Array) -> Array:
    """Indices that sort from the highest value to the lowest; equal values keep their order."""
    return ops.argsort(values, axis=-1, direction="DESCENDING", stable=True)
