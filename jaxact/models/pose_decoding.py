"""Decodes the pose network's maps into people: joints are the peaks of S, and the fields L decide
which joints belong to one body.

    S [b i j 14] -> peaks [b 14 p] -> L along the line between each pair of peaks of a limb
      [b 13 p p] -> best first, each peak once (NumPy) -> people [b n 14 (x, y, score)]

`find_peaks` and `limb_scores` have fixed shapes and are compiled; the matching of a few short lists
per image is not.
"""

import functools
from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from jaxact.skeletons.pose_body import BODY, LIMBS

STRIDE = 8  # pixels of the image per cell, in both directions
THRESHOLD = 0.1  # a lower value of S is no joint
MAX_PEAKS = 32  # highest peaks of a joint that are considered
SAMPLES = 10  # points along a limb at which L is sampled
MIN_ALONG = 0.05  # L counts as aligned above this component along the limb ...
MIN_ALIGNED = 0.8  # ... and this share of the points must be aligned
MIN_JOINTS = 3  # of a person
# The limbs, as indices of `LIMBS`, of each part in the order of
# `jaxact.models.layers.pose_features.ORDER`.
PARTS = {
    "head": (12,),
    "trunk": (6, 9),
    "right_arm": (2, 3),
    "left_arm": (4, 5),
    "right_leg": (7, 8),
    "left_leg": (10, 11),
}
FLOOR = 1e-2  # where a peak is refined, lower values count as this one: targets of S are cut there
FIRST_JOINTS, SECOND_JOINTS = np.asarray(LIMBS).T  # of each limb


class Peaks(NamedTuple):
    """The highest local maxima of each joint's map, best first.

    Attributes:
        positions: x and y, pixels of the image from its top left corner.
        scores: the value of S at the peak; 0 where there are fewer peaks.
    """

    positions: Float[Array, "b 14 p 2"]
    scores: Float[Array, "b 14 p"]


def decode(
    predictions: Mapping[str, Array | np.ndarray],
    *,
    persons: int = 30,
    max_peaks: int = MAX_PEAKS,
) -> Float[np.ndarray, "b n 14 3"]:
    """The people in each image, the one with the highest total score first.

    Args:
        predictions: the network's output, of which the last stage is decoded.
        persons: people per image; the others are dropped.
        max_peaks: see `MAX_PEAKS`.

    Returns:
        x and y in pixels of the image, and the value of S; all three are 0 for a missing joint or
        person.
    """
    joints = jnp.asarray(predictions["joints"])[:, -1]
    limbs = jnp.asarray(predictions["limbs"])[:, -1]
    positions, scores, pairs = map(np.asarray, _candidates(joints, limbs, max_peaks))
    people = np.zeros((len(scores), persons, len(BODY.joints), 3), np.float32)
    for image in range(len(scores)):
        bodies = assemble(scores[image], pairs[image])
        for person, body in enumerate(bodies[:persons]):
            for joint, peak in body.items():
                people[image, person, joint, :2] = positions[image, joint, peak]
                people[image, person, joint, 2] = scores[image, joint, peak]
    return people


def find_peaks(maps: Float[Array, "b i j _"], *, max_peaks: int = MAX_PEAKS) -> Peaks:
    """Cells above `THRESHOLD` that none of their eight neighbours exceeds, to a fraction of a cell.

    Of equal neighbours the first in reading order is the peak. The fraction is the maximum of a
    parabola through the logarithms of three cells in a row, along x and along y: exact for a
    Gaussian.

    Args:
        maps: S of one stage, with or without the background map.
        max_peaks: peaks per joint.
    """
    maps = jnp.moveaxis(maps[..., : len(BODY.joints)].astype(jnp.float32), -1, 1)
    _, _, rows, columns = maps.shape
    padded = jnp.pad(maps, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-jnp.inf)
    is_peak = maps > THRESHOLD
    for y in (-1, 0, 1):
        for x in (-1, 0, 1):
            neighbour = padded[:, :, 1 + y : 1 + y + rows, 1 + x : 1 + x + columns]
            if (y, x) < (0, 0):
                is_peak &= maps > neighbour
            elif (y, x) > (0, 0):
                is_peak &= maps >= neighbour
    flat = jnp.where(is_peak, maps, 0.0).reshape(*maps.shape[:2], -1)
    scores, cells = jax.lax.top_k(flat, min(max_peaks, rows * columns))
    logarithm = jnp.log(jnp.maximum(maps, FLOOR))
    shifts_x = _parabola_peak(logarithm, axis=3).reshape(flat.shape)
    x = cells % columns + jnp.take_along_axis(shifts_x, cells, axis=2)
    shifts_y = _parabola_peak(logarithm, axis=2).reshape(flat.shape)
    y = cells // columns + jnp.take_along_axis(shifts_y, cells, axis=2)
    centres = jnp.stack([x, y], axis=-1) + 0.5
    return Peaks(jnp.where(scores[..., None] > 0, STRIDE * centres, 0.0), scores)


