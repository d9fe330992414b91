"""ST-GCN as a module: parameter counts, free sizes, state, precision, devices."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxact import models, skeletons
from jaxact.errors import UserError
from jaxact.models import stgcn

NTU, KINETICS = ("ntu-25", 60), ("openpose-18", 400)


def count(layout: str, classes: int, **options) -> int:
    joints = skeletons.get_layout(layout)
    model = models.build("stgcn", layout=joints, num_classes=classes, channels=("x", "y", "z"), **options)
    inputs = jnp.zeros((1, 16, 2, len(joints.joints), 3))
    return sum(leaf.size for leaf in jax.tree.leaves(jax.eval_shape(model.init, jax.random.key(0), inputs)["params"]))


@pytest.mark.parametrize(
    ("data", "network", "with_importance", "without"),
    [  # K = 1, 2, 3
        (NTU, "stem9", (2_648_956, 2_873_894, 3_098_832), (2_642_706, 2_861_394, 3_080_082)),
        (KINETICS, "stem9", (2_733_284, 2_955_212, 3_177_140), (2_730_044, 2_948_732, 3_167_420)),
        (NTU, "literal9", (2_607_371, 2_827_524, 3_047_677), (2_601_746, 2_816_274, 3_030_802)),
        (KINETICS, "literal9", (2_692_000, 2_909_444, 3_126_888), (2_689_084, 2_903_612, 3_118_140)),
        (("ntu-25", 120), "stem9", (None, None, 3_114_252), (None, None, None)),
    ],
)
def test_parameter_counts_are_the_published_ones(data, network, with_importance, without):
    for position, strategy in enumerate(("uniform", "distance", "spatial")):
        for importance, expected in ((True, with_importance[position]), (False, without[position])):
            if expected is not None:
                assert count(*data, network=network, strategy=strategy, edge_importance=importance) == expected


@pytest.fixture(scope="module", autouse=True)
def short():
    """A network with one unit of each kind, which compiles in a fraction of the time."""
    stgcn.VARIANTS["short"] = tuple(stgcn.VARIANTS["stem9"][i] for i in (0, 1, 4))
    yield
    del stgcn.VARIANTS["short"]


def small(**options) -> stgcn.STGCN:
    options = {"network": "short", "width": 4, "strategy": "spatial", "dropout": 0.5, **options}
    return models.build(
        "stgcn", layout=skeletons.get_layout("kinect-15"), num_classes=5, channels=("x", "y", "z"), **options
    )


def clips(frames=20, persons=2, batch=4):
    return jax.random.normal(jax.random.key(3), (batch, frames, persons, 15, 3))


@pytest.fixture(scope="module")
def variables(short):
    return jax.jit(small().init)(jax.random.key(0), clips())


@pytest.mark.parametrize(("frames", "persons"), [(20, 2), (33, 1), (300, 3)])
def test_frames_and_persons_are_free_at_run_time(variables, frames, persons):
    assert jax.eval_shape(small().apply, variables, clips(frames, persons)).shape == (4, 5)


def test_the_order_of_persons_does_not_matter(variables):
    model, inputs = small(), clips()
    np.testing.assert_allclose(
        model.apply(variables, inputs), model.apply(variables, inputs[:, :, ::-1]), rtol=1e-4, atol=1e-6
    )


def train(model, variables, inputs, seed=0):
    return jax.jit(lambda: model.apply(variables, inputs, train=True, mutable=["batch_stats"], rngs=keys(seed)))()


def keys(seed):
    return {"dropout": jax.random.key(seed)}


def test_training_moves_every_running_statistic_and_dropout_follows_its_key(variables):
    logits, state = train(small(), variables, clips())
    moved = jax.tree.map(lambda old, new: bool(np.any(old != new)), variables["batch_stats"], state["batch_stats"])
    assert all(jax.tree.leaves(moved))
    np.testing.assert_array_equal(logits, train(small(), variables, clips())[0])
    assert np.abs(logits - train(small(), variables, clips(), seed=1)[0]).max() > 1e-4


def backward(model, variables, inputs):
    """Gradients of a loss with dropout, and the logits and running statistics beside them."""

    def loss(params, inputs):
        collections = {**variables, "params": params}
        logits, state = model.apply(collections, inputs, train=True, mutable=["batch_stats"], rngs=keys(0))
        return jnp.sum(jnp.sin(logits)), (logits, state)

    return jax.jit(jax.grad(loss, has_aux=True))(variables["params"], inputs)


def assert_close(ours, theirs, tolerance):
    """Every array within `tolerance` of the largest number of its tree."""
    for ours_, theirs_ in zip(ours, theirs, strict=True):
        atol = tolerance * max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(theirs_))
        jax.tree.map(functools.partial(np.testing.assert_allclose, atol=atol), ours_, theirs_)


def test_rematerialisation_changes_no_gradient(variables):
    assert_close(*(backward(small(remat=remat), variables, clips()) for remat in (True, False)), tolerance=1e-5)


@pytest.mark.parametrize("devices", [1, 4])
def test_both_forms_agree_in_logits_gradients_statistics_and_masks(variables, monkeypatch, devices):
    monkeypatch.setattr(jax, "device_count", lambda: devices)  # one: a few samples at a time
    fast, plain = (backward(small(fast=fast), variables, clips(frames=50)) for fast in (True, False))
    assert_close(fast, plain, tolerance=1e-5)


@pytest.mark.parametrize("fast", [False, True])
def test_a_batch_on_four_devices_gives_what_it_gives_on_one(variables, fast):
    mesh = Mesh(np.array(jax.devices()), ("data",))
    spread = jax.device_put(clips(), NamedSharding(mesh, PartitionSpec("data")))
    assert_close(*(backward(small(fast=fast), variables, inputs) for inputs in (spread, clips())), tolerance=1e-5)


@pytest.mark.parametrize("fast", [False, True])
def test_mapped_devices_share_batch_statistics(variables, fast):
    model = small(fast=fast, dropout=0.0, axis_name="data")
    apply = functools.partial(model.apply, train=True, mutable=["batch_stats"])
    logits, state = jax.pmap(apply, "data", in_axes=(None, 0))(variables, clips()[:, None])
    expected = train(small(fast=fast, dropout=0.0), variables, clips())
    assert_close((logits[:, 0], jax.tree.map(lambda leaf: leaf[0], state)), expected, tolerance=1e-5)


@pytest.mark.parametrize("fast", [False, True])
def test_bfloat16_computes_near_float32_with_float32_state(variables, fast):
    exact = train(small(dropout=0.0, fast=fast), variables, clips())
    rounded = train(small(dropout=0.0, dtype="bfloat16", fast=fast), variables, clips())
    assert {leaf.dtype for leaf in jax.tree.leaves(rounded)} == {jnp.dtype("float32")}
    assert 0 < np.abs(exact[0] - rounded[0]).max() < 0.1 * np.abs(exact[0]).max()


@pytest.mark.parametrize(("init", "deviation"), [("v2", 0.02), ("he_fan_out", np.sqrt(2 / (9 * 64)))])
def test_weights_start_with_the_deviation_of_their_release(init, deviation):
    params = jax.jit(small(init=init, width=32).init)(jax.random.key(0), clips())["params"]
    assert np.std(params["unit4"]["temporal_kernel"]) == pytest.approx(deviation, rel=0.03)
    scales = params["unit4"]["temporal_norm"]["scale"]
    assert np.std(scales) == pytest.approx(0.02 if init == "v2" else 0, rel=0.3)
    assert not np.any(params["unit4"]["temporal_bias"]) and np.all(params["unit4"]["importance"] == 1)


def test_an_unknown_model_or_network_is_named_with_what_exists():
    layout = skeletons.get_layout("kinect-15")
    with pytest.raises(UserError, match=r"unknown model 'stgn'; available: .*stgcn.*did you mean 'stgcn'"):
        models.build("stgn", layout=layout, num_classes=5, channels=("x", "y", "z"))
    with pytest.raises(UserError, match=r"unknown network 'stem8'; available: literal9, .*stem9"):
        small(network="stem8")
