"""STA-LSTM: its cell against a slow loop, its scan against the cell, the regulariser by hand,
sizes, a toy by heart.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

from jaxact import models, skeletons
from jaxact.losses import classification as losses
from jaxact.models import sta_lstm
from jaxact.models.input_spec import InputSpec
from jaxact.runs import state
from jaxact.training import optim, train_step
from tests.helpers.random_weights import LEGS, random_array, random_variables

WIDTH, LAYERS, CLASSES, JOINTS = 4, 3, 5, 10  # five joints, two persons


def small(**options) -> sta_lstm.STALSTM:
    options = {"width": WIDTH, "dropout": 0.5, **options}
    return models.build(
        "sta_lstm", InputSpec(layout=LEGS, num_classes=CLASSES, channels=("x", "y", "z")), **options
    )


def clips(frames=6, batch=3):
    return random_array(batch, frames, 2, 5, 3, seed=3)


@pytest.fixture(scope="module")
def variables():
    return random_variables(small(), clips())


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def remember(params, memory, x):
    """A layer's next cell and output, gate by gate."""

    def gate(name):
        recurrent = params[f"h{name}"]
        return (
            x @ params[f"i{name}"]["kernel"] + memory[1] @ recurrent["kernel"] + recurrent["bias"]
        )

    cell = sigmoid(gate("f")) * memory[0] + sigmoid(gate("i")) * np.tanh(gate("g"))
    return cell, sigmoid(gate("o")) * np.tanh(cell)


def affine(params, x):
    return x @ params["kernel"] + params["bias"]


def frame_by_hand(params, memories, x):
    """Memories, scores, alpha and beta of one clip's frame x [k, c], joint by joint."""
    joints, frames, *main = memories
    flat = x.reshape(-1)
    scores = affine(
        params["joint_scores"],
        np.tanh(affine(params["joint_hidden"], np.concatenate([flat, joints[1]]))),
    )
    alpha = np.array([np.exp(score) / sum(np.exp(other) for other in scores) for score in scores])
    beta = max(0.0, float(affine(params["frame_gate"], np.concatenate([flat, frames[1]]))[0]))
    y = np.concatenate([alpha[k] * x[k] for k in range(len(x))])
    for index in range(LAYERS):
        main[index] = remember(params["main"][f"layer{index + 1}"], main[index], y)
        y = main[index][1]
    joints, frames = (
        remember(params["joint_memory"], joints, flat),
        remember(params["frame_memory"], frames, flat),
    )
    return [joints, frames, *main], affine(params["head"], y), alpha, beta


def clip_by_hand(params, clip):
    """o = sum_t beta_t z_t, and all gates."""
    memories = [(np.zeros(WIDTH), np.zeros(WIDTH)) for _ in range(2 + LAYERS)]
    logits, alphas, betas = np.zeros(CLASSES), [], []
    for x in clip.reshape(len(clip), JOINTS, -1):
        memories, scores, alpha, beta = frame_by_hand(params, memories, x)
        logits += beta * scores
        alphas.append(alpha)
        betas.append(beta)
    return logits, np.array(alphas), np.array(betas)


@pytest.fixture(scope="module")
def by_hand(variables):
    params = jax.tree.map(np.float64, jax.device_get(variables["params"]["cell"]))
    return [clip_by_hand(params, np.float64(clip)) for clip in clips()]


observed = jax.jit(functools.partial(small().apply, mutable=["intermediates"]))


@pytest.fixture(scope="module")
def network_outputs(variables):
    outputs, sown = observed(variables, clips())
    return outputs, sown["intermediates"]


def test_the_network_equals_a_slow_loop_over_frames_joints_and_layers(by_hand, network_outputs):
    outputs, gates = network_outputs
    np.testing.assert_allclose(
        outputs["logits"], [logits for logits, _, _ in by_hand], rtol=1e-4, atol=1e-4
    )
    alphas = np.array([alphas for _, alphas, _ in by_hand]).reshape(3, 6, 2, 5)
    np.testing.assert_allclose(gates["joints"][0], alphas, rtol=1e-4, atol=1e-6)
    betas = [betas for _, _, betas in by_hand]
    np.testing.assert_allclose(gates["frames"][0], betas, rtol=1e-4, atol=1e-5)
    assert np.any(np.array(betas) == 0) and np.any(
        np.array(betas) > 0.1
    )  # the gate opens and closes


