"""The temporal baselines: the numbers of the public code, parameter counts, time, precision,
devices.
"""

import dataclasses
import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import models, skeletons
from jaxact.errors import UserError
from jaxact.models import tcn
from jaxact.models.input_spec import InputSpec
from jaxact.models.layers.temporal_conv import temporal_conv
from tests.helpers.parity import assert_gradients_equal, assert_logits_equal, group, train_pass
from tests.helpers.random_weights import LEGS, random_array, random_variables

SMALL = Path(__file__).parents[1] / "data" / "tcn_public_small.npz"
NAMES = {"conv0": "conv", "unit1_1.conv": "conv", "down1.conv": "shortcut"}
NORMS = {"data_bn": "data_norm", "bn": "norm", "unit1_1.bn": "norm", "down1.bn": "shortcut_norm"}
STATISTICS = {"running_mean": "mean", "running_var": "var"}


def from_public(state) -> dict:
    """Arrays by the public code's names as our variables."""
    variables: dict = {"params": {}, "batch_stats": {}}
    for name, value in state.items():
        layer, _, kind = name.rpartition(".")
        first, _, rest = layer.partition(".")
        unit, inside = ((first,), rest) if first.startswith("unit") else ((), layer)
        if inside in NORMS:
            collection = "batch_stats" if kind in STATISTICS else "params"
            ours = STATISTICS.get(kind) or {"weight": "scale", "bias": "bias"}[kind]
            path = (collection, *unit, NORMS[inside], ours)
        elif layer == "fcn":
            path, value = (
                ("params", "head", "kernel" if kind == "weight" else "bias"),
                value[..., 0].T,
            )
            value = value if kind == "weight" else state[name]
        else:
            path = ("params", *unit, f"{NAMES[inside]}_{'kernel' if kind == 'weight' else 'bias'}")
            value = value.transpose(2, 1, 0) if kind == "weight" else value
        node = variables
        for step in path[:-1]:
            node = node.setdefault(step, {})
        node[path[-1]] = value
    return variables


def test_a_small_network_equals_the_public_code():
    with np.load(SMALL) as archive:
        numbers = group(archive, "five/")
    variables, model = (
        from_public(group(numbers, "state/")),
        tcn.TCN(num_classes=7, width=4, dropout=0.0),
    )
    inputs = jnp.asarray(numbers["inputs"].transpose(0, 2, 4, 3, 1))
    assert_logits_equal(jax.jit(model.apply)(variables, inputs), numbers["eval_logits"])
    loss, logits, gradients, stats = train_pass(model, variables, inputs, numbers["labels"])
    assert_logits_equal(logits, numbers["train_logits"])
    assert loss == pytest.approx(numbers["loss"], rel=1e-5)
    assert_gradients_equal(gradients, from_public(group(numbers, "gradient/"))["params"])
    expected = from_public(group(numbers, "updated/"))["batch_stats"]
    jax.tree_util.tree_map_with_path(
        assert_statistics_equal, stats, expected, variables["batch_stats"]
    )


def assert_statistics_equal(path, ours, theirs, before):
    """PyTorch's running variance is fed with the unbiased one, n / (n - 1) of ours."""
    if path[-1].key == "var":
        unit = int(path[0].key.removeprefix("unit")) if path[0].key.startswith("unit") else 9
        frames = 50 if path[0].key == "data_norm" or unit <= 4 else 25 if unit <= 7 else 13
        ours = 0.9 * before + (ours - 0.9 * before) * 2 * frames / (2 * frames - 1)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def count(layout: str, classes: int, **options) -> int:
    joints = skeletons.get_layout(layout)
    model = models.build(
        "tcn", InputSpec(layout=joints, num_classes=classes, channels=("x", "y", "z")), **options
    )
    inputs = jnp.zeros((1, 16, 2, len(joints.joints), 3))
    return sum(
        leaf.size
        for leaf in jax.tree.leaves(jax.eval_shape(model.init, jax.random.key(0), inputs)["params"])
    )


@pytest.mark.parametrize(
    ("network", "expected"),
    [("stgcn_v1", (2_101_864, 2_164_968)), ("res_tcn", (1_874_492, 1_940_368))],
)
def test_parameter_counts_are_the_published_ones(network, expected):
    assert (
        count("ntu-25", 60, network=network),
        count("openpose-18", 400, network=network),
    ) == expected


def test_the_deeper_list_has_three_more_units_of_each_width():
    unit = {width: 2 * width + 8 * width * width + width for width in (64, 128, 256)}
    deeper = count("ntu-25", 60, network="res_tcn18") - count("ntu-25", 60, network="res_tcn")
    assert deeper == 3 * sum(unit.values())


