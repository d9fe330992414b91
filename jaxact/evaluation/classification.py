"""One evaluator for every model: a pass over a split in which each example counts exactly once."""

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
from jaxact.metrics import classification as metrics
from jaxact.progress import track
from jaxact.runs import trained_model
from jaxact.runs.sharding import Placement, make_placement


def compile_scorer(
    apply: Callable[..., Any], placement: Placement
) -> Callable[[Any, Mapping], dict]:
    """The evaluation step over the devices of `placement`: (weights, batch) -> logits, targets,
    mask.
    """
    run = placement.compile_eval(functools.partial(eval_step, apply=apply))
    return lambda weights, batch: jax.device_get(run(weights, placement.shard_eval(batch)))


def totals(
    scorer: Callable, weights: Any, batches: Iterable[Mapping[str, np.ndarray]], *, classes: int
) -> metrics.Sums | metrics.Losses:
    """The sums over all processes' batches; every process gets the same."""
    sums: Any = None
    for found in (scorer(weights, batch) for batch in batches):
        if "loss" in found:
            more = metrics.from_losses(found["loss"], found["mask"])
        else:
            more = metrics.from_logits(found["logits"], found["targets"], found["mask"])
        sums = more if sums is None else sums + more
    return metrics.Sums.empty(classes) if sums is None else sums


def score(
    scorer: Callable, weights: Any, batches: Iterable[Mapping[str, np.ndarray]]
) -> report.Scores:
    """The logits of every example of one process's pass.

    Raises:
      UserError: the pass holds no example.
    """
    rows: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for batch in batches:
        found, real = scorer(weights, batch), np.asarray(batch["mask"])
        rows.append((batch["id"][real], found["logits"][real], found["targets"][real]))
    if not sum(len(row[0]) for row in rows):
        raise UserError("no example to evaluate: the split, or its subset of classes, is empty")
    ids, logits, labels = (np.concatenate(column) for column in zip(*rows, strict=True))
    return report.Scores(ids, logits, labels)


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
    """Evaluates a run's checkpoint, in one process.

    `out` gets `metrics.json`, `scores.npz`, `per_class.csv` and `confusion.csv`.

    Args:
      workdir: the --workdir of `jaxact train`.
      split: a split or protocol split of the run's data set; by default the run's own evaluation
          split.
      subset: a subset that the data set names ("kinetics_motion"), or class names; only their
        examples count, the network still choosing among all classes.
      data_dir: where the prepared data lie now, if not where training found them.
      step, how: which checkpoint; see `trained_model.load`.
      batch_size: examples at a time; by default the run's.
      kept, confidence: of a network of segments, in place of the run's `model.kept` and
          `model.confidence`.
      views: clips seen of each record, in place of the run's `clip.views`.

    Returns:
      What `metrics.json` holds.

    Raises:
      UserError: no checkpoint, no such data set, split or subset, or data that do not fit the
          network.
    """
    from jaxact.datasets import dataset_info, records
    from jaxact.datasets.preparation import summary
    from jaxact.pipeline import batches

    net = trained_model.load(workdir, step=step, how=how)
    net = trained_model.at_test_time(
        net, {"model.kept": kept, "model.confidence": confidence, "clip.views": views}
    )
    data = net.config.data
    split = split or data.eval_split
    info = dataset_info.load(data.name, data_dir or data.data_dir)
    check_data(info, net)
    placement = make_placement()
    size = -(-(batch_size or net.config.batch_size) // placement.mesh.size) * placement.mesh.size
    source = batches.eval_batches(
        info,
        split=split,
        batch_size=size,
        process_index=jax.process_index(),
        process_count=jax.process_count(),
        classes=_classes(subset, info),
        clip=dataclasses.asdict(net.config.clip),
    )
    scorer = compile_scorer(net.model.apply, placement)
    total = None if subset else -(-records.count(info, split) // size)
    shown = track(source, total=total, what=f"evaluating {split}", unit="batches")
    found = score(scorer, placement.replicate(net.weights, donatable=False), shown)
    where = {"split": split, "subset": subset, "data_dir": str(info.path), "workdir": str(workdir)}
    if split in info.leaks:
        where["leaks"] = summary.describe_leak(info.leaks[split])
    return report.write(out, found, net.labels, about(net, **where))


def about(net: trained_model.Trained, **where: Any) -> dict[str, Any]:
    """What a figure of `net` depends on."""
    return {
        "dataset": net.config.data.name,
        "dataset_version": net.version,
        **where,
        "step": net.step,
        "step_chosen": net.chosen,
        "protocol": protocols.describe(net.config),
        "preprocessing": dataclasses.asdict(net.config.clip),
        "layout": net.layout.name,
        "channels": list(net.channels),
        "model": configs.to_dict(net.config)["model"],
    }


def check_data(info: Any, net: trained_model.Trained) -> None:
    """Raises UserError where a data set is not of the kind that the network was trained on."""
    if info.labels != net.labels:
        raise UserError(
            f"the {len(info.labels)} classes of {info.name!r} are not the {len(net.labels)} of the checkpoint"
        )
    if net.version not in ("", info.version):
        raise UserError(
            f"the checkpoint was trained on version {net.version} of {info.name!r}, whose numbers are other ones than "
            f"those of version {info.version} in {str(info.path)!r}; train on this one, or move it out of the way"
        )
    if info.layout != net.layout or info.channels != net.channels:
        raise UserError(
            f"the data set {info.name!r} has the layout {info.layout.name!r} with channels {info.channels}, "
            f"the checkpoint {net.layout.name!r} with {net.channels}"
        )


def _classes(subset: str | Sequence[str] | None, info: Any) -> tuple[int, ...] | None:
    """A subset's class ids: one that the data set names, or class names separated by commas."""
    if not subset:
        return None
    if isinstance(subset, str) and subset in info.subsets:
        return tuple(info.subsets[subset])
    names = (
        [name.strip() for name in subset.split(",")] if isinstance(subset, str) else list(subset)
    )
    missing = [name for name in names if name not in info.labels]
    if missing:
        raise UserError(
            f"no class or subset {missing[0]!r} in {info.name!r}; subsets: {', '.join(info.subsets) or 'none'}; "
            f"classes: {', '.join(info.labels)}"
        )
    return tuple(info.labels.index(name) for name in names)
