"""Attention weights of the online recogniser."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import config
from jaxact.errors import UserError
from jaxact.inference import recogniser_attention
from jaxact.pipeline import batches
from tests.helpers import random_runs


def test_weights_and_shares_are_those_of_the_network(monkeypatch):
    net, _ = random_runs.network(config.RecogniserConfig(width=6), frames=5)
    clips = np.random.default_rng(0).uniform(-0.5, 0.5, (4, 1, 5, 1, 14, 3)).astype(np.float32)
    ids, mask = np.array(["a", "b", "c", ""], object), np.array([True, True, True, False])
    batch = {"inputs": clips, "targets": np.array([0, 1, 2, 0], np.int32), "mask": mask, "id": ids}
    monkeypatch.setattr(batches, "eval_batches", lambda *_, **__: iter([batch]))

    class Info:
        name = "toy"

    attention = recogniser_attention.attention_weights(net, Info(), "test", id="b")
    assert (attention.name, attention.label, attention.clips) == (
        "b",
        "rest",
        3,
    ) and attention.predicted in net.labels
    np.testing.assert_allclose(attention.weights.sum(axis=0), np.ones(6), rtol=1e-5)
    apply = jax.jit(functools.partial(net.model.apply, mutable=["intermediates"]))
    _, sown = apply(net.weights, jnp.asarray(clips[:3, 0]))
    layer = sown["intermediates"]["head"]["attention"]
    np.testing.assert_allclose(attention.weights, layer["attention"][0][1], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(attention.shares, np.mean(layer["shares"][0], axis=0), rtol=1e-4)
    with pytest.raises(
        UserError, match=r"no record with the id 'z' in the split 'test' of 'toy' \(3 records\)"
    ):
        recogniser_attention.attention_weights(net, Info(), "test", id="z")
    plain = dataclasses.replace(net, model=net.model.clone(network="no_attention"))
    with pytest.raises(
        UserError, match="has no shared attention; wanted a checkpoint of recogniser with attention"
    ):
        recogniser_attention.attention_weights(plain, Info(), "test")
