"""Actional links: encoder, draws, graph and decoder against slow loops, losses by hand, evaluation
without chance.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.models.layers import link_inference
from tests.helpers.random_weights import random_array, random_variables

JOINTS, FRAMES, CHANNELS, WIDTH, TYPES = 4, 5, 2, 3, 3


def frames(people=2, seed=3):
    return random_array(people, FRAMES, JOINTS, CHANNELS, seed=seed)


def link_scores(people=2, seed=5):
    return random_array(people, JOINTS, JOINTS - 1, TYPES, seed=seed)


def softmax(scores):
    powers = np.exp(np.asarray(scores))
    return jnp.asarray(powers / powers.sum(-1, keepdims=True))


def doubles(tree):
    return jax.tree.map(np.float64, jax.device_get(tree))


def links():
    """(receiver, place of the link at it, sender), all of them."""
    for v in range(JOINTS):
        for u, s in enumerate([s for s in range(JOINTS) if s != v]):
            yield v, u, s


def elu(x):
    return np.where(x > 0, x, np.exp(x) - 1)


def mlp_by_hand(params, stats, x):
    """Of one vector; the first layer's weights are a link's own where they stand beside it."""
    first = params.get("first", params)
    x = elu(
        elu(x @ first["kernel"] + first["bias"]) @ params["second"]["kernel"]
        + params["second"]["bias"]
    )
    norm, running = params["norm"], stats["norm"]
    return (x - running["mean"]) / np.sqrt(running["var"] + 1e-5) * norm["scale"] + norm["bias"]


def test_the_encoder_passes_features_from_joints_to_links_and_back():
    encoder = link_inference.Encoder(TYPES, WIDTH, 0.5, None)
    weights = random_variables(encoder, frames())
    actual = jax.jit(encoder.apply)(weights, frames())
    p, s = doubles(weights["params"]), doubles(weights["batch_stats"])
    for person, clip in enumerate(np.float64(frames())):
        joints = [
            mlp_by_hand(p["joints1"], s["joints1"], clip[:, v].reshape(-1)) for v in range(JOINTS)
        ]
        first = {
            (v, u): mlp_by_hand(
                p["links1"], s["links1"], np.concatenate([joints[v], joints[sender]])
            )
            for v, u, sender in links()
        }
        means = [sum(first[v, u] for u in range(JOINTS - 1)) / (JOINTS - 1) for v in range(JOINTS)]
        joints = [mlp_by_hand(p["joints2"], s["joints2"], mean) for mean in means]
        for v, u, sender in links():
            both = np.concatenate([joints[v], joints[sender], first[v, u]])
            scores = (
                mlp_by_hand(p["links2"], s["links2"], both) @ p["scores"]["kernel"]
                + p["scores"]["bias"]
            )
            np.testing.assert_allclose(actual[person, v, u], scores, rtol=1e-4, atol=1e-4)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step_by_hand(p, memory, x, types):
    """Next memory and places of one person, link by link and type by type."""
    count, later, positions = TYPES - 1, np.zeros_like(memory), np.zeros_like(x)
    first, second, (inner, outer) = p["message_first"], p["message_second"], p["message_biases"]
    for v in range(JOINTS):
        message = np.zeros(WIDTH)
        for receiver, u, sender in links():
            for c in range(count if receiver == v else 0):
                sent = np.tanh(np.concatenate([memory[v], memory[sender]]) @ first[c] + inner[c])
                sent = np.tanh(sent @ second[c] + outer[c])
                message += types[v, u, c + 1] * sent / (count * (JOINTS - 1))
        own = x[v] @ p["own"]["kernel"] + p["own"]["bias"]
        messages = message @ p["sent"]["kernel"]
        reset, keep = (
            sigmoid(own[:WIDTH] + messages[:WIDTH]),
            sigmoid(own[WIDTH : 2 * WIDTH] + messages[WIDTH : 2 * WIDTH]),
        )
        new = np.tanh(own[2 * WIDTH :] + reset * messages[2 * WIDTH :])
        later[v] = (1 - keep) * new + keep * memory[v]
        y = later[v]
        for name in ("out1", "out2"):
            y = np.maximum(y @ p[name]["kernel"] + p[name]["bias"], 0)
        positions[v] = x[v] + y @ p["out3"]["kernel"] + p["out3"]["bias"]
    return later, positions


@pytest.fixture(scope="module")
def decoder():
    """The decoder's parameters, link types of two persons that are no whole ones, and what it makes
    of them.
    """
    over_time = link_inference.Decoder(WIDTH, 0.0, False)
    types = softmax(link_scores())
    start = jnp.zeros((2, JOINTS, WIDTH))
    weights = random_variables(over_time, start, frames()[:, :-1], types)
    return (
        weights["params"],
        types,
        jax.jit(over_time.apply)(weights, start, frames()[:, :-1], types),
    )


def test_the_decoder_equals_a_slow_loop_over_frames_links_and_types(decoder):
    params, types, (last, expected) = decoder
    for person, clip in enumerate(np.float64(frames())):
        memory = np.zeros((JOINTS, WIDTH))
        for t in range(FRAMES - 1):
            memory, positions = step_by_hand(
                doubles(params), memory, clip[t], np.float64(types[person])
            )
            np.testing.assert_allclose(expected[person, t], positions, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(last[person], memory, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_nothing_is_sent_along_an_empty_link(decoder):
    """Without links a joint's future depends on that joint alone; with them on the others too."""
    params, types, _ = decoder

    @jax.jit
    @jax.jacobian
    def jacobian(x, types):
        start = jnp.zeros((1, JOINTS, WIDTH))
        return link_inference.Decoder(WIDTH, 0.0, False).apply(
            {"params": params}, start, x[None], types
        )[1][0, -1]

    def places(types):
        return np.abs(jacobian(frames()[0, :-1], types)).sum((1, 2, 4)) > 1e-7  # of [v c, t v c]

    alone = jnp.zeros((1, JOINTS, JOINTS - 1, TYPES)).at[..., 0].set(1)
    np.testing.assert_array_equal(places(alone), np.eye(JOINTS, dtype=bool))
    assert places(types[:1]).all()


