"""People out of the pose network's answers: joints are the peaks of S, and the fields L say which
of them are one body.

    S [b i j 14] -> peaks [b 14 p] -> L along the line between every two that a limb may join [b 13
    p p]
      -> best first, each peak once (numpy) -> people [b n 14 (x, y, score)]

`peaks` and `limb_scores` are of fixed size and compile; what follows is a few short lists a
picture.
"""

import functools
from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxact.skeletons.pose_body import BODY, LIMBS

STRIDE = 8  # pixels of the picture to a cell, each way
THRESHOLD = 0.1  # of S, below which there is no joint
MOST = 32  # peaks of a joint that are looked at, the highest ones
SAMPLES = 10  # places along a limb at which L is read
ALONG = 0.05  # how far L must point along the limb there ...
AGREE = 0.8  # ... in this share of them
LEAST = 3  # joints of a person
# The limbs, by their place in `LIMBS`, of each part in the order of
# `jaxact.models.layers.pose_features.ORDER`.
PARTS = {
    "head": (12,),
    "trunk": (6, 9),
    "right_arm": (2, 3),
    "left_arm": (4, 5),
    "right_leg": (7, 8),
    "left_leg": (10, 11),
}
FLOOR = 1e-2  # values below count as this one where a peak's place is refined: S is cut off there


class Peaks(NamedTuple):
    """The highest local maxima of each joint's map, best first.

    Attributes:
        places: x and y, pixels of the picture from its top left corner.
        scores: the value of S there; 0 where there are fewer.
    """

    places: Float[Array, "b 14 p 2"]
    scores: Float[Array, "b 14 p"]


def decode(
    answers: Mapping[str, Array | np.ndarray], *, persons: int = 30, most: int = MOST
) -> Float[np.ndarray, "b n 14 3"]:
    """The people in each picture, the one with the highest total score first.

    Args:
        answers: what the network returns; the last stage counts.
        persons: people to a picture, the others are left out.
        most: see `MOST`.

    Returns:
        x and y in pixels of the picture and the value of S; all three 0 for a missing joint, or
        nobody.
    """
    found = _candidates(
        jnp.asarray(answers["joints"])[:, -1], jnp.asarray(answers["limbs"])[:, -1], most
    )
    places, scores, limbs = map(np.asarray, found)
    people = np.zeros((len(scores), persons, len(BODY.joints), 3), np.float32)
    for row, picture in enumerate(people):
        for slot, body in enumerate(assemble(scores[row], limbs[row])[:persons]):
            for joint, peak in body.items():
                picture[slot, joint] = *places[row, joint, peak], scores[row, joint, peak]
    return people