@pytest.mark.parametrize("taps", [1, 8, 9])
@pytest.mark.parametrize("frames", [10, 11])
@pytest.mark.parametrize("stride", [1, 2])
def test_convolution_of_any_length_equals_a_slow_loop(taps, frames, stride):
    random = np.random.default_rng(0)
    x, kernel = random.standard_normal((frames, 3)), random.standard_normal((taps, 3, 2))
    convolve = jax.jit(temporal_conv, static_argnums=2)
    actual = convolve(np.float32(x[None, None]), np.float32(kernel), stride)[0, 0]
    expected = np.zeros((-(-frames // stride), 2))
    for s in range(len(expected)):
        for i in range(taps):
            t = stride * s + i - (taps - 1) // 2
            if 0 <= t < frames:
                expected[s] += x[t] @ kernel[i]
    np.testing.assert_allclose(actual, expected, atol=1e-5)


@pytest.fixture(scope="module", autouse=True)
def short():
    """Res-TCN with one unit of each width, which compiles in a fraction of the time."""
    tcn.VARIANTS["short"] = dataclasses.replace(tcn.VARIANTS["res_tcn"], depth=1)
    yield
    del tcn.VARIANTS["short"]


def small(axis_name: str | None = None, **options) -> tcn.TCN:
    options = {"network": "short", "width": 4, **options}
    return models.build(
        "tcn",
        InputSpec(layout=LEGS, num_classes=5, channels=("x", "y", "z"), axis_name=axis_name),
        **options,
    )


def clips(frames=12, batch=4):
    return random_array(batch, frames, 2, 5, 3, seed=3)


@pytest.fixture(scope="module")
def variables(short):
    return random_variables(small(), clips())


@functools.cache
def compiled_train(model):
    apply = functools.partial(model.apply, train=True, mutable=["batch_stats"])
    return jax.jit(
        lambda variables, inputs, seed: apply(
            variables, inputs, rngs={"dropout": jax.random.key(seed)}
        )
    )


def train(model, variables, seed=0):
    return compiled_train(model)(variables, clips(), seed)


def test_a_res_tcn_equals_a_slow_loop_over_units(variables):
    params, stats = jax.device_get(variables["params"]), jax.device_get(variables["batch_stats"])
    x = np.asarray(clips()).reshape(4, 12, -1)

    def normal(x, params, stats):
        y = (x - stats["mean"]) / np.sqrt(stats["var"] + 1e-5) * params["scale"] + params["bias"]
        return np.maximum(y, 0)

    def convolve(x, params, name, stride):
        kernel = params[f"{name}_kernel"]
        taps = len(kernel)
        padded = np.pad(x, ((0, 0), ((taps - 1) // 2, taps // 2), (0, 0)))
        starts = range(0, x.shape[1], stride)
        return (
            np.stack([np.einsum("ntc,tcd->nd", padded[:, s : s + taps], kernel) for s in starts], 1)
            + (params[f"{name}_bias"])
        )

    x = convolve(x, params, "conv", 1)
    for index in range(1, 4):
        unit, stride = params[f"unit{index}"], 2 if index > 1 else 1
        y = convolve(normal(x, unit["norm"], stats[f"unit{index}"]["norm"]), unit, "conv", stride)
        x = y + (convolve(x, unit, "shortcut", stride) if stride == 2 else x)
    x = normal(x, params["norm"], stats["norm"]).mean(1)
    expected = x @ params["head"]["kernel"] + params["head"]["bias"]
    np.testing.assert_allclose(
        jax.jit(small().apply)(variables, clips()), expected, rtol=1e-3, atol=1e-4
    )


def test_the_number_of_frames_is_free_at_run_time(variables):
    assert jax.eval_shape(small().apply, variables, clips(frames=33)).shape == (4, 5)


@pytest.mark.slow
def test_training_moves_every_running_statistic_and_dropout_follows_its_key(variables):
    logits, state = train(small(), variables)
    moved = jax.tree.map(
        lambda old, new: bool(np.any(old != new)), variables["batch_stats"], state["batch_stats"]
    )
    assert all(jax.tree.leaves(moved))
    np.testing.assert_array_equal(logits, train(small(), variables)[0])
    assert np.abs(logits - train(small(), variables, seed=1)[0]).max() > 1e-4


@pytest.mark.slow
def test_mapped_devices_share_batch_statistics(variables):
    apply = functools.partial(
        small(dropout=0.0, axis_name="data").apply, train=True, mutable=["batch_stats"]
    )
    logits, state = jax.pmap(apply, "data", in_axes=(None, 0))(variables, clips()[:, None])
    wanted_logits, wanted_state = train(small(dropout=0.0), variables)
    np.testing.assert_allclose(logits[:, 0], wanted_logits, atol=1e-4)
    close = functools.partial(np.testing.assert_allclose, atol=1e-4)
    jax.tree.map(lambda ours, theirs: close(ours[0], theirs), state, wanted_state)


@pytest.mark.slow
def test_bfloat16_computes_near_float32_with_float32_state(variables):
    exact, rounded = (
        train(small(dropout=0.0, dtype=dtype), variables) for dtype in ("float32", "bfloat16")
    )
    assert {leaf.dtype for leaf in jax.tree.leaves(rounded)} == {jnp.dtype("float32")}
    assert 0 < np.abs(exact[0] - rounded[0]).max() < 0.1 * np.abs(exact[0]).max()


def test_an_unknown_network_is_named_with_what_exists():
    with pytest.raises(
        UserError, match=r"unknown network 'res'; available: res_tcn, res_tcn18, .*stgcn_v1"
    ):
        small(network="res")
