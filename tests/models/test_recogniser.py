"""The online recogniser: Keras on the same numbers, its equations by loops, sizes, training,
sharing, errors.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict, unflatten_dict

from jaxact import skeletons
from jaxact.errors import UserError
from jaxact.losses import classification as losses
from jaxact.models import recogniser
from jaxact.models.layers import keras_lstm, pose_features
from jaxact.models.layers.shared_attention import SharedAttention
from jaxact.runs import state
from jaxact.training import optim, train_step
from tests.helpers import frame_networks
from tests.helpers.random_weights import random_array, random_variables

FRAMES, WIDTH, CLASSES = 5, 6, 4
COCO = skeletons.get_layout("coco-17")


def small(features="coco17", **options) -> recogniser.Recogniser:
    options = {"width": WIDTH, "dropout": 0.0, **options}
    rows = pose_features.joint_matrix(COCO, features)
    return recogniser.Recogniser(CLASSES, rows, parts=features == "parts", **options)


def clips(frames=FRAMES, batch=4, persons=1):
    random = np.random.default_rng(3)
    return jnp.asarray(random.uniform(-0.5, 0.5, (batch, frames, persons, 17, 2)), jnp.float32)


def lively(model):
    """Variables with which clips differ: kernels three times as wide as usual."""
    drawn = random_variables(model, clips())
    return jax.tree.map(
        lambda leaf: np.asarray(leaf) * np.float32(3 if leaf.ndim > 1 else 1), drawn
    )


@pytest.fixture
def single(monkeypatch):
    """Recognisers of one LSTM in this test: they take a third of the time to compile."""
    monkeypatch.setattr(recogniser, "LAYERS", 1)


@functools.cache
def compiled(model, **options):
    return jax.jit(functools.partial(model.apply, **options))


def applied(model, variables, inputs):
    return np.asarray(compiled(model)(variables, inputs))


ATTENTIONS = {"p0": {"shared": 0.0}, "p1": {"shared": 1.0}, "none": {"network": "no_attention"}}


@pytest.fixture(scope="module")
def keras_logits():
    """Ours on Keras's numbers by activation and attention: one program, whose LSTMs differ by
    activation alone.
    """
    with np.load(frame_networks.DATA / "recogniser_keras.npz") as stored:
        inputs = jnp.asarray(stored["vectors"]).reshape(3, FRAMES, 1, 17, 2)
        models, held = {}, {}
        for attention, options in ATTENTIONS.items():
            shapes = dict(
                flatten_dict(
                    jax.eval_shape(small(**options).init, jax.random.key(0), inputs), sep="/"
                )
            )
            arrays = {}
            for name, leaf in shapes.items():
                arrays[name] = (
                    0 if name.endswith("/steps") else stored[f"arrays/{name.partition('/')[2]}"]
                )
                assert np.shape(arrays[name]) == leaf.shape
            held[attention] = jax.tree.map(np.float32, unflatten_dict(arrays, sep="/"))
            for activation in ("relu", "tanh"):
                models[activation, attention] = small(activation=activation, **options)

    @jax.jit
    def run(held, inputs):
        return {key: model.apply(held[key[1]], inputs) for key, model in models.items()}

    return run(held, inputs)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_logits_are_those_of_keras_on_the_same_numbers(keras_logits, activation, attention):
    with np.load(frame_networks.DATA / "recogniser_keras.npz") as stored:
        target = stored[f"{activation}/{attention}"]
    np.testing.assert_allclose(keras_logits[activation, attention], target, atol=1e-5)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_the_cell_is_its_equations_gate_by_gate(activation):
    held, gates = (
        np.random.default_rng(0).normal(size=(2, 3)),
        np.random.default_rng(1).normal(size=(2, 12)),
    )
    cell, output = keras_lstm.cell(jnp.float32(held), jnp.float32(gates), activation)
    act = np.tanh if activation == "tanh" else lambda x: max(x, 0.0)
    for b, d in np.ndindex(2, 3):
        i, f, o = (1 / (1 + np.exp(-gates[b, 3 * gate + d])) for gate in (0, 1, 3))
        target = f * held[b, d] + i * act(gates[b, 6 + d])
        np.testing.assert_allclose(
            [cell[b, d], output[b, d]], [target, o * act(target)], rtol=1e-5, atol=1e-6
        )


def attention_by_hand(x, kernel, bias):
    """a of one clip [t d], and its mean over d [t]."""
    weights = np.zeros(x.shape)
    for d in range(x.shape[1]):
        scores = [
            sum(x[t, d] * kernel[t, s] for t in range(len(x))) + bias[s] for s in range(len(x))
        ]
        weights[:, d] = np.exp(scores) / np.sum(np.exp(scores))
    return weights, [np.mean(weights[t]) for t in range(len(x))]


@pytest.fixture(scope="module")
def attended():
    """An attention layer of 40 numbers, what it reads, and what it should make of each clip."""
    x = random_array(2, FRAMES, 40)
    params = random_variables(SharedAttention(0.3), x)["params"]
    held = {name: np.float64(value) for name, value in params.items()}
    return params, np.asarray(x), [attention_by_hand(one, **held) for one in np.float64(x)]


def attend(attended, seed=None):
    apply = compiled(SharedAttention(0.3), mutable="intermediates", train=seed is not None)
    rngs = {} if seed is None else {"dropout": jax.random.key(seed)}
    y, sown = apply({"params": attended[0]}, attended[1], rngs=rngs)
    return tuple(
        map(
            np.asarray,
            (y, sown["intermediates"]["attention"][0], sown["intermediates"]["shares"][0]),
        )
    )


def test_evaluation_weighs_with_the_expectation_of_the_sharing(attended):
    y, weights, shares = attend(attended)
    for clip, (own, mean) in enumerate(attended[2]):
        expected = 0.7 * own + 0.3 * np.array(mean)[:, None]
        np.testing.assert_allclose(weights[clip], expected, rtol=1e-4)
        size = [
            sum(abs(expected[t, d] * float(attended[1][clip, t, d])) for t in range(FRAMES))
            for d in range(40)
        ]
        np.testing.assert_allclose(shares[clip], np.array(size) / sum(size), rtol=1e-4)
    np.testing.assert_allclose(y, weights * attended[1], rtol=1e-6)


def test_training_shares_whole_numbers_drawn_for_each_clip(attended):
    drawn = []
    for seed in range(8):
        _, weights, _ = attend(attended, seed)
        np.testing.assert_allclose(np.sum(weights, axis=1), 1, rtol=1e-5)
        for clip, (own, mean) in enumerate(attended[2]):
            common = np.array(
                [np.allclose(weights[clip, :, d], mean, rtol=1e-4) for d in range(40)]
            )
            np.testing.assert_allclose(weights[clip][:, ~common], own[:, ~common], rtol=1e-4)
            drawn.append(common)
    assert len({tuple(row) for row in drawn}) == 16  # another draw for each clip and key
    assert 0.2 < np.mean(drawn) < 0.4


def count(**options) -> int:
    model = recogniser.Recogniser(32, pose_features.joint_matrix(COCO, "parts"), **options)
    start = jax.eval_shape(model.init, jax.random.key(0), clips(frames=60))
    return sum(leaf.size for leaf in jax.tree.leaves(start["params"]))


def test_the_number_of_parameters_is_that_of_table_2():
    assert count() == 1_345_008
    assert count(network="table2") == 1_344_940
    assert count(network="no_attention") == 1_341_348
    lstms, norms = 83_456 + 2 * 131_584, 68 + 768 + 384
    assert count(norm="batch") == lstms + norms + 3_660 + 983_168 + 8_256 + 2_080


def test_weights_start_as_those_of_keras():
    layer, x = keras_lstm.LSTM(16, "relu", "float32"), jnp.zeros((1, 2, 34))
    params = jax.jit(layer.init)(jax.random.key(0), (jnp.zeros((1, 16)),) * 2, x)["params"]
    np.testing.assert_array_equal(params["bias"], np.repeat([0.0, 1.0, 0.0, 0.0], 16))
    square = np.asarray(params["recurrent"])
    np.testing.assert_allclose(square @ square.T, np.eye(16), atol=1e-5)
    limit = np.sqrt(6 / (34 + 64))
    assert 0.9 * limit < np.abs(params["kernel"]).max() <= limit


def train(model, variables, inputs, seed=0):
    rngs = {"dropout": jax.random.key(seed)}
    return jax.device_get(
        compiled(model, train=True, mutable="batch_stats")(variables, inputs, rngs=rngs)
    )


@pytest.mark.slow
def test_training_moves_every_statistic_counts_steps_and_follows_the_key(single):
    model = small(dropout=0.3)
    variables = lively(model)
    logits, updated = train(model, variables, clips())
    same = jax.tree.map(np.array_equal, variables["batch_stats"], updated["batch_stats"])
    assert not any(jax.tree.leaves(same)) and len(jax.tree.leaves(same)) == 3 * 4
    np.testing.assert_array_equal(logits, train(model, variables, clips())[0])
    assert np.abs(logits - train(model, variables, clips(), seed=1)[0]).max() > 1e-3


@pytest.mark.slow
def test_batch_normalisation_in_its_place_has_no_corrections(single):
    def at(steps):
        stats = {
            path: np.full_like(leaf, steps) if path[-1] == "steps" else leaf
            for path, leaf in flat.items()
        }
        return {**variables, "batch_stats": unflatten_dict(stats)}

    variables = lively(small())
    flat = dict(flatten_dict(variables["batch_stats"]))
    plain = train(small(norm="batch", shared=0.0), at(5000), clips())[0]
    np.testing.assert_allclose(
        plain, train(small(shared=0.0), at(0), clips())[0], rtol=1e-4, atol=1e-5
    )
    assert np.abs(plain - train(small(shared=0.0), at(5000), clips())[0]).max() > 1e-2


@pytest.mark.slow
def test_mapped_devices_share_their_statistics(single):
    model, inputs, variables = small(axis_name="d", shared=0.0), clips(), lively(small())
    logits, updated = jax.jit(
        jax.vmap(
            functools.partial(model.apply, train=True, mutable=["batch_stats"]),
            in_axes=(None, 0),
            axis_name="d",
        )
    )(variables, inputs[:, None])
    target, moved = train(small(shared=0.0), variables, inputs)
    np.testing.assert_allclose(logits[:, 0], target, rtol=1e-3, atol=1e-4)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a[0], b, rtol=1e-4, atol=1e-5), updated, moved
    )


def test_the_first_person_is_read_and_missing_joints_are_where_they_were(single):
    inputs, model = np.array(clips(persons=2)), small()
    variables = lively(model)
    alone = applied(model, variables, inputs[:, :, :1])
    np.testing.assert_array_equal(applied(model, variables, inputs), alone)
    held = inputs[:, :, :1].copy()
    held[:, 2, :, 7] = held[:, 1, :, 7]
    incomplete = held.copy()
    incomplete[:, 2, :, 7] = 0
    np.testing.assert_allclose(
        applied(model, variables, incomplete), applied(model, variables, held), rtol=1e-6
    )


@pytest.mark.slow
def test_directions_reach_the_logits_and_bfloat16_computes_near_float32(single):
    variables = lively(small("parts"))
    exact = applied(small("parts"), variables, clips())
    rounded = applied(small("parts", dtype="bfloat16"), variables, clips())
    assert (
        rounded.dtype == jnp.float32
        and 0 < np.abs(exact - rounded).max() < 0.1 * np.abs(exact).max()
    )
    assert variables["params"]["recurrent"]["lstm1"]["kernel"].shape == (34, 4 * WIDTH)
    still = jax.tree.map(np.copy, variables)
    still["params"]["recurrent"]["lstm1"]["kernel"][28:] = 0
    assert np.abs(exact - applied(small("parts"), still, clips())).max() > 1e-3


def test_another_number_of_frames_than_trained_with_is_refused():
    variables = jax.eval_shape(small().init, jax.random.key(0), clips())
    with pytest.raises(
        UserError, match=r"reads windows of 5 frames, got 7; wanted the clip\.frames that"
    ):
        jax.eval_shape(small().apply, variables, clips(frames=7))


@pytest.mark.slow
def test_a_toy_is_learned_by_heart(single):
    model, tx = (
        small("parts", width=16, shared=0.0),
        optim.optimizer(lambda count: 0.05, name="sgd"),
    )
    initial = random_variables(model, clips())
    memory = jax.jit(tx.init)(initial["params"])
    current = state.TrainState(
        jnp.zeros((), jnp.int32), initial["params"], initial["batch_stats"], memory
    )
    batch = {"inputs": clips(), "targets": jnp.arange(4)}
    update = jax.jit(
        lambda s: train_step.train_step(
            s, batch, apply=model.apply, loss=losses.classification_loss, tx=tx, seed=0
        )
    )
    for _ in range(60):
        current, sums = update(current)
    assert sums["correct"] == 4 and sums["loss"] < 0.4
