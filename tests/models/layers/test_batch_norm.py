"""Batch normalisation: statistics in one pass, running values, several devices."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.models.layers import batch_norm


def draw(offset=0.0, rows=(4, 5, 6)):
    rng = np.random.default_rng(0)
    return jnp.float32(offset + rng.normal(size=(*rows, 3)) * [1, 0.1, 10])


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_statistics_hold_where_the_mean_is_large_beside_the_deviation(offset):
    x = draw(offset, rows=(40, 25, 30))
    exact = np.float64(x).reshape(-1, 3)
    mean, var = jax.jit(batch_norm.batch_statistics)(x)
    np.testing.assert_allclose(mean, exact.mean(0), rtol=1e-6, atol=1e-4)
    np.testing.assert_allclose(var, exact.var(0), rtol=1e-3 if offset else 1e-5)


def test_a_constant_channel_has_no_negative_variance():
    _, var = jax.jit(batch_norm.batch_statistics)(np.full((7, 3), 0.1, np.float32))
    assert np.all(np.asarray(var) >= 0)


def test_devices_share_their_statistics():
    x = np.array(draw(100.0))
    x[1] += 50.0  # one device far from the others
    mean, var = jax.jit(jax.vmap(lambda x: batch_norm.batch_statistics(x, "d"), axis_name="d"))(x)
    whole_mean, whole_var = jax.jit(batch_norm.batch_statistics)(x)
    np.testing.assert_allclose(mean, np.broadcast_to(whole_mean, mean.shape), rtol=1e-5)
    np.testing.assert_allclose(var, np.broadcast_to(whole_var, var.shape), rtol=1e-4)


@functools.partial(jax.jit, static_argnames="train")
def run(x, train, left_out=0.0, **variables):
    module = batch_norm.BatchNorm()
    variables = {**module.init(jax.random.key(0), x), **variables}
    (factor, offset), state = module.apply(variables, x, train, left_out, mutable=["batch_stats"])
    return batch_norm.affine(x, factor, offset), state["batch_stats"]


def test_training_whitens_and_moves_the_running_values_a_tenth():
    x = draw(3.0)
    y, stats = run(x, True)
    np.testing.assert_allclose(np.mean(y, (0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(np.std(y, (0, 1, 2)), 1, rtol=1e-3)
    np.testing.assert_allclose(stats["mean"], 0.1 * np.mean(x, (0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(stats["var"], 0.9 + 0.1 * np.var(x, (0, 1, 2)), rtol=1e-5)


@pytest.mark.parametrize("train", [False, True])
def test_a_bias_left_out_is_as_good_as_added(train):
    x, bias = np.asarray(draw()), np.float32([1, -2, 3])
    stats = {"batch_stats": {"mean": np.float32([0.5, 1, 2]), "var": np.float32([1, 2, 3])}}
    added, separate = (
        run(x + bias, train, np.zeros(3, np.float32), **stats),
        run(x, train, bias, **stats),
    )
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-5), added, separate)


def test_the_gradient_is_that_of_the_two_pass_form():
    x, weight = draw(5.0), draw()

    def two_pass(x):
        mean, var = jnp.mean(x, (0, 1, 2), keepdims=True), jnp.var(x, (0, 1, 2), keepdims=True)
        return jnp.sum(weight * (x - mean) / jnp.sqrt(var + batch_norm.EPSILON))

    def one_pass(x):
        return jnp.sum(weight * run(x, True)[0])

    one, two = jax.jit(lambda x: (jax.grad(one_pass)(x), jax.grad(two_pass)(x)))(x)
    np.testing.assert_allclose(one, two, atol=1e-4)
