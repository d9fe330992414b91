"""A report on disk: what a split's scores amount to, and the scores themselves.

`metrics.json` (fractions, and what they depend on), `scores.npz` (`id, logits, label, classes`),
`per_class.csv` and `confusion.csv`.
"""

import csv
import dataclasses
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from jaxact import files
from jaxact.errors import UserError
from jaxact.metrics import classification as metrics

# What other people's score files call the three arrays.
NAMES = {"id": ("id", "ids", "names"), "logits": ("logits", "scores"), "label": ("label", "labels")}


@dataclasses.dataclass(frozen=True, slots=True)
class Scores:
    """Every example's logits, in the order of the records."""

    id: Shaped[np.ndarray, " n"]
    logits: Float[np.ndarray, "n classes"]
    label: Int[np.ndarray, " n"]


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """A report read back from its folder; `about` is what `metrics.json` holds."""

    labels: list[str]
    confusion: Int[np.ndarray, "classes classes"]
    title: str
    about: dict[str, Any]

    @property
    def recall(self) -> Float[np.ndarray, " classes"]:
        """Of each class; NaN where it has no example."""
        return metrics.per_class(metrics.Sums(self.confusion, 0, 0.0))


def write(
    out: str | Path, found: Scores, classes: Sequence[str], about: Mapping[str, Any]
) -> dict[str, Any]:
    """The report's files, each whole or absent; `metrics.json`, which says how the number came
    about, comes last.
    """
    folder = Path(out)
    sums = metrics.from_logits(found.logits, found.label)
    rows = metrics.table(sums, classes)
    with files.replacing(folder / "scores.npz") as path, path.open("wb") as stream:
        np.savez_compressed(
            stream,
            id=found.id.astype(str),
            logits=found.logits,
            label=found.label,
            classes=np.array(classes, str),
        )
    with (
        files.replacing(folder / "per_class.csv") as path,
        path.open("w", newline="", encoding="utf-8") as stream,
    ):
        table = csv.DictWriter(stream, ["class", "count", "recall", "mistaken_for"])
        table.writeheader()
        table.writerows(rows)
    with (
        files.replacing(folder / "confusion.csv") as path,
        path.open("w", newline="", encoding="utf-8") as stream,
    ):
        csv.writer(stream).writerows(
            [
                ["truth", *classes],
                *([n, *r] for n, r in zip(classes, sums.confusion.tolist(), strict=True)),
            ]
        )
    report = {**metrics.compute(sums), **about}
    files.write_json(folder / "metrics.json", report)
    return report


def read(folder: str | Path) -> Report:
    """What `write` left in `folder`.

    Raises:
      UserError: there is no report in it.
    """
    try:
        about = json.loads((Path(folder) / "metrics.json").read_text(encoding="utf-8"))
        with (Path(folder) / "confusion.csv").open(newline="", encoding="utf-8") as stream:
            (_, *labels), *rows = csv.reader(stream)
        counts = np.array([row[1:] for row in rows], np.int64).reshape(len(labels), len(labels))
        return Report(labels, counts, f"{about['dataset']}, {about['split']}", about)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"no report in {str(folder)!r} ({error}); wanted the --out of `jaxact evaluate`"
        ) from error


def read_scores(path: str | Path) -> tuple[Scores, list[str]]:
    """The scores in a file, or in a report's folder, and the names of the classes.

    A file from elsewhere may call its arrays `names, scores, labels`; without `classes` these are
    numbered.

    Raises:
      UserError: no such file, an array missing or of the wrong shape, an id twice, a score that is
          not finite.
    """
    file = Path(path) / "scores.npz" if Path(path).is_dir() else Path(path)
    try:
        with np.load(file, allow_pickle=False) as stored:
            held = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(
            f"cannot read scores from {str(file)!r} ({error}); wanted a scores.npz as `jaxact evaluate` writes it, "
            "with the arrays id, logits and label"
        ) from error
    ids, logits, label = (_one_of(held, name, file) for name in ("id", "logits", "label"))
    ids = ids.astype(str)
    if ids.ndim != 1 or label.shape != ids.shape or logits.ndim != 2 or len(logits) != len(ids):
        raise UserError(
            f"{str(file)!r}: id {ids.shape}, logits {logits.shape} and label {label.shape} do not fit; "
            "wanted [n], [n, classes] and [n]"
        )
    names, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        raise UserError(
            f"{str(file)!r} holds the id {str(names[counts > 1][0])!r} {counts.max()} times; wanted once"
        )
    if not np.isfinite(logits).all():
        raise UserError(
            f"{str(file)!r}: the scores of {str(ids[~np.isfinite(logits).all(axis=1)][0])!r} are not finite"
        )
    if label.dtype.kind not in "iu" or (label < 0).any() or (label >= logits.shape[1]).any():
        raise UserError(f"{str(file)!r}: labels must be integers from 0 to {logits.shape[1] - 1}")
    classes = held.get("classes", np.arange(logits.shape[1])).astype(str).tolist()
    return Scores(ids, logits, label), classes


def _one_of(held: Mapping[str, np.ndarray], name: str, file: Path) -> np.ndarray:
    for known in NAMES[name]:
        if known in held:
            return held[known]
    others, holds = ", ".join(NAMES[name][1:]), ", ".join(held) or "nothing"
    raise UserError(f"{str(file)!r} has no array {name!r} (or {others}); it holds {holds}")
