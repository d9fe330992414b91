"""An evaluation report on disk: the metrics of a split, and the scores of its examples.

`metrics.json` (fractions, and their provenance), `scores.npz` (`id, logits, label, classes`),
`per_class.csv` and `confusion.csv`.
"""

import csv
import dataclasses
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from jaxact import files
from jaxact.errors import UserError
from jaxact.metrics import classification as metrics

# Names of the three arrays, ours first, then those of other projects' score files.
NAMES = {"id": ("id", "ids", "names"), "logits": ("logits", "scores"), "label": ("label", "labels")}


@dataclasses.dataclass(frozen=True, slots=True)
class Scores:
    """Every example's logits, in the order of the records."""

    id: Shaped[np.ndarray, " n"]
    logits: Float[np.ndarray, "n classes"]
    label: Int[np.ndarray, " n"]


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """A report read back from its folder.

    Attributes:
        labels: names of the classes.
        confusion: counts, row true class, column predicted class.
        title: data set and split.
        about: content of `metrics.json`.
    """

    labels: list[str]
    confusion: Int[np.ndarray, "classes classes"]
    title: str
    about: dict[str, Any]

    @property
    def recall(self) -> Float[np.ndarray, " classes"]:
        """Recall of each class; NaN for a class without examples."""
        return metrics.per_class(metrics.Sums(self.confusion, 0, 0.0))


def write(
    out: str | Path, scores: Scores, classes: Sequence[str], about: Mapping[str, Any]
) -> dict[str, Any]:
    """Writes the report's files, each atomically, `metrics.json` last.

    Args:
        out: folder of the report.
        scores: logits and labels of every example.
        classes: names of the classes.
        about: provenance, which `metrics.json` holds beside the metrics.

    Returns:
        The content of `metrics.json`.
    """
    folder = Path(out)
    sums = metrics.from_logits(scores.logits, scores.label)
    with files.replacing(folder / "scores.npz") as path, path.open("wb") as stream:
        np.savez_compressed(
            stream,
            id=scores.id.astype(str),
            logits=scores.logits,
            label=scores.label,
            classes=np.array(classes, str),
        )
    with files.replacing(folder / "per_class.csv") as path, _open_csv(path) as stream:
        table = csv.DictWriter(stream, ["class", "count", "recall", "mistaken_for"])
        table.writeheader()
        table.writerows(metrics.table(sums, classes))
    with files.replacing(folder / "confusion.csv") as path, _open_csv(path) as stream:
        table = csv.writer(stream)
        table.writerow(["truth", *classes])
        for name, counts in zip(classes, sums.confusion.tolist(), strict=True):
            table.writerow([name, *counts])
    content = {**metrics.compute(sums), **about}
    files.write_json(folder / "metrics.json", content)
    return content


def _open_csv(path: Path) -> IO[str]:
    return path.open("w", newline="", encoding="utf-8")


def read(folder: str | Path) -> Report:
    """Reads the report in `folder`.

    Raises:
        UserError: the folder holds no report.
    """
    try:
        about = json.loads((Path(folder) / "metrics.json").read_text(encoding="utf-8"))
        with (Path(folder) / "confusion.csv").open(newline="", encoding="utf-8") as stream:
            header, *rows = csv.reader(stream)
        labels = header[1:]
        counts = np.array([row[1:] for row in rows], np.int64).reshape(len(labels), len(labels))
        return Report(labels, counts, f"{about['dataset']}, {about['split']}", about)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"no report in {str(folder)!r} ({error}); wanted the --out of `jaxact evaluate`"
        ) from error


def read_scores(path: str | Path) -> tuple[Scores, list[str]]:
    """Reads the scores of a file, or of a report's folder, and the names of the classes.

    A file of another project may name its arrays `names, scores, labels`. Without `classes` the
    classes are numbered.

    Raises:
        UserError: no such file, an array that is missing or of the wrong shape, a repeated id, or a
            score that is not finite.
    """
    file = Path(path)
    if file.is_dir():
        file = file / "scores.npz"
    try:
        with np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(
            f"cannot read scores from {str(file)!r} ({error}); wanted a scores.npz "
            "as `jaxact evaluate` writes it, with the arrays id, logits and label"
        ) from error
    ids = _array(arrays, "id", file).astype(str)
    logits = _array(arrays, "logits", file)
    label = _array(arrays, "label", file)
    _check_scores(ids, logits, label, file)
    classes = arrays.get("classes", np.arange(logits.shape[1]))
    return Scores(ids, logits, label), classes.astype(str).tolist()


def _array(arrays: Mapping[str, np.ndarray], name: str, file: Path) -> np.ndarray:
    for alias in NAMES[name]:
        if alias in arrays:
            return arrays[alias]
    aliases = ", ".join(NAMES[name][1:])
    raise UserError(
        f"{str(file)!r} has no array {name!r} (or {aliases}); "
        f"it holds {', '.join(arrays) or 'nothing'}"
    )


def _check_scores(ids: np.ndarray, logits: np.ndarray, label: np.ndarray, file: Path) -> None:
    """Raises UserError for arrays of the wrong shape or with invalid values."""
    if ids.ndim != 1 or label.shape != ids.shape or logits.ndim != 2 or len(logits) != len(ids):
        raise UserError(
            f"{str(file)!r}: id {ids.shape}, logits {logits.shape} and label {label.shape} "
            "do not match; wanted [n], [n, classes] and [n]"
        )
    unique_ids, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        repeated = str(unique_ids[counts > 1][0])
        raise UserError(
            f"{str(file)!r} holds the id {repeated!r} {counts.max()} times; wanted once"
        )
    is_finite = np.isfinite(logits).all(axis=1)
    if not is_finite.all():
        raise UserError(f"{str(file)!r}: the scores of {str(ids[~is_finite][0])!r} are not finite")
    if label.dtype.kind not in "iu" or (label < 0).any() or (label >= logits.shape[1]).any():
        raise UserError(f"{str(file)!r}: labels must be integers from 0 to {logits.shape[1] - 1}")
