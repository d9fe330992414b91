"""Pose networks on records: joints found in every picture of a split, and how near they are to the
true ones.
"""

import dataclasses
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, UInt8

from jaxact import files
from jaxact.errors import UserError
from jaxact.evaluation import classification
from jaxact.metrics import pose as pose_metrics
from jaxact.models import pose_decoding
from jaxact.progress import track
from jaxact.runs import trained_model
from jaxact.skeletons import Layout
from jaxact.skeletons.pose_body import BODY, body_matrix

People = Float[np.ndarray, "n 14 3"]


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """A picture's people, in pixels of the file.

    Attributes:
      people: (x, y, score) of those found, the surest first.
      true: (x, y, seen) of those who are there.
    """

    id: str
    people: People
    true: Float[np.ndarray, "m 14 3"]


@dataclasses.dataclass(frozen=True, slots=True)
class Example:
    """A picture of an evaluation with its surest person and the marked one, and how many joints are
    near enough.
    """

    id: str
    picture: UInt8[np.ndarray, "h w 3"]
    found: Float[np.ndarray, "14 3"]
    true: Float[np.ndarray, "14 3"]
    hits: pose_metrics.Hits


def find(
    net: trained_model.Trained, info: Any, split: str, *, batch_size: int, persons: int
) -> Iterator[Found]:
    """The people of every picture of a split.

    Args:
      net: a pose network.
      info: of the data set.
      persons: people found in a picture at most.
    """
    from jaxact.datasets import records as read
    from jaxact.pipeline import batches

    clip = dataclasses.asdict(net.config.clip)
    source = batches.eval_batches(info, split=split, batch_size=batch_size, clip=clip)
    apply = jax.jit(lambda inputs: net.model.apply(net.weights, inputs[:, 0], train=False))
    total = -(-read.count(info, split) // batch_size)
    for batch in track(source, total=total, what=f"finding people in {split}", unit="batches"):
        answers = pose_decoding.decode(apply(batch["inputs"]), persons=persons)
        for row in np.flatnonzero(batch["mask"]):
            place, true = batch["targets"]["place"][row], batch["targets"]["people"][row]
            people = [_in_picture(each, place) for each in (answers[row], true)]
            yield Found(
                str(batch["id"][row]), *(each[(each[..., 2] > 0).any(axis=1)] for each in people)
            )


def report(
    workdir: str | Path,
    *,
    out: str | Path,
    split: str | None = None,
    data_dir: str | None = None,
    step: int | None = None,
    how: str | None = None,
    batch_size: int | None = None,
    share: float = 0.2,
) -> dict[str, Any]:
    """PCK of a pose network's surest person on pictures of one marked person; and OKS-AP where
    areas are marked.

    `out` gets `metrics.json`, which says of every marked joint how often it was found, and
    `joints.npz` with `id`, `found` and `true` [n 14 3].

    Raises:
      UserError: no checkpoint, no such data set or split, or no picture with a marked person.
    """
    from jaxact.datasets import dataset_info
    from jaxact.datasets import records as read

    net = trained_model.load(workdir, step=step, how=how, classifier=False)
    data = net.config.data
    info = dataset_info.load(data.name, data_dir or data.data_dir)
    classification.check_data(info, net)
    split = split or data.eval_split
    marked = {"areas", "boxes", "crowd"} <= set(read.fields(info))
    persons = net.config.clip.persons if marked else 1
    found = list(
        find(net, info, split, batch_size=batch_size or net.config.batch_size, persons=persons)
    )
    if not any(len(each.true) for each in found):
        raise UserError(f"no picture of the split {split!r} of {info.name!r} has a marked person")
    first, true = (
        np.stack([_first(getattr(each, name)) for each in found]) for name in ("people", "true")
    )
    total = pose_metrics.hits(first, true, pose_metrics.box_sizes(true), share=share)
    counts = zip(BODY.joints, total.found.tolist(), total.there.tolist(), strict=True)
    each = {joint: found / there for joint, found, there in counts if there}
    about = {"pictures": len(found), "pck_at": share, **pose_metrics.pck(total), "joints": each}
    if marked:
        about |= pose_metrics.average_precision(
            _pictures(found, info, split), sigmas=pose_metrics.SIGMAS["body-14"]
        )
    about |= classification.about(net, split=split, data_dir=str(info.path), workdir=str(workdir))
    with files.replacing(Path(out) / "joints.npz") as path, path.open("wb") as stream:
        np.savez_compressed(stream, id=np.array([f.id for f in found]), found=first, true=true)
    files.write_json(Path(out) / "metrics.json", about)
    return about


def examples(results: str | Path, *, count: int = 10, data_dir: str | None = None) -> list[Example]:
    """Pictures of an evaluation, evenly out of those with a marked person.

    Args:
      results: `out` of `report`.
      count: pictures, or as many as there are.
      data_dir: folder of prepared sets; None is the evaluation's.

    Raises:
      UserError: no such evaluation in `results`, or the records that it was made from are not
          there.
    """
    from jaxact.datasets import dataset_info
    from jaxact.datasets import records as read
    from jaxact.pipeline.video import decoded

    try:
        about = json.loads((Path(results) / "metrics.json").read_text(encoding="utf-8"))
        with np.load(Path(results) / "joints.npz", allow_pickle=False) as held:
            ids, found, true = (held[name] for name in ("id", "found", "true"))
        name, folder, split, share = (
            about[key] for key in ("dataset", "data_dir", "split", "pck_at")
        )
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(
            f"no joints in {str(results)!r} ({error}); wanted the --out of `jaxact evaluate` of a pose network"
        ) from error
    there = np.flatnonzero((true[..., 2] > 0).any(axis=1))
    chosen = there[np.unique(np.linspace(0, len(there) - 1, count).round().astype(int))]
    info = dataset_info.load(name, data_dir) if data_dir else dataset_info.read(Path(folder))
    wanted, pictures = set(ids[chosen].tolist()), {}
    for record in read.records(info, split, fields=("id", "image")).as_numpy_iterator():
        if (known := record["id"].decode()) in wanted:
            pictures[known] = decoded(np.array([record["image"]], object), stream="rgb")[0]
        if len(pictures) == len(wanted):
            break
    if lacking := sorted(wanted - set(pictures)):
        raise UserError(
            f"{str(info.path)!r} has no picture {lacking[0]!r}, which {str(results)!r} tells of"
        )
    sizes = pose_metrics.box_sizes(true)
    near = [
        pose_metrics.hits(found[row, None], true[row, None], sizes[row, None], share=share)
        for row in chosen
    ]
    return [
        Example(str(ids[row]), pictures[str(ids[row])], found[row], true[row], hits)
        for row, hits in zip(chosen, near, strict=True)
    ]


def _pictures(found: list[Found], info: Any, split: str) -> list[pose_metrics.Picture]:
    """What OKS-AP needs; a person found is scored by the mean of their joints that were found."""
    from jaxact.datasets import records as read

    records = read.records(
        info, split, fields=("id", "joints", "areas", "boxes", "crowd")
    ).as_numpy_iterator()
    pictures = []
    for each, record in zip(found, records, strict=True):
        there = each.people[..., 2] > 0
        scores = each.people[..., 2].sum(axis=1) / np.maximum(there.sum(axis=1), 1)
        true = _as_body(record["joints"][0], info.layout)
        marked = {name: record[name] for name in ("areas", "boxes")} | {
            "crowd": record["crowd"].astype(bool)
        }
        pictures.append(pose_metrics.Picture(found=each.people, scores=scores, true=true, **marked))
    return pictures


def _as_body(joints: Float[np.ndarray, "m v 3"], layout: Layout) -> People:
    """The fourteen joints of people in another layout; one is seen as well as the worst seen of
    those it is made of.
    """
    made = body_matrix(layout)
    seen = np.stack([joints[:, np.flatnonzero(row), 2].min(axis=1) for row in made], axis=1)
    places = np.einsum("jv,mvc->mjc", made, joints[..., :2])
    return np.concatenate(
        [np.where(seen[..., None] > 0, places, 0), seen[..., None]], axis=-1
    ).astype(np.float32)


def _in_picture(people: People, place: Float[np.ndarray, " 3"]) -> People:
    """Pixels of an example as pixels of the file."""
    zoom, left, top = place
    there = people[..., 2:] > 0
    return np.concatenate(
        [np.where(there, (people[..., :2] - (left, top)) / zoom, 0), people[..., 2:]], axis=-1
    )


def _first(people: People) -> Float[np.ndarray, "14 3"]:
    return people[0] if len(people) else np.zeros((len(BODY.joints), 3), np.float32)
