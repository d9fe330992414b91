"""Accuracy by protocol. Sums and counts travel and are merged; the division happens once, in
`compute`.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped


@dataclasses.dataclass(frozen=True, slots=True)
class Sums:
    """What a set of scored examples leaves behind: enough for every figure of the report.

    Attributes:
      confusion: counts, rows the truth, columns the prediction.
      top5: examples whose true class is among the five highest scores.
      loss: sum of the examples' cross entropies, in nats.
    """

    confusion: Int[np.ndarray, "classes classes"]
    top5: int
    loss: float

    @classmethod
    def empty(cls, classes: int) -> "Sums":
        """Nothing scored yet."""
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
    """What scored examples of a network without classes leave behind: the sum of their losses, and
    how many.
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

    The ranking is a stable descending sort: of equal scores the lower class id wins, in top-1 as in
    top-5.
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
    return Sums(confusion, int((ranked[:, :5] == targets[:, None]).sum()), loss)


def from_losses(losses: Float[np.ndarray, " b"], mask: Bool[np.ndarray, " b"]) -> Losses:
    """The sums of one batch; rows with a false `mask` do not count."""
    return Losses(float(losses[mask].astype(np.float64).sum()), int(mask.sum()))


def compute(sums: Sums | Losses) -> dict[str, float]:
    """Fractions in [0, 1] and the mean loss in nats; of `Losses` their mean and `count` alone.

    `mean_class` is the unweighted mean over classes of the per-class recall; classes without an
    example are skipped.
    """
    count = sums.count
    if isinstance(sums, Losses):
        return {"loss": sums.loss / count if count else float("nan"), "count": count}
    recall = per_class(sums)
    return {
        "top1": float(np.trace(sums.confusion)) / count if count else float("nan"),
        "top5": sums.top5 / count if count else float("nan"),
        "mean_class": float(np.nanmean(recall)) if count else float("nan"),
        "loss": sums.loss / count if count else float("nan"),
        "count": count,
    }


def per_class(sums: Sums) -> Float[np.ndarray, " classes"]:
    """Recall of each class; NaN where a class has no example."""
    totals = sums.confusion.sum(axis=1)
    return np.divide(
        np.diag(sums.confusion), totals, out=np.full(len(totals), np.nan), where=totals > 0
    )


def table(
    sums: Sums, labels: Sequence[str]
) -> list[Mapping[str, Shaped[np.ndarray, ""] | str | int | float]]:
    """One row a class: its name, examples, recall, and the class it is most often mistaken for."""
    rows = []
    for index, recall in enumerate(per_class(sums)):
        row = sums.confusion[index].copy()
        total, row[index] = int(row.sum()), 0
        if total:
            rival = int(row.argmax())
            mistaken = labels[rival] if row[rival] else ""
            rows.append(
                {
                    "class": labels[index],
                    "count": total,
                    "recall": float(recall),
                    "mistaken_for": mistaken,
                }
            )
    return rows
