"""One loop for every model, from an iterator of batches to checkpoints that can be resumed bit by
bit.
"""

import contextlib
import dataclasses
import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from jaxact import files
from jaxact.config import PoseConfig, TrainConfig, check, to_dict
from jaxact.errors import UserError
from jaxact.evaluation import classification
from jaxact.losses import classification as losses
from jaxact.metrics import classification as metrics
from jaxact.progress import Bar
from jaxact.runs import sharding, state, trained_model
from jaxact.runs.checkpoint import Checkpoints
from jaxact.skeletons.pose_body import BODY
from jaxact.training import initialisation, optim
from jaxact.training import train_step as step
from jaxact.training.data_source import Source, from_records
from jaxact.training.metric_logger import Journal, Window
from jaxact.training.preemption import StopRequest


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: at which step, whether it was told to stop early, and its last
    evaluation.
    """

    step: int
    stopped: bool
    metrics: dict[str, float] | None


def run(config: TrainConfig, workdir: str | Path, source: Source | None = None) -> Outcome:
    """Trains, or goes on where the last checkpoint in `workdir` stands, to the end of the last
    epoch.

    Args:
      config: the resolved config.
      workdir: gets `checkpoints/`, `metrics.jsonl`, `config.json` and `tensorboard/`.
      source: where batches come from; the prepared records that the config names, by default.

    Raises:
      UserError: options that do not fit each other, the data, or the checkpoints in `workdir`; a
          non-finite loss.
    """
    check(config)
    check_joint_weights(config)
    placement = sharding.make_placement(
        parallel=config.parallel, batch_norm=config.batch_norm, devices=config.devices
    )
    placement.check_batch(config.batch_size, accumulate=config.optim.accumulate)
    source = source or from_records(config)
    steps = _steps(config, config.epochs, source.size)
    meta = trained_model.RunMetadata(
        config,
        source.layout,
        source.labels,
        source.channels,
        radii=source.radii,
        size=source.size,
        version=source.version,
    )
    tx, rate = _optimizer(config, source.size, steps)
    start = functools.partial(
        state.create,
        trained_model.build(meta),
        trained_model.example(meta),
        tx,
        seed=config.seed,
        ema=bool(config.optim.ema),
    )
    shapes = jax.eval_shape(start)  # what does not fit is told before anything is written
    with contextlib.ExitStack() as stack:
        first = jax.process_index() == 0
        if first:
            busy = f"another process trains in {str(workdir)!r}; wait for it to end, or give another --workdir"
            stack.enter_context(files.locked(workdir, busy))
        saved = stack.enter_context(contextlib.closing(Checkpoints(workdir)))
        begun = _begin(saved, meta, start, shapes, placement, config.init_from)
        journal = (
            stack.enter_context(Journal(Path(workdir), to_dict(config), int(begun.step)))
            if first
            else None
        )
        fit = _Fit(
            run=config,
            source=source,
            placement=placement,
            steps=steps,
            rate=rate,
            saved=saved,
            meta=meta,
        )
        return fit(begun, _compiled_step(config, meta, tx, placement), journal)


@dataclasses.dataclass(slots=True, kw_only=True)
class _Fit:
    """The loop, and what it looks at."""

    run: TrainConfig
    source: Source
    placement: sharding.Placement
    steps: int
    rate: Callable[[int], Any]
    saved: Checkpoints
    meta: trained_model.RunMetadata

    def __call__(
        self, begun: state.TrainState, update: Callable, journal: Journal | None
    ) -> Outcome:
        from jaxact.pipeline.device_prefetch import to_devices

        run, now, count = self.run, begun, int(begun.step)
        scorer = classification.compile_scorer(trained_model.build(self.meta).apply, self.placement)
        eval_steps = _steps(run, run.eval_every, self.source.size) if run.eval_every else 0
        found, window, stop = None, Window(count), StopRequest()
        bar = Bar(
            total=self.steps, start=count, what="training", unit="steps", quiet=journal is None
        )
        feed = to_devices(self.source.train(count), self.placement.shard_train)
        with stop, contextlib.closing(feed), contextlib.closing(bar):
            while count < self.steps and not stop.asked(count):
                now, sums = update(now, next(feed))
                count += 1
                window.add(sums)
                bar.advance()
                if count % run.log_every == 0 or count == self.steps:
                    self._log(journal, bar, window, count)
                last = count == self.steps
                if last or (eval_steps and count % eval_steps == 0):
                    found = self._evaluate(scorer, now, journal, bar, count)
                    self._save(now, window, found)
                elif count % run.checkpoint_every == 0:
                    self._save(now, window)
            if count < self.steps:
                self._save(now, window)
        return Outcome(count, count < self.steps, found or self.saved.metrics(count))

    def _log(self, journal: Journal | None, bar: Bar, window: Window, count: int) -> None:
        line = window.flush(count, self.run.batch_size, self.saved.latest)
        line = {**self._when(count), **line, "learning_rate": float(self.rate(count - 1))}
        if journal:
            journal.write(line)
            bar.note(
                f"step {count}/{self.steps}, epoch {line['epoch']:.2f}: loss {line['train_loss']:.4f}, "
                + (f"top-1 {line['train_top1']:.1%}, " if "train_top1" in line else "")
                + f"{line['clips_per_second']:.1f} clips/s"
            )

    def _evaluate(
        self, scorer: Callable, now: state.TrainState, journal, bar: Bar, count: int
    ) -> dict[str, float]:
        weights = self.placement.globalize(now).weights
        sums = classification.totals(
            scorer, weights, self.source.evaluate(), classes=len(self.source.labels)
        )
        found = metrics.compute(sums)
        if journal:
            journal.write(
                {**self._when(count), **{f"eval_{name}": value for name, value in found.items()}}
            )
            shares = {"top-1": "top1", "top-5": "top5", "mean class": "mean_class"}
            parts = [f"{name} {found[key]:.2%}" for name, key in shares.items() if key in found]
            said = ", ".join([*parts, f"loss {found['loss']:.4f}"])
            bar.note(f"step {count}/{self.steps}: {self.run.data.eval_split} {said}")
        return found

    def _save(
        self, now: state.TrainState, window: Window, found: dict[str, float] | None = None
    ) -> None:
        window.check(self.saved.latest)
        self.saved.save(self.placement.globalize(now), self.meta.to_dict(), found)

    def _when(self, count: int) -> dict[str, Any]:
        return {"step": count, "epoch": round(count * self.run.batch_size / self.source.size, 4)}


def _steps(run: TrainConfig, epochs: int | float, size: int) -> int:
    """Steps that see `epochs` times all examples: the last may see some of them again."""
    return max(1, math.ceil(epochs * size / run.batch_size))


def check_joint_weights(config: TrainConfig) -> None:
    """Raises UserError for another number of weights than the network has maps of joints."""
    given, model = len(config.joint_weights), config.model
    maps = len(BODY.joints) + model.background if isinstance(model, PoseConfig) else 0
    if given not in (0, maps):
        raise UserError(
            f"config.joint_weights has {given} numbers; wanted none"
            + (
                f", or one for each of the {maps} maps of joints"
                if maps
                else f": {model.name!r} finds no joints"
            )
        )


def _begin(
    saved: Checkpoints,
    meta: trained_model.RunMetadata,
    start: Callable[[], state.TrainState],
    shapes: state.TrainState,
    placement: sharding.Placement,
    init_from: str,
) -> state.TrainState:
    """The state to go on from: the last checkpoint's, or a fresh one, perhaps with modules of
    another run.
    """
    latest = saved.latest
    if latest is None:
        return placement.replicate(_initial(start(), meta, init_from))
    old = trained_model.RunMetadata.from_dict(saved.meta(latest))
    trained_model.check_same_run(old, meta, saved.folder)
    return saved.restore(latest, shapes, placement.replicated)


def _initial(
    fresh: state.TrainState, meta: trained_model.RunMetadata, init_from: str
) -> state.TrainState:
    """The state before the first step, with the weights of `init_from`: a run's folder, or a file
    of a backbone's.

    Raises:
      UserError: weights that do not fit, or none for parameters that are never trained.
    """
    if not init_from:
        frozen = state.freezing(trained_model.build(meta))(fresh.params)
        if any(jax.tree.leaves(frozen)):
            raise UserError(
                f"model.train_from={meta.config.model.train_from!r} freezes layers, which would stay as they "
                "were drawn: give their weights by --config.init_from=FILE (see `jaxact import keras`), or train all "
                "by --config.model.train_from=all"
            )
        return fresh
    if not Path(init_from).is_file():
        return initialisation.transplant(
            fresh, trained_model.load(init_from, classifier=False), init_from
        )
    from jaxact.interop import keras

    begun = keras.graft(state.variables(fresh.params, fresh.batch_stats), keras.load(init_from))
    average = None if fresh.ema is None else jax.tree.map(jnp.copy, begun["params"])
    return fresh.replace(params=begun["params"], batch_stats=begun["batch_stats"], ema=average)


def _optimizer(run: TrainConfig, size: int, steps: int):
    per_epoch = size / run.batch_size
    section = dataclasses.asdict(run.optim)
    rate = optim.schedule(
        kind=section.pop("schedule"),
        learning_rate=section.pop("learning_rate"),
        total_steps=steps,
        milestones=[round(epoch * per_epoch) for epoch in section.pop("milestones")],
        factor=section.pop("factor"),
        warmup_steps=round(section.pop("warmup") * per_epoch),
    )
    section = {name: value for name, value in section.items() if name not in ("ema", "accumulate")}
    return optim.optimizer(rate, **section), rate


def _compiled_step(
    run: TrainConfig, meta: trained_model.RunMetadata, tx, placement: sharding.Placement
) -> Callable:
    model = trained_model.build(meta, axis_name=placement.norm_axis)
    return placement.compile_train(
        functools.partial(
            step.train_step,
            apply=model.apply,
            frozen=state.freezing(model),
            loss=functools.partial(
                losses.per_example,
                label_smoothing=run.label_smoothing,
                auxiliary=run.auxiliary,
                joint_weights=run.joint_weights,
                kept=run.segments_kept,
                warmup=_steps(run, run.segments_warmup, meta.size) if run.segments_warmup else 0,
            ),
            tx=tx,
            seed=run.seed,
            ema=run.optim.ema,
            accumulate=run.optim.accumulate,
            axis_name=placement.step_axis,
        )
    )
