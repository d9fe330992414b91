"""ST-GCN++ and CTR-GCN: equations by loops, published sizes, PyTorch's numbers, and what every
network keeps.
"""

import functools
from pathlib import Path

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax.traverse_util import flatten_dict, unflatten_dict
from jax import export

from jaxact import models, skeletons
from jaxact.errors import UserError
from jaxact.losses import classification as losses
from jaxact.models import ctrgcn, stgcnpp
from jaxact.models.input_spec import InputSpec
from jaxact.models.layers import multi_branch_network
from jaxact.models.layers.adjacency import Adjacency
from jaxact.models.layers.formulation import formulation
from jaxact.runs import state
from jaxact.training import optim, train_step
from tests.helpers.formulations import BOTH_FORMULATIONS, run_in
from tests.helpers.random_weights import LEGS, random_array, random_variables

BOTH = pytest.mark.parametrize("name", ["stgcnpp", "ctrgcn"])
SMALL = Path(__file__).parents[1] / "data" / "zoo_small.npz"
SHORT = ((2, 2),)  # the first unit, which compiles in a fraction of the time


@pytest.fixture(autouse=True)
def short(request, monkeypatch):
    """Networks of one unit, but where the test is about the whole."""
    if "whole" not in request.node.name:
        monkeypatch.setitem(multi_branch_network.VARIANTS, "ten", SHORT)


def build(name, layout=LEGS, classes=5, axis_name=None, **options):
    return models.build(
        name,
        InputSpec(
            layout=layout, num_classes=classes, channels=("x", "y", "z"), axis_name=axis_name
        ),
        **options,
    )


def small(name, **options):
    return build(name, **{"width": 6, "dropout": 0.5, **options})


def clips(frames=9, persons=2, batch=4):
    return random_array(batch, frames, persons, 5, 3, seed=3)


@functools.cache
def variables(name):
    return random_variables(small(name), clips())


@pytest.mark.parametrize(
    ("name", "layout", "classes", "options", "expected"),
    # Counted layer by layer from the published architecture; CTR-GCN has 150 fewer, see `CTRGCN`.
    [
        ("stgcnpp", "ntu-25", 60, {}, 1_403_144),
        pytest.param("stgcnpp", "ntu-25", 120, {}, 1_418_564, marks=pytest.mark.slow),
        ("stgcnpp", "ntu-25", 60, {"width": 32}, 374_664),
        ("ctrgcn", "ntu-25", 60, {}, 1_446_672 - 150),
        pytest.param("ctrgcn", "ntu-25", 120, {}, 1_462_092 - 150, marks=pytest.mark.slow),
    ],
)
def test_the_whole_network_has_the_published_number_of_parameters(
    name, layout, classes, options, expected
):
    joints = skeletons.get_layout(layout)
    model = build(name, joints, classes, **options)
    inputs = jnp.zeros((1, 8, 2, len(joints.joints), 3))
    with formulation("direct"):  # is traced faster
        shapes = jax.eval_shape(model.init, jax.random.key(0), inputs)
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes["params"])) == expected


@pytest.mark.slow
@BOTH
def test_frames_are_halved_twice_in_the_whole_network(name):
    sizes = []

    def note(next_function, args, kwargs, context):
        y = next_function(*args, **kwargs)
        sizes.extend([y.shape[2:]] if type(context.module).__name__ == "MultiBranchUnit" else [])
        return y

    with nn.intercept_methods(note):
        jax.eval_shape(build(name, width=8).init, jax.random.key(0), clips(frames=45))
    assert sizes == [(45, 8)] * 4 + [(23, 16)] * 3 + [(12, 32)] * 3


def graph_by_loops(params, x, topology):
    """sum over parts and sources of R[k, v, w, channel] times the projected source; R [k v w d]."""
    kernel, bias = params
    y = np.zeros((*x.shape[:3], kernel.shape[2]))
    for k, v, w in np.ndindex(topology.shape[:3]):
        y[:, w] += topology[k, v, w] * (x[:, v] @ kernel[:, k] + bias[k])
    return y


def block(module, x, seed=5):
    """Variables of a spatial module, parameters random; statistics that leave its normalisation
    without effect.
    """
    weights = random_variables(module, x, seed=seed, constants={"mean": 0.0, "var": 1.0})
    norm = {"scale": jnp.full(6, np.sqrt(1 + 1e-5), jnp.float32), "bias": jnp.zeros(6)}
    return {**weights, "params": {**weights["params"], "norm": norm}}


def adjacency():
    return Adjacency(skeletons.adjacency(LEGS, "spatial"))


@BOTH_FORMULATIONS
def test_the_free_graph_convolution_is_its_equation_with_the_learned_matrix(form):
    module = stgcnpp.FreeGraphConv(features=6, adjacency=adjacency(), axis_name=None)
    x = random_array(2, 5, 4, 6, seed=1)
    weights = block(module, x)
    params = jax.tree.map(np.float64, weights["params"])
    topology = np.repeat(params["adjacency"][..., None], 6, axis=-1)
    expected = np.maximum(
        graph_by_loops((params["kernel"], params["bias"]), np.float64(x), topology) + x, 0
    )
    features = run_in(form, jax.jit(module.apply), weights, x)
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-3)


