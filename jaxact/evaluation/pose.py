"""Evaluation of pose networks: predicted joints in every picture of a split, and their accuracy."""

import dataclasses
import json
import zipfile
from collections.abc import Iterator, Sequence
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
from jaxact.pipeline.pose_joints import body_joints, undo_letterbox
from jaxact.progress import track
from jaxact.runs import trained_model
from jaxact.skeletons.pose_body import BODY

People = Float[np.ndarray, "n 14 3"]


@dataclasses.dataclass(frozen=True, slots=True)
class PosePrediction:
    """A picture's people, in pixels of the file.

    Attributes:
        id: the record's id.
        people: (x, y, score) of the predicted people, the most confident first.
        true: (x, y, visibility) of the annotated people.
    """

    id: str
    people: People
    true: Float[np.ndarray, "m 14 3"]


@dataclasses.dataclass(frozen=True, slots=True)
class PoseExample:
    """A picture with its most confident person, the annotated one, and the hits between them."""

    id: str
    picture: UInt8[np.ndarray, "h w 3"]
    predicted: Float[np.ndarray, "14 3"]
    true: Float[np.ndarray, "14 3"]
    hits: pose_metrics.Hits


def predict(
    net: trained_model.TrainedModel, info: Any, split: str, *, batch_size: int, persons: int
) -> Iterator[PosePrediction]:
    """Predicts the people of every picture of a split.

    Args:
        net: a pose network.
        info: the `DatasetInfo` of the data set.
        split: name of the split.
        batch_size: pictures per batch.
        persons: largest number of people in a picture.
    """
    from jaxact.datasets import records
    from jaxact.pipeline import batches

    clip = dataclasses.asdict(net.config.clip)
    source = batches.eval_batches(info, split=split, batch_size=batch_size, clip=clip)
    apply = jax.jit(lambda inputs: net.model.apply(net.weights, inputs[:, 0], train=False))
    total = -(-records.count(info, split) // batch_size)
    for batch in track(source, total=total, what=f"finding people in {split}", unit="batches"):
        decoded = pose_decoding.decode(apply(batch["inputs"]), persons=persons)
        for row in np.flatnonzero(batch["mask"]):
            zoom, *corner = batch["targets"]["letterbox"][row]
            people = undo_letterbox(decoded[row], zoom, corner)
            true = undo_letterbox(batch["targets"]["people"][row], zoom, corner)
            yield PosePrediction(str(batch["id"][row]), _non_empty(people), _non_empty(true))


def run(
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
    """Evaluates a pose network: PCK of its most confident person, and OKS-AP for annotated areas.

    PCK is for pictures of one annotated person. `out` gets `metrics.json`, with the share of hits
    of every annotated joint, and `joints.npz` with `id`, `found` (the predicted joints) and `true`
    [n 14 3].

    Args:
        workdir: the --workdir of `jaxact train`.
        out: folder of the results.
        split: a split of the run's data set; None is the run's evaluation split.
        data_dir: folder of the prepared data, if they have moved since training.
        step, how: which checkpoint; see `trained_model.load`.
        batch_size: pictures per batch; None is the run's.
        share: PCK's threshold, as a share of the person's box.

    Returns:
        The content of `metrics.json`.

    Raises:
        UserError: no checkpoint, no such data set or split, or no picture with an annotated person.
    """
    from jaxact.datasets import dataset_info, records

    net = trained_model.load(workdir, step=step, how=how, classifier=False)
    data = net.config.data
    info = dataset_info.load(data.name, data_dir or data.data_dir)
    classification.check_data(info, net)
    split = split or data.eval_split
    has_areas = {"areas", "boxes", "crowd"} <= set(records.fields(info))
    predictions = list(
        predict(
            net,
            info,
            split,
            batch_size=batch_size or net.config.batch_size,
            persons=net.config.clip.persons if has_areas else 1,
        )
    )
    if not any(len(prediction.true) for prediction in predictions):
        raise UserError(f"no picture of the split {split!r} of {info.name!r} has a marked person")
    predicted = np.stack([_first(prediction.people) for prediction in predictions])
    true = np.stack([_first(prediction.true) for prediction in predictions])
    hits = pose_metrics.hits(predicted, true, pose_metrics.box_sizes(true), share=share)
    about = {
        "pictures": len(predictions),
        "pck_at": share,
        **pose_metrics.pck(hits),
        "joints": _joint_shares(hits),
    }
    if has_areas:
        pictures = _annotated_pictures(predictions, info, split)
        about |= pose_metrics.average_precision(pictures, sigmas=pose_metrics.SIGMAS["body-14"])
    about |= classification.provenance(
        net, split=split, data_dir=str(info.path), workdir=str(workdir)
    )
    ids = np.array([prediction.id for prediction in predictions])
    with files.replacing(Path(out) / "joints.npz") as path, path.open("wb") as stream:
        np.savez_compressed(stream, id=ids, found=predicted, true=true)
    files.write_json(Path(out) / "metrics.json", about)
    return about


def examples(
    results: str | Path, *, count: int = 10, data_dir: str | None = None
) -> list[PoseExample]:
    """Pictures of an evaluation, evenly spaced among those with an annotated person.

    Args:
        results: the `out` of `run`.
        count: largest number of pictures.
        data_dir: folder of prepared sets; None is the evaluation's.

    Raises:
        UserError: no such evaluation in `results`, or its records do not exist.
    """
    from jaxact.datasets import dataset_info

    try:
        about = json.loads((Path(results) / "metrics.json").read_text(encoding="utf-8"))
        with np.load(Path(results) / "joints.npz", allow_pickle=False) as stored:
            ids, predicted, true = stored["id"], stored["found"], stored["true"]
        name, folder = about["dataset"], about["data_dir"]
        split, share = about["split"], about["pck_at"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(
            f"no joints in {str(results)!r} ({error}); "
            "wanted the --out of `jaxact evaluate` of a pose network"
        ) from error
    info = dataset_info.load(name, data_dir) if data_dir else dataset_info.read(Path(folder))
    annotated = np.flatnonzero((true[..., 2] > 0).any(axis=1))
    spacing = np.linspace(0, len(annotated) - 1, count).round().astype(int)
    rows = annotated[np.unique(spacing)]
    pictures = _read_pictures(info, split, ids[rows].tolist())
    sizes = pose_metrics.box_sizes(true)
    selected = []
    for row in rows:
        name = str(ids[row])
        if name not in pictures:
            raise UserError(
                f"{str(info.path)!r} has no picture {name!r}, which {str(results)!r} contains"
            )
        hits = pose_metrics.hits(
            predicted[row, None], true[row, None], sizes[row, None], share=share
        )
        selected.append(PoseExample(name, pictures[name], predicted[row], true[row], hits))
    return selected


def _read_pictures(info: Any, split: str, ids: Sequence[str]) -> dict[str, np.ndarray]:
    """The pictures of the records with these ids."""
    from jaxact.datasets import records
    from jaxact.pipeline.video import decode_frames

    pictures = {}
    for record in records.records(info, split, fields=("id", "image")).as_numpy_iterator():
        name = record["id"].decode()
        if name in ids:
            encoded = np.array([record["image"]], object)
            pictures[name] = decode_frames(encoded, stream="rgb")[0]
        if len(pictures) == len(ids):
            break
    return pictures


def _annotated_pictures(
    predictions: Sequence[PosePrediction], info: Any, split: str
) -> list[pose_metrics.ImagePeople]:
    """The pictures for OKS-AP; a predicted person's score is the mean of their joints' scores."""
    from jaxact.datasets import records

    fields = ("id", "joints", "areas", "boxes", "crowd")
    stored = records.records(info, split, fields=fields).as_numpy_iterator()
    pictures = []
    for prediction, record in zip(predictions, stored, strict=True):
        scores = prediction.people[..., 2]
        joint_counts = np.maximum((scores > 0).sum(axis=1), 1)
        positions, visibility = body_joints(record["joints"][0], info.layout)
        picture = pose_metrics.ImagePeople(
            predicted=prediction.people,
            scores=scores.sum(axis=1) / joint_counts,
            true=np.concatenate([positions, visibility[..., None]], axis=-1),
            areas=record["areas"],
            boxes=record["boxes"],
            crowd=record["crowd"].astype(bool),
        )
        pictures.append(picture)
    return pictures


def _joint_shares(hits: pose_metrics.Hits) -> dict[str, float]:
    """The share of hits of every joint that is annotated somewhere."""
    shares = {}
    for joint, hit, total in zip(
        BODY.joints, hits.correct.tolist(), hits.annotated.tolist(), strict=True
    ):
        if total:
            shares[joint] = hit / total
    return shares


def _non_empty(people: np.ndarray) -> np.ndarray:
    """The people [n, 14, 3] with at least one joint."""
    return people[(people[..., 2] > 0).any(axis=1)]


def _first(people: People) -> Float[np.ndarray, "14 3"]:
    """The first person; zeros without one."""
    if len(people):
        return people[0]
    return np.zeros((len(BODY.joints), 3), np.float32)
