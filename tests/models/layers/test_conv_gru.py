"""The ConvGRU: its equations by loops, Keras's GRU on maps of one pixel, sizes."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.models.layers.conv_gru import ConvGRU, ConvGRUCell
from tests.helpers import frame_networks
from tests.helpers.random_weights import random_array, random_variables

FILTERS = 3


def clips(frames=4):
    return random_array(2, frames, 4, 5, 2, seed=3)


@pytest.fixture(scope="module")
def variables():
    return random_variables(ConvGRU(FILTERS), clips())


@functools.cache
def compiled(**options):
    return jax.jit(ConvGRU(FILTERS, **options).apply)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def correlate(x, kernel):
    """One map [h w c] and a kernel [3 3 c d], zeros around, pixel by pixel."""
    y = np.zeros((*x.shape[:2], kernel.shape[-1]))
    for i, j in np.ndindex(x.shape[:2]):
        for a, b in np.ndindex(3, 3):
            if 0 <= i + a - 1 < x.shape[0] and 0 <= j + b - 1 < x.shape[1]:
                y[i, j] += x[i + a - 1, j + b - 1] @ kernel[a, b]
    return y


def loop(params, clip, reset_after=True, swap_z=False):
    """Equations 10 to 13, frame by frame."""
    params = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), params)
    wz, wr, wh = np.split(params["inputs"]["kernel"], 3, axis=-1)
    bz, br, bh = np.split(params["inputs"]["bias"], 3)
    uz, ur, uh = np.split(params["cell"]["kernel"], 3, axis=-1)
    memory = np.zeros((*clip.shape[1:3], FILTERS))
    for frame in np.asarray(clip, np.float64):
        z = sigmoid(correlate(frame, wz) + bz + correlate(memory, uz))
        r = sigmoid(correlate(frame, wr) + br + correlate(memory, ur))
        recurrent_part = r * correlate(memory, uh) if reset_after else correlate(r * memory, uh)
        new = np.tanh(correlate(frame, wh) + bh + recurrent_part)
        z = 1 - z if swap_z else z
        memory = (1 - z) * new + z * memory
    return memory


@pytest.mark.parametrize("options", [{}, {"reset_after": False}, {"swap_z": True}])
def test_the_memory_is_that_of_the_papers_equations_by_loops(variables, options):
    actual = compiled(**options)(variables, clips())
    for clip, memory in zip(clips(), actual, strict=True):
        np.testing.assert_allclose(memory, loop(variables["params"], clip, **options), atol=1e-5)


def test_the_cell_alone_is_one_turn_of_the_loop(variables):
    params = variables["params"]
    cell = ConvGRUCell(3, True, False, "float32")
    inputs = jax.tree.map(np.asarray, params["inputs"])
    memory, frame = (
        np.float32([one(clip) for clip in np.asarray(clips())])
        for one in (
            lambda clip: loop(params, clip[:3]),
            lambda clip: correlate(clip[3], inputs["kernel"]) + inputs["bias"],
        )
    )
    after, nothing = jax.jit(cell.apply)({"params": params["cell"]}, memory, frame)
    assert nothing is None
    np.testing.assert_allclose(after, compiled()(variables, clips()), atol=1e-5)


@pytest.mark.parametrize("after", [True, False])
def test_on_maps_of_one_pixel_it_is_the_gru_of_keras(after):
    with np.load(frame_networks.DATA / "frames_keras.npz") as stored:
        x, kernel, recurrent, bias, expected = (
            jnp.asarray(stored[f"gru/{name}"])
            for name in ("inputs", "kernel", "recurrent", "bias", after)
        )
    params = {
        "inputs": {"kernel": kernel[None, None], "bias": bias},
        "cell": {"kernel": recurrent[None, None]},
    }
    model = ConvGRU(FILTERS, kernel=1, reset_after=after)
    actual = jax.jit(model.apply)({"params": params}, x[:, :, None, None])
    np.testing.assert_allclose(actual[:, 0, 0], expected, atol=1e-6)


def test_sizes_are_those_of_the_equations():
    for channels, filters, size in (
        (2048, 20, 1_116_780),
        (2048, 30, 1_683_270),
        (2048, 40, 2_255_160),
        (2048, 50, 2_832_450),
        (1536, 40, 1_702_200),
    ):
        made = jax.eval_shape(
            ConvGRU(filters).init, jax.random.key(0), jnp.zeros((1, 2, 10, 10, channels))
        )
        assert sum(leaf.size for leaf in jax.tree.leaves(made)) == size
        assert made["params"]["inputs"]["bias"].shape == (3 * filters,) and set(
            made["params"]["cell"]
        ) == {"kernel"}


def test_frames_are_free_and_their_order_matters(variables):
    assert jax.eval_shape(ConvGRU(FILTERS).apply, variables, clips(frames=7)).shape == (
        2,
        4,
        5,
        FILTERS,
    )
    inputs = np.asarray(clips())
    run = compiled()
    assert np.abs(np.asarray(run(variables, inputs)) - run(variables, inputs[:, ::-1])).max() > 1e-2


def test_bfloat16_computes_near_float32(variables):
    exact, rounded = (
        np.asarray(run(variables, clips())) for run in (compiled(), compiled(dtype="bfloat16"))
    )
    assert rounded.dtype == jnp.float32 and 0 < np.abs(exact - rounded).max() < 0.05
