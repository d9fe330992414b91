"""How near found joints are to true ones: PCK for one person a picture, average precision by OKS
for many.

PCK counts joints; `Hits` of batches are added up and divided once. OKS-AP ranks the people of all
pictures together, so that it needs them all: `average_precision` is the keypoint evaluation of COCO
(Lin et al., ECCV 2014; its tool pycocotools gives the same numbers).
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from jaxact.errors import UserError

# Deviation of an annotator from the others, by joint, as COCO states it for its seventeen. A neck,
# which is the middle of the shoulders, has theirs.
SIGMAS: dict[str, tuple[float, ...]] = {
    "coco-17": (
        *(0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062),
        *(0.107, 0.107, 0.087, 0.087, 0.089, 0.089),
    ),
    "body-14": (
        *(0.026, 0.079, 0.079, 0.072, 0.062, 0.079, 0.072, 0.062),
        *(0.107, 0.087, 0.089, 0.107, 0.087, 0.089),
    ),
}
AREAS = {
    "all": (0.0, 1e10),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, 1e10),
}  # square pixels
OVERLAPS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)
MOST = 20  # people of a picture that count, those with the highest scores


@dataclasses.dataclass(frozen=True, slots=True)
class Hits:
    """Joints found near enough, and joints there were, one number for each joint of the layout."""

    found: Int[np.ndarray, " v"]
    there: Int[np.ndarray, " v"]

    def __add__(self, other: "Hits") -> "Hits":
        return Hits(self.found + other.found, self.there + other.there)


def hits(
    predicted: Float[np.ndarray, "b v 3"],
    true: Float[np.ndarray, "b v 3"],
    sizes: Float[np.ndarray, " b"],
    *,
    share: float = 0.2,
    mask: Bool[np.ndarray, " b"] | None = None,
) -> Hits:
    """Joints whose distance from the truth is at most `share` of the person's size: PCK, of Yang
    and Ramanan.

    Args:
      predicted: (x, y, score); a joint with score 0 was not found.
      true: (x, y, seen); joints with seen 0 do not count.
      sizes: pixels, see `box_sizes` and `torso_sizes`; people of size 0 do not count.
      share: 0.2 for PCK@0.2.
      mask: people that count.
    """
    there = (true[..., 2] > 0) & np.greater(sizes, 0)[:, None]
    if mask is not None:
        there &= mask[:, None]
    distance = np.linalg.norm(predicted[..., :2] - true[..., :2], axis=-1)
    near = there & (predicted[..., 2] > 0) & (distance <= share * sizes[:, None])
    return Hits(near.sum(axis=0), there.sum(axis=0))


def pck(total: Hits) -> dict[str, float]:
    """`pck`: share of all joints that were found; `mean_joint`: mean of the joints' own shares,
    absent ones skipped.
    """
    found = total.there > 0
    if not found.any():
        return {"pck": float("nan"), "mean_joint": float("nan")}
    each = total.found[found] / total.there[found]
    return {"pck": float(total.found.sum() / total.there.sum()), "mean_joint": float(each.mean())}


def box_sizes(true: Float[np.ndarray, "b v 3"]) -> Float[np.ndarray, " b"]:
    """Longer side of the box around each person's joints, the size of PCK on JHMDB and Penn Action;
    0 for nobody.
    """
    seen = true[..., 2:] > 0
    low = np.where(seen, true[..., :2], np.inf).min(axis=1)
    high = np.where(seen, true[..., :2], -np.inf).max(axis=1)
    return np.where(seen.any(axis=(1, 2)), (high - low).max(axis=1, initial=-np.inf), 0.0)


def torso_sizes(
    true: Float[np.ndarray, "b v 3"], joints: tuple[int, int]
) -> Float[np.ndarray, " b"]:
    """Distance of two joints, such as a shoulder and the other side's hip (LSP); 0 where one of
    them is missing.
    """
    ends = true[:, list(joints)]
    length = np.linalg.norm(ends[:, 0, :2] - ends[:, 1, :2], axis=-1)
    return np.where((ends[..., 2] > 0).all(axis=1), length, 0.0)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The people found in a picture and those who are there.

    Attributes:
      found: (x, y, anything) of every joint; COCO counts all of them as found.
      scores: of the people found.
      true: (x, y, seen).
      areas: square pixels of the people who are there, as annotated.
      boxes: (x, y, width, height) of them; only for people without a seen joint.
      crowd: of them, groups that no single person stands for.
    """

    found: Float[np.ndarray, "m v 3"]
    scores: Float[np.ndarray, " m"]
    true: Float[np.ndarray, "g v 3"]
    areas: Float[np.ndarray, " g"]
    boxes: Float[np.ndarray, "g 4"]
    crowd: Bool[np.ndarray, " g"]


def oks(picture: Picture, sigmas: Sequence[float]) -> Float[np.ndarray, "m g"]:
    """Object keypoint similarity: the mean of exp(-d_v^2 / (2 area (2 sigma_v)^2)) over the true
    joints that are seen.

    Where none is seen, d is the distance from a box of three times the person's sides, over all
    joints.
    """
    variance = 2 * (2 * np.asarray(sigmas, np.float64)) ** 2
    found, true = picture.found[:, None].astype(np.float64), picture.true[None].astype(np.float64)
    seen = np.greater(true[..., 2], 0)
    corner, side = picture.boxes[:, :2].astype(np.float64), picture.boxes[:, 2:].astype(np.float64)
    low, high = (corner - side)[None, :, None], (corner + 2 * side)[None, :, None]
    outside = np.maximum(0, low - found[..., :2]) + np.maximum(0, found[..., :2] - high)
    anything = np.any(seen, axis=-1, keepdims=True)
    offset = np.where(anything[..., None], found[..., :2] - true[..., :2], outside)
    exponent = (
        (offset**2).sum(axis=-1)
        / variance
        / (picture.areas.astype(np.float64) + np.spacing(1))[None, :, None]
    )
    weights = np.where(anything, seen, True)
    return (np.exp(-exponent) * weights).sum(axis=-1) / weights.sum(axis=-1)


