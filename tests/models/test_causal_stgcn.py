"""The causal ST-GCN: its convolution by a slow loop, no look ahead, and a stream that is the clip
at every frame.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import skeletons
from jaxact.models import causal_stgcn, stgcn
from jaxact.models.layers import temporal_conv
from jaxact.models.layers.adjacency import Adjacency
from jaxact.models.layers.formulation import formulation
from tests.helpers.costs import multiplications
from tests.helpers.formulations import BOTH_FORMULATIONS, run_in
from tests.helpers.random_weights import random_variables

LAYOUT = skeletons.get_layout("kinect-15")
FRAMES, PERSONS, CLASSES = 15, 2, 3


@pytest.fixture(scope="module", autouse=True)
def short():
    """A stem, a plain unit, and both of the units with a stride; and the stem and one unit with a
    stride.
    """
    stgcn.VARIANTS["short"] = tuple(stgcn.VARIANTS["stem9"][i] for i in (0, 4, 1, 7))
    stgcn.VARIANTS["brief"] = stgcn.VARIANTS["short"][:2]
    yield
    del stgcn.VARIANTS["short"], stgcn.VARIANTS["brief"]


@pytest.fixture(scope="module", autouse=True)
def direct():
    """Networks in the direct formulation, which is traced and compiled faster."""
    with formulation("direct"):
        yield


def small(network="short", **options) -> causal_stgcn.CausalSTGCN:
    options = {"network": network, "width": 4, "dropout": 0.0, **options}
    adjacency = Adjacency(skeletons.adjacency(LAYOUT, "spatial"))
    return causal_stgcn.CausalSTGCN(num_classes=CLASSES, adjacency=adjacency, **options)


def clips(frames=FRAMES, batch=2):
    return jnp.asarray(
        np.random.default_rng(3).normal(size=(batch, frames, PERSONS, 15, 3)), jnp.float32
    )


@pytest.fixture(scope="module")
def weights(short):
    return random_variables(small(), clips())


@pytest.fixture(scope="module")
def brief_weights(short):
    return random_variables(small("brief"), clips())


@functools.cache
def compiled(model, **options):
    return jax.jit(functools.partial(model.apply, **options))


@BOTH_FORMULATIONS
@pytest.mark.parametrize(("frames", "stride"), [(1, 2), (11, 1), (12, 2), (31, 2)])
def test_the_convolution_reads_this_frame_and_the_eight_before_it(form, frames, stride):
    random = np.random.default_rng(0)
    x, kernel = random.normal(size=(2, 1, frames, 3)), random.normal(size=(9, 3, 2))
    factor, offset = random.normal(size=3), random.normal(size=3)
    weights = (jnp.float32(factor), jnp.float32(offset), jnp.float32(kernel))
    convolve = jax.jit(functools.partial(temporal_conv.norm_relu_causal_conv, stride=stride))
    actual = run_in(form, convolve, jnp.float32(x), *weights)
    rectified = np.maximum(x * factor + offset, 0)
    expected = np.zeros((2, 1, -(-frames // stride), 2))
    for s in range(expected.shape[2]):
        for i in range(9):
            if (frame := stride * s + i - 8) >= 0:
                expected[:, :, s] += rectified[:, :, frame] @ kernel[i]
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-4)


def streamed(model, weights, inputs):
    state, logits = causal_stgcn.open_stream(model, len(inputs), PERSONS), []
    for frame in np.swapaxes(inputs, 0, 1):
        state, frame_logits = causal_stgcn.step(model, weights, state, frame)
        logits.append(np.asarray(frame_logits))
    return logits, state


@pytest.mark.parametrize(
    ("network", "window", "lengths"), [("short", 0, ()), ("brief", 1, ()), ("brief", 3, (4,))]
)
def test_a_stream_gives_at_every_frame_what_the_clip_so_far_gives(
    weights, brief_weights, network, window, lengths
):
    """A step's program has every unit with a stride in two branches: all units once, the windows
    behind fewer units.
    """
    model, inputs = small(network, window=window), clips()
    arrays, every = {"short": (weights, 4), "brief": (brief_weights, 2)}[network]
    logits, _ = streamed(model, arrays, inputs)
    of_clip, sown = compiled(model, mutable="intermediates")(arrays, inputs)
    features = np.mean(
        np.float64(sown["intermediates"]["features"][0]), axis=(2, 3)
    )  # of frames 0, 4, 8 ... or 0, 2 ...
    head = jax.tree.map(np.float64, arrays["params"]["head"])
    for last, actual in enumerate(logits):
        outputs = features[:, : last // every + 1][:, -window:]
        np.testing.assert_allclose(
            actual, outputs.mean(1) @ head["kernel"] + head["bias"], rtol=1e-4, atol=1e-5
        )
    np.testing.assert_allclose(logits[-1], of_clip, rtol=1e-4, atol=1e-5)
    for length in lengths:  # and of clips that end there
        np.testing.assert_allclose(
            logits[length - 1], compiled(model)(arrays, inputs[:, :length]), rtol=1e-4, atol=1e-5
        )
    assert np.abs(logits[-1] - logits[2]).max() > 1e-2


def test_no_unit_looks_ahead(weights):
    def features(inputs):
        return compiled(small(), mutable="intermediates")(weights, inputs)[1]["intermediates"][
            "features"
        ][0]

    inputs = clips()
    first = np.asarray(features(inputs))
    second = np.asarray(features(inputs.at[:, 9:].set(7.0)))
    np.testing.assert_array_equal(first[:, :3], second[:, :3])  # of frames 0, 4, 8
    assert first.shape[1] == 4 and np.abs(first[:, 3] - second[:, 3]).max() > 1e-3


def test_a_frame_costs_no_more_after_many_and_compiles_once(weights):
    model, frame = small(), clips()[:, 0]
    state = causal_stgcn.open_stream(model, len(frame), PERSONS)
    step = functools.partial(causal_stgcn.step, model)
    late = step(weights, state._replace(frames=jnp.int32(4_000_000)), frame)[0]
    assert late.frames == 4_000_001
    kinds = [jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), each) for each in (state, late)]
    assert kinds[0] == kinds[1]
    compiled_before = causal_stgcn.step._cache_size()
    streamed(model, weights, clips(frames=9))
    assert causal_stgcn.step._cache_size() == compiled_before
    once = multiplications(model.apply, weights, clips(frames=1))
    assert (
        once < multiplications(step, weights, state, frame) < 2 * once
    )  # a stride's unit stands in two branches


def test_its_parameters_are_those_of_stgcn():
    def shapes(kind, network):
        adjacency = Adjacency(skeletons.adjacency(skeletons.get_layout("ntu-25"), "spatial"))
        model = kind(num_classes=60, adjacency=adjacency, network=network)
        return jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, 16, 2, 25, 3)))

    ours, theirs = (
        jax.tree.map(jnp.shape, shapes(kind, "short"))
        for kind in (causal_stgcn.CausalSTGCN, stgcn.STGCN)
    )
    assert ours == theirs
    assert (
        sum(
            leaf.size
            for leaf in jax.tree.leaves(shapes(causal_stgcn.CausalSTGCN, "stem9")["params"])
        )
        == 3_098_832
    )


@pytest.mark.slow
def test_both_forms_agree_in_training(brief_weights):
    train = compiled(small("brief"), train=True, mutable="batch_stats")
    direct = run_in("direct", train, brief_weights, clips(frames=10))
    cpu = run_in("cpu", train, brief_weights, clips(frames=10))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4), cpu, direct)
    same = jax.tree.map(np.array_equal, brief_weights["batch_stats"], direct[1]["batch_stats"])
    assert not any(jax.tree.leaves(same))


@pytest.mark.slow
def test_bfloat16_streams_near_float32(brief_weights):
    exact, _ = streamed(small("brief", window=3), brief_weights, clips(frames=6))
    rounded, state = streamed(
        small("brief", window=3, dtype="bfloat16"), brief_weights, clips(frames=6)
    )
    assert {past.dtype for past in state.pasts.values()} == {jnp.dtype("bfloat16")}
    assert 0 < np.abs(exact[-1] - rounded[-1]).max() < 0.1 * np.abs(exact[-1]).max()