def test_a_draw_is_one_type_and_as_often_as_its_probability():
    scores = jnp.log(jnp.asarray([0.7, 0.2, 0.1]))
    drawn = jax.jit(
        lambda: link_inference.sample_types(
            jax.random.key(0), jnp.tile(scores, (50, 25, 24, 1)), 0.5
        )
    )()
    np.testing.assert_allclose(np.sort(drawn, axis=-1)[..., :2], 0, atol=1e-6)
    np.testing.assert_allclose(drawn.sum(-1), 1, atol=1e-6)
    np.testing.assert_allclose(drawn.mean((0, 1, 2)), [0.7, 0.2, 0.1], atol=0.01)


def test_a_draw_has_the_gradient_of_the_softmax_of_the_noisy_scores():
    key, shape = jax.random.key(1), (1, 3, 2, TYPES)
    scores, weights = random_array(*shape, seed=2), random_array(*shape, seed=3)
    actual = jax.jit(
        jax.grad(lambda scores: jnp.sum(weights * link_inference.sample_types(key, scores, 0.5)))
    )(scores)
    noisy = np.float64(scores + jax.random.gumbel(key, shape)) / 0.5
    soft = np.exp(noisy) / np.exp(noisy).sum(-1, keepdims=True)
    for place in np.ndindex(shape[:3]):
        p, w = soft[place], np.float64(weights[place])
        jacobian = (np.diag(p) - np.outer(p, p)) / 0.5
        np.testing.assert_allclose(actual[place], jacobian @ w, rtol=1e-4, atol=1e-6)


def test_the_graph_holds_each_link_from_its_sender_to_its_receiver():
    graph_of, types = jax.jit(link_inference.link_graph), softmax(link_scores())
    actual = graph_of(types)
    for person in range(2):
        for c in range(TYPES - 1):
            graph = np.eye(JOINTS)
            for v, u, s in links():
                graph[s, v] = types[person, v, u, c + 1]
            np.testing.assert_allclose(actual[person, c], graph / graph.sum(0), rtol=1e-5)
    empty = jnp.zeros(types.shape).at[..., 0].set(1)
    np.testing.assert_array_equal(graph_of(empty)[0], np.stack([np.eye(JOINTS)] * (TYPES - 1)))


