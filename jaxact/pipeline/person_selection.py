"""Which people of a clip are kept, and in which slots."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from jaxact.errors import UserError, unknown
from jaxact.pipeline import array_ops as ops
from jaxact.pipeline import body_denoising
from jaxact.pipeline import joints as jt
from jaxact.pipeline.array_ops import Array

PERSONS = ("file", "frame_score", "clip_mean", "energy", "denoised")
DETECTIONS = 5  # the released Kinetics preprocessing looks at the first five detections of a frame
BODIES = 4  # 2s-AGCN's looks at the first four bodies of an NTU frame


def choose(
    joints: Float[Array, "t n v c"],
    *,
    persons: int,
    person: str,
    channels: Sequence[str],
    ids: Int[Array, "t n"] | None = None,
) -> Float[Array, "t m v c"]:
    """Keeps `persons` people and fills up with empty slots.

    Args:
      joints: a record's joints, every person.
      persons: slots wanted, m.
      person: "file" keeps the first slots of the record; "frame_score" the best of each frame's
        first five detections by the sum of their joint scores, sorted anew in every frame as the
        released Kinetics arrays are (a slot is then no identity); "clip_mean" those of the first
        five slots whose scores have the highest mean over the clip, as ST-GCN's section 4.1 has it;
        "energy" those of the first four whose joints move most, as 2s-AGCN's NTU arrays do;
        "denoised" the two of `denoise.two_people` where `ids` tell who is in which slot, and the
        first slots where they do not: such records were sorted by whoever made them.
      channels: the record's channels.
      ids: the sensor's number of the body in each slot, 0 for none.
    """
    if person == "frame_score":
        joints = joints[:, :DETECTIONS]
        joints = ops.gather(
            joints, _ranked(ops.reduce_sum(joints[..., -1], axis=2)), axis=1, batch_dims=1
        )
    elif person == "clip_mean":
        joints = joints[:, :DETECTIONS]
        joints = ops.gather(joints, _ranked(ops.reduce_mean(joints[..., -1], axis=(0, 2))), axis=1)
    elif person == "energy":
        joints = joints[:, :BODIES]
        joints = ops.gather(joints, _ranked(energy(joints, jt.space(channels))), axis=1)
    elif person == "denoised":
        joints = joints if ids is None else body_denoising.two_people(joints, ids)
    elif person != "file":
        raise unknown("person choice", person, PERSONS)
    kept = joints[:, :persons]
    kept = ops.pad(kept, [[0, 0], [0, persons - ops.shape(kept)[1]], [0, 0], [0, 0]])
    return ops.ensure_shape(kept, [None, persons, *joints.shape[2:]])


def energy(joints: Float[Array, "t n v c"], dims: int) -> Float[Array, " n"]:
    """How much each person moves: the sum over the axes of the standard deviation over frames and
    joints.

    Only frames in which the person is there count. 2s-AGCN keeps the two of most energy of NTU's
    bodies, whose false detections are chairs and other things that stand still.
    """
    there = ops.reduce_any(jt.present(joints), axis=2)[..., None, None]
    weight = ops.cast(there, np.float32)
    count = ops.reduce_sum(weight, axis=(0, 2)) * ops.cast(ops.shape(joints)[2], np.float32)
    positions = joints[..., :dims] * weight
    mean = ops.divide_no_nan(ops.reduce_sum(positions, axis=(0, 2)), count)
    squares = ops.reduce_sum(ops.square(positions - mean[:, None]) * weight, axis=(0, 2))
    return ops.reduce_sum(ops.sqrt(ops.divide_no_nan(squares, count)), axis=-1)


def check(*, person: str, channels: Sequence[str]) -> None:
    """Raises UserError for an unknown choice, or one by score where the records have none."""
    if person not in PERSONS:
        raise unknown("person choice", person, PERSONS)
    if person == "denoised" and jt.space(channels) != 3:
        raise UserError(
            f"person='denoised' is a rule for bodies in space, but these records hold {tuple(channels)}; "
            "use person='file' or, with scores, person='frame_score'"
        )
    if person in ("frame_score", "clip_mean") and channels[-1] != "score":
        raise UserError(
            f"person={person!r} ranks people by a score channel, but these records hold {tuple(channels)}; "
            "use person='file' or person='energy'"
        )


def _ranked(worth: Array) -> Array:
    """Slots from the most to the least worth; equal ones keep their order."""
    return ops.argsort(worth, axis=-1, direction="DESCENDING", stable=True)
