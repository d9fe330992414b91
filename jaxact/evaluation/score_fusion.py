"""Late fusion: the scores of several systems on the same examples, joined by id and added.

p(c) = sum_s w_s softmax(z_s)(c) / sum_s w_s, or the same sum of the scores z_s as they are. Weights
are given, equal, or searched on other examples than those that are scored; a search on the scored
examples themselves needs `oracle`, and the report says so.
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
# (PYSKL, Duan et al., ACM MM 2022). Where one network reads several streams side by side,
# "bone+partner" say, the first of them counts. Colour and flow are 1 : 1.5, as in TSN (Wang et al.,
# ECCV 2016, Section 4.2).
STREAMS = {
    **{
        "joint": 2.0,
        "bone": 2.0,
        "joint_motion": 1.0,
        "bone_motion": 1.0,
        "joint_second_diff": 1.0,
        "partner": 1.0,
    },
    **{"rgb": 1.0, "difference": 1.0, "flow": 1.5},
}


@dataclasses.dataclass(frozen=True, slots=True)
class Joined:
    """Several systems' scores of the same examples, row by row, in the first system's order."""

    id: Shaped[np.ndarray, " n"]
    scores: Float[np.ndarray, "systems n classes"]
    label: Int[np.ndarray, " n"]
    classes: list[str]


def join(paths: Sequence[str | Path]) -> Joined:
    """The scores of several files or report folders, joined by id whatever their order.

    Raises:
      UserError: fewer than two files, other classes, an id that one file lacks, or one with two
          labels.
    """
    if len(paths) < 2:
        raise UserError(f"fusing takes at least two files of scores, got {len(paths)}")
    (first, classes), *others = (report.read_scores(path) for path in paths)
    stack = [first.logits]
    for path, (other, names) in zip(paths[1:], others, strict=True):
        pair = str(paths[0]), str(path)
        classes = _same_classes(classes, names, pair)
        stack.append(other.logits[_rows(first, other, pair)])
    return Joined(
        first.id,
        np.stack([np.asarray(scores, np.float64) for scores in stack]),
        first.label,
        classes,
    )


def _same_classes(classes: list[str], names: list[str], pair: tuple[str, str]) -> list[str]:
    """The names of the classes of two files; those of a file that only numbers them come from the
    other.
    """
    if len(names) != len(classes):
        raise UserError(
            f"{pair[0]!r} scores {len(classes)} classes and {pair[1]!r} {len(names)}; wanted the same ones"
        )
    if _numbered(classes) or _numbered(names):
        return names if _numbered(classes) else classes
    for index, (one, two) in enumerate(zip(classes, names, strict=True)):
        if one != two:
            raise UserError(
                f"class {index} is {one!r} in {pair[0]!r} and {two!r} in {pair[1]!r}; wanted one order"
            )
    return classes


def _rows(
    first: report.Scores, other: report.Scores, pair: tuple[str, str]
) -> Int[np.ndarray, " n"]:
    """The row in `other` of each example of `first`."""
    place = {name: row for row, name in enumerate(other.id.tolist())}
    lacking = [name for name in first.id.tolist() if name not in place]
    foreign = sorted(place.keys() - set(first.id.tolist()))
    for names, holder, without in ((lacking, *pair), (foreign, *reversed(pair))):
        if names:
            raise UserError(
                f"the id {names[0]!r} is in {holder!r} and not in {without!r}; {pair[0]!r} scores {len(first.id)} "
                f"examples, {pair[1]!r} {len(other.id)}, and {len(lacking) + len(foreign)} ids are in one of them only"
            )
    rows = np.array([place[name] for name in first.id.tolist()])
    unlike = np.flatnonzero(other.label[rows] != first.label)
    if len(unlike):
        row = unlike[0]
        raise UserError(
            f"the id {str(first.id[row])!r} has the label {first.label[row]} in {pair[0]!r} and "
            f"{other.label[rows[row]]} in {pair[1]!r} ({len(unlike)} ids differ): were rows shuffled against ids, or "
            "do the files come from two data sets?"
        )
    return rows


def probabilities(scores: Float[np.ndarray, "*any classes"]) -> Float[np.ndarray, "*any classes"]:
    """Softmax over the classes; rows that are distributions already (not negative, of sum 1) are
    taken as they are.
    """
    given = (scores.min(axis=-1) >= 0.0) & (abs(scores.sum(axis=-1) - 1.0) < 1e-4)
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.where(given[..., None], scores, powers / powers.sum(axis=-1, keepdims=True))


def fuse(
    scores: Float[np.ndarray, "systems n classes"],
    weights: Sequence[float],
    *,
    kind: str = "softmax",
) -> Float[np.ndarray, "n classes"]:
    """The weighted mean over the systems, as logits: the log of the mean probability, or the mean
    of the raw scores.
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
    return np.log(np.maximum(np.tensordot(shares, probabilities(scores), axes=1), 1e-30))


