"""ST-GCN gives the numbers of the public PyTorch code: forward, backward and running statistics."""

import functools
import os
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import skeletons
from jaxact.interop.torch_stgcn import from_torch
from jaxact.models import stgcn
from jaxact.models.layers.adjacency import Adjacency
from tests.helpers.formulations import BOTH_FORMULATIONS, run_in
from tests.helpers.parity import assert_gradients_equal, assert_logits_equal, group, train_pass

SMALL = Path(__file__).parents[1] / "data" / "stgcn_public_small.npz"
BIG = Path(os.environ.get("JAXACT_DATA", "/nowhere")) / "weights"
LAYOUTS = {"ntu-rgb+d": "ntu-25", "openpose": "openpose-18"}


def public_network(layout: str, **options) -> stgcn.STGCN:
    adjacency = skeletons.adjacency(skeletons.get_layout(layout), "spatial_v2", "joint")
    return stgcn.STGCN(adjacency=Adjacency(adjacency), dropout=0.0, **options)


def small(graph: str):
    """A small network of ten units, and the public code's numbers of it."""
    with np.load(SMALL) as archive:
        numbers = group(archive, f"{graph}/")
    return public_network(LAYOUTS[graph], num_classes=7, width=4), numbers


@pytest.mark.parametrize("graph", LAYOUTS)
def test_the_graph_is_the_public_codes(graph):
    model, numbers = small(graph)
    np.testing.assert_allclose(np.array(model.adjacency), numbers["state/A"], atol=1e-7)


def assert_statistics_equal(ours, numbers):
    """PyTorch keeps the unbiased variance, n / (n - 1) of ours; n is 256 in `data_norm` and more
    elsewhere.
    """
    expected = from_torch(group(numbers, "updated/"))["batch_stats"]
    jax.tree.map(
        lambda ours, theirs: np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5),
        ours,
        expected,
    )


def test_a_small_network_equals_the_public_code_forward():
    model, numbers = small("openpose")
    variables = from_torch(group(numbers, "state/"))
    inputs = jnp.asarray(numbers["inputs"].transpose(0, 2, 4, 3, 1))

    assert_logits_equal(jax.jit(model.apply)(variables, inputs), numbers["eval_logits"])
    train = jax.jit(functools.partial(model.apply, train=True, mutable=["batch_stats"]))
    logits, updated = train(variables, inputs)
    assert_logits_equal(logits, numbers["train_logits"])
    assert_statistics_equal(updated["batch_stats"], numbers)


@pytest.mark.slow  # gradients of ten units compile for ten seconds each time
@BOTH_FORMULATIONS
@pytest.mark.parametrize("graph", LAYOUTS)
def test_a_small_network_equals_the_public_code(graph, form):
    model, numbers = small(graph)
    variables = from_torch(group(numbers, "state/"))
    inputs = jnp.asarray(numbers["inputs"].transpose(0, 2, 4, 3, 1))

    logits = run_in(form, jax.jit(model.apply), variables, inputs)
    assert_logits_equal(logits, numbers["eval_logits"])
    loss, logits, gradients, stats = run_in(
        form, train_pass, model, variables, inputs, numbers["labels"]
    )
    assert_logits_equal(logits, numbers["train_logits"])
    assert loss == pytest.approx(numbers["loss"], rel=1e-5)
    assert_gradients_equal(gradients, from_torch(group(numbers, "gradient/"))["params"])
    assert_statistics_equal(stats, numbers)


@BOTH_FORMULATIONS
@pytest.mark.skipif(
    not BIG.is_dir(), reason="needs JAXACT_DATA, a folder with weights/stgcn_public_random.pt"
)
def test_the_full_network_equals_the_public_code(form):
    torch = pytest.importorskip("torch")
    state = torch.load(BIG / "stgcn_public_random.pt", weights_only=True, map_location="cpu")
    variables = from_torch({name: value.numpy() for name, value in state.items()})
    model = public_network("ntu-25", num_classes=60)
    with np.load(BIG / "stgcn_public_random_expected.npz") as archive:
        numbers = dict(archive)
    inputs = jnp.asarray(numbers["x_nctvm"].transpose(0, 2, 4, 3, 1))

    logits = run_in(form, jax.jit(model.apply), variables, inputs)
    assert_logits_equal(logits, numbers["logits_eval"])
    labels = jnp.asarray(numbers["labels"])
    loss, logits, gradients, _ = run_in(form, train_pass, model, variables, inputs, labels)
    assert_logits_equal(logits, numbers["logits_train"])
    assert loss == pytest.approx(float(numbers["loss"]), rel=1e-5)
    # Rounding puts a few inputs of a ReLU on the other side of zero: single arrays differ by up to
    # 1 %, the whole less.
    weights = from_torch(group(numbers, "grad/"))["params"]
    pairs = [
        (_leaf(gradients, path), leaf)
        for path, leaf in jax.tree_util.tree_leaves_with_path(weights)
    ]
    difference = sum(np.sum(np.square(ours - theirs)) for ours, theirs in pairs)
    assert difference < 1e-6 * sum(np.sum(np.square(theirs)) for _, theirs in pairs)


def _leaf(tree, path):
    for key in path:
        tree = tree[key.key]
    return tree
