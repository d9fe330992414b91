"""Accuracy, per-class recall and mean loss of scored examples.

Batches give sums and counts, which are added; `compute` divides once.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped


@dataclasses.dataclass(frozen=True, slots=True)
class Sums:
    """Sums over scored examples, from which every classification metric is computed.

    Attributes:
        confusion: number of examples by true class (rows) and predicted class (columns).
        top5: number of examples whose true class is among the five highest scores.
        loss: sum of the examples' cross entropies, in nats.
    """

    confusion: Int[np.ndarray, "classes classes"]
    top5: int
    loss: float

    @classmethod
    def empty(cls, classes: int) -> "Sums":
        """The sums of no example."""
        return cls(confusion=np.zeros((classes, classes), np.int64), top5=0, loss=0.0)

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.confusion + other.confusion, self.top5 + other.top5, self.loss + other.loss
        )

    @property
    def count(self) -> int:
        """Number of examples."""
        return int(self.confusion.sum())


@dataclasses.dataclass(frozen=True, slots=True)
class Losses:
    """Sums over examples of a network without classes.

    Attributes:
        loss: sum of the examples' losses.
        count: number of examples.
    """

    loss: float
    count: int

    def __add__(self, other: "Losses") -> "Losses":
        return Losses(self.loss + other.loss, self.count + other.count)


def from_logits(
    logits: Float[np.ndarray, "b classes"],
    targets: Int[np.ndarray, " b"],
    mask: Bool[np.ndarray, " b"] | None = None,
) -> Sums:
    """The sums of one batch; rows with a false `mask` do not count.

    The ranking is a stable descending sort: of equal scores the lower class id wins, in top-1 and
    in top-5.
    """
    if mask is not None:
        logits, targets = logits[mask], targets[mask]
    logits = logits.astype(np.float64)
    classes = logits.shape[-1]
    ranked = np.argsort(-logits, axis=-1, kind="stable")
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (targets, ranked[:, 0]), 1)
    highest = logits.max(axis=-1, initial=-np.inf)
    log_norm = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=-1))
    loss = float((log_norm - logits[np.arange(len(targets)), targets]).sum())
    top5 = int((ranked[:, :5] == targets[:, None]).sum())
    return Sums(confusion, top5, loss)


def from_losses(losses: Float[np.ndarray, " b"], mask: Bool[np.ndarray, " b"]) -> Losses:
    """The sums of one batch; rows with a false `mask` do not count."""
    return Losses(float(losses[mask].astype(np.float64).sum()), int(mask.sum()))


def compute(sums: Sums | Losses) -> dict[str, float]:
    """Metrics as fractions in [0, 1], and the mean loss in nats; NaN without an example.

    `mean_class` is the unweighted mean over classes of the per-class recall; classes without an
    example are skipped.

    Returns:
        `top1`, `top5`, `mean_class`, `loss` and `count`; of `Losses`, `loss` and `count` only.
    """
    count = sums.count
    if isinstance(sums, Losses):
        return {"loss": sums.loss / count if count else float("nan"), "count": count}
    if count == 0:
        undefined = dict.fromkeys(("top1", "top5", "mean_class", "loss"), float("nan"))
        return {**undefined, "count": 0}
    return {
        "top1": float(np.trace(sums.confusion)) / count,
        "top5": sums.top5 / count,
        "mean_class": float(np.nanmean(per_class(sums))),
        "loss": sums.loss / count,
        "count": count,
    }


def per_class(sums: Sums) -> Float[np.ndarray, " classes"]:
    """Recall of each class; NaN for a class without an example."""
    totals = sums.confusion.sum(axis=1)
    return np.divide(
        np.diag(sums.confusion), totals, out=np.full(len(totals), np.nan), where=totals > 0
    )


def table(
    sums: Sums, labels: Sequence[str]
) -> list[Mapping[str, Shaped[np.ndarray, ""] | str | int | float]]:
    """One row per class that has examples.

    Returns:
        `class`, its name; `count` of its examples; `recall`; and `mistaken_for`, the class that
        most of its errors are predicted as, or "".
    """
    rows = []
    for index, recall in enumerate(per_class(sums)):
        errors = sums.confusion[index].copy()
        count = int(errors.sum())
        if count == 0:
            continue
        errors[index] = 0
        most_frequent = int(errors.argmax())
        rows.append(
            {
                "class": labels[index],
                "count": count,
                "recall": float(recall),
                "mistaken_for": labels[most_frequent] if errors[most_frequent] else "",
            }
        )
    return rows
