"""Who is who among the bodies a Kinect saw, and which of them are no people: the rules of SGN, kept by CTR-GCN.

Zhang et al., "Semantics-Guided Neural Networks for Efficient Skeleton-Based Human Action Recognition", CVPR 2020, in
its released preparation of NTU RGB+D. The released code also has a rule on motion (0.089925 to 2) that it never calls.
"""

import tensorflow as tf
from jaxtyping import Bool, Float, Int

from jaxact.pipeline import joints as jt

SHORTEST = 11  # frames; a body that is there in no more is no person
WIDEST = 0.8  # a pose is noise where it is wider than this share of its height
NOISY = 0.69754  # share of noisy poses from which on a body is no person

Bodies = Float[tf.Tensor, "t k v c"]


def two_people(joints: Float[tf.Tensor, "t n v 3"], ids: Int[tf.Tensor, "t n"]) -> Float[tf.Tensor, "t 2 v 3"]:
    """The two people of a record: bodies that are no people left out, the one who moves most first.

    Departs from the release where a body leaves and comes back: it keeps its frames, where the release moves them
    together. Where no body is there in more than `SHORTEST` frames, all are kept.
    """
    joints = bodies(joints, ids)
    people, motion = denoised(joints)
    ranked = tf.argsort(tf.where(people, motion, -1.0), direction="DESCENDING", stable=True)
    ranked = ranked[: tf.reduce_sum(tf.cast(people, tf.int32))]
    return merged(tf.gather(joints, ranked, axis=1))


def bodies(joints: Float[tf.Tensor, "t n v c"], ids: Int[tf.Tensor, "t n"]) -> Bodies:
    """One slot for each body id, in the order of their first appearance; an empty one where there is nobody."""
    there = tf.where(tf.reduce_any(jt.present(joints), axis=2))
    names, slots = tf.unique(tf.gather_nd(ids, there))
    place = tf.stack([tf.cast(there[:, 0], tf.int32), slots], axis=1)
    shape = [tf.shape(joints)[0], tf.maximum(tf.size(names), 1), *joints.shape[2:]]
    return tf.tensor_scatter_nd_update(tf.zeros(shape), place, tf.gather_nd(joints, there))


def denoised(joints: Bodies) -> tuple[Bool[tf.Tensor, " k"], Float[tf.Tensor, " k"]]:
    """Which bodies are people, and how much each moves.

    Two rules, where there are several bodies. Those there in at most `SHORTEST` frames are left out. Of the others,
    those with a share of `NOISY` poses or more are left out, in turn, as long as one is left; a pose is noise where
    max x - min x > `WIDEST` (max y - min y). Motion is the variance of the joints over frames and joints, summed over
    the axes; of the poses that are no noise, where these move less.
    """
    there = tf.reduce_any(jt.present(joints), axis=2)
    count = tf.reduce_sum(tf.cast(there, tf.int32), axis=0)
    long = count > SHORTEST
    people = long | ~tf.reduce_any(long)
    spread = tf.reduce_max(joints, axis=2) - tf.reduce_min(joints, axis=2)
    calm = there & (spread[..., 0] <= WIDEST * spread[..., 1])
    noise = (count - tf.reduce_sum(tf.cast(calm, tf.int32), axis=0)) / tf.maximum(count, 1)
    good = people & (noise < NOISY)
    numbers = tf.range(tf.size(count))
    last = numbers == tf.reduce_max(tf.where(people, numbers, -1))
    people = tf.where(tf.reduce_any(good), good, last)
    return people, tf.minimum(_variance(joints, there), _variance(joints, calm))


def merged(joints: Bodies) -> Float[tf.Tensor, "t 2 v c"]:
    """Bodies, those who move most first, in two slots: each in the first slot whose time it does not share.

    A slot's time reaches from the first to the last frame of its bodies, the second slot's from frame 0 on; two times
    that have but one frame in common share none. A body that finds no slot is left out.
    """
    there = tf.reduce_any(jt.present(joints), axis=2)
    frames = tf.shape(there)[0]
    first = tf.argmax(there, axis=0, output_type=tf.int32)
    last = frames - 1 - tf.argmax(there[::-1], axis=0, output_type=tf.int32)

    def seat(before: tuple[tf.Tensor, tf.Tensor], body: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        times = before[0]
        free = tf.minimum(times[:, 1], body[1]) - tf.maximum(times[:, 0], body[0]) <= 0
        slot = tf.where(free[0], 0, tf.where(free[1], 1, 2))
        grown = tf.stack([tf.minimum(times[:, 0], body[0]), tf.maximum(times[:, 1], body[1])], axis=1)
        return tf.where(tf.range(2)[:, None] == slot, grown, times), slot

    times = tf.stack([tf.stack([frames, -1]), tf.constant([0, 0])])
    _, slots = tf.scan(seat, tf.stack([first, last], axis=1), (times, tf.constant(2)))
    seated = there[:, None] & (slots == tf.range(2)[:, None])  # frame, slot, body
    # Of two bodies in one frame of a slot the later one stays.
    owner = tf.reduce_max(tf.where(seated, tf.range(tf.size(slots)) + 1, 0), axis=2)
    nobody = tf.zeros_like(joints[:, :1])
    return tf.gather(tf.concat([nobody, joints], axis=1), owner, axis=1, batch_dims=1)


def _variance(joints: Bodies, chosen: Bool[tf.Tensor, "t k"]) -> Float[tf.Tensor, " k"]:
    """The variance of the joints of the chosen poses over frames and joints, summed over the axes."""
    weight = tf.cast(chosen, tf.float32)[..., None, None]
    count = tf.reduce_sum(weight, axis=(0, 2)) * tf.cast(tf.shape(joints)[2], tf.float32)
    mean = tf.math.divide_no_nan(tf.reduce_sum(joints * weight, axis=(0, 2)), count)
    squares = tf.reduce_sum(tf.square(joints - mean[:, None]) * weight, axis=(0, 2))
    return tf.reduce_sum(tf.math.divide_no_nan(squares, count), axis=-1)