@BOTH_FORMULATIONS
def test_the_topology_is_refined_for_each_channel_by_the_pairs_of_joints(form):
    module = ctrgcn.RefinedGraphConv(features=6, adjacency=adjacency(), axis_name=None)
    x = random_array(2, 5, 4, 6, seed=1)
    weights = block(module, x)
    p, x = jax.tree.map(np.float64, weights["params"]), np.float64(x)
    expected = np.zeros_like(x)
    for n in range(len(x)):
        mean = x[n].mean(1)
        topology = np.zeros((3, 5, 5, 6))
        for k, v, w in np.ndindex(3, 5, 5):  # v speaks to w
            psi = mean[w] @ p["psi_kernel"][:, k] + p["psi_bias"][k]
            phi = mean[v] @ p["phi_kernel"][:, k] + p["phi_bias"][k]
            correlation = np.tanh(psi - phi) @ p["xi_kernel"][k] + p["xi_bias"][k]
            topology[k, v, w] = p["adjacency"][k, v, w] + p["alpha"] * correlation
        expected[n] = graph_by_loops((p["value_kernel"], p["value_bias"]), x[n : n + 1], topology)[
            0
        ]
    features = run_in(form, jax.jit(module.apply), weights, jnp.float32(x))
    np.testing.assert_allclose(features, np.maximum(expected + x, 0), rtol=1e-4, atol=2e-3)


@BOTH
def test_learning_starts_from_the_graph_and_no_refinement(name):
    @jax.jit  # which leaves out all but what is returned
    def start():
        params = small(name).init(jax.random.key(0), clips())["params"]
        spatial = (params[f"unit{number}"]["spatial"] for number in range(len(SHORT)))
        return [(unit["adjacency"], unit.get("alpha", 0.0)) for unit in spatial]

    for topology, alpha in start():
        np.testing.assert_array_equal(topology, np.float32(adjacency()))
        assert alpha == 0


def stored(name, monkeypatch):
    """The network that was built in PyTorch as well, its variables, and the numbers of both."""
    with np.load(SMALL) as archive:
        n = {
            key.removeprefix(f"{name}/"): archive[key]
            for key in archive
            if key.startswith(f"{name}/")
        }
    weights = unflatten_dict(
        {k: jnp.asarray(n[k]) for k in n if k.startswith(("params/", "batch_stats/"))}, sep="/"
    )
    start = Adjacency(n["params/unit0/spatial/adjacency"])
    if name == "stgcnpp":
        monkeypatch.setitem(multi_branch_network.VARIANTS, "ten", ((1, 1), (2, 2)))
        return stgcnpp.STGCNPP(4, start, width=7), weights, n
    monkeypatch.setitem(multi_branch_network.VARIANTS, "ten", ((1, 1), (1, 1), (2, 2)))
    return ctrgcn.CTRGCN(4, start, width=8), weights, n


def assert_statistics_equal(new, n):
    for path, ours in flatten_dict(
        new["batch_stats"], sep="/"
    ).items():  # PyTorch's variance is n / (n - 1) of ours
        np.testing.assert_allclose(ours, n[f"updated/{path}"], rtol=4e-3, atol=1e-5, err_msg=path)


