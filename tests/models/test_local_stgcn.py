"""Local convolution: a slow loop over pairs of joints, the graph convolution it extends, parameter
counts.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import models, skeletons
from jaxact.models import local_stgcn, stgcn
from jaxact.models.input_spec import InputSpec
from jaxact.models.layers.adjacency import Adjacency
from jaxact.models.layers.formulation import formulation
from jaxact.models.layers.graph_conv import graph_conv
from tests.helpers.formulations import BOTH_FORMULATIONS, run_in
from tests.helpers.random_weights import LEGS, random_array, random_variables


@pytest.fixture(scope="module", autouse=True)
def direct():
    """Networks in the direct formulation, which is traced and compiled faster."""
    with formulation("direct"):
        yield


def count(layout: str, classes: int, **options) -> int:
    joints = skeletons.get_layout(layout)
    model = models.build(
        "local",
        InputSpec(layout=joints, num_classes=classes, channels=("x", "y", "z")),
        **options,
    )
    inputs = jnp.zeros((1, 16, 2, len(joints.joints), 3))
    return sum(
        leaf.size
        for leaf in jax.tree.leaves(jax.eval_shape(model.init, jax.random.key(0), inputs)["params"])
    )


@pytest.mark.parametrize(
    ("data", "expected"), [(("openpose-18", 400), 13_584_316), (("ntu-25", 60), 17_983_250)]
)
def test_parameter_counts_are_the_specified_ones(data, expected):
    assert count(*data, network="literal9") == expected


def test_kernels_of_every_joint_multiply_what_time_costs():
    sizes = [(9 * width + 1) * width for width in (64,) * 3 + (128,) * 3 + (256,) * 3]
    unshared = count("ntu-25", 60, network="literal9", unshare_temporal=True)
    assert unshared - 17_983_250 == 24 * sum(sizes)


def graph(layout="kinect-15") -> np.ndarray:
    return skeletons.adjacency(skeletons.get_layout(layout), "uniform")


@pytest.mark.parametrize(("layout", "pairs"), [("openpose-18", 52), ("ntu-25", 73)])
def test_there_is_a_pair_for_every_bone_both_ways_and_for_every_joint(layout, pairs):
    assert np.count_nonzero(graph(layout)) == pairs


def unit(kind=local_stgcn.LocalUnit, stride=1, features=4):
    return kind(
        features=features,
        stride=stride,
        residual=False,
        adjacency=Adjacency(graph()),
        edge_importance=False,
        dropout=0.0,
        initial="he_fan_out",
        axis_name=None,
    )


@BOTH_FORMULATIONS
@pytest.mark.parametrize("kind", [local_stgcn.LocalUnit, local_stgcn.UnsharedUnit])
def test_a_unit_equals_a_slow_loop_over_targets_and_their_sources(kind, form):
    x = np.random.default_rng(1).standard_normal((2, 15, 7, 3)).astype(np.float32)
    module = unit(kind, stride=2)
    variables = random_variables(module, x, gain=4.0)
    params, stats = jax.device_get(variables["params"]), jax.device_get(variables["batch_stats"])
    layout = skeletons.get_layout("kinect-15")
    near = {joint: [joint] for joint in range(15)}
    for a, b in layout.edges:
        near[a].append(b)
        near[b].append(a)
    numbers = {
        pair: i
        for i, pair in enumerate(sorted((v, w) for w, sources in near.items() for v in sources))
    }

    y = np.zeros((2, 15, 7, 4))
    for w, sources in near.items():
        y[:, w] = params["spatial_bias"][w]
        for v in sources:
            y[:, w] += x[:, v] @ params["spatial_kernel"][numbers[v, w]] / len(sources)

    def normal(y, name):
        scaled = (y - stats[name]["mean"]) / np.sqrt(stats[name]["var"] + 1e-5)
        return scaled * params[name]["scale"] + params[name]["bias"]

    y = np.pad(np.maximum(normal(y, "spatial_norm"), 0), ((0, 0), (0, 0), (4, 4), (0, 0)))
    z = np.zeros((2, 15, 4, 4))
    for w in range(15):
        shared = kind is local_stgcn.LocalUnit
        kernel = params["temporal_kernel"] if shared else params["temporal_kernel"][w]
        bias = params["temporal_bias"] if shared else params["temporal_bias"][w]
        for s in range(4):
            z[:, w, s] = bias + sum(y[:, w, 2 * s + i] @ kernel[i] for i in range(9))
    expected = np.maximum(normal(z, "temporal_norm"), 0)
    features = run_in(form, jax.jit(module.apply), variables, x)
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-4)


def test_one_kernel_for_all_pairs_is_uni_labelled_graph_convolution():
    random = np.random.default_rng(0)
    x, kernel = (
        random.standard_normal(shape).astype(np.float32) for shape in ((2, 15, 6, 3), (3, 1, 4))
    )
    sources, targets = np.nonzero(graph()[0])
    into = np.zeros((len(sources), 15), np.float32)
    into[np.arange(len(sources)), targets] = graph()[0][sources, targets]
    repeated = np.repeat(kernel[:, 0][None], len(sources), 0)
    actual = jax.jit(
        lambda x, kernel: local_stgcn.local_conv(x, kernel, sources, jnp.asarray(into))
    )(x, repeated)
    expected = jax.jit(graph_conv)(x, kernel, np.float32(graph()))
    np.testing.assert_allclose(actual, expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("unshared", [False, True])
def test_the_whole_network_trains_in_both_forms_alike(unshared, monkeypatch):
    monkeypatch.setitem(stgcn.VARIANTS, "short", tuple(stgcn.VARIANTS["stem9"][i] for i in (0, 4)))
    x = random_array(4, 10, 2, 5, 3)
    spec = InputSpec(layout=LEGS, num_classes=5, channels=("x", "y", "z"))
    options = {"network": "short", "width": 4, "dropout": 0.0, "unshare_temporal": unshared}
    model = models.build("local", spec, **options)
    variables = random_variables(model, x, gain=2.0)

    def gradients():
        def loss(params):
            return jnp.sum(
                jnp.sin(
                    model.apply({**variables, "params": params}, x, train=True, mutable=True)[0]
                )
            )

        return jax.jit(jax.grad(loss))(variables["params"])

    cpu, direct = run_in("cpu", gradients), run_in("direct", gradients)
    largest = max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(direct))
    jax.tree.map(functools.partial(np.testing.assert_allclose, atol=1e-4 * largest), cpu, direct)
    idle = [path for path, leaf in jax.tree_util.tree_leaves_with_path(direct) if not np.any(leaf)]
    assert all(
        "bias" in str(path[-1]) for path in idle
    )  # a bias before a normalisation moves nothing


def test_bfloat16_computes_near_float32(monkeypatch):
    monkeypatch.setitem(stgcn.VARIANTS, "short", stgcn.VARIANTS["stem9"][:2])
    x = random_array(2, 6, 1, 5, 3)
    spec = InputSpec(layout=LEGS, num_classes=5, channels=("x", "y", "z"))
    options = {"network": "short", "width": 4, "unshare_temporal": True}
    exact = models.build("local", spec, dtype="float32", **options)
    rounded = models.build("local", spec, dtype="bfloat16", **options)
    variables = random_variables(exact, x)
    a, b = (jax.jit(model.apply)(variables, x) for model in (exact, rounded))
    assert b.dtype == jnp.float32 and 0 < np.abs(a - b).max() < 0.1 * np.abs(a).max()
