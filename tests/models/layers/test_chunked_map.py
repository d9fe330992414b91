"""A few samples at a time gives what all at once gives, gradients included."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.models.layers import chunked_map
from tests.helpers.random_weights import random_array


def function(x, weights):
    x, y = x
    return jnp.tanh(x @ weights["a"]) * weights["b"] + y[..., None]


@pytest.mark.parametrize("samples", [1, 6, 7])
@pytest.mark.parametrize("numbers", [1, 50, 10**6])
def test_chunks_change_neither_values_nor_gradients(monkeypatch, samples, numbers):
    monkeypatch.setattr(jax, "device_count", lambda: 1)
    x = random_array(samples, 3, 4), random_array(samples, 3, seed=1)
    weights = {"a": jnp.eye(4, 5) + 0.1, "b": jnp.float32(2)}

    def loss(run):
        def total(x, weights):
            return jnp.sum(jnp.sin(run(x, weights)))

        return jax.value_and_grad(total, (0, 1))

    def by_sample(x, weights):
        return chunked_map.by_sample(function, x, weights, numbers)

    whole, chunked = jax.jit(
        lambda x, weights: (loss(function)(x, weights), loss(by_sample)(x, weights))
    )(x, weights)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), whole, chunked
    )