def test_the_cell_alone_moves_as_the_slow_frame_does(variables):
    random = np.random.default_rng(1)
    clip_memories = [
        [tuple(random.standard_normal((2, WIDTH))) for _ in range(2 + LAYERS)] for _ in range(3)
    ]
    pairs = [
        tuple(jnp.float32(np.stack([clip[i][j] for clip in clip_memories])) for j in (0, 1))
        for i in range(2 + LAYERS)
    ]
    memories = sta_lstm.Memories(pairs[0], pairs[1], tuple(pairs[2:]))
    x = clips()[:, 0].reshape(3, JOINTS, 3)
    params = variables["params"]["cell"]
    cell = sta_lstm.Cell(CLASSES, WIDTH, LAYERS, 0.5, "float32", False)
    updated, outputs = jax.jit(cell.apply)({"params": params}, memories, x)
    params = jax.device_get(params)
    for index in range(3):
        moved, scores, alpha, beta = frame_by_hand(
            params, clip_memories[index], np.asarray(x[index])
        )
        for ours, theirs in zip(
            (updated.joints, updated.frames, *updated.main), moved, strict=True
        ):
            np.testing.assert_allclose([part[index] for part in ours], theirs, atol=1e-5)
        np.testing.assert_allclose(outputs.scores[index], scores, atol=1e-5)
        np.testing.assert_allclose(outputs.joints[index], alpha, atol=1e-6)
        np.testing.assert_allclose(outputs.frame[index], beta, atol=1e-5)


def test_the_joint_gate_sums_to_one_over_the_joints_of_all_persons(network_outputs):
    np.testing.assert_allclose(np.sum(network_outputs[1]["joints"][0], axis=(2, 3)), 1, rtol=1e-5)


def penalty_by_hand(variables, alphas, betas, joint, frame, weight):
    """The three terms of one clip with their weights; the last over all connections, which end in
    `kernel`.
    """
    absolute = sum(
        np.abs(leaf).sum()
        for path, leaf in flatten_dict(jax.device_get(variables["params"]), sep="/").items()
        if path.endswith("kernel")
    )
    ignored = sum((1 - sum(alphas[t, k] for t in range(6)) / 6) ** 2 for k in range(JOINTS))
    return joint * ignored + frame / 6 * sum(abs(beta) for beta in betas) + weight * absolute


def test_the_penalty_is_its_equation_with_the_weights_of_every_connection(
    variables, by_hand, network_outputs
):
    for index, (_, alphas, betas) in enumerate(by_hand):
        expected = penalty_by_hand(variables, alphas, betas, 1e-3, 1e-4, 5e-4)
        np.testing.assert_allclose(network_outputs[0]["penalty"][index], expected, rtol=1e-5)


def test_each_term_of_the_penalty_has_its_weight(variables, by_hand):
    model = small(joint_penalty=1.0, frame_penalty=3.0, weight_penalty=1e-2)
    penalty = jax.jit(model.apply)(variables, clips())["penalty"]
    for index, (_, alphas, betas) in enumerate(by_hand):
        alone = [penalty_by_hand(variables, alphas, betas, *weights) for weights in np.eye(3)]
        np.testing.assert_allclose(
            penalty[index], 1.0 * alone[0] + 3.0 * alone[1] + 1e-2 * alone[2], rtol=1e-4
        )
        assert (
            min(alone[0], 3.0 * alone[1], 1e-2 * alone[2]) > 1e-2 * penalty[index]
        )  # none is lost in the others


def test_a_joint_gate_that_looks_everywhere_is_punished_least():
    even, one = jnp.full((1, 4, 5), 0.2), jnp.zeros((1, 4, 5)).at[:, :, 0].set(1)
    turns = jnp.eye(5)[None, :4]  # to another joint in each frame
    costs = [
        float(sta_lstm.gate_penalty(joints, jnp.zeros((1, 4)), 1.0, 1.0)[0])
        for joints in (even, turns, one)
    ]
    np.testing.assert_allclose(costs, [5 * 0.8**2, 4 * 0.75**2 + 1, 4], rtol=1e-5)


@pytest.mark.slow
def test_the_frame_gate_starts_open_and_a_closed_one_leaves_no_logits(variables):
    init = small(layers=1).init
    assert (
        jax.jit(lambda: init(jax.random.key(0), clips())["params"]["cell"]["frame_gate"]["bias"])()
        == 1
    )
    cell = dict(variables["params"]["cell"])
    cell["frame_gate"] = {**cell["frame_gate"], "bias": jnp.full(1, -100.0)}
    assert np.all(observed({"params": {"cell": cell}}, clips())[0]["logits"] == 0)


