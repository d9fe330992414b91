"""The training loop of every model: batches in, checkpoints out that resume bit by bit."""

import contextlib
import dataclasses
import functools
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import optax

from jaxact import files, models
from jaxact.config import PoseConfig, PoseLossConfig, TrainConfig, check, to_dict
from jaxact.errors import UserError
from jaxact.evaluation import classification
from jaxact.losses import make_loss
from jaxact.metrics import classification as metrics
from jaxact.progress import Bar
from jaxact.runs import resume_check, sharding, state, trained_model
from jaxact.runs.checkpoint import Checkpoints
from jaxact.skeletons.pose_body import BODY
from jaxact.training import initialisation, optim, train_step
from jaxact.training.data_source import DataSource, from_records
from jaxact.training.metric_logger import MetricLogger, MetricWindow
from jaxact.training.preemption import StopRequest


@dataclasses.dataclass(frozen=True, slots=True)
class TrainResult:
    """How a run ended.

    Attributes:
        step: number of updates made.
        stopped: whether a signal stopped the run before its last step.
        metrics: the last evaluation, or None.
    """

    step: int
    stopped: bool
    metrics: dict[str, float] | None


def run(config: TrainConfig, workdir: str | Path, source: DataSource | None = None) -> TrainResult:
    """Trains to the end of the last epoch; resumes from the last checkpoint in `workdir`.

    Args:
        config: the resolved config.
        workdir: gets `checkpoints/`, `metrics.jsonl`, `config.json` and `tensorboard/`.
        source: where batches come from; by default the prepared records that the config names.

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
    metadata = trained_model.RunMetadata(
        config,
        source.layout,
        source.labels,
        source.channels,
        radii=source.radii,
        size=source.size,
        version=source.version,
    )
    model = trained_model.build(metadata)
    evaluation_loss = None
    if config.model.name in models.UNSUPERVISED:
        evaluation_loss = make_loss(config.loss.name)
    learning_rate = _schedule(config, source.size)
    tx = _optimizer(config, learning_rate)
    create = functools.partial(
        state.create,
        model,
        trained_model.example_input(metadata),
        tx,
        seed=config.seed,
        ema=bool(config.optim.ema),
    )
    # A model that does not fit the clips is refused here, before anything is written.
    shapes = jax.eval_shape(create)
    with contextlib.ExitStack() as stack:
        primary = jax.process_index() == 0
        if primary:
            message = (
                f"another process trains in {str(workdir)!r}; "
                "wait for it to end, or give another --workdir"
            )
            stack.enter_context(files.locked(workdir, message))
        checkpoints = stack.enter_context(contextlib.closing(Checkpoints(workdir)))
        if checkpoints.latest is None:
            # No variable holds the state before it is copied: it would stay in memory.
            train_state = placement.replicate(initialisation.initialise(create(), model, config))
        else:
            train_state = _restore(checkpoints, metadata, shapes, placement)
        logger = None
        if primary:
            logger = MetricLogger(Path(workdir), to_dict(config), int(train_state.step))
            stack.enter_context(logger)
        return _train(
            config,
            source,
            train_state,
            update=_compiled_step(config, metadata, tx, placement),
            scorer=classification.compile_scorer(model.apply, placement, evaluation_loss),
            learning_rate=learning_rate,
            metadata=metadata,
            placement=placement,
            checkpoints=checkpoints,
            logger=logger,
        )


def _train(
    config: TrainConfig,
    source: DataSource,
    train_state: state.TrainState,
    *,
    update: Callable[..., Any],
    scorer: Callable[..., Any],
    learning_rate: Callable[[int], Any],
    metadata: trained_model.RunMetadata,
    placement: sharding.Placement,
    checkpoints: Checkpoints,
    logger: MetricLogger | None,
) -> TrainResult:
    """Runs the training steps; logs, evaluates and saves on the config's intervals."""
    from jaxact.pipeline.device_prefetch import to_devices

    step = int(train_state.step)
    last_step = _steps(config, config.epochs, source.size)
    eval_every = 0
    if config.eval_every:
        eval_every = _steps(config, config.eval_every, source.size)
    evaluation = None
    window = MetricWindow(step)
    stop = StopRequest()
    progress = Bar(total=last_step, start=step, what="training", unit="steps", quiet=logger is None)

    def log(values: Mapping[str, float], note: str) -> None:
        if logger is not None:
            epoch = round(step * config.batch_size / source.size, 4)
            logger.write({"step": step, "epoch": epoch, **values})
            progress.note(f"step {step}/{last_step}{note}")

    def save(scores: dict[str, float] | None = None) -> None:
        window.check(checkpoints.latest)
        checkpoints.save(placement.globalize(train_state), metadata.to_dict(), scores)

    batches = to_devices(source.train(step), placement.shard_train)
    with stop, contextlib.closing(batches), contextlib.closing(progress):
        while step < last_step and not stop.requested(step):
            train_state, sums = update(train_state, next(batches))
            step += 1
            window.add(sums)
            progress.advance()
            if step % config.log_every == 0 or step == last_step:
                means = window.flush(step, config.batch_size, checkpoints.latest)
                means["learning_rate"] = float(learning_rate(step - 1))
                epoch = step * config.batch_size / source.size
                log(means, f", epoch {epoch:.2f}: {_training_note(means)}")
            if step == last_step or (eval_every and step % eval_every == 0):
                weights = placement.globalize(train_state).weights
                totals = classification.totals(
                    scorer, weights, source.evaluate(), classes=len(source.labels)
                )
                evaluation = metrics.compute(totals)
                log(
                    {f"eval_{name}": value for name, value in evaluation.items()},
                    f": {config.data.eval_split} {_evaluation_note(evaluation)}",
                )
                save(evaluation)
            elif step % config.checkpoint_every == 0:
                save()
        if step < last_step:
            save()
    return TrainResult(step, step < last_step, evaluation or checkpoints.metrics(step))


