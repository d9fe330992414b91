"""Graph convolution: Equation 10 by loops, its bias, and the planned form."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.models.layers import graph_conv
from jaxact.models.layers.formulation import formulation


def draw(channels, features, parts=3, joints=6):
    rng = np.random.default_rng(0)
    return (
        rng.normal(size=(2, joints, 4, channels)),
        rng.normal(size=(channels, parts, features)),
        rng.normal(size=(parts, joints, joints)),
    )


def by_loops(x, kernel, bias, adjacency):
    y = np.zeros((*x.shape[:3], kernel.shape[2]))
    for k, part in enumerate(adjacency):
        for source, target in np.ndindex(part.shape):
            y[:, target] += part[source, target] * (x[:, source] @ kernel[:, k] + bias[k])
    return y


@pytest.mark.parametrize(("channels", "features"), [(3, 5), (5, 3), (4, 4)])
@pytest.mark.parametrize("convolve", [graph_conv.direct_graph_conv, graph_conv.planned_graph_conv])
def test_it_is_equation_10(convolve, channels, features):
    x, kernel, adjacency = draw(channels, features)
    bias = np.random.default_rng(1).normal(size=(3, features))
    y = jax.jit(convolve)(*map(np.float32, (x, kernel, adjacency)))
    y = y + jax.jit(graph_conv.graph_bias)(np.float32(bias), np.float32(adjacency))[None]
    np.testing.assert_allclose(y, by_loops(x, kernel, bias, adjacency), atol=1e-4)


@pytest.mark.parametrize("convolve", [graph_conv.direct_graph_conv, graph_conv.planned_graph_conv])
def test_every_sample_may_have_a_graph_of_its_own(convolve):
    x, kernel, first = draw(4, 4)
    bias, second = np.random.default_rng(1).normal(size=(3, 4)), first[::-1, ::-1]
    graphs = np.float32(np.stack([first, second]))
    y = jax.jit(convolve)(np.float32(x), np.float32(kernel), graphs)
    y = y + jax.jit(graph_conv.graph_bias)(np.float32(bias), graphs)
    for actual, inputs, graph in zip(y, x, (first, second), strict=True):
        np.testing.assert_allclose(
            actual, by_loops(inputs[None], kernel, bias, graph)[0], atol=1e-4
        )


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(("channels", "features"), [(3, 5), (5, 3), (4, 4)])
def test_the_written_out_gradients_are_those_of_the_plain_form(channels, features, shared):
    x, kernel, graph = draw(channels, features)
    arguments = tuple(
        map(np.float32, (x, kernel, graph if shared else np.stack([graph, -graph[::-1]])))
    )

    def gradients(convolve):
        return jax.jit(jax.grad(lambda *a: jnp.sum(jnp.sin(convolve(*a))), (0, 1, 2)))(*arguments)

    for direct, planned in zip(
        *map(gradients, (graph_conv.direct_graph_conv, graph_conv.planned_graph_conv)), strict=True
    ):
        np.testing.assert_allclose(planned, direct, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("form", ["direct", "cpu"])
def test_gradients_of_bfloat16_features_are_bfloat16(form):
    x, kernel, graph = map(jnp.float32, draw(4, 4))

    def loss(x, kernel, graph):
        return jnp.sum(graph_conv.graph_conv(x, kernel, graph).astype(jnp.float32))

    gradient = functools.partial(jax.eval_shape, jax.grad(loss, (0, 1, 2)))
    with formulation(form):
        types = [leaf.dtype for leaf in gradient(x.astype(jnp.bfloat16), kernel, graph)]
    assert types == [jnp.bfloat16, jnp.float32, jnp.float32]
