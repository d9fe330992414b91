"""Which bodies of a Kinect recording are people, and who is who: the rules of SGN and CTR-GCN.

Zhang et al., "Semantics-Guided Neural Networks for Efficient Skeleton-Based Human Action
Recognition", CVPR 2020, in its released preparation of NTU RGB+D. The released code also has a rule
on motion (0.089925 to 2) that it never calls.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from jaxact.pipeline import array_ops as ops
from jaxact.pipeline import joint_ops
from jaxact.pipeline.array_ops import Array

SHORTEST = 11  # frames; a body that is present in no more is not a person
WIDEST = 0.8  # a pose is noise if it is wider than this share of its height
NOISY = 0.69754  # a body with at least this share of noisy poses is not a person

Bodies = Float[Array, "t k v c"]


def two_people(joints: Float[Array, "t n v 3"], ids: Int[Array, "t n"]) -> Float[Array, "t 2 v 3"]:
    """The two people of a record, the one who moves most first; bodies that are noise are dropped.

    Departs from the release for a body that leaves and comes back: its frames stay where they are,
    where the release moves them together. If no body is present in more than `SHORTEST` frames, all
    remain.
    """
    bodies = group_by_id(joints, ids)
    is_person, motion = classify(bodies)
    order = ops.argsort(ops.where(is_person, motion, -1.0), direction="DESCENDING", stable=True)
    order = order[: ops.reduce_sum(ops.cast(is_person, np.int32))]
    return merge(ops.gather(bodies, order, axis=1))


def group_by_id(joints: Float[Array, "t n v c"], ids: Int[Array, "t n"]) -> Bodies:
    """One slot for each body id, in order of first appearance; one empty slot without any body."""
    positions = ops.where(ops.reduce_any(joint_ops.present(joints), axis=2))
    body_ids, slots = ops.unique(ops.gather_nd(ids, positions))
    indices = ops.stack([ops.cast(positions[:, 0], np.int32), slots], axis=1)
    shape = [ops.shape(joints)[0], ops.maximum(ops.size(body_ids), 1), *joints.shape[2:]]
    poses = ops.gather_nd(joints, positions)
    return ops.tensor_scatter_nd_update(ops.zeros(shape), indices, poses)


def classify(bodies: Bodies) -> tuple[Bool[Array, " k"], Float[Array, " k"]]:
    """Which bodies are people, and how much each moves.

    There are two rules if there are several bodies. Bodies present in at most `SHORTEST` frames are
    dropped. Of the others, those with a share of `NOISY` poses or more are dropped in turn, as long
    as one remains. A pose is noise where max x - min x > `WIDEST` (max y - min y). Motion is the
    variance of the joints over frames and joints, summed over the axes, or the same over the poses
    that are not noise if that is lower.
    """
    in_frame = ops.reduce_any(joint_ops.present(bodies), axis=2)
    frame_count = ops.reduce_sum(ops.cast(in_frame, np.int32), axis=0)
    is_long = frame_count > SHORTEST
    is_person = is_long | ~ops.reduce_any(is_long)
    extent = ops.reduce_max(bodies, axis=2) - ops.reduce_min(bodies, axis=2)
    is_clean_pose = in_frame & (extent[..., 0] <= WIDEST * extent[..., 1])
    noisy_count = frame_count - ops.reduce_sum(ops.cast(is_clean_pose, np.int32), axis=0)
    noisy_share = noisy_count / ops.maximum(frame_count, 1)
    is_clean = is_person & (noisy_share < NOISY)
    index = ops.range(ops.size(frame_count))
    is_last = index == ops.reduce_max(ops.where(is_person, index, -1))
    is_person = ops.where(ops.reduce_any(is_clean), is_clean, is_last)
    motion = ops.minimum(_variance(bodies, in_frame), _variance(bodies, is_clean_pose))
    return is_person, motion


def merge(bodies: Bodies) -> Float[Array, "t 2 v c"]:
    """Merges bodies into two slots; each goes to the first slot whose time it does not overlap.

    A slot's time is from the first to the last frame of its bodies; the second slot's begins at
    frame 0. Times that have only one frame in common do not overlap. A body without a free slot is
    dropped.

    Args:
        bodies: sorted by motion, the highest first.
    """
    in_frame = ops.reduce_any(joint_ops.present(bodies), axis=2)
    frames = ops.shape(in_frame)[0]
    first = ops.argmax(in_frame, axis=0, output_type=np.int32)
    last = frames - 1 - ops.argmax(in_frame[::-1], axis=0, output_type=np.int32)

    def assign(state: tuple[Array, Array], body_time: Array) -> tuple[Array, Array]:
        times = state[0]
        overlap = ops.minimum(times[:, 1], body_time[1]) - ops.maximum(times[:, 0], body_time[0])
        is_free = overlap <= 0
        slot = ops.where(is_free[0], 0, ops.where(is_free[1], 1, 2))
        start = ops.minimum(times[:, 0], body_time[0])
        end = ops.maximum(times[:, 1], body_time[1])
        extended = ops.stack([start, end], axis=1)
        return ops.where(ops.range(2)[:, None] == slot, extended, times), slot

    times = ops.stack([ops.stack([frames, -1]), ops.constant([0, 0])])
    _, slots = ops.scan(assign, ops.stack([first, last], axis=1), (times, ops.constant(2)))
    in_slot = in_frame[:, None] & (slots == ops.range(2)[:, None])  # frame, slot, body
    # Of two bodies in one frame of a slot the later one wins.
    owner = ops.reduce_max(ops.where(in_slot, ops.range(ops.size(slots)) + 1, 0), axis=2)
    nobody = ops.zeros_like(bodies[:, :1])
    return ops.gather(ops.concat([nobody, bodies], axis=1), owner, axis=1, batch_dims=1)


def _variance(bodies: Bodies, is_selected: Bool[Array, "t k"]) -> Float[Array, " k"]:
    """Variance of the selected poses' joints over frames and joints, summed over the axes."""
    weight = ops.cast(is_selected, np.float32)[..., None, None]
    count = ops.reduce_sum(weight, axis=(0, 2)) * ops.cast(ops.shape(bodies)[2], np.float32)
    mean = ops.divide_no_nan(ops.reduce_sum(bodies * weight, axis=(0, 2)), count)
    squares = ops.reduce_sum(ops.square(bodies - mean[:, None]) * weight, axis=(0, 2))
    return ops.reduce_sum(ops.divide_no_nan(squares, count), axis=-1)
