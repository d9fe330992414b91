"""Networks over frames: equal to keras.applications, their sizes, what is frozen, what saves
memory.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

from jaxact.errors import UserError
from jaxact.interop import keras
from jaxact.models.backbones import BACKBONES
from jaxact.models.inception import InceptionV3
from jaxact.models.inception_resnet import InceptionResNetV2
from jaxact.models.layers import conv_batch_norm, convolution
from jaxact.models.layers.backbone import to_range
from jaxact.models.layers.formulation import formulation
from jaxact.models.xception import Xception
from tests.helpers import frame_networks
from tests.helpers.random_weights import random_variables


# Inception-v3 takes the longest to compile; Inception-ResNet-v2 is made by the same module from the
# same kind of table.
@pytest.mark.parametrize(
    "network",
    [
        pytest.param(name, marks=pytest.mark.slow if name == "inception_v3" else ())
        for name in BACKBONES
    ],
)
def test_features_are_those_of_keras_applications(network, tmp_path):
    arrays, frame, expected = frame_networks.stored(network)
    np.savez(tmp_path / "weights.npz", **arrays)
    weights = keras.load(tmp_path / "weights.npz")
    model = BACKBONES[network](**weights.fields)
    actual = jax.jit(model.apply)(weights.variables, frame[None])
    assert actual.shape == (1, *expected.shape)
    assert np.abs(actual[0] - expected).max() < 1e-4 * np.abs(expected).max()


SIZES: dict[Any, tuple] = {  # trained, statistics, maps of 299 pixels
    Xception: (20_806_952, 54_528, (10, 10, 2048)),
    InceptionV3: (21_768_352, 34_432, (8, 8, 2048)),
    InceptionResNetV2: (54_276_192, 60_544, (8, 8, 1536)),
}
# Fields with which every repeated block stands once, and how often the published network has it.
ONCE: dict[Any, tuple[dict, dict[str, int]]] = {
    Xception: ({"middle": 1}, {"block5": 8}),
    InceptionV3: ({}, {}),
    InceptionResNetV2: ({"repeats": (1, 1, 1)}, {"block35_1": 10, "block17_1": 20, "block8_1": 10}),
}


@pytest.mark.parametrize("kind", SIZES)
def test_sizes_are_the_published_ones(kind):
    """A repeated block is traced once, and its size counts as often as the block is repeated."""
    (trained, statistics, maps), (fields, repeated) = SIZES[kind], ONCE[kind]
    model = kind(**fields)
    times = {name: repeated.get(name, 1) for name, _, _ in model.all_blocks(1)}
    assert sum(times.values()) == len(kind().all_blocks(1))
    maps_out, made = jax.eval_shape(
        model.init_with_output, jax.random.key(0), jnp.zeros((1, 2, 299, 299, 3))
    )
    count = {
        name: sum(
            times[block] * leaf.size
            for block, held in tree.items()
            for leaf in jax.tree.leaves(held)
        )
        for name, tree in made.items()
    }
    assert count == {"params": trained, "batch_stats": statistics}
    assert maps_out.shape == (1, 2, *maps)
    if kind is Xception:  # the two blocks that the SC-Xception paper's network trains
        assert (
            sum(
                leaf.size
                for name in ("block13", "block14")
                for leaf in jax.tree.leaves(made["params"][name])
            )
            == 6_788_384
        )


@pytest.mark.parametrize("name", ["direct", "cpu"])
def test_a_depthwise_convolution_is_the_loop_over_its_nine_numbers(name):
    random = np.random.default_rng(0)
    x, kernel = random.normal(size=(2, 5, 4, 3)), random.normal(size=(3, 3, 3))
    expected = np.zeros_like(x)
    for n, i, j, c in np.ndindex(x.shape):
        for y, z in np.ndindex(3, 3):
            if 0 <= i + y - 1 < 5 and 0 <= j + z - 1 < 4:
                expected[n, i, j, c] += x[n, i + y - 1, j + z - 1, c] * kernel[y, z, c]
    with formulation(name):
        y = jax.jit(convolution.depthwise)(np.float32(x), np.float32(kernel))
    np.testing.assert_allclose(y, expected, atol=1e-5)


@pytest.mark.slow
def test_the_gradients_of_the_forms_for_cpus_are_those_of_the_plain_ones():
    random = np.random.default_rng(0)
    x, kernel, across = (
        np.float32(random.normal(size=shape)) for shape in ((2, 5, 4, 3), (3, 3, 3), (3, 2))
    )
    cases = {
        "depthwise": (convolution.depthwise, (x, kernel)),
        "pointwise": (convolution.pointwise, (x, across)),
    }
    for padding, side in (("SAME", 5), ("SAME", 6), ("VALID", 7), ("VALID", 6)):
        pool = functools.partial(convolution.max_pool_by_axis, padding=padding)
        cases[f"{padding} {side}"] = pool, (np.float32(random.normal(size=(2, side, side, 3))),)

    @jax.jit
    def run(inputs):
        """Each function's values, and the gradient of the sum of their sines."""
        outputs = {}
        for name, (function, _) in cases.items():
            y, pull = jax.vjp(function, *inputs[name])
            outputs[name] = y, pull(jnp.cos(y))
        return outputs

    inputs = {name: arguments for name, (_, arguments) in cases.items()}
    with formulation("cpu"):
        fast = run(inputs)
    with formulation("direct"):
        plain = run(inputs)
    for name in cases:
        if "wise" in name:
            jax.tree.map(
                functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5),
                fast[name],
                plain[name],
            )
        else:
            np.testing.assert_array_equal(fast[name][0], plain[name][0])
            np.testing.assert_allclose(fast[name][1][0], plain[name][1][0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_convolution_of_one_pixel_is_the_plain_one(stride):
    random = np.random.default_rng(0)
    x, kernel = random.normal(size=(1, 5, 4, 3)), random.normal(size=(1, 1, 3, 2))
    actual = convolution.convolve(
        jnp.asarray(x, jnp.float32), jnp.asarray(kernel, jnp.float32), stride
    )
    np.testing.assert_allclose(
        actual, np.einsum("nhwc,cd->nhwd", x[:, ::stride, ::stride], kernel[0, 0]), atol=1e-5
    )


@pytest.mark.parametrize(
    ("grid", "size"),
    [((2, 2), (3, 3)), ((1, 2), (3, 3)), ((2, 1), (3, 5)), ((3, 2), (5, 5)), ((3, 3), (3, 3))],
)
def test_a_convolution_of_a_grid_smaller_than_its_kernel_is_a_convolution(grid, size):
    random = np.random.default_rng(0)
    x, kernel = random.normal(size=(2, *grid, 3)), random.normal(size=(*size, 3, 4))
    above, offset = ((side - 1) // 2 for side in size)
    expected = np.zeros((2, *grid, 4))
    for i, j, y, z in np.ndindex(*grid, *size):
        if 0 <= i + y - above < grid[0] and 0 <= j + z - offset < grid[1]:
            expected[:, i, j] += x[:, i + y - above, j + z - offset] @ kernel[y, z]
    actual = jax.jit(convolution.convolve)(
        jnp.asarray(x, jnp.float32), jnp.asarray(kernel, jnp.float32)
    )
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_normalisation_is_the_equation_and_moves_a_hundredth_of_the_way():
    x = np.random.default_rng(0).normal(3.0, 2.0, (4, 3, 2, 5)).astype(np.float32)
    norm = conv_batch_norm.KerasBatchNorm(scale=True, axis_name=None)
    variables = jax.jit(lambda x: norm.init(jax.random.key(0), x, True))(x)
    variables["params"] = {
        "scale": np.arange(1.0, 6.0, dtype=np.float32),
        "bias": np.full(5, 0.5, np.float32),
    }
    actual, updated = jax.jit(lambda v, x: norm.apply(v, x, True, mutable=["batch_stats"]))(
        variables, x
    )
    mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
    np.testing.assert_allclose(
        actual, (x - mean) / np.sqrt(var + 1e-3) * np.arange(1, 6) + 0.5, rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(updated["batch_stats"]["mean"], 0.01 * mean, rtol=1e-4)
    np.testing.assert_allclose(updated["batch_stats"]["var"], 0.99 + 0.01 * var, rtol=1e-4)


SMALL = {"width": 1 / 16, "middle": 0}
SHORT = SMALL | {
    "skip": ("block3", "block4")
}  # two blocks that "last" freezes, and the two that it trains


def clips(count=3, frames=2, pixels=24):
    random = np.random.default_rng(1)
    return random.uniform(-1, 1, (count, frames, pixels, pixels, 3)).astype(np.float32)


def test_normalisation_shares_its_statistics_over_a_mapped_axis():
    x = np.random.default_rng(0).normal(size=(4, 3, 2, 5)) + np.arange(4.0)[:, None, None, None]
    x = np.float32(x)
    alone, shared = (
        conv_batch_norm.KerasBatchNorm(scale=True, axis_name=name) for name in (None, "data")
    )
    variables = random_variables(alone, x, train=True)

    def run(norm, x):
        return norm.apply(variables, x, True, mutable=["batch_stats"])

    whole, stats = jax.jit(functools.partial(run, alone))(x)
    over_devices = jax.jit(jax.vmap(functools.partial(run, shared), axis_name="data"))
    parts, same = over_devices(x.reshape(2, 2, 3, 2, 5))
    np.testing.assert_allclose(parts.reshape(x.shape), whole, rtol=1e-4, atol=1e-5)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a[0], b, rtol=1e-4), same, stats)


@pytest.fixture(scope="module")
def variables():
    return random_variables(Xception(**SHORT), clips())


@pytest.fixture(scope="module")
def run():
    """Maps in evaluation, compiled once."""
    return jax.jit(Xception(**SHORT).apply)


def train_pass(variables, **options):
    """Loss, updated statistics and gradient of one training pass."""
    model = Xception(**SHORT, **options)

    def loss(params):
        frames = jnp.asarray(clips())
        maps, updated = model.apply(
            {**variables, "params": params}, frames, train=True, mutable=["batch_stats"]
        )
        return jnp.mean(maps**2), updated["batch_stats"]

    (loss, stats), gradients = jax.jit(jax.value_and_grad(loss, has_aux=True))(variables["params"])
    return loss, stats, gradients


@pytest.fixture(scope="module")
def frozen_pass(variables):
    return train_pass(variables, train_from="last")


@pytest.mark.slow
def test_frozen_blocks_have_no_gradient_and_keep_their_statistics(variables, frozen_pass):
    _, stats, gradients = frozen_pass
    moved = jax.tree.map(lambda a, b: not np.array_equal(a, b), stats, variables["batch_stats"])
    for tree in (moved, gradients):
        for (block, *_), value in flatten_dict(tree).items():
            assert np.asarray(value).any() == (block in ("block13", "block14")), block


@pytest.mark.slow
def test_frozen_blocks_normalise_with_what_they_know_while_the_others_see_the_batch(variables):
    def run(variables, frames, train, train_from):
        model = Xception(**SHORT, train_from=train_from)
        return model.apply(variables, frames, train=train, mutable=["batch_stats"])[0]

    # In one program, in which XLA computes once what these have in common.
    choices = (False, "all"), (True, "none"), (True, "block14")
    running, none, last = jax.jit(lambda v, x: [run(v, x, *choice) for choice in choices])(
        variables, clips()
    )
    np.testing.assert_allclose(none, running, rtol=1e-5, atol=1e-6)
    assert np.abs(last - running).max() > 0.1


@pytest.mark.slow
def test_recomputation_and_chunks_change_no_number(variables, frozen_pass):
    saving = train_pass(variables, train_from="last", remat=True, chunk=4)
    jax.tree.map(
        functools.partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-5), frozen_pass, saving
    )
    model = Xception(**SHORT, train_from="last", chunk=4)  # of six frames: three at a time
    jaxpr = str(jax.make_jaxpr(model.apply)(variables, clips()))
    assert "length=2" in jaxpr and "f32[3,24,24,3]" in jaxpr


def test_bytes_are_brought_to_the_range_of_minus_one_to_one():
    actual = to_range(jnp.asarray([0, 51, 255], jnp.uint8), "float32")
    np.testing.assert_allclose(actual, [-1.0, -0.6, 1.0], atol=1e-6)
    np.testing.assert_array_equal(to_range(jnp.asarray([0.0, 2.0]), "float32"), [0.0, 2.0])


def test_bytes_stay_bytes_until_a_chunk_is_seen():
    model = Xception(**SHORT, train_from="last", chunk=1)
    frames = jnp.zeros((1, 4, 24, 24, 3), jnp.uint8)
    variables = jax.eval_shape(model.init, jax.random.key(0), frames)
    assert "f32[4,24,24,3]" not in str(jax.make_jaxpr(model.apply)(variables, frames))


def test_training_may_start_at_any_block_by_name():
    names = [name for name, _, _ in Xception(**SMALL).all_blocks(1)]
    assert names == ["block1", "block2", "block3", "block4", "block13", "block14"]
    expected = {"all": 0, "block1": 0, "block4": 3, "last": 4, "block14": 5, "none": 6}
    for train_from, count in expected.items():
        assert Xception(**SMALL, train_from=train_from).frozen_blocks() == tuple(names[:count])
    with pytest.raises(
        UserError, match=r"unknown block to train from 'block15'; available: all, block1, .*block13"
    ):
        Xception(**SMALL, train_from="block15").frozen_blocks()
    assert Xception(**SMALL, skip=("block4",), train_from="last").frozen_blocks() == (
        "block1",
        "block2",
        "block3",
    )
    with pytest.raises(
        UserError, match=r"unknown block to train from 'block4'; available: all, block1, block13"
    ):
        Xception(**SMALL, skip=("block4",), train_from="block4").frozen_blocks()
    assert InceptionV3(train_from="last").frozen_blocks()[-1] == "mixed7"
    assert InceptionResNetV2(train_from="last").frozen_blocks()[-1] == "block17_20"


def test_blocks_that_are_skipped_are_as_if_the_chain_had_never_had_them(variables):
    model = Xception(**SMALL, skip=("block3", "block4", "block13", "block14"))
    few = {
        name: {block: tree[block] for block in ("block1", "block2")}
        for name, tree in variables.items()
    }

    @jax.jit
    def both(few, frames):
        maps = frames.reshape(-1, *frames.shape[2:])
        for name, kind, fields in Xception(**SMALL).all_blocks(frames.shape[1])[:2]:
            block = kind(**fields, dtype="float32", axis_name=None)
            maps = block.apply({group: tree[name] for group, tree in few.items()}, maps)
        return model.apply(few, frames), maps

    actual, maps = both(few, clips())
    np.testing.assert_allclose(actual.reshape(maps.shape), maps, rtol=1e-5, atol=1e-6)
    with pytest.raises(
        UserError, match=r"unknown block to skip 'block5'; available: block1, block13"
    ):
        Xception(**SMALL, skip=("block5",)).used_blocks(1)
    with pytest.raises(UserError, match="all blocks are skipped: block1, block2"):
        Xception(
            **SMALL, skip=("block1", "block2", "block3", "block4", "block13", "block14")
        ).used_blocks(1)


def test_frames_do_not_see_each_other(variables, run):
    one = np.asarray(run(variables, clips()))
    np.testing.assert_allclose(run(variables, clips()[:, ::-1]), one[:, ::-1], rtol=1e-5, atol=1e-6)
    frames = clips()
    frames[0, 0] += 0.5
    changed = np.asarray(run(variables, frames))
    assert np.any(changed[0, 0] != one[0, 0]) and np.array_equal(changed[1:], one[1:])
