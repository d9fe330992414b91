"""The recogniser on a stream: a window is the network, what rolls is the network where it should
be, persons change.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import skeletons
from jaxact.models import recogniser
from jaxact.models import recogniser_stream as streams
from jaxact.models.layers import pose_features
from tests.helpers.costs import multiplications
from tests.helpers.random_weights import random_variables

FRAMES, WIDTH = 4, 6
MODEL = recogniser.Recogniser(
    3, pose_features.joint_matrix(skeletons.get_layout("body-14"), "parts"), width=WIDTH
)


def stream(frames=9, batch=2):
    """Frames in which a third of the joints is missing."""
    random = np.random.default_rng(0)
    x = random.uniform(-0.5, 0.5, (batch, frames, 14, 2)).astype(np.float32)
    x[:, 1:][random.uniform(size=(batch, frames - 1, 14)) < 0.3] = 0
    return x


@pytest.fixture(scope="module")
def weights():
    drawn = random_variables(MODEL, jnp.asarray(stream(FRAMES)[:, :, None]))
    return jax.tree.map(
        lambda leaf: np.asarray(leaf) * np.float32(3 if leaf.ndim > 1 else 1), drawn
    )  # so that windows differ


@pytest.fixture(scope="module")
def offline(weights):
    """The network on a window [b 4 v c]."""
    apply = jax.jit(MODEL.apply)
    return lambda window: np.asarray(apply(weights, window[:, :, None]))


def slid(weights, frames, state=None):
    state = state or streams.open_window(MODEL, weights, frames[:, 0].shape)
    logits = []
    for frame in np.swapaxes(frames, 0, 1):
        state, logits_now = streams.slide(MODEL, weights, state, frame)
        logits.append(np.asarray(logits_now))
    return logits, state


def rolled(weights, frames, state=None):
    state = state or streams.open_rolling(MODEL, weights, len(frames))
    logits = []
    for frame in np.swapaxes(frames, 0, 1):
        state, logits_now = streams.step(MODEL, weights, state, frame)
        logits.append(np.asarray(logits_now))
    return logits, state


@pytest.mark.slow
def test_a_window_gives_at_every_frame_what_the_network_gives(weights, offline):
    frames = stream()
    for last, logits_now in enumerate(slid(weights, frames)[0]):
        window = [
            frames[:, max(0, last - behind)] for behind in (3, 2, 1, 0)
        ]  # the first one until there are four
        np.testing.assert_allclose(
            logits_now, offline(np.stack(window, axis=1)), rtol=1e-5, atol=1e-5
        )


def test_what_rolls_is_the_network_when_the_window_is_first_full(weights, offline):
    frames = stream()
    logits, _ = rolled(weights, frames)
    np.testing.assert_allclose(
        logits[FRAMES - 1], offline(frames[:, :FRAMES]), rtol=1e-5, atol=1e-5
    )
    assert (
        np.abs(logits[-1] - offline(frames[:, -FRAMES:])).max() > 1e-4
    )  # it remembers more than the window


def test_what_rolls_is_always_the_head_on_the_last_outputs_of_lstms_that_read_everything(weights):
    frames = stream()
    part = {
        name: {kind: tree[name] for kind, tree in weights.items()} for name in ("recurrent", "head")
    }

    @jax.jit
    def read(frames):
        positions, present = pose_features.select_joints(frames, MODEL.joint_matrix, False)
        vectors, _ = pose_features.frame_vectors(
            positions, present, jnp.zeros_like(positions[:, 0]), parts=True
        )
        return MODEL.recurrent().apply(
            part["recurrent"], recogniser.initial_states(2, WIDTH), vectors
        )[1]

    outputs, head = np.asarray(read(frames)), jax.jit(MODEL.head().apply)
    for last, logits_now in enumerate(rolled(weights, frames)[0]):
        held = np.stack([outputs[:, max(0, last - behind)] for behind in (3, 2, 1, 0)], axis=1)
        np.testing.assert_allclose(logits_now, head(part["head"], held), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("run", [slid, rolled])
def test_a_row_that_restarts_forgets_and_the_others_do_not(weights, run):
    frames = stream()
    whole, _ = run(weights, frames)
    _, state = run(weights, frames[:, :5])
    logits, _ = run(weights, frames[:, 5:], streams.restart(state, jnp.array([True, False])))
    fresh, _ = run(weights, frames[:, 5:])
    for step, logits_now in enumerate(logits):
        np.testing.assert_allclose(logits_now[0], fresh[step][0], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(logits_now[1], whole[5 + step][1], rtol=1e-5, atol=1e-6)
    assert np.abs(logits[0][0] - whole[5][0]).max() > 1e-4


def test_a_frame_costs_one_turn_of_the_lstms_whatever_the_window():
    lstms, joints = 34 * 64 + 5 * 16 * 64, 14 * 14 * (2 + 1)
    model = recogniser.Recogniser(3, MODEL.joint_matrix, width=16)
    for frames in (6, 12):
        weights = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, frames, 1, 14, 2)))
        state = jax.eval_shape(lambda weights=weights: streams.open_rolling(model, weights, 1))
        step = functools.partial(streams.step, model)
        head = frames * frames * 16 + frames * 16 * 16 + 16 * 8 + 8 * 3
        assert multiplications(step, weights, state, jnp.zeros((1, 14, 2))) == lstms + joints + head


def test_a_state_is_stepped_without_compiling_again(weights):
    before = streams.step._cache_size(), streams.slide._cache_size()
    rolled(weights, stream())
    slid(weights, stream())
    rolled(weights, stream()[:, ::-1])
    after = streams.step._cache_size(), streams.slide._cache_size()
    assert max(new - old for old, new in zip(before, after, strict=True)) <= 1