def limb_scores(fields: Float[Array, "b i j 26"], peaks: Peaks) -> Float[Array, "b 13 p q"]:
    """How well L supports that peak p of a limb's first joint and peak q of its second one belong
    to one body.

    The mean of L . u over `SAMPLES` points evenly from p to q, u the unit vector from p to q. 0
    where a peak is missing or less than `MIN_ALIGNED` of the points exceed `MIN_ALONG`. L is
    interpolated between the centres of four cells.
    """

    def of_image(image: tuple[Array, Array, Array]) -> Array:
        fields, positions, scores = image
        start = positions[FIRST_JOINTS][:, :, None, None]  # [13 p q samples (x, y)]
        end = positions[SECOND_JOINTS][:, None, :, None]
        length = jnp.linalg.norm(end - start, axis=-1, keepdims=True)
        unit = (end - start) / jnp.maximum(length, 1e-6)
        sampled = _sample(fields, start + _fractions() * (end - start))
        along = jnp.sum(sampled * unit, axis=-1)
        present = (scores[FIRST_JOINTS][:, :, None] > 0) & (scores[SECOND_JOINTS][:, None] > 0)
        aligned = jnp.mean(along > MIN_ALONG, axis=-1) >= MIN_ALIGNED - 1e-6
        return jnp.where(present & aligned, jnp.mean(along, axis=-1), 0.0)

    # One image at a time: all pairs of a batch would need much memory.
    return jax.lax.map(of_image, (fields, peaks.positions, peaks.scores))


def part_vectors(
    fields: Float[Array, "b i j 26"], people: Float[Array, "b n 14 3"]
) -> tuple[Float[Array, "b n 6 2"], Bool[Array, "b n 6"]]:
    """The mean of L along the limbs of each body part, and whether any of these limbs has both its
    joints.

    `SAMPLES` points are sampled along each limb, as for `limb_scores`; limbs with a missing joint
    do not count. The parts are in the order of `layers.pose_features.ORDER`, whose `frame_vectors`
    takes them in place of joints' differences.

    Args:
        fields: L of one stage.
        people: from `decode`; a score of 0 is a missing joint.
    """
    limbs_of_part = np.zeros((len(PARTS), len(LIMBS)), np.float32)
    for part, limbs in enumerate(PARTS.values()):
        limbs_of_part[part, list(limbs)] = 1
    membership = jnp.asarray(limbs_of_part)

    def of_image(image: tuple[Array, Array]) -> tuple[Array, Array]:
        fields, people = image
        joints = jnp.swapaxes(people, 0, 1)  # [14 n (x, y, score)]
        start = joints[FIRST_JOINTS][:, None, :, None, :2]  # [13 1 n samples (x, y)]
        end = joints[SECOND_JOINTS][:, None, :, None, :2]
        along = jnp.mean(_sample(fields, start + _fractions() * (end - start)), axis=3)[:, 0]
        complete = (joints[FIRST_JOINTS, :, 2] > 0) & (joints[SECOND_JOINTS, :, 2] > 0)
        complete = complete.astype(jnp.float32)
        count = jnp.einsum("pl,ln->np", membership, complete)
        total = jnp.einsum("pl,lnc,ln->npc", membership, along, complete)
        return total / jnp.maximum(count, 1.0)[..., None], count > 0

    return jax.lax.map(of_image, (fields, people))


