"""Heads: attention and fusion against public AFF and loops, sizes, dropout."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import unflatten_dict

from jaxact.errors import UserError
from jaxact.models.layers.attentional_fusion import MCAM, MSCAM, Head, fuse
from tests.helpers import frame_networks
from tests.helpers.parity import group
from tests.helpers.random_weights import random_array, random_variables


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_attention_and_fusion_give_the_numbers_of_public_aff(mode):
    with np.load(frame_networks.DATA / "frames_public.npz") as stored:
        held = group({name: jnp.asarray(stored[name]) for name in stored.files}, "aff/")
    variables = unflatten_dict(
        {name: value for name, value in held.items() if name.startswith(("params", "batch"))},
        sep="/",
    )

    @jax.jit
    def run(x, y):
        def weight(maps):
            return MSCAM().apply(variables, maps, mode == "train", mutable=["batch_stats"])[0]

        return x * weight(x), fuse(x, y, weight(x + y), scale2=True), 2 * fuse(x, y, weight(x + y))

    attended, fused, doubled = run(held["x"], held["y"])
    np.testing.assert_allclose(attended, held[f"{mode}/attended"], atol=1e-5)
    np.testing.assert_allclose(fused, held[f"{mode}/fused"], atol=1e-5)
    np.testing.assert_allclose(doubled, held[f"{mode}/fused"], atol=1e-5)


def maps(channels=8, count=3):
    return random_array(count, 4, 5, channels, seed=2)


def correlate(x, kernel, bias):
    """Maps [b h w c] and a kernel [k k c d], zeros around, pixel by pixel."""
    half = kernel.shape[0] // 2
    y = np.zeros((*x.shape[:3], kernel.shape[-1])) + bias
    for i, j in np.ndindex(x.shape[1:3]):
        for a, b in np.ndindex(kernel.shape[:2]):
            if 0 <= i + a - half < x.shape[1] and 0 <= j + b - half < x.shape[2]:
                y[:, i, j] += x[:, i + a - half, j + b - half] @ kernel[a, b]
    return y


def normalised(x, params, stats, train):
    mean, var = (x.mean((0, 1, 2)), x.var((0, 1, 2))) if train else (stats["mean"], stats["var"])
    return (x - mean) / np.sqrt(var + 1e-5) * params["scale"] + params["bias"]


def bottleneck(x, params, stats, train):
    y = normalised(
        x @ params["reduce"]["kernel"] + params["reduce"]["bias"],
        params["reduce_norm"],
        stats["reduce_norm"],
        train,
    )
    y = np.maximum(y, 0) @ params["expand"]["kernel"] + params["expand"]["bias"]
    return normalised(y, params["expand_norm"], stats["expand_norm"], train)


@pytest.mark.parametrize("branch", ["shared", "separate"])
@pytest.mark.parametrize("train", [False, True])
def test_mcam_is_the_papers_equations_by_loops(branch, train):
    model = MCAM(branch)
    variables = random_variables(model, maps())
    params, stats = (
        jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), variables[name])
        for name in ("params", "batch_stats")
    )
    x = np.asarray(maps(), np.float64)
    narrow = x @ params["narrow"]["kernel"] + params["narrow"]["bias"]
    scales = [narrow]
    for size in (3, 5, 7):
        y = correlate(narrow, **params[f"conv{size}"])
        scales.append(
            np.maximum(
                normalised(y, params[f"conv{size}_norm"], stats[f"conv{size}_norm"], train), 0
            )
        )
    local = bottleneck(np.concatenate(scales, -1), params["local"], stats["local"], train)
    if branch == "shared":
        overall = local.mean((1, 2), keepdims=True)
    else:
        overall = bottleneck(
            x.mean((1, 2), keepdims=True), params["global"], stats["global"], train
        )
    actual, _ = jax.jit(functools.partial(model.apply, train=train, mutable=["batch_stats"]))(
        variables, maps()
    )
    np.testing.assert_allclose(actual, 1 / (1 + np.exp(-local - overall)), atol=1e-4)


def test_fusion_takes_a_share_of_either_at_every_place():
    x = np.asarray(maps())
    y, m = x[::-1], 1 / (1 + np.exp(-x[:, ::-1]))
    run = jax.jit(fuse)
    np.testing.assert_allclose(run(x, y, m), m * x + (1 - m) * y, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(run(x, y, np.ones_like(m)), x)
    np.testing.assert_array_equal(run(x, y, np.zeros_like(m)), y)


def test_sizes_are_those_of_the_equations():
    def size(model, example):
        made = jax.eval_shape(model.init, jax.random.key(0), example)["params"]
        return sum(leaf.size for leaf in jax.tree.leaves(made))

    wide, memory = jnp.zeros((1, 10, 10, 256)), jnp.zeros((1, 10, 10, 40))
    assert (
        size(MSCAM(), wide) == 67_456
        and size(MCAM(), wide) == 390_720 == size(MCAM("separate"), wide) - 33_728
    )
    layers, scores = 10_496 + 65_792, {101: 25_957, 51: 13_107}
    for kind, own in {"mlp": 0, "aff": 67_456, "mcam_aff": 390_720}.items():
        for classes in scores:
            assert size(Head(classes, kind), memory) == layers + own + scores[classes], kind


def test_heads_without_attention_are_two_layers_on_the_mean():
    model = Head(4, "mlp", hidden=6)
    variables = random_variables(model, maps())
    p = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), variables["params"])
    x = np.asarray(maps(), np.float64).mean((1, 2))
    for layer in ("layer1", "layer2"):
        x = np.maximum(x @ p[layer]["kernel"] + p[layer]["bias"], 0)
    expected = x @ p["scores"]["kernel"] + p["scores"]["bias"]
    np.testing.assert_allclose(jax.jit(model.apply)(variables, maps()), expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["aff", "mcam_aff"])
def test_heads_with_attention_fuse_their_two_layers_at_every_place(kind):
    model = Head(4, kind, hidden=8)
    variables = random_variables(model, maps())
    p = jax.tree.map(np.asarray, variables["params"])
    x = np.maximum(np.asarray(maps()) @ p["layer1"]["kernel"] + p["layer1"]["bias"], 0)
    y = np.maximum(x @ p["layer2"]["kernel"] + p["layer2"]["bias"], 0)
    attention = {"aff": MSCAM, "mcam_aff": MCAM}[kind]()

    @jax.jit
    def run(variables, maps, both):
        weight = attention.apply(
            {name: tree["attention"] for name, tree in variables.items()}, both
        )
        return model.apply(variables, maps), weight

    actual, weight = map(np.asarray, run(variables, maps(), x + y))
    z = (weight * x + (1 - weight) * y).mean((1, 2))
    np.testing.assert_allclose(actual, z @ p["scores"]["kernel"] + p["scores"]["bias"], atol=1e-5)


def test_dropout_lies_behind_both_layers_and_follows_its_key():
    """One unit a layer, at 1 before dropout: 0 where the second is dropped, else 1 or 2, the first
    dropped or not.
    """
    model = Head(1, "mlp", hidden=1, dropout=0.5)
    half = {"kernel": jnp.full((1, 1), 0.25), "bias": jnp.full(1, 0.5)}
    params = {"layer1": {"kernel": jnp.zeros((1, 1)), "bias": jnp.ones(1)}, "layer2": half}
    params |= {"scores": {"kernel": jnp.ones((1, 1)), "bias": jnp.zeros(1)}}

    apply = jax.jit(lambda x, key: model.apply({"params": params}, x, True, rngs={"dropout": key}))

    def run(seed):
        return np.asarray(apply(maps(1, 100), jax.random.key(seed)))

    assert np.unique(run(0)).tolist() == [0.0, 1.0, 2.0]
    np.testing.assert_array_equal(run(0), run(0))
    assert np.any(run(0) != run(1))


def test_unknown_names_are_one_sentence():
    with pytest.raises(UserError, match=r"unknown head 'iaff'; available: aff, mcam_aff, mlp"):
        jax.eval_shape(Head(4, "iaff").init, jax.random.key(0), maps())
    with pytest.raises(
        UserError, match=r"unknown global branch 'own'; available: separate, shared"
    ):
        jax.eval_shape(MCAM("own").init, jax.random.key(0), maps())
