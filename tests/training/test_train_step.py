"""The training step: what it changes, and that devices, micro-batches and masks do not change what
it means.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.evaluation.eval_step import eval_step
from jaxact.losses import classification as losses
from jaxact.runs import sharding, state, trained_model
from jaxact.training import optim, train_step
from tests.helpers import toys

RATE = 0.02


@pytest.fixture(scope="module", autouse=True)
def short():
    with toys.short_networks():
        yield


@functools.cache
def fresh(ema: bool) -> state.TrainState:
    """The state before the first step."""
    run = toys.run_config(model__init="he_fan_out")
    meta = trained_model.RunMetadata(run, toys.LAYOUT, toys.LABELS, toys.CHANNELS)
    tx = optim.optimizer(lambda count: RATE, name="sgd")
    model, example = trained_model.build(meta), trained_model.example_input(meta)
    return jax.device_get(state.create(model, example, tx, seed=0, ema=ema))


@functools.cache
def program(devices: int, accumulate: int, ema: float, overrides: tuple):
    """The compiled step of a run, and where its arrays lie."""
    run = toys.run_config(
        model__init="he_fan_out",
        devices=devices,
        optim__accumulate=accumulate,
        optim__ema=ema,
        **dict(overrides),
    )
    placement = sharding.make_placement(
        parallel=run.parallel, batch_norm=run.batch_norm, devices=devices
    )
    meta = trained_model.RunMetadata(run, toys.LAYOUT, toys.LABELS, toys.CHANNELS)
    update = placement.compile_train(
        functools.partial(
            train_step.train_step,
            apply=trained_model.build(meta, axis_name=placement.norm_axis).apply,
            loss=losses.classification_loss,
            tx=optim.optimizer(lambda count: RATE, name="sgd"),
            seed=0,
            ema=ema,
            accumulate=accumulate,
            axis_name=placement.step_axis,
        )
    )
    return placement, update


def one_step(
    *,
    batch: dict,
    steps: int = 1,
    devices: int = 1,
    accumulate: int = 1,
    ema: float = 0.0,
    **overrides,
):
    """The state before and after `steps` steps on the same batch, and the last step's sums."""
    placement, update = program(devices, accumulate, ema, tuple(sorted(overrides.items())))
    before = fresh(bool(ema))
    after, sums = placement.replicate(before), None
    for _ in range(steps):
        after, sums = update(after, placement.shard_train(batch))
    return jax.device_get((before, after, sums))


def toy_batch(count: int = 8) -> dict:
    inputs, targets = toys.clips(count)
    return {"inputs": inputs, "targets": targets}


def distance(a, b) -> float:
    """Norm of the difference of two trees over the norm of the first."""
    flat = [
        np.concatenate([np.ravel(x) for x in jax.tree.leaves(tree)]).astype(np.float64)
        for tree in (a, b)
    ]
    return float(np.linalg.norm(flat[0] - flat[1]) / np.linalg.norm(flat[0]))


def update_distance(before, one, other) -> float:
    """How far two updates of the same state are from each other, over the length of the first."""
    length = distance(one.params, before.params)
    return distance(one.params, other.params) / length


