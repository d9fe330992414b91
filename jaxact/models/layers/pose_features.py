"""A frame as the recogniser reads it: 34 numbers, where the joints are and which way the body's
parts point.

    [b t v c] -> 14 joints x 2 coordinates, 6 directions -> [b t 34]        or 17 joints x 2 coordinates -> [b t 34]

The paper gives the number 34 and no list; that it is 28 coordinates and the directions of head,
trunk and four limbs is a decision taken here, and "coco17", the 17 joints of COCO, is what else
would fit.
"""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxact import skeletons
from jaxact.errors import UserError, unknown
from jaxact.skeletons import pose_body

Rows = tuple[tuple[float, ...], ...]  # [w][v]: each joint as weights on the joints of the input

FEATURES = ("parts", "coco17")

NECK, HIPS = 1, (8, 11)  # of body-14
# From joint, to joint; the trunk ends between the hips.
PARTS = {
    "head": (1, 0),
    "right_arm": (2, 4),
    "left_arm": (5, 7),
    "right_leg": (8, 10),
    "left_leg": (11, 13),
}
ORDER = ("head", "trunk", "right_arm", "left_arm", "right_leg", "left_leg")


def joint_rows(layout: skeletons.Layout, features: str) -> Rows:
    """How the joints that `features` is made of come of those of `layout`: one of them, or the mean
    of several.

    Raises:
        UserError: unknown features, a layout that does not convert, or one without some of the
            joints.
    """
    if features not in FEATURES:
        raise unknown("features", features, FEATURES)
    if features == "parts":
        matrix = pose_body.body_matrix(layout)
    else:
        wanted = skeletons.LAYOUTS["coco-17"].joints
        if missing := [joint for joint in wanted if joint not in layout.joints]:
            raise UserError(
                f"features 'coco17' need every joint of 'coco-17', but {layout.name!r} has no {', '.join(missing)}; "
                "wanted another layout, or model.features='parts'"
            )
        matrix = np.array([[joint == own for own in layout.joints] for joint in wanted], np.float32)
    return tuple(tuple(float(weight) for weight in row) for row in matrix)


def frame_vectors(
    places: Float[Array, "b t w 2"],
    present: Bool[Array, "b t w"],
    last: Float[Array, "b w 2"],
    *,
    parts: bool,
    along: tuple[Float[Array, "b t 6 2"], Bool[Array, "b t 6"]] | None = None,
) -> tuple[Float[Array, "b t 34"], Float[Array, "b w 2"]]:
    """The vectors of a clip, and the place at which each joint was seen last.

    Coordinates are x, y of joint 0, x, y of joint 1 ...; a missing joint is where it was last, or
    zero. A direction is read where its joints are seen in this very frame, and is zero elsewhere.

    Args:
        places: from the picture's middle, y downwards, in heights and widths of the picture: x / W
            - 0.5, y / H - 0.5.
        present: whether the joint is seen.
        last: where it was seen before the first frame, zero where it never was.
        parts: append the six directions.
        along: vectors along the six parts and whether there are any, in place of those between
            joints: the pose network's fields, see `jaxact.models.pose_decoding.part_vectors`.
    """
    held, last = fill(places, present, last)
    vector = held.reshape(*held.shape[:2], -1)
    if parts:
        vector = jnp.concatenate(
            [vector, directions(*(along or part_vectors(places, present)))], axis=-1
        )
    return vector, last


def taken(
    inputs: Float[Array, "b t v c"], rows: Rows, score: bool
) -> tuple[Float[Array, "b t w 2"], Bool[Array, "b t w"]]:
    """The joints of the vector from those of the input, and whether they are present.

    A joint that is the mean of several is present where all of them are.

    Args:
        inputs: x, y and perhaps more; a missing joint is zero, or has a score of zero.
        rows: from `joint_rows`.
        score: whether the last channel is one.
    """
    weights = jnp.asarray(rows, jnp.float32)
    places = inputs[..., :2].astype(jnp.float32)
    seen = inputs[..., -1] > 0 if score else jnp.any(inputs != 0, axis=-1)
    absent = jnp.einsum(
        "btv,wv->btw", (~seen).astype(jnp.float32), (weights > 0).astype(jnp.float32)
    )
    return jnp.einsum("btvc,wv->btwc", places, weights), absent == 0


def fill(
    places: Float[Array, "b t w 2"], present: Bool[Array, "b t w"], last: Float[Array, "b w 2"]
) -> tuple[Float[Array, "b t w 2"], Float[Array, "b w 2"]]:
    """Each joint where it was seen last, and where that is after the clip."""
    frames = places.shape[1]
    number: Int[Array, " t"] = jnp.arange(1, frames + 1)
    newest = jax.lax.cummax(
        jnp.where(present, number[None, :, None], 0), axis=1
    )  # 0: before the clip
    before = jnp.concatenate([last[:, None], places], axis=1)
    held = jnp.take_along_axis(before, newest[..., None], axis=1)
    return held, held[:, -1]


def part_vectors(
    places: Float[Array, "b t 14 2"], present: Bool[Array, "b t 14"]
) -> tuple[Float[Array, "b t 6 2"], Bool[Array, "b t 6"]]:
    """Of each part in `ORDER` the vector along it, and whether the joints that it is made of are
    present.
    """
    neck, right, left = (places[:, :, joint] for joint in (NECK, *HIPS))
    vectors = {
        name: places[:, :, end] - places[:, :, start] for name, (start, end) in PARTS.items()
    }
    vectors["trunk"] = (right + left) / 2 - neck
    both = {name: present[:, :, start] & present[:, :, end] for name, (start, end) in PARTS.items()}
    both["trunk"] = functools.reduce(
        jnp.logical_and, (present[:, :, joint] for joint in (NECK, *HIPS))
    )
    return (
        jnp.stack([vectors[name] for name in ORDER], axis=2),
        jnp.stack([both[name] for name in ORDER], axis=2),
    )


def directions(
    vectors: Float[Array, "b t 6 2"], present: Bool[Array, "b t 6"]
) -> Float[Array, "b t 6"]:
    """Angle between a part and its direction at rest, divided by pi, in (-1, 1]; positive is
    clockwise to the viewer.

    At rest the head points up and everything else down. Zero where the part is missing or has no
    length.
    """
    x, y = vectors[..., 0], vectors[..., 1]
    up = jnp.asarray([name == "head" for name in ORDER])[None, None]
    along, across = jnp.where(up, -y, y), jnp.where(up, x, -x)
    there = present & ((along != 0) | (across != 0))
    # Where there is no part the angle is that of another vector, so that its gradient is none and
    # not undefined.
    angle = jnp.arctan2(jnp.where(across == 0, 0.0, across), jnp.where(there, along, 1.0))
    return jnp.where(there, angle / np.float32(np.pi), 0.0)


def check_channels(channels: Sequence[str]) -> None:
    """Raises UserError unless a joint's numbers begin with x and y."""
    if tuple(channels[:2]) != ("x", "y"):
        raise UserError(
            f"the recogniser reads the channels x and y of a joint first, got {', '.join(channels)}"
        )