def average_precision(
    pictures: Sequence[Picture], *, sigmas: Sequence[float]
) -> Mapping[str, float]:
    """COCO's ten figures: `AP`, `AP50`, `AP75`, `AP_medium`, `AP_large`, and `AR` likewise; NaN
    where nobody counts.

    AP is the mean over ten thresholds of OKS, 0.5 to 0.95, and over 101 recalls of the best
    precision at that recall or a higher one; AR the mean over the thresholds of the recall. People
    without a seen joint, crowds and people of another size are neither found nor missed. A person
    found has the area of the box around all their joints.

    Args:
      pictures: all of the set.
      sigmas: a row of `SIGMAS`.

    Raises:
      UserError: joints that are not as many as the sigmas.
    """
    for picture in pictures:
        for joints in (picture.found, picture.true):
            if joints.shape[1] != len(sigmas):
                raise UserError(
                    f"{joints.shape[1]} joints, but {len(sigmas)} sigmas; SIGMAS has {', '.join(SIGMAS)}"
                )
    kept = [_best(picture) for picture in pictures]
    overlaps = [oks(picture, sigmas) for picture in kept]
    report: dict[str, float] = {}
    tables = {name: _curves(kept, overlaps, limits) for name, limits in AREAS.items()}
    for letter, table in (("AP", 0), ("AR", 1)):
        values = {name: pair[table] for name, pair in tables.items()}
        report[letter] = float(np.mean(values["all"]))
        report[f"{letter}50"] = float(np.mean(values["all"][0]))
        report[f"{letter}75"] = float(np.mean(values["all"][5]))
        report[f"{letter}_medium"] = float(np.mean(values["medium"]))
        report[f"{letter}_large"] = float(np.mean(values["large"]))
    return report


def _best(picture: Picture) -> Picture:
    """The picture with the people found ranked, and no more of them than count."""
    order = np.argsort(-picture.scores, kind="stable")[:MOST]
    return dataclasses.replace(picture, found=picture.found[order], scores=picture.scores[order])


def _curves(
    pictures: Sequence[Picture], overlaps: Sequence[np.ndarray], limits: tuple[float, float]
) -> tuple[Float[np.ndarray, "10 101"], Float[np.ndarray, " 10"]]:
    """Precision at every threshold and recall, and the last recall of every threshold, of people of
    one size.
    """
    scores, matches, ignored, total = [], [], [], 0
    for picture, overlap in zip(pictures, overlaps, strict=True):
        out = picture.crowd | ~(picture.true[..., 2] > 0).any(axis=1)
        out |= (picture.areas < limits[0]) | (picture.areas > limits[1])
        hit, left_out = _match(overlap, out, picture.crowd)
        extent = (
            np.ptp(picture.found[..., :2], axis=1).prod(axis=1)
            if len(picture.found)
            else np.zeros(0)
        )
        left_out |= ~hit & ((extent < limits[0]) | (extent > limits[1]))
        scores.append(picture.scores)
        matches.append(hit)
        ignored.append(left_out)
        total += int(np.count_nonzero(~out))
    if not total:
        return np.full((len(OVERLAPS), len(RECALLS)), np.nan), np.full(len(OVERLAPS), np.nan)
    order = np.argsort(-np.concatenate(scores), kind="stable")
    hit, left_out = (np.concatenate(parts, axis=1)[:, order] for parts in (matches, ignored))
    right, wrong = np.cumsum(hit & ~left_out, axis=1), np.cumsum(~hit & ~left_out, axis=1)
    precision = np.zeros((len(OVERLAPS), len(RECALLS)))
    for row in range(len(OVERLAPS)):
        recall = right[row] / total
        exact = right[row] / (right[row] + wrong[row] + np.spacing(1))
        best = np.maximum.accumulate(exact[::-1])[::-1]
        place = np.searchsorted(recall, RECALLS, side="left")
        precision[row, place < len(best)] = best[place[place < len(best)]]
    return precision, right[:, -1] / total if right.shape[1] else np.zeros(len(OVERLAPS))


def _match(
    overlap: Float[np.ndarray, "m g"], out: Bool[np.ndarray, " g"], crowd: Bool[np.ndarray, " g"]
) -> tuple[Bool[np.ndarray, "10 m"], Bool[np.ndarray, "10 m"]]:
    """At each threshold, who of the people found is somebody, and who of these is somebody that
    does not count.

    In their order, each takes the nearest of those not taken who count; only without one, the
    nearest of the others. A crowd is never taken.
    """
    hit, left_out = (np.zeros((len(OVERLAPS), len(overlap)), bool) for _ in range(2))
    for row, threshold in enumerate(OVERLAPS):
        free = np.ones(len(out), bool)
        for person, similar in enumerate(overlap):
            for group in (~out, out):
                able = np.flatnonzero(
                    group & (free | crowd) & (similar >= min(threshold, 1 - 1e-10))
                )
                if len(able):
                    best = able[::-1][
                        np.argmax(similar[able[::-1]])
                    ]  # of equal ones the last, as COCO's tool has it
                    free[best] = False
                    hit[row, person], left_out[row, person] = True, out[best]
                    break
    return hit, left_out
