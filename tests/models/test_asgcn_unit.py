"""AS-GCN's structural links and its unit, against slow loops."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import models, skeletons
from jaxact.errors import UserError
from jaxact.models import asgcn
from jaxact.models.asgcn_unit import ASGCNUnit
from jaxact.models.input_spec import InputSpec
from jaxact.models.layers.adjacency import Adjacency
from jaxact.skeletons.layout import Layout
from tests.helpers.formulations import run_in
from tests.helpers.random_weights import LEGS, filled, random_array

CHAIN = Layout("chain-3", ("hip", "knee", "foot"), ((1, 0), (2, 1)), ((0, 0), (1, 0), (2, 1)), 0)


def test_structural_links_are_powers_of_the_graph_on_a_chain():
    down = np.array(
        [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    )  # [source][target]: from the neighbour nearer the centre
    further = np.array([[0, 0, 1], [0, 0, 0], [0, 0, 0]])
    nothing = np.zeros((3, 3))
    actual = asgcn.structural_links(CHAIN, 3, "powers")
    np.testing.assert_array_equal(
        actual, [np.eye(3), down, down.T, further, further.T, nothing, nothing]
    )


def test_a_power_averages_over_what_it_reaches():
    """The hip hears the mean of its knees and of its feet, a foot its own knee and hip."""
    _, _, far, near2, far2 = asgcn.structural_links(LEGS, 2, "powers")
    np.testing.assert_array_equal(far[:, 0], [0, 0.5, 0.5, 0, 0])
    np.testing.assert_array_equal(far2[:, 0], [0, 0, 0, 0.5, 0.5])
    np.testing.assert_array_equal(near2[:, 3], [1, 0, 0, 0, 0])


@pytest.mark.parametrize(("layout", "order"), [("ntu-25", 4), ("openpose-18", 2)])
def test_links_by_hops_are_told_apart_by_distance_and_direction(layout, order):
    joints = skeletons.get_layout(layout)
    count = len(joints.joints)
    near = {joint: {joint} for joint in range(count)}
    for child, parent in joints.edges:
        near[child].add(parent)
        near[parent].add(child)
    hops = np.full((count, count), order + 1)  # all that is farther is alike
    for start in range(count):
        reached = {start}
        for hop in range(order + 1):
            for joint in reached:
                hops[start, joint] = min(hops[start, joint], hop)
            reached = set().union(*(near[joint] for joint in reached))
    expected = np.zeros((1 + 2 * order, count, count))
    for s, t in np.ndindex(count, count):
        if hops[s, t] <= order:
            nearer = hops[s, joints.centre] < hops[t, joints.centre]
            part = 2 * hops[s, t] - 1 + nearer if s != t else 0
            expected[part, s, t] = 1 / np.sum(hops[:, t] <= order)
    np.testing.assert_allclose(asgcn.structural_links(joints, order, "hops"), expected, rtol=1e-6)


def test_an_unknown_structure_is_one_sentence():
    with pytest.raises(
        UserError, match="unknown structure 'power'; available: hops, powers; did you mean 'powers'"
    ):
        spec = InputSpec(layout=LEGS, num_classes=5, channels=("x", "y", "z"))
        models.build("asgcn", spec, structure="power")


def norm_by_hand(params, stats, x):
    return (x - stats["mean"]) / np.sqrt(stats["var"] + 1e-5) * params["scale"] + params["bias"]


def unit_by_hand(
    params, stats, x, adjacency, links, *, actional, taps, stride, activated, residual
):
    """The unit on x [n v t c], one joint, frame and part at a time."""
    persons, joints, frames, _ = x.shape
    y = np.zeros((persons, joints, frames, params["spatial_kernel"].shape[2]))
    for n, v, w in np.ndindex(persons, joints, joints):  # v speaks to w
        for k in range(len(adjacency)):
            weight = adjacency[k, v, w] * params["importance"][k, v, w]
            y[n, w] += weight * (
                x[n, v] @ params["spatial_kernel"][:, k] + params["spatial_bias"][k]
            )
        for c in range(links.shape[1]):
            weight = actional * links[n, c, v, w]
            y[n, w] += weight * (
                x[n, v] @ params["actional_kernel"][:, c] + params["actional_bias"][c]
            )
    y = np.maximum(norm_by_hand(params["spatial_norm"], stats["spatial_norm"], y), 0)
    kernel = params["temporal_kernel"]
    half = len(kernel) // 2 if taps else 0
    count = -(-frames // stride) if taps else 1
    z = np.zeros((*y.shape[:2], count, kernel.shape[2])) + params["temporal_bias"]
    for s in range(count):
        for i in range(len(kernel)):
            if 0 <= stride * s + i - half < frames:
                z[:, :, s] += y[:, :, stride * s + i - half] @ kernel[i]
    z = norm_by_hand(params["temporal_norm"], stats["temporal_norm"], z)
    if residual:
        shortcut = x[:, :, ::stride] @ params["shortcut_kernel"][0] + params["shortcut_bias"]
        z += norm_by_hand(params["shortcut_norm"], stats["shortcut_norm"], shortcut)
    return np.maximum(z, 0) if activated else z


@pytest.mark.parametrize(
    ("fields", "form"),
    [
        ({"taps": 9, "stride": 2, "activated": True, "residual": True}, "direct"),
        ({"taps": 9, "stride": 2, "activated": True, "residual": True}, "cpu"),
        ({"taps": 3, "stride": 1, "activated": False, "residual": True}, "direct"),
        ({"taps": 0, "stride": 1, "activated": True, "residual": False}, "cpu"),
    ],
)
def test_a_unit_is_its_equation_on_both_kinds_of_links(fields, form):
    adjacency = asgcn.structural_links(CHAIN, 2)
    options = {
        "adjacency": Adjacency(adjacency),
        "edge_importance": True,
        "initial": "v2",
        "axis_name": None,
    }
    unit = ASGCNUnit(**options, features=3, dropout=0.5, actional=0.7, **fields)
    x, powers = random_array(2, 3, 5, 2, seed=1), np.exp(random_array(2, 2, 3, 3, seed=2))
    links = jnp.asarray(powers / powers.sum(2, keepdims=True))
    weights = filled(jax.eval_shape(unit.init, jax.random.key(0), x, links=links))
    params, stats, x64, links64 = (
        jax.tree.map(np.float64, jax.device_get(a))
        for a in (weights["params"], weights["batch_stats"], x, links)
    )
    expected = unit_by_hand(params, stats, x64, adjacency, links64, actional=0.7, **fields)
    features = run_in(form, jax.jit(unit.apply), weights, x, links=links)
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-4)
    assert np.any(expected < 0) != fields["activated"]