@pytest.mark.slow
def test_dropout_follows_its_key_and_evaluation_needs_none(variables):
    apply = functools.partial(
        jax.jit(functools.partial(small().apply, train=True)), variables, clips()
    )
    a, second, b = (apply(rngs={"dropout": jax.random.key(seed)})["logits"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(a, second)
    assert np.abs(a - b).max() > 1e-4


@pytest.mark.slow
def test_dropout_differs_between_frames():
    """Layers that see nothing and forget all say the same in every frame, but for what is
    dropped.
    """
    x, zeros = jnp.ones((1, 2, 3, 3)), (jnp.zeros((1, 64)),) * 2
    memories = sta_lstm.Memories(zeros, zeros, (zeros,))
    fresh = random_variables(sta_lstm.OverTime(CLASSES, 64, 1, 0.5, "float32", False), memories, x)
    params = fresh["params"]
    layer = jax.tree.map(lambda leaf: 0 * leaf + (leaf.ndim == 1), params["main"]["layer1"])
    params["main"]["layer1"] = layer | {"hf": {**layer["hf"], "bias": jnp.full(64, -100.0)}}

    @functools.partial(jax.jit, static_argnums=0)
    def scores(train):
        over_time = sta_lstm.OverTime(CLASSES, 64, 1, 0.5, "float32", train)
        return over_time.apply(
            {"params": params}, memories, x, rngs={"dropout": jax.random.key(1)}
        )[1].scores[0]

    plain, dropped = scores(False), scores(True)
    np.testing.assert_array_equal(plain[0], plain[1])
    assert np.abs(dropped[0] - dropped[1]).min() > 1e-3


@pytest.mark.parametrize(
    ("layout", "classes", "joints"), [("ntu-25", 60, 50), ("openpose-18", 400, 36)]
)
def test_the_number_of_parameters_is_that_of_the_equations(layout, classes, joints):
    model = models.build(
        "sta_lstm",
        InputSpec(
            layout=skeletons.get_layout(layout), num_classes=classes, channels=("x", "y", "z")
        ),
    )
    start = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 8, 2, joints // 2, 3)))
    assert set(start) == {"params"}
    inputs = 3 * joints

    def layer(entering):
        return 4 * 100 * (entering + 100 + 1)

    joint_gate = layer(inputs) + 100 * (inputs + 100 + 1) + joints * (100 + 1)
    frame_gate = layer(inputs) + inputs + 100 + 1
    main = layer(inputs) + 2 * layer(100) + classes * (100 + 1)
    count = sum(leaf.size for leaf in jax.tree.leaves(start))
    assert (
        count
        == joint_gate + frame_gate + main
        == {"ntu-25": 498_461, "openpose-18": 476_745}[layout]
    )


def test_any_number_of_frames_goes_through(variables):
    assert jax.eval_shape(small().apply, variables, clips(frames=13))["logits"].shape == (
        3,
        CLASSES,
    )


@pytest.mark.slow
def test_bfloat16_computes_near_float32(variables):
    exact, rounded = (
        jax.jit(small(dtype=dtype).apply)(variables, clips()) for dtype in ("float32", "bfloat16")
    )
    assert {leaf.dtype for leaf in rounded.values()} == {jnp.dtype("float32")}
    assert (
        0 < np.abs(exact["logits"] - rounded["logits"]).max() < 0.05 * np.abs(exact["logits"]).max()
    )


@pytest.mark.slow
def test_a_toy_is_learned_by_heart_with_the_penalty_in_the_loss():
    model = small(width=16, dropout=0.0, weight_penalty=1e-5)
    tx = optim.optimizer(lambda count: 0.02, name="adamw")
    # Small places: a frame gate that closes for a whole clip has no gradient there.
    batch = {"inputs": 0.3 * clips(batch=4), "targets": jnp.arange(4)}
    params = random_variables(model, batch["inputs"])["params"]
    params["cell"]["frame_gate"]["bias"] = jnp.ones(1)
    current = state.TrainState(
        step=jnp.int32(0), params=params, batch_stats={}, opt_state=jax.jit(tx.init)(params)
    )
    update = jax.jit(
        lambda s: train_step.train_step(
            s, batch, apply=model.apply, loss=losses.classification_loss, tx=tx, seed=0
        )
    )
    for _ in range(60):
        previous = current
        current, sums = update(current)
    penalty = jnp.sum(jax.jit(model.apply)({"params": previous.params}, batch["inputs"])["penalty"])
    assert sums["correct"] == 4 and penalty > 0 and 0 <= (sums["loss"] - penalty) / 4 < 0.05
