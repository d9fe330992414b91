"""The recogniser's feature vector of a frame: 34 values, the joints' coordinates and the directions
of the body parts.

    [b t v c] -> 14 joints x 2 coordinates, 6 directions -> [b t 34]
    [b t v c] -> 17 joints x 2 coordinates               -> [b t 34]

The paper gives the number 34 and no list. That it is 28 coordinates and the directions of head,
trunk and four limbs is a choice made here; "coco17", the 17 joints of COCO, also fits.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxact import skeletons
from jaxact.errors import UserError, unknown
from jaxact.skeletons import pose_body

JointMatrix = tuple[tuple[float, ...], ...]  # [w][v]: weights of the input's joints in each joint

FEATURES = ("parts", "coco17")

NECK, RIGHT_HIP, LEFT_HIP = 1, 8, 11  # of body-14
# From joint, to joint; the trunk ends between the hips.
PARTS = {
    "head": (1, 0),
    "right_arm": (2, 4),
    "left_arm": (5, 7),
    "right_leg": (8, 10),
    "left_leg": (11, 13),
}
ORDER = ("head", "trunk", "right_arm", "left_arm", "right_leg", "left_leg")


def joint_matrix(layout: skeletons.Layout, features: str) -> JointMatrix:
    """The joints of `features` from those of `layout`: each a joint or the mean of several.

    Raises:
        UserError: unknown features, a layout that does not convert, or one without some of the
            joints.
    """
    if features not in FEATURES:
        raise unknown("features", features, FEATURES)
    if features == "parts":
        matrix = pose_body.body_matrix(layout)
    else:
        joints = skeletons.LAYOUTS["coco-17"].joints
        absent = [joint for joint in joints if joint not in layout.joints]
        if absent:
            raise UserError(
                f"features 'coco17' need every joint of 'coco-17', but {layout.name!r} has no "
                f"{', '.join(absent)}; wanted another layout, or model.features='parts'"
            )
        columns = [layout.joints.index(joint) for joint in joints]
        matrix = np.eye(len(layout.joints), dtype=np.float32)[columns]
    return tuple(tuple(float(weight) for weight in row) for row in matrix)


def frame_vectors(
    positions: Float[Array, "b t w 2"],
    present: Bool[Array, "b t w"],
    last_positions: Float[Array, "b w 2"],
    *,
    parts: bool,
    measured: tuple[Float[Array, "b t 6 2"], Bool[Array, "b t 6"]] | None = None,
) -> tuple[Float[Array, "b t 34"], Float[Array, "b w 2"]]:
    """The vectors of a clip, and each joint's last position.

    Coordinates are x, y of joint 0, x, y of joint 1 ...; a missing joint has its last position, or
    zero. A direction is computed in frames in which its joints are present, and is zero elsewhere.

    Args:
        positions: relative to the image centre, y downwards, in image widths and heights: x / W -
            0.5, y / H - 0.5.
        present: whether the joint is present.
        last_positions: of each joint before the first frame; zero if it was never present.
        parts: append the six directions.
        measured: vectors along the six parts and their presence, which replace the differences of
            joints: those of the pose network, see `jaxact.models.pose_decoding.part_vectors`.
    """
    filled, last_positions = hold_missing(positions, present, last_positions)
    vectors = filled.reshape(*filled.shape[:2], -1)
    if parts:
        along, part_present = measured or part_vectors(positions, present)
        vectors = jnp.concatenate([vectors, directions(along, part_present)], axis=-1)
    return vectors, last_positions


def select_joints(
    inputs: Float[Array, "b t v c"], matrix: JointMatrix, score: bool
) -> tuple[Float[Array, "b t w 2"], Bool[Array, "b t w"]]:
    """The positions of the vector's joints, and whether they are present.

    A joint that is the mean of several is present where all of them are.

    Args:
        inputs: x, y and perhaps more channels; a missing joint is zero, or has a score of zero.
        matrix: from `joint_matrix`.
        score: whether the last channel is a score.
    """
    weights = jnp.asarray(matrix, jnp.float32)
    positions = inputs[..., :2].astype(jnp.float32)
    present = inputs[..., -1] > 0 if score else jnp.any(inputs != 0, axis=-1)
    missing_sources = jnp.einsum(
        "btv,wv->btw", (~present).astype(jnp.float32), (weights > 0).astype(jnp.float32)
    )
    return jnp.einsum("btvc,wv->btwc", positions, weights), missing_sources == 0


def hold_missing(
    positions: Float[Array, "b t w 2"],
    present: Bool[Array, "b t w"],
    last_positions: Float[Array, "b w 2"],
) -> tuple[Float[Array, "b t w 2"], Float[Array, "b w 2"]]:
    """Positions in which a missing joint keeps its last one, and those after the last frame."""
    frames = positions.shape[1]
    index: Int[Array, " t"] = jnp.arange(1, frames + 1)  # 0 is the frame before the clip
    newest = jax.lax.cummax(jnp.where(present, index[None, :, None], 0), axis=1)
    extended = jnp.concatenate([last_positions[:, None], positions], axis=1)
    filled = jnp.take_along_axis(extended, newest[..., None], axis=1)
    return filled, filled[:, -1]


def part_vectors(
    positions: Float[Array, "b t 14 2"], present: Bool[Array, "b t 14"]
) -> tuple[Float[Array, "b t 6 2"], Bool[Array, "b t 6"]]:
    """The vector along each part in `ORDER`, and whether the part's joints are present."""
    vectors, part_present = {}, {}
    for name, (start, end) in PARTS.items():
        vectors[name] = positions[:, :, end] - positions[:, :, start]
        part_present[name] = present[:, :, start] & present[:, :, end]
    neck = positions[:, :, NECK]
    vectors["trunk"] = (positions[:, :, RIGHT_HIP] + positions[:, :, LEFT_HIP]) / 2 - neck
    part_present["trunk"] = present[:, :, NECK] & present[:, :, RIGHT_HIP] & present[:, :, LEFT_HIP]
    return (
        jnp.stack([vectors[name] for name in ORDER], axis=2),
        jnp.stack([part_present[name] for name in ORDER], axis=2),
    )


def directions(
    vectors: Float[Array, "b t 6 2"], present: Bool[Array, "b t 6"]
) -> Float[Array, "b t 6"]:
    """Angle between each part and its rest direction, divided by pi, in (-1, 1].

    Positive is clockwise to the viewer. At rest the head points up and the other parts down. Zero
    where the part is missing or has no length.
    """
    x, y = vectors[..., 0], vectors[..., 1]
    up = jnp.asarray([name == "head" for name in ORDER])[None, None]
    along, across = jnp.where(up, -y, y), jnp.where(up, x, -x)
    defined = present & ((along != 0) | (across != 0))
    # The angle of another vector where there is none, so that its gradient is zero and not NaN.
    angle = jnp.arctan2(jnp.where(across == 0, 0.0, across), jnp.where(defined, along, 1.0))
    return jnp.where(defined, angle / np.float32(np.pi), 0.0)


def check_channels(channels: Sequence[str]) -> None:
    """Raises UserError unless a joint's channels begin with x and y."""
    if tuple(channels[:2]) != ("x", "y"):
        raise UserError(
            f"the recogniser reads the channels x and y of a joint first, got {', '.join(channels)}"
        )