def test_the_likelihood_is_the_mean_of_what_was_really_there():
    positions, expected = np.array(frames()), np.array(frames(seed=9))[:, 1:]
    positions[0, 2, 1] = (
        0  # a joint that is missing once: in the third frame, and as where the fourth comes from
    )
    positions[1, :, 3] = 0
    cost = jax.jit(link_inference.likelihood_loss, static_argnums=2)
    actual = cost(positions, expected, 5e-4)
    for person in range(2):
        errors = [
            sum((positions[person, t + 1, v] - expected[person, t, v]) ** 2) / (2 * 5e-4)
            for t in range(FRAMES - 1)
            for v in range(JOINTS)
            if positions[person, t + 1, v].any() and positions[person, t, v].any()
        ]
        assert len(errors) == (FRAMES - 1) * JOINTS - (2, FRAMES - 1)[person]
        np.testing.assert_allclose(actual[person], (FRAMES - 1) * np.mean(errors), rtol=1e-5)
    assert cost(np.zeros_like(positions), np.ones_like(expected), 1.0)[0] == 0


def test_links_cost_their_distance_from_the_prior():
    scores, cost = link_scores(), jax.jit(link_inference.prior_loss, static_argnums=1)
    actual = cost(scores, 0.9)
    for person in range(2):
        total = 0.0
        for v, u, _ in links():
            p = np.exp(np.float64(scores[person, v, u]))
            p /= p.sum()
            total += sum(
                p[c] * np.log(p[c] / (0.9 if c == 0 else 0.1 / (TYPES - 1))) for c in range(TYPES)
            )
        np.testing.assert_allclose(actual[person], total / JOINTS, rtol=1e-4)
    prior = np.log(np.float32([0.9, 0.05, 0.05]))
    np.testing.assert_allclose(
        cost(jnp.asarray(np.tile(prior, (2, JOINTS, JOINTS - 1, 1))), 0.9), 0, atol=1e-6
    )


@pytest.fixture(scope="module")
def inference():
    """The module with half of what it computes dropped in training, and its variables."""
    module = link_inference.LinkInference(TYPES - 1, WIDTH, 0.5, 0.5, 0.95, 5e-4, None)
    return module, random_variables(module, frames(), decode=True)


def test_evaluation_takes_the_mean_of_the_draws_and_no_key(inference):
    module, weights = inference
    encoder = link_inference.Encoder(TYPES, WIDTH, 0.5, None)

    @jax.jit
    def both(weights, x):
        scores = encoder.apply({kind: weights[kind]["encoder"] for kind in weights}, x)
        return *module.apply(weights, x), link_inference.link_graph(jax.nn.softmax(scores))

    graphs, loss, expected = both(weights, frames())
    np.testing.assert_allclose(graphs, expected, rtol=1e-5)
    np.testing.assert_array_equal(loss, 0)


@pytest.mark.slow
def test_training_draws_by_its_key_and_the_loss_reaches_every_parameter(inference):
    module, weights = inference

    @jax.jit
    @functools.partial(jax.grad, has_aux=True)
    def run(params, key):
        variables, rngs = {**weights, "params": params}, {"dropout": key}
        (graphs, loss), new = module.apply(
            variables, frames(), True, True, mutable=["batch_stats"], rngs=rngs
        )
        return jnp.sum(loss), (graphs, new)

    gradients, (graphs, new) = run(weights["params"], jax.random.key(0))
    assert np.any(graphs != run(weights["params"], jax.random.key(1))[1][0])
    np.testing.assert_array_equal(graphs, run(weights["params"], jax.random.key(0))[1][0])
    assert all(np.any(leaf != 0) for leaf in jax.tree.leaves(gradients) if leaf.ndim > 1)
    moved = jax.tree.map(
        lambda a, b: bool(np.any(a != b)), weights["batch_stats"], new["batch_stats"]
    )
    assert all(jax.tree.leaves(moved))