def peaks(maps: Float[Array, "b i j _"], *, most: int = MOST) -> Peaks:
    """Cells above `THRESHOLD` that no neighbour of eight exceeds, to a fraction of a cell.

    Of equal neighbours the one that is read first is the peak. The fraction is where a parabola
    through the logarithms of three cells in a row has its top, along x and along y: exact for a
    Gaussian.

    Args:
        maps: S of one stage, with or without the map of the background.
        most: peaks of a joint.
    """
    maps = jnp.moveaxis(maps[..., : len(BODY.joints)].astype(jnp.float32), -1, 1)
    _, _, rows, columns = maps.shape
    around = jnp.pad(maps, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-jnp.inf)
    high = maps > THRESHOLD
    for y in (-1, 0, 1):
        for x in (-1, 0, 1):
            other = around[:, :, 1 + y : 1 + y + rows, 1 + x : 1 + x + columns]
            if (y, x) != (0, 0):
                high &= (maps > other) if (y, x) < (0, 0) else (maps >= other)
    flat = jnp.where(high, maps, 0.0).reshape(*maps.shape[:2], -1)
    scores, cells = jax.lax.top_k(flat, min(most, rows * columns))
    logarithm = jnp.log(jnp.maximum(maps, FLOOR))
    shifts = [
        jnp.take_along_axis(_fraction(logarithm, axis).reshape(flat.shape), cells, axis=2)
        for axis in (3, 2)
    ]
    middles = jnp.stack([cells % columns + shifts[0], cells // columns + shifts[1]], axis=-1) + 0.5
    return Peaks(jnp.where(scores[..., None] > 0, STRIDE * middles, 0.0), scores)


def limb_scores(fields: Float[Array, "b i j 26"], found: Peaks) -> Float[Array, "b 13 p q"]:
    """How well L agrees that peak p of a limb's first joint and peak q of its second one are of one
    body.

    The mean of L . u over `SAMPLES` places evenly from p to q, u the unit vector from p to q. 0
    where a peak is missing or fewer than `AGREE` of the places have more than `ALONG`. L is
    interpolated between the middles of four cells.
    """
    first, second = (jnp.asarray(side) for side in zip(*LIMBS, strict=True))

    def picture(fields: Array, places: Array, scores: Array) -> Array:
        start, end = (
            places[first][:, :, None, None],
            places[second][:, None, :, None],
        )  # [13 p q places (x, y)]
        share = jnp.linspace(0.0, 1.0, SAMPLES).reshape(1, 1, 1, SAMPLES, 1)
        unit = (end - start) / jnp.maximum(
            jnp.linalg.norm(end - start, axis=-1, keepdims=True), 1e-6
        )
        along = jnp.sum(_read(fields, start + share * (end - start)) * unit, axis=-1)
        both = (scores[first][:, :, None] > 0) & (scores[second][:, None] > 0)
        agree = jnp.mean(along > ALONG, axis=-1) >= AGREE - 1e-6
        return jnp.where(both & agree, jnp.mean(along, axis=-1), 0.0)

    # One picture at a time: all pairs of a batch would be large.
    return jax.lax.map(lambda parts: picture(*parts), (fields, found.places, found.scores))


def part_vectors(
    fields: Float[Array, "b i j 26"], people: Float[Array, "b n 14 3"]
) -> tuple[Float[Array, "b n 6 2"], Bool[Array, "b n 6"]]:
    """Of each part of a body the mean of L along its limbs, and whether any of these has both its
    ends.

    `SAMPLES` places are read along each limb, as for `limb_scores`; limbs without an end are left
    out. The parts are in the order of `layers.pose_features.ORDER`, whose `frame_vectors` takes
    them in place of joints' differences.

    Args:
        fields: L of one stage.
        people: from `decode`; a score of 0 is a missing joint.
    """
    first, second = (jnp.asarray(side) for side in zip(*LIMBS, strict=True))
    share = jnp.linspace(0.0, 1.0, SAMPLES).reshape(1, 1, 1, SAMPLES, 1)
    of_part = jnp.asarray(
        [[limb in limbs for limb in range(len(LIMBS))] for limbs in PARTS.values()], jnp.float32
    )

    def picture(fields: Array, people: Array) -> tuple[Array, Array]:
        joints = jnp.swapaxes(people, 0, 1)  # [14 n (x, y, score)]
        start, end = (
            joints[ends][:, None, :, None, :2] for ends in (first, second)
        )  # [13 1 n places (x, y)]
        along = jnp.mean(_read(fields, start + share * (end - start)), axis=3)[:, 0]
        both = ((joints[first, :, 2] > 0) & (joints[second, :, 2] > 0)).astype(jnp.float32)
        count = jnp.einsum("pl,ln->np", of_part, both)
        total = jnp.einsum("pl,lnc,ln->npc", of_part, along, both)
        return total / jnp.maximum(count, 1.0)[..., None], count > 0

    return jax.lax.map(lambda parts: picture(*parts), (fields, people))


def assemble(
    joints: Float[np.ndarray, "14 p"], limbs: Float[np.ndarray, "13 p q"]
) -> list[dict[int, int]]:
    """Bodies as joint -> number of its peak, the highest total score of joints and limbs first.

    Limb by limb, the pair of peaks with the highest score is joined, then the next of which neither
    end is taken. The limbs are a tree, so that what hangs together has a joint once at most. Fewer
    than `LEAST` joints are no body.
    """
    bodies: list[dict[int, int]] = []
    totals: list[float] = []
    owner: dict[tuple[int, int], int] = {}  # (joint, peak) -> body
    for (first, second), scores in zip(LIMBS, limbs, strict=True):
        for p, q in matched(scores):
            if (first, p) not in owner:
                owner[first, p] = len(bodies)
                bodies.append({first: p})
                totals.append(float(joints[first, p]))
            body = owner[second, q] = owner[first, p]
            bodies[body][second] = q
            totals[body] += float(joints[second, q] + scores[p, q])
    ranked = sorted(range(len(bodies)), key=lambda body: -totals[body])
    return [bodies[body] for body in ranked if len(bodies[body]) >= LEAST]


def matched(scores: Float[np.ndarray, "p q"]) -> list[tuple[int, int]]:
    """Pairs with a score above 0, the best first, without a row or a column that a better one
    has.
    """
    order = np.argsort(-scores, axis=None, kind="stable")[: np.count_nonzero(scores > 0)]
    rows, columns, pairs = set(), set(), []
    for p, q in zip(*np.unravel_index(order, scores.shape), strict=True):
        if p not in rows and q not in columns:
            rows.add(p)
            columns.add(q)
            pairs.append((int(p), int(q)))
    return pairs


@functools.partial(jax.jit, static_argnames="most")
def _candidates(joints: Array, limbs: Array, most: int) -> tuple[Array, Array, Array]:
    found = peaks(joints, most=most)
    return found.places, found.scores, limb_scores(limbs, found)


def _fraction(values: Float[Array, "b v i j"], axis: int) -> Float[Array, "b v i j"]:
    """From each cell to the top of the parabola through it and its neighbours, -1/2 to 1/2; 0 at
    the edge.
    """
    length = values.shape[axis]
    before, here, after = (
        jax.lax.slice_in_dim(values, at, length - 2 + at, axis=axis) for at in range(3)
    )
    bend = before - 2 * here + after
    shift = jnp.where(bend < 0, 0.5 * (before - after) / jnp.minimum(bend, -1e-6), 0.0)
    edge = [(0, 0)] * axis + [(1, 1)] + [(0, 0)] * (values.ndim - 1 - axis)
    return jnp.pad(jnp.clip(shift, -0.5, 0.5), edge)


def _read(
    fields: Float[Array, "i j 26"], places: Float[Array, "13 p q n 2"]
) -> Float[Array, "13 p q n 2"]:
    """Each limb's vector at these pixels, interpolated; beyond the outermost middles as at the
    nearest of them.
    """
    rows, columns = fields.shape[:2]
    vectors = fields.astype(jnp.float32).reshape(rows, columns, len(LIMBS), 2)
    limb = jnp.broadcast_to(jnp.arange(len(LIMBS)).reshape(-1, 1, 1, 1), places.shape[:-1])
    x, y = (
        jnp.clip(places[..., i] / STRIDE - 0.5, 0.0, size - 1.0)
        for i, size in ((0, columns), (1, rows))
    )
    left, top = (jnp.floor(each).astype(jnp.int32) for each in (x, y))
    right, bottom = jnp.minimum(left + 1, columns - 1), jnp.minimum(top + 1, rows - 1)
    u, v = (x - left)[..., None], (y - top)[..., None]
    upper = (1 - u) * vectors[top, left, limb] + u * vectors[top, right, limb]
    lower = (1 - u) * vectors[bottom, left, limb] + u * vectors[bottom, right, limb]
    return (1 - v) * upper + v * lower
