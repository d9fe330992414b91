"""One prediction from segments: their mean, and their weighting by confidence."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.models.layers import segment_fusion

LOGITS = jnp.asarray(np.random.default_rng(1).normal(scale=2.0, size=(4, 5, 3)), jnp.float32)


def test_averaged_segments_are_their_mean_probability():
    mean = np.log(np.asarray(jax.nn.softmax(LOGITS)).mean(1))
    np.testing.assert_allclose(segment_fusion.fuse_segments(LOGITS), mean, rtol=1e-5)
    one = segment_fusion.fuse_segments(LOGITS[:, :1], kept=1)
    np.testing.assert_array_equal(one, LOGITS[:, 0])


def test_confident_segments_are_weighted_by_their_confidence():
    p = np.asarray(jax.nn.softmax(LOGITS), np.float64)
    for row, actual in zip(p, segment_fusion.fuse_segments(LOGITS, kept=2), strict=True):
        confidence = row.max(1)
        best = np.argsort(-confidence)[:2]
        np.testing.assert_allclose(
            np.exp(actual),
            (confidence[best, None] * row[best]).sum(0) / confidence[best].sum(),
            rtol=1e-5,
        )
    alike = jnp.repeat(LOGITS[:, :1], 5, axis=1)  # all equally sure: the plain mean
    np.testing.assert_allclose(
        segment_fusion.fuse_segments(alike, kept=5),
        segment_fusion.fuse_segments(alike),
        rtol=1e-5,
        atol=1e-6,
    )


def test_each_confidence_is_one_for_certainty_and_smallest_for_a_tie():
    ladder = jnp.asarray([[[0.0, 0, 0], [2, 0, 0], [60, 0, 0]]])
    for kind, least in (("max", 1 / 3), ("entropy", 0.0), ("margin", 0.0)):
        actual = segment_fusion.confidences(ladder, kind)[0]
        assert actual[0] == pytest.approx(least, abs=1e-6) and actual[2] == pytest.approx(1.0)
        assert actual[0] < actual[1] < actual[2]
    p = np.asarray(jax.nn.softmax(ladder[0, 1]), np.float64)
    assert segment_fusion.confidences(ladder, "entropy")[0, 1] == pytest.approx(
        1 + (p * np.log(p)).sum() / np.log(3)
    )
    assert segment_fusion.confidences(ladder, "margin")[0, 1] == pytest.approx(p[0] - p[1])