def _training_note(means: Mapping[str, float]) -> str:
    parts = [f"loss {means['train_loss']:.4f}"]
    if "train_top1" in means:
        parts.append(f"top-1 {means['train_top1']:.1%}")
    parts.append(f"{means['clips_per_second']:.1f} clips/s")
    return ", ".join(parts)


def _evaluation_note(evaluation: Mapping[str, float]) -> str:
    parts = []
    for title, name in (("top-1", "top1"), ("top-5", "top5"), ("mean class", "mean_class")):
        if name in evaluation:
            parts.append(f"{title} {evaluation[name]:.2%}")
    parts.append(f"loss {evaluation['loss']:.4f}")
    return ", ".join(parts)


def _steps(config: TrainConfig, epochs: float, size: int) -> int:
    """The steps in which every example is read `epochs` times; rounded up."""
    return max(1, math.ceil(epochs * size / config.batch_size))


def check_joint_weights(config: TrainConfig) -> None:
    """Raises UserError if the number of joint weights is not that of the model's joint maps."""
    if not isinstance(config.model, PoseConfig) or not isinstance(config.loss, PoseLossConfig):
        return
    maps = len(BODY.joints) + config.model.background
    count = len(config.loss.joint_weights)
    if count not in (0, maps):
        raise UserError(
            f"config.loss.joint_weights has {count} numbers; wanted none, or one for each of the "
            f"{maps} maps of joints"
        )


def _restore(
    checkpoints: Checkpoints,
    metadata: trained_model.RunMetadata,
    shapes: state.TrainState,
    placement: sharding.Placement,
) -> state.TrainState:
    """The state of the last checkpoint, which must be of the same run."""
    latest = checkpoints.latest
    assert latest is not None
    saved = trained_model.RunMetadata.from_dict(checkpoints.meta(latest))
    resume_check.check_same_run(saved, metadata, checkpoints.folder)
    return checkpoints.restore(latest, shapes, placement.replicated)


def _schedule(config: TrainConfig, size: int) -> optax.Schedule:
    """The learning rate as a function of the step; the config gives epochs."""
    options = config.optim
    steps_per_epoch = size / config.batch_size
    return optim.schedule(
        kind=options.schedule,
        learning_rate=options.learning_rate,
        total_steps=_steps(config, config.epochs, size),
        milestones=[round(epoch * steps_per_epoch) for epoch in options.milestones],
        factor=options.factor,
        warmup_steps=round(options.warmup * steps_per_epoch),
    )


def _optimizer(config: TrainConfig, learning_rate: optax.Schedule) -> optax.GradientTransformation:
    options = config.optim
    return optim.optimizer(
        learning_rate,
        name=options.name,
        momentum=options.momentum,
        nesterov=options.nesterov,
        weight_decay=options.weight_decay,
        decay=options.decay,
        clip_norm=options.clip_norm,
    )


def _compiled_step(
    config: TrainConfig,
    metadata: trained_model.RunMetadata,
    tx: optax.GradientTransformation,
    placement: sharding.Placement,
) -> Callable[..., Any]:
    model = trained_model.build(metadata, axis_name=placement.norm_axis)
    loss_options = dataclasses.asdict(config.loss)
    if loss_options.get("warmup"):
        loss_options["warmup"] = _steps(config, config.loss.warmup, metadata.size or 0)
    step = functools.partial(
        train_step.train_step,
        apply=model.apply,
        frozen=functools.partial(state.frozen_mask, model),
        loss=make_loss(**loss_options),
        tx=tx,
        seed=config.seed,
        ema=config.optim.ema,
        accumulate=config.optim.accumulate,
        axis_name=placement.step_axis,
    )
    return placement.compile_train(step)
