"""Segment consensus by hand, the network against its parts, flow's first layer."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.errors import UserError
from jaxact.models.tsn import TSN, consensus, cross_modality
from tests import frame_networks

SCORES = jnp.asarray(np.random.default_rng(1).normal(size=(2, 5, 3)), jnp.float32)


def test_each_consensus_is_its_definition_class_by_class():
    x = np.asarray(SCORES)
    for n, c in np.ndindex(2, 3):
        descending = sorted(x[n, :, c], reverse=True)
        assert consensus(SCORES)[n, c] == pytest.approx(sum(descending) / 5, rel=1e-5)
        assert consensus(SCORES, "max")[n, c] == descending[0]
        assert consensus(SCORES, "top", 2)[n, c] == pytest.approx(sum(descending[:2]) / 2, rel=1e-5)
    np.testing.assert_allclose(consensus(SCORES, "top", 9), consensus(SCORES), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "top", "told"),
    [
        ("median", 3, r"unknown consensus 'median'; available: max, mean, top"),
        ("top", 0, r"to take 0 segments; wanted"),
    ],
)
def test_what_is_no_consensus_is_one_sentence(kind, top, told):
    with pytest.raises(UserError, match=told):
        consensus(SCORES, kind, top)


SMALL = {"num_classes": 3, "backbone": "xception", "width": 1 / 32, "depth": 0.0, "fast": False}


def clips(segments=2, channels=3):
    return jax.random.uniform(jax.random.key(1), (3, segments, 24, 24, channels), minval=-1)


@pytest.fixture(scope="module")
def variables():
    return frame_networks.drawn(TSN(**SMALL), clips())


def test_segments_are_scored_alone_and_agree(variables):
    model = TSN(**SMALL)
    found, sown = jax.jit(functools.partial(model.apply, mutable=["intermediates"]))(variables, clips())
    (segments,) = sown["intermediates"]["segments"]
    alone = jax.jit(model.apply)(variables, clips().reshape(6, 1, 24, 24, 3)).reshape(3, 2, 3)
    np.testing.assert_allclose(segments, alone, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found, np.asarray(segments).mean(1), rtol=1e-4, atol=1e-5)
    others = TSN(**SMALL, consensus="max")
    np.testing.assert_allclose(jax.jit(others.apply)(variables, clips()), segments.max(1), rtol=1e-4, atol=1e-5)


def test_frozen_blocks_are_told_by_name(variables):
    still = TSN(**SMALL, train_from="block3").frozen(variables["params"])
    blocks = {name for name, tree in still["backbone"].items() if all(jax.tree.leaves(tree))}
    assert blocks == {"block1", "block2"} and not any(jax.tree.leaves(still["scores"]))


def test_flows_first_layer_starts_from_the_mean_of_the_colours():
    kernel = jax.random.normal(jax.random.key(0), (3, 3, 3, 2))
    found = cross_modality(kernel, 10)
    assert found.shape == (3, 3, 10, 2)
    for channel in range(10):
        np.testing.assert_allclose(found[:, :, channel], np.asarray(kernel).mean(2), rtol=1e-5, atol=1e-6)
