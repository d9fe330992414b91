"""The recurrent baseline: its cell against a slow loop, its scan against the cell, dropout,
sizes.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import models, skeletons
from jaxact.models import deep_lstm
from jaxact.models.input_spec import InputSpec
from tests.helpers.random_weights import LEGS, random_array, random_variables

WIDTH = 4


def small(**options) -> deep_lstm.DeepLSTM:
    options = {"width": WIDTH, "dropout": 0.5, **options}
    return models.build(
        "deep_lstm", InputSpec(layout=LEGS, num_classes=5, channels=("x", "y", "z")), **options
    )


def clips(frames=6, batch=3):
    return random_array(batch, frames, 2, 5, 3, seed=3)


@pytest.fixture(scope="module")
def variables():
    return random_variables(small(), clips())


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step(params, cell, output, x):
    """A layer's next cell and output, gate by gate."""

    def gate(name):
        recurrent = params[f"h{name}"]
        return x @ params[f"i{name}"]["kernel"] + output @ recurrent["kernel"] + recurrent["bias"]

    cell = sigmoid(gate("f")) * cell + sigmoid(gate("i")) * np.tanh(gate("g"))
    return cell, sigmoid(gate("o")) * np.tanh(cell)


def test_the_network_equals_a_slow_loop_over_frames_and_layers(variables):
    params = jax.device_get(variables["params"])
    x = np.asarray(clips()).reshape(3, 6, -1)
    memories = [(np.zeros((3, WIDTH)), np.zeros((3, WIDTH))) for _ in range(2)]
    for frame in range(6):
        y = x[:, frame]
        for index in range(2):
            memories[index] = step(params["cell"][f"layer{index + 1}"], *memories[index], y)
            y = memories[index][1]
    expected = y @ params["head"]["kernel"] + params["head"]["bias"]
    np.testing.assert_allclose(
        jax.jit(small().apply)(variables, clips()), expected, rtol=1e-4, atol=1e-5
    )


def test_the_cell_alone_moves_as_the_slow_step_does(variables):
    cell = deep_lstm.Cell(WIDTH, 2, 0.5, "float32", False)
    random = np.random.default_rng(1)
    memories = tuple(
        tuple(random.standard_normal((3, WIDTH)).astype(np.float32) for _ in range(2))
        for _ in range(2)
    )
    x = np.asarray(clips()[:, 0]).reshape(3, -1)
    initial = jax.tree.map(jnp.asarray, memories)
    run = jax.jit(cell.apply)
    (first, second), handed_on = run(
        {"params": variables["params"]["cell"]}, initial, jnp.asarray(x)
    )
    params = jax.device_get(variables["params"]["cell"])
    expected = step(params["layer1"], *memories[0], x)
    np.testing.assert_allclose(first, expected, atol=1e-5)
    np.testing.assert_allclose(second, step(params["layer2"], *memories[1], expected[1]), atol=1e-5)
    np.testing.assert_array_equal(handed_on, second[1])


def test_the_first_layer_never_forgets_by_dropout(variables):
    """With everything but the memory dropped, the layer below still remembers what it would without
    dropout.
    """
    x, zeros = clips()[:, 0].reshape(3, -1), (jnp.zeros((3, WIDTH)),) * 2

    @jax.jit
    def run(params):
        dropping, plain = (
            deep_lstm.Cell(WIDTH, 2, 0.5, "float32", train) for train in (True, False)
        )
        dropped = dropping.apply(
            {"params": params}, (zeros, zeros), x, rngs={"dropout": jax.random.key(0)}
        )
        return *dropped, plain.apply({"params": params}, (zeros, zeros), x)[0]

    (first, _), handed_on, (remaining, _) = run(variables["params"]["cell"])
    np.testing.assert_array_equal(first, remaining)
    assert 0 < np.mean(handed_on == 0) < 1


@pytest.mark.slow
def test_dropout_follows_its_key_and_differs_between_frames(variables):
    @jax.jit
    def apply(seed):
        return small().apply(variables, clips(), train=True, rngs={"dropout": jax.random.key(seed)})

    a, second, b = (apply(seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(a, second)
    assert np.abs(a - b).max() > 1e-4
    memories = ((jnp.zeros((1, 64)),) * 2,)
    over_time = deep_lstm.OverTime(64, 1, 0.5, "float32", True)
    weights, key = (
        random_variables(over_time, memories, jnp.ones((1, 2, 3))),
        {"dropout": jax.random.key(1)},
    )
    _, handed_on = jax.jit(over_time.apply)(weights, memories, jnp.ones((1, 2, 3)), rngs=key)
    assert np.any((handed_on[0, 0] == 0) != (handed_on[0, 1] == 0))


def test_layers_and_frames_are_free_and_the_count_is_that_of_the_equations():
    layout = skeletons.get_layout("ntu-25")
    model = models.build(
        "deep_lstm", InputSpec(layout=layout, num_classes=60, channels=("x", "y", "z"))
    )
    start = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 8, 2, 25, 3)))
    assert set(start) == {"params"}
    expected = 4 * 256 * (150 + 256 + 1) + 4 * 256 * (256 + 256 + 1) + 257 * 60
    assert sum(leaf.size for leaf in jax.tree.leaves(start)) == expected == 957_500
    assert jax.eval_shape(model.apply, start, jnp.zeros((2, 13, 2, 25, 3))).shape == (2, 60)


@pytest.mark.slow
def test_bfloat16_computes_near_float32(variables):
    exact, rounded = (
        jax.jit(small(dtype=dtype).apply)(variables, clips()) for dtype in ("float32", "bfloat16")
    )
    assert rounded.dtype == jnp.float32 and 0 < np.abs(exact - rounded).max() < 0.05
