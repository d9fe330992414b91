"""Late fusion: the weighted mean of several systems' scores on the same examples.

p(c) = sum_s w_s softmax(z_s)(c) / sum_s w_s, or the same mean of the raw scores z_s. Weights are
given, equal, or searched on held-out examples. A search on the scored examples themselves needs
`oracle`, and the report states it.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from jaxact.errors import UserError, unknown
from jaxact.evaluation import report
from jaxact.metrics import classification as metrics

GRID = np.arange(0.25, 2.01, 0.25)
KINDS = ("softmax", "logit")

# Weights of the streams' scores: 2 : 2 : 1 : 1, as is usual for joint, bone and their motions
# (PYSKL, Duan et al., ACM MM 2022). For a network that reads several streams side by side,
# "bone+partner" say, the first of them counts. Colour and flow are 1 : 1.5, as in TSN (Wang et al.,
# ECCV 2016, Section 4.2).
STREAM_WEIGHTS = {
    "joint": 2.0,
    "bone": 2.0,
    "joint_motion": 1.0,
    "bone_motion": 1.0,
    "joint_second_diff": 1.0,
    "partner": 1.0,
    "rgb": 1.0,
    "difference": 1.0,
    "flow": 1.5,
}


@dataclasses.dataclass(frozen=True, slots=True)
class JoinedScores:
    """Several systems' scores of the same examples, row by row, in the first system's order."""

    id: Shaped[np.ndarray, " n"]
    scores: Float[np.ndarray, "systems n classes"]
    label: Int[np.ndarray, " n"]
    classes: list[str]


def join(paths: Sequence[str | Path]) -> JoinedScores:
    """Joins the scores of several files or report folders by id; row order does not matter.

    Raises:
        UserError: fewer than two files, different classes, an id that one file lacks, or an id with
            two labels.
    """
    if len(paths) < 2:
        raise UserError(f"fusing takes at least two files of scores, got {len(paths)}")
    first, classes = report.read_scores(paths[0])
    scores = [first.logits]
    for path in paths[1:]:
        other, other_classes = report.read_scores(path)
        files = str(paths[0]), str(path)
        classes = _common_classes(classes, other_classes, files)
        scores.append(other.logits[_matching_rows(first, other, files)])
    stacked = np.stack([np.asarray(logits, np.float64) for logits in scores])
    return JoinedScores(first.id, stacked, first.label, classes)


def _common_classes(first: list[str], other: list[str], files: tuple[str, str]) -> list[str]:
    """The class names of two files; numbered classes take the names of the other file."""
    if len(other) != len(first):
        raise UserError(
            f"{files[0]!r} scores {len(first)} classes and {files[1]!r} {len(other)}; "
            "wanted the same ones"
        )
    if _is_numbered(first):
        return other
    if _is_numbered(other):
        return first
    for index, (name, other_name) in enumerate(zip(first, other, strict=True)):
        if name != other_name:
            raise UserError(
                f"class {index} is {name!r} in {files[0]!r} and {other_name!r} in {files[1]!r}; "
                "wanted one order"
            )
    return first


def _matching_rows(
    first: report.Scores, other: report.Scores, files: tuple[str, str]
) -> Int[np.ndarray, " n"]:
    """The row in `other` of each example of `first`."""
    first_ids, other_ids = first.id.tolist(), other.id.tolist()
    row_of = {name: row for row, name in enumerate(other_ids)}
    only_first = [name for name in first_ids if name not in row_of]
    only_other = sorted(set(other_ids) - set(first_ids))
    if only_first or only_other:
        unmatched = only_first or only_other
        holder, lacking = files if only_first else files[::-1]
        raise UserError(
            f"the id {unmatched[0]!r} is in {holder!r} and not in {lacking!r}; "
            f"{files[0]!r} scores {len(first_ids)} examples, {files[1]!r} {len(other_ids)}, "
            f"and {len(only_first) + len(only_other)} ids are in one of them only"
        )
    rows = np.array([row_of[name] for name in first_ids])
    mismatches = np.flatnonzero(other.label[rows] != first.label)
    if len(mismatches):
        row = mismatches[0]
        raise UserError(
            f"the id {str(first.id[row])!r} has the label {first.label[row]} in {files[0]!r} and "
            f"{other.label[rows[row]]} in {files[1]!r} ({len(mismatches)} ids differ): were rows "
            "shuffled against ids, or do the files come from two data sets?"
        )
    return rows


def probabilities(scores: Float[np.ndarray, "*any classes"]) -> Float[np.ndarray, "*any classes"]:
    """Softmax over the classes; rows that are distributions already do not change.

    A row is a distribution if no score is negative and their sum is 1.
    """
    sums_to_one = abs(scores.sum(axis=-1) - 1.0) < 1e-4
    is_distribution = (scores.min(axis=-1) >= 0.0) & sums_to_one
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    softmax = powers / powers.sum(axis=-1, keepdims=True)
    return np.where(is_distribution[..., None], scores, softmax)


def fuse(
    scores: Float[np.ndarray, "systems n classes"],
    weights: Sequence[float],
    *,
    kind: str = "softmax",
) -> Float[np.ndarray, "n classes"]:
    """The weighted mean over the systems, as logits.

    Args:
        scores: every system's logits or probabilities.
        weights: one for each system; their sum need not be 1.
        kind: "softmax" for the log of the mean probability, "logit" for the mean of the raw scores.
    """
    if kind not in KINDS:
        raise unknown("kind of score", kind, KINDS)
    if len(weights) != len(scores):
        raise UserError(f"{len(weights)} weights were given for {len(scores)} files of scores")
    shares = np.asarray(weights, np.float64)
    if not np.isfinite(shares).all() or (shares < 0).any() or not shares.sum():
        raise UserError(
            f"weights are {list(weights)}, but must be numbers from 0 up, not all of them 0"
        )
    shares = shares / shares.sum()
    if kind == "logit":
        return np.tensordot(shares, scores, axes=1)
    mean = np.tensordot(shares, probabilities(scores), axes=1)
    return np.log(np.maximum(mean, 1e-30))


def search(joined: JoinedScores, *, kind: str = "softmax") -> tuple[float, ...]:
    """The weights on a grid of 0.25 to 2 with the highest top-1, and of those the lowest loss.

    Searches coordinate by coordinate from equal weights until none changes, so it works for any
    number of systems.
    """
    best_weights = [1.0] * len(joined.scores)
    best = (-1.0, 0.0)
    while True:
        previous = best
        for system in range(len(best_weights)):
            for value in GRID.tolist():
                weights = [*best_weights[:system], value, *best_weights[system + 1 :]]
                logits = fuse(joined.scores, weights, kind=kind)
                result = metrics.compute(metrics.from_logits(logits, joined.label))
                quality = (result["top1"], -result["loss"])
                if quality > best:
                    best, best_weights = quality, weights
        if best == previous:
            return tuple(best_weights)


def run(
    paths: Sequence[str | Path],
    *,
    out: str | Path,
    weights: Sequence[float] | None = None,
    kind: str = "softmax",
    search_on: Sequence[str | Path] = (),
    oracle: bool = False,
) -> dict[str, Any]:
    """Fuses files of scores and writes a report to `out`, as `jaxact evaluate` does.

    Args:
        paths: `scores.npz` files, or folders that hold one.
        out: folder of the report.
        weights: one for each file; None is equal weights.
        kind: "softmax" averages probabilities, "logit" the raw scores.
        search_on: the same systems' scores on held-out examples, on which to search the weights.
        oracle: search on the scored examples themselves. The result is optimistic, and the report
            says so.

    Raises:
        UserError: files that do not match, or a search on scored examples without `oracle`.
    """
    joined = join(paths)
    if sum([weights is not None, bool(search_on), oracle]) > 1:
        raise UserError(
            "weights are either given (--weights), or searched (--search-on, or --oracle)"
        )
    if weights is not None:
        weights, origin = tuple(weights), "given"
    elif search_on or oracle:
        weights, origin = _searched_weights(
            joined, paths, kind=kind, search_on=search_on, oracle=oracle
        )
    else:
        weights, origin = (1.0,) * len(paths), "equal"
    logits = fuse(joined.scores, weights, kind=kind).astype(np.float32)
    top1 = []
    for scores in joined.scores:
        top1.append(metrics.compute(metrics.from_logits(scores, joined.label))["top1"])
    about = {
        **_dataset_of(paths[0]),
        "fusion": {
            "systems": [str(path) for path in paths],
            "top1": top1,
            "scores": kind,
            "weights": list(weights),
            "weights_chosen": origin,
        },
    }
    return report.write(out, report.Scores(joined.id, logits, joined.label), joined.classes, about)


def _searched_weights(
    joined: JoinedScores,
    paths: Sequence[str | Path],
    *,
    kind: str,
    search_on: Sequence[str | Path],
    oracle: bool,
) -> tuple[tuple[float, ...], str]:
    """The weights found by `search`, and a description of where they were searched."""
    if search_on and len(search_on) != len(paths):
        raise UserError(
            f"{len(paths)} files are fused, but {len(search_on)} are searched on; "
            "wanted the same systems"
        )
    held_out = join(search_on) if search_on else joined
    shared = set(held_out.id.tolist()) & set(joined.id.tolist())
    if shared and not oracle:
        raise UserError(
            f"{len(shared)} of the examples searched on are also scored ({min(shared)!r} ...): "
            "search on a held-out split, or pass --oracle, which the report then states"
        )
    source = "THE SCORED EXAMPLES THEMSELVES (oracle)"
    if not oracle:
        source = ", ".join(str(path) for path in search_on)
    weights = search(held_out, kind=kind)
    return weights, f"searched on {source}, {len(held_out.id)} examples"


def _is_numbered(names: Sequence[str]) -> bool:
    return list(names) == [str(index) for index in range(len(names))]


def _dataset_of(path: str | Path) -> dict[str, Any]:
    """Data set and split of the report that holds a file of scores, if there is one."""
    folder = Path(path) if Path(path).is_dir() else Path(path).parent
    try:
        about = report.read(folder).about
    except UserError:
        return {"dataset": str(path), "split": "fused"}
    return {name: about.get(name) for name in ("dataset", "split", "subset")}