def test_a_step_moves_everything_that_should_move():
    before, after, sums = one_step(batch=toy_batch(), ema=0.9)
    assert after.step == 1 and sums["count"] == 8
    for tree in ("params", "batch_stats", "opt_state", "ema"):
        assert distance(getattr(after, tree), getattr(before, tree)) > 0, tree
    pairs = zip(jax.tree.leaves(before.params), jax.tree.leaves(after.params), strict=True)
    assert all(np.any(start != end) for start, end in pairs if start.ndim > 1)
    for start, end, mean in zip(
        *map(jax.tree.leaves, (before.params, after.params, after.ema)), strict=True
    ):
        np.testing.assert_allclose(mean, 0.9 * start + 0.1 * end, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_dropout_differs_between_steps_and_repeats_between_runs():
    losses_seen = [one_step(batch=toy_batch(), steps=n)[2]["loss"] for n in (1, 2, 2)]
    assert losses_seen[0] != losses_seen[1] == losses_seen[2]


@pytest.mark.parametrize("parallel", ["jit", pytest.param("pmap", marks=pytest.mark.slow)])
def test_four_devices_are_one_device(parallel):
    plain = {"batch": toy_batch(), "model__dropout": 0.0}
    before, one, sums = one_step(**plain)
    _, four, same = one_step(devices=4, parallel=parallel, **plain)
    assert update_distance(before, one, four) < 1e-3
    assert distance(one.batch_stats, four.batch_stats) < 2e-5
    np.testing.assert_allclose(sums["loss"], same["loss"], rtol=1e-5)
    assert sums["count"] == same["count"] == 8 and sums["correct"] == same["correct"]


@pytest.mark.slow
def test_pmap_and_jit_agree_on_per_device_normalisation_which_is_not_the_global_one():
    plain = {"batch": toy_batch(), "model__dropout": 0.0}
    before, jit, _ = one_step(devices=2, batch_norm="per_device", **plain)
    _, pmap, _ = one_step(devices=2, batch_norm="per_device", parallel="pmap", **plain)
    _, whole, _ = one_step(**plain)
    assert update_distance(before, jit, pmap) < 1e-3 < update_distance(before, jit, whole)
    assert distance(jit.batch_stats, pmap.batch_stats) < 2e-5
    assert distance(jit.batch_stats, whole.batch_stats) > 1e-2


@pytest.mark.slow
def test_dropout_is_the_same_on_one_and_four_devices_under_jit():
    before, one, _ = one_step(batch=toy_batch())
    _, four, _ = one_step(batch=toy_batch(), devices=4)
    assert update_distance(before, one, four) < 1e-3


@pytest.mark.slow
def test_each_device_drops_other_elements_under_pmap():
    """With the same elements dropped everywhere, devices that change places would have the same
    loss together.
    """
    swapped = {name: np.concatenate([x[4:], x[:4]]) for name, x in toy_batch().items()}
    loss, swapped_loss = (
        one_step(batch=batch, devices=2, batch_norm="per_device", parallel="pmap")[2]["loss"]
        for batch in (toy_batch(), swapped)
    )
    assert abs(loss - swapped_loss) > 1e-4


@pytest.mark.slow
def test_accumulated_gradients_are_the_whole_batchs_without_batch_norm():
    """With a linear model the update of four micro-batches is that of the batch, on one device and
    on two.
    """
    batch = toy_batch()

    def apply(weights, inputs, *, train, mutable=(), rngs=None):
        return inputs.mean((1, 2, 3)) @ weights["params"]["w"], {}

    tx = optim.optimizer(lambda count: 0.1, name="sgd")
    params = {"w": jnp.asarray(np.random.default_rng(0).standard_normal((3, 4)), jnp.float32)}
    updated = []
    for accumulate, devices in ((1, 1), (4, 1), (2, 2)):
        placement = sharding.make_placement(devices=devices)
        run = functools.partial(
            train_step.train_step,
            apply=apply,
            loss=losses.classification_loss,
            tx=tx,
            seed=0,
            accumulate=accumulate,
        )
        start = placement.replicate(
            state.TrainState(jnp.zeros((), jnp.int32), params, {}, tx.init(params))
        )
        end, sums = placement.compile_train(run)(start, placement.shard_train(batch))
        updated.append(np.asarray(end.params["w"]))
        assert sums["count"] == 8
    np.testing.assert_allclose(updated[1], updated[0], rtol=1e-5)
    np.testing.assert_allclose(updated[2], updated[0], rtol=1e-5)


@pytest.mark.slow
def test_accumulation_moves_the_running_statistics_once_a_micro_batch():
    """Two equal micro-batches: statistics decay twice towards what one step on both, as on either,
    decays to once.
    """
    half = {name: x[:4] for name, x in toy_batch().items()}
    twice = {
        name: np.repeat(x, 2, axis=0) for name, x in half.items()
    }  # rows 0 and 1 go to different micro-batches
    before, once, _ = one_step(batch=twice, model__dropout=0.0)
    _, two, _ = one_step(batch=twice, accumulate=2, model__dropout=0.0)
    trees = (before.batch_stats, once.batch_stats, two.batch_stats)
    for start, first, second in zip(*map(jax.tree.leaves, trees), strict=True):
        target = (first - 0.9 * start) / 0.1
        np.testing.assert_allclose(second, 0.81 * start + 0.19 * target, rtol=1e-3, atol=1e-4)


def test_masked_rows_do_not_train():
    batch = toy_batch()
    garbage = np.where(np.arange(8)[:, None, None, None, None] < 5, batch["inputs"], 1e3).astype(
        np.float32
    )
    mask = np.arange(8) < 5

    def apply(weights, inputs, *, train, mutable=(), rngs=None):
        return inputs.mean((1, 2, 3)) @ weights["params"]["w"], {}

    tx = optim.optimizer(lambda count: 0.1, name="sgd")
    params = {"w": jnp.ones((3, 4))}
    start = state.TrainState(jnp.zeros((), jnp.int32), params, {}, tx.init(params))
    loss = losses.classification_loss
    run = jax.jit(
        functools.partial(train_step.train_step, start, apply=apply, loss=loss, tx=tx, seed=0)
    )
    masked, sums = run(
        jax.tree.map(jnp.asarray, {"inputs": garbage, "targets": batch["targets"], "mask": mask})
    )
    subset, same = run({name: jnp.asarray(x[:5]) for name, x in batch.items()})
    np.testing.assert_allclose(masked.params["w"], subset.params["w"], rtol=1e-6)
    assert sums["count"] == same["count"] == 5


def test_views_of_an_example_are_one_prediction():
    def apply(weights, inputs, *, train):
        return jnp.asarray(inputs)

    logits = np.random.default_rng(0).standard_normal((3, 4, 5)).astype(np.float32)
    batch = {"inputs": logits, "targets": np.zeros(3, np.int32), "mask": np.ones(3, bool)}
    log_probabilities = eval_step({}, batch, apply=apply)["logits"]
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    np.testing.assert_allclose(np.exp(log_probabilities), p.mean(1), rtol=1e-5)
    single = eval_step({}, {**batch, "inputs": logits[:, :1]}, apply=apply)["logits"]
    np.testing.assert_array_equal(single, logits[:, 0])
