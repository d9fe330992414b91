"""Segment consensus by hand, the network against its parts, flow's first layer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.errors import UserError
from jaxact.models.tsn import TSN, consensus, cross_modality
from tests.helpers.random_weights import random_array, random_variables

SCORES = random_array(2, 5, 3, seed=1)


def test_each_consensus_is_its_definition_class_by_class():
    x = np.asarray(SCORES)
    mean, largest, two, nine = jax.jit(
        lambda x: (
            consensus(x),
            consensus(x, "max"),
            consensus(x, "top", 2),
            consensus(x, "top", 9),
        )
    )(SCORES)
    for n, c in np.ndindex(2, 3):
        descending = sorted(x[n, :, c], reverse=True)
        assert float(mean[n, c]) == pytest.approx(sum(descending) / 5, rel=1e-5)
        assert largest[n, c] == descending[0]
        assert float(two[n, c]) == pytest.approx(sum(descending[:2]) / 2, rel=1e-5)
    np.testing.assert_allclose(nine, mean, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "top", "message"),
    [
        ("median", 3, r"unknown consensus 'median'; available: max, mean, top"),
        ("top", 0, r"to average 0 segments; wanted"),
    ],
)
def test_what_is_no_consensus_is_one_sentence(kind, top, message):
    with pytest.raises(UserError, match=message):
        consensus(SCORES, kind, top)


SMALL = {"num_classes": 3, "backbone": "xception", "width": 1 / 32, "depth": 0.0}
SHORT = SMALL | {"skip": ("block2", "block3", "block4")}


def clips(segments=2, channels=3):
    random = np.random.default_rng(1)
    return jnp.asarray(random.uniform(-1, 1, (3, segments, 24, 24, channels)), jnp.float32)


def test_segments_are_scored_alone_and_agree():
    models = [TSN(**SHORT, consensus=consensus) for consensus in ("mean", "max")]
    variables = random_variables(models[0], clips())

    @jax.jit
    def run(variables, clips):
        """In one program: XLA compiles once what the three have in common."""
        alone = models[0].apply(variables, clips.reshape(6, 1, *clips.shape[2:]))
        return *(
            model.apply(variables, clips, mutable=["intermediates"]) for model in models
        ), alone

    (actual, sown), (largest, _), alone = jax.tree.map(np.asarray, run(variables, clips()))
    (segments,) = sown["intermediates"]["segments"]
    np.testing.assert_allclose(segments, alone.reshape(3, 2, 3), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(actual, segments.mean(1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(largest, segments.max(1), rtol=1e-4, atol=1e-5)


def test_frozen_blocks_are_told_by_name():
    variables = jax.eval_shape(TSN(**SMALL).init, jax.random.key(0), clips())
    still = TSN(**SMALL, train_from="block3").frozen(variables["params"])
    blocks = {name for name, tree in still["backbone"].items() if all(jax.tree.leaves(tree))}
    assert blocks == {"block1", "block2"} and not any(jax.tree.leaves(still["scores"]))


def test_flows_first_layer_starts_from_the_mean_of_the_colours():
    kernel = random_array(3, 3, 3, 2)
    actual = cross_modality(kernel, 10)
    assert actual.shape == (3, 3, 10, 2)
    for channel in range(10):
        np.testing.assert_allclose(
            actual[:, :, channel], np.asarray(kernel).mean(2), rtol=1e-5, atol=1e-6
        )
