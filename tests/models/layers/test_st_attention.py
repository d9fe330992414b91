"""Attention over joints and frames, against loops and public ASTGCN."""

import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import skeletons
from jaxact.models.layers import attention_unit, graph_conv
from jaxact.models.layers import st_attention as attention
from tests.helpers.formulations import FORMULATIONS, run_in
from tests.helpers.parity import group

PUBLIC = Path(__file__).parents[2] / "data" / "astgcn.npz"


def public():
    with np.load(PUBLIC) as stored:
        arrays = {name: jnp.asarray(stored[name]) for name in stored.files}
    return arrays, group(arrays, "joints/"), group(arrays, "frames/")


spatial_attention = jax.jit(attention.spatial_attention, static_argnums=2)
temporal_attention = jax.jit(attention.temporal_attention, static_argnums=2)


def test_attention_and_graph_convolution_give_the_numbers_of_public_astgcn():
    n, joints, frames = public()
    np.testing.assert_allclose(
        spatial_attention(n["inputs"], joints, "i"), joints["attention"], atol=1e-6
    )
    np.testing.assert_allclose(
        temporal_attention(n["inputs"], frames, "i"), frames["attention"], atol=1e-6
    )
    graph = n["polynomials"][None] * joints["attention"][:, None]
    for features in (3, 5):  # fewer and more than the four channels that come in
        for convolve in (graph_conv.direct_graph_conv, graph_conv.planned_graph_conv):
            ours = jax.jit(convolve)(n["inputs"], n[f"kernel{features}"], graph)
            np.testing.assert_allclose(np.maximum(ours, 0), n[f"convolved{features}"], atol=1e-5)


def softmax(row):
    powers = np.exp(row - row.max())
    return powers / powers.sum()


def test_attention_is_the_papers_equations_by_loops():
    """Equations 3 to 6 for one clip, entry by entry, and the frames that E' mixes."""
    n, of_joints, of_frames = public()
    x = np.asarray(n["inputs"][0], np.float64)  # [v, t, c]
    joints, frames, channels = x.shape
    w, u = (
        {name: np.asarray(value, np.float64) for name, value in each.items()}
        for each in (of_joints, of_frames)
    )
    first, second = np.zeros((joints, frames)), np.zeros((joints, frames))
    for i, s, c in np.ndindex(joints, frames, channels):
        second[i, s] += w["channels"][c] * x[i, s, c]
        for t in range(frames):
            first[i, s] += x[i, t, c] * w["along"][t] * w["across"][c, s]
    sigma = np.zeros((joints, joints))
    for i, j in np.ndindex(joints, joints):
        sigma[i, j] = 1 / (1 + np.exp(-(np.dot(first[i], second[j]) + w["bias"][i, j])))
    expected = np.array([softmax(row) for row in w["matrix"] @ sigma])
    ours = spatial_attention(n["inputs"], of_joints)
    np.testing.assert_allclose(ours[0].T, expected, atol=1e-6)
    np.testing.assert_allclose(ours.sum(1), 1.0, rtol=1e-6)

    first, second = np.zeros((frames, joints)), np.zeros((frames, joints))
    for t, j, c in np.ndindex(frames, joints, channels):
        second[t, j] += u["channels"][c] * x[j, t, c]
        for i in range(joints):
            first[t, j] += x[i, t, c] * u["along"][i] * u["across"][c, j]
    sigma = np.zeros((frames, frames))
    for t, s in np.ndindex(frames, frames):
        sigma[t, s] = 1 / (1 + np.exp(-(np.dot(first[t], second[s]) + u["bias"][t, s])))
    expected = np.array([softmax(row) for row in u["matrix"] @ sigma])
    ours = temporal_attention(n["inputs"], of_frames)
    np.testing.assert_allclose(ours[0], expected, atol=1e-6)
    np.testing.assert_allclose(ours.sum(2), 1.0, rtol=1e-6)
    mixed = jax.jit(attention.mix_frames)(n["inputs"], ours)[0]
    expected_mix = np.zeros_like(x)
    for v, s, t in np.ndindex(joints, frames, frames):
        expected_mix[v, s] += expected[t, s] * x[v, t]
    np.testing.assert_allclose(mixed, expected_mix, atol=1e-5)


@pytest.mark.parametrize("attended", ["graph", "scores"])
def test_the_convolution_takes_the_mixed_frames_and_its_scores_the_plain_ones_or_vice_versa(
    attended,
):
    """Equation 9 with its parts in their places: y = sum_k (A_k o S') (X E') W_k, S' of X."""
    n, joints, frames = public()
    x, kernel, parts = n["inputs"], np.asarray(n["kernel5"]), np.asarray(n["polynomials"])
    mixed = jax.jit(attention.mix_frames)(x, temporal_attention(x, frames))
    convolved, scored = (mixed, x) if attended == "graph" else (x, mixed)
    spatial = np.asarray(spatial_attention(scored, joints))
    expected = sum(
        np.einsum("vw,nvw,nvtc,cd->nwtd", parts[k], spatial, np.asarray(convolved), kernel[:, k])
        for k in range(len(parts))
    )
    alone = np.einsum("kvw,nvtc,ckd->nwtd", parts, np.asarray(convolved), kernel)
    weights = {"adjacency": n["polynomials"], "kernel": n["kernel5"]}

    @jax.jit
    def both(x, weights, joints, frames):
        mixed = attention.mix_frames(x, attention.temporal_attention(x, frames, "j"))
        inputs = {"convolved": x, "scored": mixed}
        if attended == "graph":
            inputs = {"convolved": mixed, "scored": x}
        convolve = functools.partial(attention_unit._convolve, inputs, axis="j")
        return convolve(weights | {"spatial": joints}), convolve(weights)

    for form in FORMULATIONS:
        weighted, plain = run_in(form, both, x, weights, joints, frames)
        np.testing.assert_allclose(weighted, expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(plain, alone, rtol=1e-4, atol=1e-5)


def test_the_planned_mixing_has_the_gradients_of_the_plain_one():
    n, _, frames = public()
    e = temporal_attention(n["inputs"], frames)

    def gradients(mix):
        return jax.jit(jax.grad(lambda x, e: jnp.sum(jnp.sin(mix(x, e))), (0, 1)))(n["inputs"], e)

    direct = gradients(attention.direct_mix_frames)
    planned = gradients(attention.planned_mix_frames)
    for ours, theirs in zip(planned, direct, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_chebyshev_polynomials_are_cosines_of_multiples_of_the_spectrum():
    for name in ("kinect-15", "ntu-25", "openpose-18"):
        parts = skeletons.chebyshev(skeletons.get_layout(name), 5).astype(np.float64)
        values, vectors = np.linalg.eigh(parts[1])
        angles = np.arccos(np.clip(values, -1, 1))
        assert values[-1] == pytest.approx(1, abs=1e-6) and values[0] == pytest.approx(-1, abs=1e-6)
        for order, part in enumerate(parts):
            np.testing.assert_allclose(
                part, (vectors * np.cos(order * angles)) @ vectors.T, atol=1e-5
            )
