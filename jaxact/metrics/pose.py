"""Accuracy of predicted poses: PCK for one person per image, average precision by OKS for many.

PCK counts joints; the `Hits` of batches are added and divided once. OKS-AP ranks the people of all
images together, so it needs all of them: `average_precision` is the keypoint evaluation of COCO
(Lin et al., ECCV 2014; its tool pycocotools gives the same numbers).
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from jaxact.errors import UserError

# Standard deviation of annotations by joint, as COCO gives it for its 17 joints. A neck, the middle
# of the shoulders, has that of the shoulders.
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
OVERLAPS = np.linspace(0.5, 0.95, 10)  # thresholds of OKS
RECALLS = np.linspace(0.0, 1.0, 101)
MAX_PEOPLE = 20  # people per image that count, those with the highest scores


@dataclasses.dataclass(frozen=True, slots=True)
class Hits:
    """Number of correct joints and of annotated ones, for each joint of the layout."""

    correct: Int[np.ndarray, " v"]
    annotated: Int[np.ndarray, " v"]

    def __add__(self, other: "Hits") -> "Hits":
        return Hits(self.correct + other.correct, self.annotated + other.annotated)


def hits(
    predicted: Float[np.ndarray, "b v 3"],
    true: Float[np.ndarray, "b v 3"],
    sizes: Float[np.ndarray, " b"],
    *,
    share: float = 0.2,
    mask: Bool[np.ndarray, " b"] | None = None,
) -> Hits:
    """Counts joints whose error is at most `share` of the person's size: PCK (Yang and Ramanan).

    Args:
        predicted: (x, y, score); a joint with score 0 is missing.
        true: (x, y, visibility); joints with visibility 0 do not count.
        sizes: pixels, see `box_sizes` and `torso_sizes`; people of size 0 do not count.
        share: 0.2 for PCK@0.2.
        mask: people that count.
    """
    annotated = (true[..., 2] > 0) & np.greater(sizes, 0)[:, None]
    if mask is not None:
        annotated &= mask[:, None]
    distance = np.linalg.norm(predicted[..., :2] - true[..., :2], axis=-1)
    correct = annotated & (predicted[..., 2] > 0) & (distance <= share * sizes[:, None])
    return Hits(correct.sum(axis=0), annotated.sum(axis=0))


def pck(total: Hits) -> dict[str, float]:
    """Percentage of correct keypoints, as fractions in [0, 1].

    Returns:
        `pck`: correct joints as a share of all annotated ones; `mean_joint`: mean of each joint's
        share, without joints that are never annotated.
    """
    occurs = total.annotated > 0
    if not occurs.any():
        return {"pck": float("nan"), "mean_joint": float("nan")}
    shares = total.correct[occurs] / total.annotated[occurs]
    return {
        "pck": float(total.correct.sum() / total.annotated.sum()),
        "mean_joint": float(shares.mean()),
    }


def box_sizes(true: Float[np.ndarray, "b v 3"]) -> Float[np.ndarray, " b"]:
    """Longer side of the box around each person's joints; 0 for a person without joints.

    The size of PCK on JHMDB and Penn Action.
    """
    visible = true[..., 2:] > 0
    low = np.where(visible, true[..., :2], np.inf).min(axis=1)
    high = np.where(visible, true[..., :2], -np.inf).max(axis=1)
    sides = (high - low).max(axis=1, initial=-np.inf)
    return np.where(visible.any(axis=(1, 2)), sides, 0.0)


def torso_sizes(
    true: Float[np.ndarray, "b v 3"], joints: tuple[int, int]
) -> Float[np.ndarray, " b"]:
    """Distance of two joints, such as shoulder and opposite hip (LSP); 0 if one is missing."""
    ends = true[:, list(joints)]
    length = np.linalg.norm(ends[:, 0, :2] - ends[:, 1, :2], axis=-1)
    return np.where((ends[..., 2] > 0).all(axis=1), length, 0.0)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ImagePeople:
    """The predicted and the annotated people of an image.

    Attributes:
        predicted: (x, y, anything) of every joint of the predicted people; COCO counts all joints
            as predicted.
        scores: of the predicted people.
        true: (x, y, visibility) of the annotated people.
        areas: of the annotated people, square pixels.
        boxes: (x, y, width, height) of the annotated people; used only for those without a visible
            joint.
        crowd: annotations that stand for a group of people.
    """

    predicted: Float[np.ndarray, "m v 3"]
    scores: Float[np.ndarray, " m"]
    true: Float[np.ndarray, "g v 3"]
    areas: Float[np.ndarray, " g"]
    boxes: Float[np.ndarray, "g 4"]
    crowd: Bool[np.ndarray, " g"]


def oks(image: ImagePeople, sigmas: Sequence[float]) -> Float[np.ndarray, "m g"]:
    """Object keypoint similarity: the mean of exp(-d_v^2 / (2 area (2 sigma_v)^2)) over the visible
    true joints.

    Without a visible joint, d is the distance to a box of three times the person's sides, over all
    joints.
    """
    variance = 2 * (2 * np.asarray(sigmas, np.float64)) ** 2
    predicted = image.predicted[:, None].astype(np.float64)
    true = image.true[None].astype(np.float64)
    visible = np.greater(true[..., 2], 0)
    corner, side = image.boxes[:, :2].astype(np.float64), image.boxes[:, 2:].astype(np.float64)
    low, high = (corner - side)[None, :, None], (corner + 2 * side)[None, :, None]
    outside = np.maximum(0, low - predicted[..., :2]) + np.maximum(0, predicted[..., :2] - high)
    has_joints = np.any(visible, axis=-1, keepdims=True)
    offset = np.where(has_joints[..., None], predicted[..., :2] - true[..., :2], outside)
    areas = (image.areas.astype(np.float64) + np.spacing(1))[None, :, None]
    exponent = (offset**2).sum(axis=-1) / variance / areas
    weights = np.where(has_joints, visible, True)
    return (np.exp(-exponent) * weights).sum(axis=-1) / weights.sum(axis=-1)


def average_precision(
    images: Sequence[ImagePeople], *, sigmas: Sequence[float]
) -> Mapping[str, float]:
    """COCO's ten metrics: `AP`, `AP50`, `AP75`, `AP_medium`, `AP_large`, and `AR` likewise; NaN
    where no person counts.

    AP is the mean over ten thresholds of OKS, 0.5 to 0.95, and over 101 recalls of the best
    precision at that recall or a higher one; AR is the mean over the thresholds of the recall.
    People without a visible joint, crowds and people of another size count neither as true
    positives nor as false negatives. The area of a predicted person is that of the box around their
    joints.

    Args:
        images: all images of the set.
        sigmas: a row of `SIGMAS`.

    Raises:
        UserError: the number of joints is not that of the sigmas.
    """
    for image in images:
        for joints in (image.predicted, image.true):
            if joints.shape[1] != len(sigmas):
                raise UserError(
                    f"{joints.shape[1]} joints, but {len(sigmas)} sigmas; "
                    f"SIGMAS has {', '.join(SIGMAS)}"
                )
    ranked = [_ranked(image) for image in images]
    overlaps = [oks(image, sigmas) for image in ranked]
    precisions, recalls = {}, {}
    for name, limits in AREAS.items():
        precisions[name], recalls[name] = _curves(ranked, overlaps, limits)
    report: dict[str, float] = {}
    for letters, values in (("AP", precisions), ("AR", recalls)):
        report[letters] = float(np.mean(values["all"]))
        report[f"{letters}50"] = float(np.mean(values["all"][0]))
        report[f"{letters}75"] = float(np.mean(values["all"][5]))
        report[f"{letters}_medium"] = float(np.mean(values["medium"]))
        report[f"{letters}_large"] = float(np.mean(values["large"]))
    return report


def _ranked(image: ImagePeople) -> ImagePeople:
    """The image with its predicted people by descending score, at most `MAX_PEOPLE`."""
    order = np.argsort(-image.scores, kind="stable")[:MAX_PEOPLE]
    return dataclasses.replace(image, predicted=image.predicted[order], scores=image.scores[order])


def _curves(
    images: Sequence[ImagePeople], overlaps: Sequence[np.ndarray], limits: tuple[float, float]
) -> tuple[Float[np.ndarray, "10 101"], Float[np.ndarray, " 10"]]:
    """Precision at every threshold and recall, and the final recall of every threshold, of people
    with an area within `limits`.
    """
    smallest, largest = limits
    scores, image_hits, image_ignored, total = [], [], [], 0
    for image, overlap in zip(images, overlaps, strict=True):
        excluded = image.crowd | ~(image.true[..., 2] > 0).any(axis=1)
        excluded |= (image.areas < smallest) | (image.areas > largest)
        hit, ignored = _match(overlap, excluded, image.crowd)
        area = np.zeros(0)
        if len(image.predicted):
            area = np.ptp(image.predicted[..., :2], axis=1).prod(axis=1)
        ignored |= ~hit & ((area < smallest) | (area > largest))
        scores.append(image.scores)
        image_hits.append(hit)
        image_ignored.append(ignored)
        total += int(np.count_nonzero(~excluded))
    if not total:
        return np.full((len(OVERLAPS), len(RECALLS)), np.nan), np.full(len(OVERLAPS), np.nan)
    order = np.argsort(-np.concatenate(scores), kind="stable")
    hit = np.concatenate(image_hits, axis=1)[:, order]
    ignored = np.concatenate(image_ignored, axis=1)[:, order]
    true_positives = np.cumsum(hit & ~ignored, axis=1)
    false_positives = np.cumsum(~hit & ~ignored, axis=1)
    precisions = np.zeros((len(OVERLAPS), len(RECALLS)))
    for row in range(len(OVERLAPS)):
        recall = true_positives[row] / total
        positives = true_positives[row] + false_positives[row] + np.spacing(1)
        precision = true_positives[row] / positives
        best = np.maximum.accumulate(precision[::-1])[::-1]
        index = np.searchsorted(recall, RECALLS, side="left")
        reached = index < len(best)
        precisions[row, reached] = best[index[reached]]
    if true_positives.shape[1] == 0:
        return precisions, np.zeros(len(OVERLAPS))
    return precisions, true_positives[:, -1] / total


def _match(
    overlap: Float[np.ndarray, "m g"],
    excluded: Bool[np.ndarray, " g"],
    crowd: Bool[np.ndarray, " g"],
) -> tuple[Bool[np.ndarray, "10 m"], Bool[np.ndarray, "10 m"]]:
    """Which predicted people match an annotation at each threshold, and which of them match one
    that does not count.

    In the order of their scores, each matches the most similar unmatched annotation that counts;
    without one, the most similar of the others. A crowd can match any number of people.
    """
    hit = np.zeros((len(OVERLAPS), len(overlap)), bool)
    ignored = np.zeros((len(OVERLAPS), len(overlap)), bool)
    for row, threshold in enumerate(OVERLAPS):
        minimum = min(threshold, 1 - 1e-10)
        unmatched = np.ones(len(excluded), bool)
        for person, similarity in enumerate(overlap):
            for group in (~excluded, excluded):
                available = group & (unmatched | crowd) & (similarity >= minimum)
                candidates = np.flatnonzero(available)[::-1]
                if len(candidates):
                    # Of equally similar annotations the last, as in COCO's tool.
                    best = candidates[np.argmax(similarity[candidates])]
                    unmatched[best] = False
                    hit[row, person], ignored[row, person] = True, excluded[best]
                    break
    return hit, ignored
