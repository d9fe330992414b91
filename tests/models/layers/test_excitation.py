"""Excitation: equations by loops, public ACTION-Net's numbers, sizes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import unflatten_dict

from jaxact.errors import UserError
from jaxact.models.layers.excitation import ChannelExcitation, Excitation, SpatialTemporalExcitation
from tests.helpers import frame_networks
from tests.helpers.parity import group
from tests.helpers.random_weights import random_array


@pytest.fixture(scope="module")
def public():
    """Inputs, each path's output, and the weights as our parameters."""
    with np.load(frame_networks.DATA / "frames_public.npz") as stored:
        held = group({name: jnp.asarray(stored[name]) for name in stored.files}, "action/")
    return held, unflatten_dict(group(held, "params/"), sep="/")


def test_both_give_the_numbers_of_public_action_net(public):
    held, params = public
    actual = jax.jit(SpatialTemporalExcitation().apply)({"params": params["ste"]}, held["inputs"])
    np.testing.assert_allclose(actual, held["ste"], atol=1e-5)
    actual = jax.jit(ChannelExcitation(relu=True).apply)({"params": params["ce"]}, held["inputs"])
    np.testing.assert_allclose(actual, held["ce"], atol=1e-5)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_equations_by_loops(public):
    """Equations 1 to 9 for one clip, entry by entry, without the public code's ReLU."""
    held, params = public
    x = np.asarray(held["inputs"][0], np.float64)
    frames, height, width, channels = x.shape
    kernel = np.asarray(params["ste"]["conv"]["kernel"], np.float64)[..., 0, 0]
    mean, convolved = x.mean(-1), np.zeros(x.shape[:3])
    for t, i, j in np.ndindex(convolved.shape):
        for s, y, z in np.ndindex(3, 3, 3):
            a, b, c = t + s - 1, i + y - 1, j + z - 1
            if 0 <= a < frames and 0 <= b < height and 0 <= c < width:
                convolved[t, i, j] += mean[a, b, c] * kernel[s, y, z]
    ste = x + x * sigmoid(convolved)[..., None]

    @jax.jit
    def run(params, inputs, excited):
        """Each way by its name, and CE of `excited`."""
        ways = ("ste", "ce", "sum", "mean", "sequential", "none")
        return {
            **{how: Excitation(how).apply({"params": params}, inputs)[0] for how in ways},
            "STE": SpatialTemporalExcitation().apply({"params": params["ste"]}, inputs)[0],
            "CE": ChannelExcitation().apply({"params": params["ce"]}, inputs)[0],
            "CE of STE": ChannelExcitation().apply({"params": params["ce"]}, excited)[0],
        }

    actual = run(params, held["inputs"], jnp.asarray(ste[None], jnp.float32))
    np.testing.assert_allclose(actual["STE"], ste, atol=1e-5)
    squeeze, along, expand = (
        np.asarray(params["ce"][name]["kernel"], np.float64)
        for name in ("squeeze", "conv", "expand")
    )
    few = np.array([x[t].mean((0, 1)) @ squeeze for t in range(frames)])
    mixed = np.zeros_like(few)
    for t, s in np.ndindex(frames, 3):
        if 0 <= t + s - 1 < frames:
            mixed[t] += few[t + s - 1] @ along[s]
    ce = np.array([x[t] + x[t] * sigmoid(mixed[t] @ expand) for t in range(frames)])
    np.testing.assert_allclose(actual["CE"], ce, atol=1e-5)
    assert channels // 16 == squeeze.shape[1]
    for how, expected in {"ste": ste, "ce": ce, "sum": ste + ce, "mean": (ste + ce) / 2}.items():
        np.testing.assert_allclose(actual[how], expected, atol=1e-5)
    np.testing.assert_allclose(actual["sequential"], actual["CE of STE"], atol=1e-5)
    np.testing.assert_array_equal(actual["none"], held["inputs"][0])


def test_sizes_are_those_of_the_equations():
    x = jnp.zeros((1, 2, 4, 4, 728))
    for how, size in {
        "ste": 27,
        "ce": 71_595,
        "sum": 71_622,
        "mean": 71_622,
        "sequential": 71_622,
        "none": 0,
    }.items():
        made = jax.eval_shape(Excitation(how).init, jax.random.key(0), x).get("params", {})
        assert sum(leaf.size for leaf in jax.tree.leaves(made)) == size, how


def test_a_sum_is_about_three_times_its_input_at_the_start_and_a_mean_half_of_that():
    x = random_array(2, 5, 6, 6, 64)
    factors = {"sum": 3.0, "mean": 1.5, "sequential": 2.25}

    @jax.jit
    def begun(key, x):
        return [Excitation(how).init_with_output(key, x)[0] for how in factors]

    for actual, factor in zip(begun(jax.random.key(1), x), factors.values(), strict=True):
        assert np.vdot(actual, x) / np.vdot(x, x) == pytest.approx(factor, rel=0.05)


def test_an_unknown_way_is_one_sentence():
    with pytest.raises(
        UserError,
        match=r"unknown excitation 'product'; available: ce, mean, none, sequential, ste, sum",
    ):
        jax.eval_shape(Excitation("product").init, jax.random.key(0), jnp.zeros((1, 1, 2, 2, 16)))
