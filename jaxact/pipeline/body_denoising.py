"""Who is who among the bodies a Kinect saw, and which of them are no people: the rules of SGN, kept
by CTR-GCN.

Zhang et al., "Semantics-Guided Neural Networks for Efficient Skeleton-Based Human Action
Recognition", CVPR 2020, in its released preparation of NTU RGB+D. The released code also has a rule
on motion (0.089925 to 2) that it never calls.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from jaxact.pipeline import array_ops as ops
from jaxact.pipeline import joints as jt
from jaxact.pipeline.array_ops import Array

SHORTEST = 11  # frames; a body that is there in no more is no person
WIDEST = 0.8  # a pose is noise where it is wider than this share of its height
NOISY = 0.69754  # share of noisy poses from which on a body is no person

Bodies = Float[Array, "t k v c"]


def two_people(joints: Float[Array, "t n v 3"], ids: Int[Array, "t n"]) -> Float[Array, "t 2 v 3"]:
    """The two people of a record: bodies that are no people left out, the one who moves most first.

    Departs from the release where a body leaves and comes back: it keeps its frames, where the
    release moves them together. Where no body is there in more than `SHORTEST` frames, all are
    kept.
    """
    joints = bodies(joints, ids)
    people, motion = denoised(joints)
    ranked = ops.argsort(ops.where(people, motion, -1.0), direction="DESCENDING", stable=True)
    ranked = ranked[: ops.reduce_sum(ops.cast(people, np.int32))]
    return merged(ops.gather(joints, ranked, axis=1))


def bodies(joints: Float[Array, "t n v c"], ids: Int[Array, "t n"]) -> Bodies:
    """One slot for each body id, in the order of their first appearance; an empty one where there
    is nobody.
    """
    there = ops.where(ops.reduce_any(jt.present(joints), axis=2))
    names, slots = ops.unique(ops.gather_nd(ids, there))
    place = ops.stack([ops.cast(there[:, 0], np.int32), slots], axis=1)
    shape = [ops.shape(joints)[0], ops.maximum(ops.size(names), 1), *joints.shape[2:]]
    return ops.tensor_scatter_nd_update(ops.zeros(shape), place, ops.gather_nd(joints, there))


def denoised(joints: Bodies) -> tuple[Bool[Array, " k"], Float[Array, " k"]]:
    """Which bodies are people, and how much each moves.

    Two rules, where there are several bodies. Those there in at most `SHORTEST` frames are left
    out. Of the others, those with a share of `NOISY` poses or more are left out, in turn, as long
    as one is left; a pose is noise where max x - min x > `WIDEST` (max y - min y). Motion is the
    variance of the joints over frames and joints, summed over the axes; of the poses that are no
    noise, where these move less.
    """
    there = ops.reduce_any(jt.present(joints), axis=2)
    count = ops.reduce_sum(ops.cast(there, np.int32), axis=0)
    long = count > SHORTEST
    people = long | ~ops.reduce_any(long)
    spread = ops.reduce_max(joints, axis=2) - ops.reduce_min(joints, axis=2)
    calm = there & (spread[..., 0] <= WIDEST * spread[..., 1])
    noise = (count - ops.reduce_sum(ops.cast(calm, np.int32), axis=0)) / ops.maximum(count, 1)
    good = people & (noise < NOISY)
    numbers = ops.range(ops.size(count))
    last = numbers == ops.reduce_max(ops.where(people, numbers, -1))
    people = ops.where(ops.reduce_any(good), good, last)
    return people, ops.minimum(_variance(joints, there), _variance(joints, calm))


def merged(joints: Bodies) -> Float[Array, "t 2 v c"]:
    """Bodies, those who move most first, in two slots: each in the first slot whose time it does
    not share.

    A slot's time reaches from the first to the last frame of its bodies, the second slot's from
    frame 0 on; two times that have but one frame in common share none. A body that finds no slot is
    left out.
    """
    there = ops.reduce_any(jt.present(joints), axis=2)
    frames = ops.shape(there)[0]
    first = ops.argmax(there, axis=0, output_type=np.int32)
    last = frames - 1 - ops.argmax(there[::-1], axis=0, output_type=np.int32)

    def seat(before: tuple[Array, Array], body: Array) -> tuple[Array, Array]:
        times = before[0]
        free = ops.minimum(times[:, 1], body[1]) - ops.maximum(times[:, 0], body[0]) <= 0
        slot = ops.where(free[0], 0, ops.where(free[1], 1, 2))
        grown = ops.stack(
            [ops.minimum(times[:, 0], body[0]), ops.maximum(times[:, 1], body[1])], axis=1
        )
        return ops.where(ops.range(2)[:, None] == slot, grown, times), slot

    times = ops.stack([ops.stack([frames, -1]), ops.constant([0, 0])])
    _, slots = ops.scan(seat, ops.stack([first, last], axis=1), (times, ops.constant(2)))
    seated = there[:, None] & (slots == ops.range(2)[:, None])  # frame, slot, body
    # Of two bodies in one frame of a slot the later one stays.
    owner = ops.reduce_max(ops.where(seated, ops.range(ops.size(slots)) + 1, 0), axis=2)
    nobody = ops.zeros_like(joints[:, :1])
    return ops.gather(ops.concat([nobody, joints], axis=1), owner, axis=1, batch_dims=1)


def _variance(joints: Bodies, chosen: Bool[Array, "t k"]) -> Float[Array, " k"]:
    """The variance of the joints of the chosen poses over frames and joints, summed over the
    axes.
    """
    weight = ops.cast(chosen, np.float32)[..., None, None]
    count = ops.reduce_sum(weight, axis=(0, 2)) * ops.cast(ops.shape(joints)[2], np.float32)
    mean = ops.divide_no_nan(ops.reduce_sum(joints * weight, axis=(0, 2)), count)
    squares = ops.reduce_sum(ops.square(joints - mean[:, None]) * weight, axis=(0, 2))
    return ops.reduce_sum(ops.divide_no_nan(squares, count), axis=-1)