@BOTH
def test_it_gives_the_numbers_of_an_independent_construction_in_pytorch(name, monkeypatch):
    model, weights, n = stored(name, monkeypatch)
    logits, new = jax.jit(functools.partial(model.apply, train=True, mutable=["batch_stats"]))(
        weights, n["inputs"]
    )
    np.testing.assert_allclose(
        jax.jit(model.apply)(weights, n["inputs"]), n["eval_logits"], rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(logits, n["train_logits"], rtol=1e-4, atol=1e-5)
    assert_statistics_equal(new, n)


@pytest.mark.slow  # gradients of two or three units compile for ten seconds
@BOTH
def test_its_gradients_are_those_of_an_independent_construction_in_pytorch(name, monkeypatch):
    monkeypatch.setattr(jax, "device_count", lambda: 1)  # a few samples at a time
    model, weights, n = stored(name, monkeypatch)
    inputs = jnp.asarray(n["inputs"])

    def loss(params):
        logits, new = model.apply(
            {**weights, "params": params}, inputs, train=True, mutable=["batch_stats"]
        )
        return optax.softmax_cross_entropy_with_integer_labels(logits, n["labels"]).mean(), (
            logits,
            new,
        )

    gradients, (logits, new) = jax.jit(jax.grad(loss, has_aux=True))(weights["params"])
    np.testing.assert_allclose(logits, n["train_logits"], rtol=1e-4, atol=1e-5)
    for path, ours in flatten_dict(gradients, sep="/").items():
        theirs = n[f"gradient/{path}"]
        assert np.linalg.norm(ours - theirs) < 1e-3 * np.linalg.norm(theirs) + 1e-5, path
    assert_statistics_equal(new, n)


@BOTH
@pytest.mark.parametrize(("frames", "persons"), [(20, 1), (33, 3), (1, 2)])
def test_frames_and_persons_are_free_at_run_time(name, frames, persons):
    assert jax.eval_shape(small(name).apply, variables(name), clips(frames, persons)).shape == (
        4,
        5,
    )


@BOTH
def test_the_order_of_persons_does_not_matter(name):
    weights, apply = variables(name), jax.jit(small(name).apply)
    np.testing.assert_allclose(
        apply(weights, clips()), apply(weights, clips()[:, :, ::-1]), rtol=1e-4, atol=1e-6
    )


@functools.cache
def trained(name, **options):
    """Logits and statistics of a training pass without dropout."""
    model = small(name, dropout=0.0, **options)
    return jax.jit(
        lambda: model.apply(variables(name), clips(), train=True, mutable=["batch_stats"])
    )()


@pytest.mark.slow
@BOTH
def test_training_moves_every_running_statistic_and_dropout_follows_its_key(name, monkeypatch):
    monkeypatch.setitem(
        multi_branch_network.VARIANTS, "ten", ((1, 1), (2, 2))
    )  # the first unit drops nothing
    model = small(name)
    weights = random_variables(model, clips())
    apply = functools.partial(model.apply, train=True, mutable=["batch_stats"])
    run = jax.jit(lambda seed: apply(weights, clips(), rngs={"dropout": jax.random.key(seed)}))
    logits, new = run(0)
    assert all(
        jax.tree.leaves(
            jax.tree.map(
                lambda a, b: bool(np.any(a != b)), weights["batch_stats"], new["batch_stats"]
            )
        )
    )
    assert np.abs(logits - run(1)[0]).max() > 1e-6


@pytest.mark.slow
@BOTH
def test_mapped_devices_share_batch_statistics(name):
    weights, model = variables(name), small(name, dropout=0.0, axis_name="data")
    mapped = jax.pmap(
        lambda x: model.apply(weights, x, train=True, mutable=["batch_stats"]), "data"
    )
    logits, new = mapped(clips()[:, None])
    expected, stats = trained(name)
    np.testing.assert_allclose(logits[:, 0], expected, rtol=1e-3, atol=1e-5)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a[0], b, rtol=1e-3, atol=1e-5),
        new["batch_stats"],
        stats["batch_stats"],
    )


@pytest.mark.slow
@BOTH
def test_bfloat16_computes_near_float32_with_float32_state(name):
    exact, rounded = trained(name), trained(name, dtype="bfloat16")
    assert {leaf.dtype for leaf in jax.tree.leaves(rounded)} == {jnp.dtype("float32")}
    assert 0 < np.abs(exact[0] - rounded[0]).max() < 0.3 * np.abs(exact[0]).max()


@pytest.mark.slow
@BOTH
def test_it_is_exported_with_free_batch_and_length(name):
    weights, model = variables(name), small(name)
    shape = jax.ShapeDtypeStruct(export.symbolic_shape("n, t, 2, 5, 3"), jnp.float32)
    run = jax.jit(lambda x: model.apply(weights, x))
    with formulation("direct"):
        exported = export.export(run)(shape)
        np.testing.assert_allclose(exported.call(clips(13)), run(clips(13)), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@BOTH
def test_a_toy_is_learned_by_heart(name, monkeypatch):
    monkeypatch.setitem(multi_branch_network.VARIANTS, "ten", ((1, 1), (2, 2)))
    model, targets = small(name, dropout=0.0, remat=name == "stgcnpp"), jnp.arange(4)
    tx = optim.optimizer(lambda count: 0.02, name="adamw")
    current = state.create(model, jax.ShapeDtypeStruct((1, 9, 2, 5, 3), jnp.float32), tx, seed=0)
    batch = {"inputs": clips(), "targets": targets}
    update = jax.jit(
        lambda s: train_step.train_step(
            s, batch, apply=model.apply, loss=losses.classification_loss, tx=tx, seed=0
        )
    )
    for _ in range(45):
        current, sums = update(current)
    assert sums["loss"] / 4 < 0.05 and sums["correct"] == 4


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "stgcnpp",
            {"width": 5},
            "stgcnpp of width 5: wanted 6 or more, a channel for each temporal branch",
        ),
        (
            "ctrgcn",
            {"width": 3},
            "ctrgcn of width 3: wanted 4 or more, a channel for each temporal branch",
        ),
        (
            "stgcnpp",
            {"network": "tem"},
            r"unknown network 'tem'; available: six, ten; did you mean 'ten'\?",
        ),
    ],
)
def test_what_cannot_be_built_is_one_sentence(name, options, message):
    with pytest.raises(UserError, match=message):
        build(name, **options)
