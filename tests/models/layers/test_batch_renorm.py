"""Batch renormalisation: Ioffe's equations in numpy, its two limits, its gradient, its schedules,
several devices.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.errors import UserError
from jaxact.models.layers import batch_norm, batch_renorm, conv_batch_norm
from tests.helpers.frame_networks import DATA


def draw(rows=(6, 5), offset=(0.2, -1.0, 4.0), deviation=(1.2, 0.1, 9.0)):
    return jnp.asarray(
        np.random.default_rng(0).normal(size=(*rows, 3)) * deviation + offset, jnp.float32
    )


def begun(steps, x):
    """Variables in the course of training: all of them off their start."""
    random = np.random.default_rng(1)
    params = {"scale": random.uniform(0.5, 1.5, 3), "bias": random.normal(size=3)}
    stats = {
        "mean": random.normal(size=3),
        "var": random.uniform(0.5, 2, 3),
        "steps": np.float32(steps),
    }
    variables = {"params": params, "batch_stats": stats}
    shapes = jax.eval_shape(batch_renorm.BatchRenorm().init, jax.random.key(0), x)
    assert jax.tree.map(np.shape, variables) == jax.tree.map(np.shape, shapes)
    return jax.tree.map(np.float32, variables)


@functools.partial(jax.jit, static_argnames=("train", "schedule", "axis_name"))
def run(x, variables, train=True, **options):
    module = batch_renorm.BatchRenorm(**options)
    (factor, offset), state = module.apply(variables, x, train, mutable=["batch_stats"])
    return batch_norm.affine(x, factor, offset), state["batch_stats"]


def by_hand(x, variables, r_max, d_max):
    """Algorithm 1, channel by channel and number by number."""
    p, old = (jax.tree.map(np.float64, variables[kind]) for kind in ("params", "batch_stats"))
    x, y, new = np.float64(x), np.zeros(x.shape), {"mean": np.zeros(3), "var": np.zeros(3)}
    for c in range(3):
        numbers = [x[at][c] for at in np.ndindex(x.shape[:-1])]
        mean = sum(numbers) / len(numbers)
        var = sum((number - mean) ** 2 for number in numbers) / len(numbers)
        here, running = (var + 1e-3) ** 0.5, (old["var"][c] + 1e-3) ** 0.5
        r = min(max(here / running, 1 / r_max), r_max)
        d = min(max((mean - old["mean"][c]) / running, -d_max), d_max)
        for at in np.ndindex(x.shape[:-1]):
            y[at][c] = ((x[at][c] - mean) / here * r + d) * p["scale"][c] + p["bias"][c]
        new["mean"][c] = 0.99 * old["mean"][c] + 0.01 * mean
        new["var"][c] = 0.99 * old["var"][c] + 0.01 * var
    return y, new


@pytest.mark.parametrize(("steps", "rows"), [(0, (6, 5)), (1, (9,)), (1500, (9,)), (6000, (6, 5))])
def test_training_is_the_papers_algorithm(steps, rows):
    x = draw(rows)
    variables = begun(steps, x)
    time = 1e-3 * (steps - 1)
    r_max = 3 / (1 + 2 * np.exp(-time)) if steps else 1.0
    d_max = 5 / (1 + 4999 * np.exp(-2 * time)) if steps else 0.0
    y, stats = run(x, variables)
    expected, moved = by_hand(x, variables, r_max, d_max)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(stats["mean"], moved["mean"], rtol=1e-5)
    np.testing.assert_allclose(stats["var"], moved["var"], rtol=1e-4)
    assert stats["steps"] == steps + 1


def test_the_first_step_and_closed_limits_are_batch_normalisation():
    x = draw((4, 3, 2))
    variables = begun(0, x)
    stats = {name: variables["batch_stats"][name] for name in ("mean", "var")}
    theirs = {"params": variables["params"], "batch_stats": stats}
    keras = conv_batch_norm.KerasBatchNorm(True, None)
    expected, moved = jax.jit(functools.partial(keras.apply, train=True, mutable=["batch_stats"]))(
        theirs, x
    )
    for arguments in (variables, begun(900, x)):
        y, actual = run(x, arguments, schedule="smooth" if arguments is variables else "none")
        np.testing.assert_allclose(y, expected, atol=1e-5)
        jax.tree.map(
            np.testing.assert_allclose, {name: actual[name] for name in stats}, moved["batch_stats"]
        )
    plain = jax.jit(functools.partial(keras.apply, train=False))(theirs, x)
    np.testing.assert_allclose(run(x, variables, train=False)[0], plain, rtol=1e-5, atol=1e-5)


def test_evaluation_uses_the_running_statistics_and_moves_nothing():
    x = draw()
    variables = begun(50, x)
    y, stats = run(x, variables, train=False)
    p, old = (jax.tree.map(np.asarray, variables[kind]) for kind in ("params", "batch_stats"))
    expected = (np.asarray(x) - old["mean"]) / np.sqrt(old["var"] + 1e-3) * p["scale"] + p["bias"]
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    jax.tree.map(np.testing.assert_array_equal, stats, old)


def test_within_its_limits_training_gives_what_evaluation_gives():
    x = draw(offset=(0.3, -0.2, 0.1), deviation=(1.1, 0.9, 1.3))
    variables = begun(1e5, x)
    np.testing.assert_allclose(
        run(x, variables)[0], run(x, variables, train=False)[0], rtol=1e-4, atol=1e-5
    )


def test_no_gradient_flows_through_the_corrections():
    """With r and d held at their values the gradient is the same; with them in it, it would be that
    of a constant.
    """
    x, weight = draw(), draw((6, 5))
    variables = begun(3000, x)
    mean, deviation = np.mean(x, (0, 1)), np.sqrt(np.var(x, (0, 1)) + 1e-3)
    old = variables["batch_stats"]
    running = np.sqrt(old["var"] + 1e-3)
    r, d = jax.jit(
        lambda *values: batch_renorm.corrections(
            *values, *batch_renorm.smooth_limits(jnp.float32(3000))
        )
    )(mean, deviation, old["mean"], running)

    def held(x):
        mean, var = jnp.mean(x, (0, 1), keepdims=True), jnp.var(x, (0, 1), keepdims=True)
        y = (x - mean) / jnp.sqrt(var + 1e-3) * r[None, None] + d[None, None]
        return jnp.sum(weight * (y * variables["params"]["scale"][None, None]))

    gradients = jax.grad(lambda x: jnp.sum(weight * run(x, variables)[0])), jax.grad(held)
    actual, expected = map(
        np.asarray, jax.jit(lambda x: [gradient(x) for gradient in gradients])(x)
    )
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-3)
    assert (
        np.abs(np.sum(actual, (0, 1))).max() < 1e-2 * np.abs(actual).max()
    )  # a shift of the batch is not felt


@pytest.mark.parametrize(
    ("schedule", "steps", "limits"),
    [
        ("smooth", 0, (1, 0)),
        ("smooth", 1, (1, 1e-3)),
        ("smooth", 1001, (3 / (1 + 2 / np.e), 5 / (1 + 4999 / np.e**2))),
        ("smooth", 40_000, (3, 5)),
        ("linear", 5000, (1, 0)),
        ("linear", 15_000, (1 + 2 * 10 / 35, 2.5)),
        ("linear", 90_000, (3, 5)),
        ("none", 90_000, (1, 0)),
    ],
)
def test_limits_open_with_the_steps(schedule, steps, limits):
    np.testing.assert_allclose(
        batch_renorm.SCHEDULES[schedule](jnp.float32(steps)), limits, rtol=1e-5
    )


def test_mapped_devices_share_their_statistics():
    x = draw((4, 5)) + jnp.asarray(3.0 * np.eye(4)[1][:, None, None], jnp.float32)
    variables = begun(2000, x)
    y, stats = jax.jit(jax.vmap(lambda x: run(x, variables, axis_name="d"), axis_name="d"))(x)
    expected, moved = run(x, variables)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a[0], b, rtol=1e-4), stats, moved)


def test_an_unknown_schedule_is_named_with_what_exists():
    with pytest.raises(
        UserError,
        match="unknown schedule of batch renormalisation 'smoth'; available: linear, none,",
    ):
        jax.eval_shape(batch_renorm.BatchRenorm("smoth").init, jax.random.key(0), draw())


def test_its_limit_is_the_batch_normalisation_of_keras():
    with np.load(DATA / "recogniser_keras.npz") as stored:
        params = {
            name: jnp.asarray(stored[f"arrays/recurrent/input_norm/{name}"])
            for name in ("scale", "bias")
        }
        stats = {
            name: jnp.asarray(stored[f"arrays/recurrent/input_norm/{name}"])
            for name in ("mean", "var")
        }
        variables = {"params": params, "batch_stats": stats | {"steps": jnp.float32(7)}}
        y, moved = run(jnp.asarray(stored["vectors"]), variables, schedule="none")
        np.testing.assert_allclose(y, stored["norm/trained"], atol=1e-5)
        for name in ("mean", "var"):
            np.testing.assert_allclose(moved[name], stored[f"norm/{name}"], rtol=1e-5, atol=1e-6)
