"""Networks over frames: equal to keras.applications, their sizes, what is frozen, what saves memory."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

from jaxact.errors import UserError
from jaxact.interop import keras
from jaxact.models import convnorm
from jaxact.models.inception import InceptionV3
from jaxact.models.inception_resnet import InceptionResNetV2
from jaxact.models.scxception import BACKBONES
from jaxact.models.xception import Xception
from tests import frame_networks


@pytest.mark.parametrize("network", BACKBONES)
def test_features_are_those_of_keras_applications(network, tmp_path):
    arrays, frame, wanted = frame_networks.stored(network)
    np.savez(tmp_path / "weights.npz", **arrays)
    weights = keras.load(tmp_path / "weights.npz")
    model = BACKBONES[network](**weights.fields)
    found = jax.jit(model.apply)(weights.variables, frame[None])
    assert found.shape == (1, *wanted.shape)
    assert np.abs(found[0] - wanted).max() < 1e-4 * np.abs(wanted).max()
    bare = jax.jit(model.apply)(weights.variables, frame[None].astype(np.float32) / 127.5 - 1)
    np.testing.assert_allclose(bare, found, rtol=1e-4, atol=1e-5)


SIZES: dict[Any, tuple] = {  # trained, statistics, of which from "last" on, maps of 299 pixels
    Xception: (20_806_952, 54_528, 6_788_384, (10, 10, 2048)),
    InceptionV3: (21_768_352, 34_432, 12_817_280, (8, 8, 2048)),
    InceptionResNetV2: (54_276_192, 60_544, 27_426_944, (8, 8, 1536)),
}


@pytest.mark.parametrize("kind", SIZES)
def test_sizes_are_the_published_ones(kind):
    trained, statistics, last, maps = SIZES[kind]
    model = kind(train_from="last")
    made = jax.eval_shape(model.init, jax.random.key(0), example := jnp.zeros((1, 2, 299, 299, 3)))
    count = {name: sum(leaf.size for leaf in jax.tree.leaves(tree)) for name, tree in made.items()}
    assert count == {"params": trained, "batch_stats": statistics}
    still = model.frozen_blocks()
    rest = [tree for name, tree in made["params"].items() if name not in still]
    assert sum(leaf.size for leaf in jax.tree.leaves(rest)) == last
    assert jax.eval_shape(model.apply, made, example).shape == (1, 2, *maps)


@pytest.mark.parametrize("fast", [True, False])
def test_a_depthwise_convolution_is_the_loop_over_its_nine_numbers(fast):
    random = np.random.default_rng(0)
    x, kernel = random.normal(size=(2, 5, 4, 3)), random.normal(size=(3, 3, 3))
    wanted = np.zeros_like(x)
    for n, i, j, c in np.ndindex(x.shape):
        for y, z in np.ndindex(3, 3):
            if 0 <= i + y - 1 < 5 and 0 <= j + z - 1 < 4:
                wanted[n, i, j, c] += x[n, i + y - 1, j + z - 1, c] * kernel[y, z, c]
    found = convnorm.depthwise(jnp.asarray(x, jnp.float32), jnp.asarray(kernel, jnp.float32), fast)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_normalisation_is_the_equation_and_moves_a_hundredth_of_the_way():
    x = np.random.default_rng(0).normal(3.0, 2.0, (4, 3, 2, 5)).astype(np.float32)
    norm = convnorm.Norm(scale=True, axis_name=None)
    variables = norm.init(jax.random.key(0), x, True)
    variables["params"] = {"scale": np.arange(1.0, 6.0, dtype=np.float32), "bias": np.full(5, 0.5, np.float32)}
    found, updated = norm.apply(variables, x, True, mutable=["batch_stats"])
    mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
    np.testing.assert_allclose(found, (x - mean) / np.sqrt(var + 1e-3) * np.arange(1, 6) + 0.5, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(updated["batch_stats"]["mean"], 0.01 * mean, rtol=1e-4)
    np.testing.assert_allclose(updated["batch_stats"]["var"], 0.99 + 0.01 * var, rtol=1e-4)


SMALL = {"width": 1 / 16, "middle": 1}


def clips(count=3, frames=2, pixels=32):
    return jax.random.uniform(jax.random.key(1), (count, frames, pixels, pixels, 3), minval=-1)


@pytest.fixture(scope="module")
def variables():
    return jax.jit(Xception(**SMALL).init)(jax.random.key(0), clips())


def gradient(model, variables, x):
    """Loss, gradient and updated statistics of one training pass."""

    def loss(params):
        maps, updated = model.apply({**variables, "params": params}, x, train=True, mutable=["batch_stats"])
        return jnp.mean(maps**2), updated["batch_stats"]

    return jax.jit(jax.value_and_grad(loss, has_aux=True))(variables["params"])


def test_frozen_blocks_have_no_gradient_and_keep_their_statistics(variables):
    (_, stats), gradients = gradient(Xception(**SMALL, train_from="last"), variables, clips())
    moved = flatten_dict(jax.tree.map(lambda a, b: bool(np.any(a != b)), stats, variables["batch_stats"]))
    for (block, *_), value in (flatten_dict(gradients) | moved).items():
        assert bool(np.any(value)) == (block in ("block13", "block14")), block
    (_, stats), gradients = gradient(Xception(**SMALL), variables, clips())
    assert all(np.any(leaf) for leaf in jax.tree.leaves(gradients))


def test_frozen_blocks_normalise_with_what_they_know_while_the_others_see_the_batch(variables):
    whole = functools.partial(Xception(**SMALL, train_from="none").apply, variables, clips())
    kept, updated = whole(train=True, mutable=["batch_stats"])
    np.testing.assert_allclose(kept, whole(train=False), rtol=1e-5, atol=1e-6)
    assert not updated
    trained, _ = Xception(**SMALL).apply(variables, clips(), train=True, mutable=["batch_stats"])
    assert np.abs(trained - kept).max() > 0.1


def test_recomputation_and_chunks_change_no_number(variables):
    (loss, stats), gradients = gradient(Xception(**SMALL, train_from="last"), variables, clips())
    saving = Xception(**SMALL, train_from="last", remat=True, chunk=4)  # six frames: three at a time
    (other, same_stats), same = gradient(saving, variables, clips())
    assert loss == pytest.approx(float(other), rel=1e-5)
    for ours, theirs in ((stats, same_stats), (gradients, same)):
        jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-5), ours, theirs)
    jaxpr = str(jax.make_jaxpr(saving.apply)(variables, clips()))
    assert "length=2" in jaxpr and "f32[3,32,32,3]" in jaxpr


def test_bytes_stay_bytes_until_a_chunk_is_seen():
    model = Xception(**SMALL, train_from="last", chunk=1)
    frames = jnp.zeros((1, 4, 32, 32, 3), jnp.uint8)
    variables = model.init(jax.random.key(0), frames)
    assert "f32[4,32,32,3]" not in str(jax.make_jaxpr(model.apply)(variables, frames))


def test_bfloat16_computes_near_float32_and_stores_float32(variables):
    model = Xception(**SMALL, dtype="bfloat16")
    exact, rounded = Xception(**SMALL).apply(variables, clips()), model.apply(variables, clips())
    assert rounded.dtype == jnp.bfloat16
    assert 0 < np.abs(exact - rounded.astype(jnp.float32)).max() < 0.05 * np.abs(exact).max()
    made = jax.eval_shape(model.init, jax.random.key(0), clips())
    assert {leaf.dtype for leaf in jax.tree.leaves(made)} == {jnp.dtype("float32")}


def test_training_may_start_at_any_block_by_name():
    names = [name for name, _, _ in Xception(**SMALL).chain(1)]
    assert names == ["block1", "block2", "block3", "block4", "block5", "block13", "block14"]
    wanted = {"all": 0, "block1": 0, "block4": 3, "last": 5, "block14": 6, "none": 7}
    for train_from, count in wanted.items():
        assert Xception(**SMALL, train_from=train_from).frozen_blocks() == tuple(names[:count])
    with pytest.raises(UserError, match="unknown block to train from 'block15'; available: all, block1, .*block13"):
        Xception(**SMALL, train_from="block15").frozen_blocks()
    assert InceptionV3(train_from="last").frozen_blocks()[-1] == "mixed7"
    assert InceptionResNetV2(train_from="last").frozen_blocks()[-1] == "block17_20"


def test_frames_do_not_see_each_other(variables):
    run = jax.jit(Xception(**SMALL).apply)
    one = run(variables, clips())
    np.testing.assert_allclose(run(variables, clips()[:, ::-1]), one[:, ::-1], rtol=1e-5, atol=1e-6)
    changed = run(variables, clips().at[0, 0].add(0.5))
    assert np.any(changed[0, 0] != one[0, 0]) and np.array_equal(changed[1:], one[1:])