def assemble(
    joints: Float[np.ndarray, "14 p"], limbs: Float[np.ndarray, "13 p q"]
) -> list[dict[int, int]]:
    """Bodies as joint -> index of its peak, the highest total score of joints and limbs first.

    Limb by limb, the pair of peaks with the highest score is joined, then the next pair of unused
    peaks. The limbs form a tree, so a connected body has each joint at most once. Fewer than
    `MIN_JOINTS` joints are no body.
    """
    bodies: list[dict[int, int]] = []
    totals: list[float] = []
    owner: dict[tuple[int, int], int] = {}  # (joint, peak) -> body
    for (first, second), scores in zip(LIMBS, limbs, strict=True):
        for p, q in match_pairs(scores):
            if (first, p) not in owner:
                owner[first, p] = len(bodies)
                bodies.append({first: p})
                totals.append(float(joints[first, p]))
            body = owner[second, q] = owner[first, p]
            bodies[body][second] = q
            totals[body] += float(joints[second, q] + scores[p, q])
    ranked = sorted(range(len(bodies)), key=lambda body: -totals[body])
    return [bodies[body] for body in ranked if len(bodies[body]) >= MIN_JOINTS]


def match_pairs(scores: Float[np.ndarray, "p q"]) -> list[tuple[int, int]]:
    """Pairs (row, column) with a score above 0, best first; each row and column occurs once."""
    order = np.argsort(-scores, axis=None, kind="stable")[: np.count_nonzero(scores > 0)]
    rows, columns, pairs = set(), set(), []
    for p, q in zip(*np.unravel_index(order, scores.shape), strict=True):
        if p not in rows and q not in columns:
            rows.add(p)
            columns.add(q)
            pairs.append((int(p), int(q)))
    return pairs


@functools.partial(jax.jit, static_argnames="max_peaks")
def _candidates(joints: Array, limbs: Array, max_peaks: int) -> tuple[Array, Array, Array]:
    peaks = find_peaks(joints, max_peaks=max_peaks)
    return peaks.positions, peaks.scores, limb_scores(limbs, peaks)


def _fractions() -> Float[Array, "1 1 1 samples 1"]:
    """The sampled points along a limb, as fractions of its length."""
    return jnp.linspace(0.0, 1.0, SAMPLES).reshape(1, 1, 1, SAMPLES, 1)


def _parabola_peak(values: Float[Array, "b v i j"], axis: int) -> Float[Array, "b v i j"]:
    """Offset from each cell to the maximum of the parabola through it and its neighbours.

    Between -1/2 and 1/2; 0 at the edge.
    """
    length = values.shape[axis]
    before = jax.lax.slice_in_dim(values, 0, length - 2, axis=axis)
    centre = jax.lax.slice_in_dim(values, 1, length - 1, axis=axis)
    after = jax.lax.slice_in_dim(values, 2, length, axis=axis)
    bend = before - 2 * centre + after
    shift = jnp.where(bend < 0, 0.5 * (before - after) / jnp.minimum(bend, -1e-6), 0.0)
    edge = [(0, 0)] * values.ndim
    edge[axis] = (1, 1)
    return jnp.pad(jnp.clip(shift, -0.5, 0.5), edge)


def _sample(
    fields: Float[Array, "i j 26"], points: Float[Array, "13 p q n 2"]
) -> Float[Array, "13 p q n 2"]:
    """Each limb's vector at these pixels, by bilinear interpolation between the cells' centres.

    Beyond the outermost centres it is constant.
    """
    rows, columns = fields.shape[:2]
    vectors = fields.astype(jnp.float32).reshape(rows, columns, len(LIMBS), 2)
    limb = jnp.broadcast_to(jnp.arange(len(LIMBS)).reshape(-1, 1, 1, 1), points.shape[:-1])
    x = jnp.clip(points[..., 0] / STRIDE - 0.5, 0.0, columns - 1.0)
    y = jnp.clip(points[..., 1] / STRIDE - 0.5, 0.0, rows - 1.0)
    left, top = jnp.floor(x).astype(jnp.int32), jnp.floor(y).astype(jnp.int32)
    right, bottom = jnp.minimum(left + 1, columns - 1), jnp.minimum(top + 1, rows - 1)
    u, v = (x - left)[..., None], (y - top)[..., None]
    upper = (1 - u) * vectors[top, left, limb] + u * vectors[top, right, limb]
    lower = (1 - u) * vectors[bottom, left, limb] + u * vectors[bottom, right, limb]
    return (1 - v) * upper + v * lower
