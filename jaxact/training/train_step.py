"""The training step of every model; a batch is `{inputs, targets}` and perhaps `mask`."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from jaxact.losses import Loss
from jaxact.models.outputs import Batch, classifies, logits_of
from jaxact.runs.state import TrainState, Tree, merge, split, variables


def train_step(
    state: TrainState,
    batch: Batch,
    *,
    apply: Callable[..., Any],
    loss: Loss,
    tx: optax.GradientTransformation,
    seed: int,
    ema: float = 0.0,
    accumulate: int = 1,
    axis_name: str | None = None,
    frozen: Callable[[Tree], Tree] | None = None,
) -> tuple[TrainState, dict[str, Float[Array, ""]]]:
    """One update from the mean loss of the batch's unmasked examples.

    With `accumulate` = a, the batch is split into a micro-batches. Their gradient *sums* are added
    and divided once by the number of examples, so the gradient of a model without BatchNorm is
    exactly that of the whole batch. BatchNorm normalises each micro-batch by its own statistics, as
    it does a smaller batch, and updates its running averages a times.

    Args:
        apply: the model's `apply`.
        loss: per-example loss of (outputs, targets, step), unreduced.
        seed: the dropout key is `fold_in(key(seed), step)`, folded again with device and
            micro-batch.
        ema: decay of the parameters' moving average; 0 = none.
        accumulate: number of micro-batches.
        axis_name: the device axis, if the step reads one device's share of the batch.
        frozen: returns a mask of the parameters that are not trained, see `state.frozen_mask`; by
          default all are trained.

    Returns:
        The new state, and sums over the whole batch: `loss`, `count`, `correct` of a classifier,
        and the global `grad_norm`.
    """
    key = jax.random.fold_in(jax.random.key(seed), state.step)
    if axis_name:
        key = jax.random.fold_in(key, jax.lax.axis_index(axis_name))

    trained, fixed = state.params, None
    if frozen:
        trained, fixed = split(state.params, frozen(state.params))

    def loss_sum(trained: Tree, batch_stats: Tree, micro: Batch, key: jax.Array):
        params = merge(trained, fixed) if frozen else trained
        outputs, updated = apply(
            variables(params, batch_stats),
            micro["inputs"],
            train=True,
            mutable=["batch_stats"],
            rngs={"dropout": key},
        )
        mask = _mask(micro)
        total = jnp.sum(loss(outputs, micro["targets"], state.step) * mask)
        sums = {"loss": total, "count": jnp.sum(mask)}
        if classifies(outputs):
            sums["correct"] = jnp.sum(_correct(outputs, micro["targets"]) * mask)
        return total, (updated.get("batch_stats", batch_stats), sums)

    grad = jax.grad(loss_sum, has_aux=True)
    if accumulate == 1:
        grads, (batch_stats, sums) = grad(trained, state.batch_stats, batch, key)
    else:
        micros = _micro_batches(batch, accumulate)
        grads, batch_stats, sums = _accumulated(grad, trained, state.batch_stats, micros, key)
    if axis_name:
        grads, sums = jax.lax.psum((grads, sums), axis_name)
        batch_stats = jax.lax.pmean(batch_stats, axis_name)
    grads = jax.tree.map(lambda g: g / jnp.maximum(sums["count"], 1.0), grads)
    updates, opt_state = tx.update(grads, state.opt_state, trained)
    trained = optax.apply_updates(trained, updates)
    params = merge(trained, fixed) if frozen else trained
    average = state.ema
    if average is not None:
        average = optax.incremental_update(params, average, 1.0 - ema)
    new_state = state.replace(
        step=state.step + 1,
        params=params,
        batch_stats=batch_stats,
        opt_state=opt_state,
        ema=average,
    )
    return new_state, {**sums, "grad_norm": optax.tree.norm(grads)}


def _accumulated(grad: Callable, trained: Tree, batch_stats: Tree, micros: Batch, key: jax.Array):
    """Sums of `grad` over the micro-batches, and the last batch statistics."""

    def add(carry, item):
        grads, batch_stats, sums = carry
        index, micro = item
        micro_key = jax.random.fold_in(key, index)
        micro_grads, (batch_stats, micro_sums) = grad(trained, batch_stats, micro, micro_key)
        grads = jax.tree.map(jnp.add, grads, micro_grads)
        sums = jax.tree.map(jnp.add, sums, micro_sums)
        return (grads, batch_stats, sums), None

    first = jax.tree.map(lambda x: x[0], micros)
    grads, (_, sums) = jax.eval_shape(grad, trained, batch_stats, first, key)
    grads, sums = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), (grads, sums))
    count = jax.tree.leaves(micros)[0].shape[0]
    initial = (grads, batch_stats, sums)
    (grads, batch_stats, sums), _ = jax.lax.scan(add, initial, (jnp.arange(count), micros))
    return grads, batch_stats, sums


def _micro_batches(batch: Batch, accumulate: int) -> Batch:
    """[b, ...] -> [accumulate, b / accumulate, ...]; each device's rows stay on it."""

    def split_rows(array: jax.Array) -> jax.Array:
        rows = array.shape[0] // accumulate
        return array.reshape(rows, accumulate, *array.shape[1:]).swapaxes(0, 1)

    return jax.tree.map(split_rows, dict(batch))


def _mask(batch: Batch) -> Float[Array, " b"]:
    if "mask" in batch:
        return batch["mask"].astype(jnp.float32)
    return jnp.ones(jax.tree.leaves(batch["targets"])[0].shape[:1], jnp.float32)


def _correct(outputs: Any, targets: Any) -> Float[Array, " b"]:
    return (jnp.argmax(logits_of(outputs), axis=-1) == targets).astype(jnp.float32)
