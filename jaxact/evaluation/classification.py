"""Evaluation of a network on a split: one pass in which each example counts exactly once."""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxact import config as configs
from jaxact.config import protocols
from jaxact.errors import UserError
from jaxact.evaluation import report
from jaxact.evaluation.eval_step import eval_step
from jaxact.losses import Loss
from jaxact.metrics import classification as metrics
from jaxact.progress import track
from jaxact.runs import trained_model
from jaxact.runs.sharding import Placement, make_placement


def compile_scorer(
    apply: Callable[..., Any], placement: Placement, loss: Loss | None = None
) -> Callable[[Any, Mapping], dict]:
    """`eval_step` over the devices of `placement`, as a function of (weights, batch)."""
    step = placement.compile_eval(functools.partial(eval_step, apply=apply, loss=loss))

    def scorer(weights: Any, batch: Mapping) -> dict:
        return jax.device_get(step(weights, placement.shard_eval(batch)))

    return scorer


def totals(
    scorer: Callable, weights: Any, batches: Iterable[Mapping[str, np.ndarray]], *, classes: int
) -> metrics.Sums | metrics.Losses:
    """Metric sums over the batches of all processes; every process gets the same sums."""
    total: Any = None
    for batch in batches:
        outputs = scorer(weights, batch)
        if "loss" in outputs:
            sums = metrics.from_losses(outputs["loss"], outputs["mask"])
        else:
            sums = metrics.from_logits(outputs["logits"], outputs["targets"], outputs["mask"])
        total = sums if total is None else total + sums
    if total is None:
        return metrics.Sums.empty(classes)
    return total


def score(
    scorer: Callable, weights: Any, batches: Iterable[Mapping[str, np.ndarray]]
) -> report.Scores:
    """The logits of every example in one process's batches.

    Raises:
        UserError: the batches hold no example.
    """
    ids, logits, labels = [], [], []
    for batch in batches:
        outputs = scorer(weights, batch)
        mask = np.asarray(batch["mask"])
        ids.append(batch["id"][mask])
        logits.append(outputs["logits"][mask])
        labels.append(outputs["targets"][mask])
    if not sum(len(part) for part in ids):
        raise UserError("no example to evaluate: the split, or its subset of classes, is empty")
    return report.Scores(np.concatenate(ids), np.concatenate(logits), np.concatenate(labels))


def run(
    workdir: str | Path,
    *,
    out: str | Path,
    split: str | None = None,
    subset: str | Sequence[str] | None = None,
    data_dir: str | None = None,
    step: int | None = None,
    how: str | None = None,
    batch_size: int | None = None,
    kept: int | None = None,
    confidence: str | None = None,
    views: int | None = None,
) -> dict[str, Any]:
    """Evaluates a run's checkpoint in one process and writes a report.

    `out` gets `metrics.json`, `scores.npz`, `per_class.csv` and `confusion.csv`.

    Args:
        workdir: the --workdir of `jaxact train`.
        out: folder of the report.
        split: a split or protocol split of the run's data set; None is the run's evaluation split.
        subset: a subset that the data set names ("kinetics_motion"), or class names. Only their
            examples count; the network still predicts one of all classes.
        data_dir: folder of the prepared data, if they have moved since training.
        step, how: which checkpoint; see `trained_model.load`.
        batch_size: examples per batch; None is the run's.
        kept, confidence: of a network of segments, in place of the run's `model.kept` and
            `model.confidence`.
        views: clips per record, in place of the run's `clip.views`.

    Returns:
        The content of `metrics.json`.

    Raises:
        UserError: no checkpoint, no such data set, split or subset, or data that do not fit the
            network.
    """
    from jaxact.datasets import dataset_info, records
    from jaxact.datasets.preparation import summary
    from jaxact.pipeline import batches

    net = trained_model.load(workdir, step=step, how=how)
    net = trained_model.with_options(
        net, {"model.kept": kept, "model.confidence": confidence, "clip.views": views}
    )
    data = net.config.data
    split = split or data.eval_split
    info = dataset_info.load(data.name, data_dir or data.data_dir)
    check_data(info, net)
    placement = make_placement()
    devices = placement.mesh.size
    size = -(-(batch_size or net.config.batch_size) // devices) * devices
    source = batches.eval_batches(
        info,
        split=split,
        batch_size=size,
        process_index=jax.process_index(),
        process_count=jax.process_count(),
        classes=_subset_classes(subset, info),
        clip=dataclasses.asdict(net.config.clip),
    )
    total = None if subset else -(-records.count(info, split) // size)
    source = track(source, total=total, what=f"evaluating {split}", unit="batches")
    scorer = compile_scorer(net.model.apply, placement)
    scores = score(scorer, placement.replicate(net.weights), source)
    origin = {"split": split, "subset": subset, "data_dir": str(info.path), "workdir": str(workdir)}
    if split in info.leaks:
        origin["leaks"] = summary.describe_leak(info.leaks[split])
    return report.write(out, scores, net.labels, provenance(net, **origin))


def provenance(net: trained_model.TrainedModel, **origin: Any) -> dict[str, Any]:
    """Everything on which a metric of `net` depends.

    Args:
        net: the network.
        origin: further entries, such as the split.
    """
    return {
        "dataset": net.config.data.name,
        "dataset_version": net.version,
        **origin,
        "step": net.step,
        "step_chosen": net.selection,
        "protocol": protocols.describe(net.config),
        "preprocessing": dataclasses.asdict(net.config.clip),
        "layout": net.layout.name,
        "channels": list(net.channels),
        "model": configs.to_dict(net.config)["model"],
    }


def check_data(info: Any, net: trained_model.TrainedModel) -> None:
    """Raises UserError if a data set does not match the network's training data."""
    if info.labels != net.labels:
        raise UserError(
            f"the {len(info.labels)} classes of {info.name!r} are not the {len(net.labels)} "
            "of the checkpoint"
        )
    if net.version not in ("", info.version):
        raise UserError(
            f"the checkpoint was trained on version {net.version} of {info.name!r}, whose numbers "
            f"differ from version {info.version} in {str(info.path)!r}; train on this version, "
            "or move it away"
        )
    if info.layout != net.layout or info.channels != net.channels:
        raise UserError(
            f"the data set {info.name!r} has the layout {info.layout.name!r} with channels "
            f"{info.channels}, the checkpoint {net.layout.name!r} with {net.channels}"
        )


def _subset_classes(subset: str | Sequence[str] | None, info: Any) -> tuple[int, ...] | None:
    """A subset's class ids: one that the data set names, or class names separated by commas."""
    if not subset:
        return None
    if isinstance(subset, str) and subset in info.subsets:
        return tuple(info.subsets[subset])
    names = list(subset)
    if isinstance(subset, str):
        names = [name.strip() for name in subset.split(",")]
    for name in names:
        if name not in info.labels:
            raise UserError(
                f"no class or subset {name!r} in {info.name!r}; "
                f"subsets: {', '.join(info.subsets) or 'none'}; classes: {', '.join(info.labels)}"
            )
    return tuple(info.labels.index(name) for name in names)