def search(joined: Joined, *, kind: str = "softmax") -> tuple[float, ...]:
    """The weights on a grid of 0.25 to 2 with the highest top-1, and of those the lowest loss.

    Coordinate by coordinate from equal weights until none changes, so that any number of systems
    can be searched.
    """
    weights, best = [1.0] * len(joined.scores), (-1.0, 0.0)
    while True:
        before = best
        for system in range(len(weights)):
            for value in GRID.tolist():
                tried = [*weights[:system], value, *weights[system + 1 :]]
                found = metrics.compute(
                    metrics.from_logits(fuse(joined.scores, tried, kind=kind), joined.label)
                )
                if (found["top1"], -found["loss"]) > best:
                    best, weights = (found["top1"], -found["loss"]), tried
        if best == before:
            return tuple(weights)


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
      weights: one a file; equal ones by default.
      kind: "softmax" adds probabilities, "logit" the scores as they are.
      search_on: the same systems' scores on held-out examples, where the weights are searched.
      oracle: search on the scored examples themselves, which is no fair figure; the report says so.

    Raises:
      UserError: files that do not fit together, or a search on examples that are scored without
          `oracle`.
    """
    joined = join(paths)
    if sum([weights is not None, bool(search_on), oracle]) > 1:
        raise UserError(
            "weights are either given (--weights), or searched (--search-on, or --oracle)"
        )
    chosen = "equal"
    if weights is not None:
        weights, chosen = tuple(weights), "given"
    elif search_on or oracle:
        if search_on and len(search_on) != len(paths):
            raise UserError(
                f"{len(paths)} files are fused, but {len(search_on)} are searched on; wanted the same systems"
            )
        held_out = join(search_on) if search_on else joined
        shared = set(held_out.id.tolist()) & set(joined.id.tolist())
        if shared and not oracle:
            raise UserError(
                f"{len(shared)} of the examples searched on are also scored ({min(shared)!r} ...): "
                "search on a held-out split, or say --oracle, which the report then repeats"
            )
        weights = search(held_out, kind=kind)
        where = (
            "THE SCORED EXAMPLES THEMSELVES (oracle)"
            if oracle
            else ", ".join(str(path) for path in search_on)
        )
        chosen = f"searched on {where}, {len(held_out.id)} examples"
    else:
        weights = (1.0,) * len(paths)
    found = report.Scores(
        joined.id, fuse(joined.scores, weights, kind=kind).astype(np.float32), joined.label
    )
    about = {
        **_origin(paths[0]),
        "fusion": {
            "systems": [str(path) for path in paths],
            "top1": [
                metrics.compute(metrics.from_logits(scores, joined.label))["top1"]
                for scores in joined.scores
            ],
            "scores": kind,
            "weights": list(weights),
            "weights_chosen": chosen,
        },
    }
    return report.write(out, found, joined.classes, about)


def _numbered(names: Sequence[str]) -> bool:
    return list(names) == [str(index) for index in range(len(names))]


def _origin(path: str | Path) -> dict[str, Any]:
    """The data set and split of the report that scores lie in, where they lie in one."""
    try:
        about = report.read(Path(path) if Path(path).is_dir() else Path(path).parent).about
    except UserError:
        return {"dataset": str(path), "split": "fused"}
    return {name: about.get(name) for name in ("dataset", "split", "subset")}
