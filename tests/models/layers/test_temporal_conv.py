"""Temporal convolution: the sum over taps, and the same through the convolution theorem."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.models.layers import fourier_conv, temporal_conv

SIZES = pytest.mark.parametrize(
    ("frames", "taps", "stride"),
    [(75, 9, 1), (1, 9, 1), (7, 9, 2), (64, 9, 2), (33, 9, 3), (40, 5, 1), (16, 3, 2)],
)


def by_loops(x, kernel, stride):
    samples, joints, frames, _ = x.shape
    half = len(kernel) // 2
    y = np.zeros((samples, joints, -(-frames // stride), kernel.shape[2]))
    for s in range(y.shape[2]):
        for i, weight in enumerate(kernel):
            if 0 <= stride * s + i - half < frames:
                y[:, :, s] += x[:, :, stride * s + i - half] @ weight
    return y


def draw(frames, taps):
    rng = np.random.default_rng(frames)
    return rng.normal(size=(2, 3, frames, 4)), rng.normal(size=(taps, 4, 5))


@SIZES
@pytest.mark.parametrize(
    "convolve", [temporal_conv.temporal_conv, fourier_conv.fourier_temporal_conv]
)
def test_it_is_the_sum_over_taps(convolve, frames, taps, stride):
    x, kernel = draw(frames, taps)
    y = jax.jit(convolve, static_argnums=2)(jnp.float32(x), jnp.float32(kernel), stride)
    np.testing.assert_allclose(y, by_loops(x, kernel, stride), atol=2e-5)


@SIZES
def test_the_gradients_of_both_forms_agree(frames, taps, stride):
    x, kernel = map(jnp.float32, draw(frames, taps))

    def gradients(convolve):
        return jax.jit(
            jax.grad(lambda x, kernel: jnp.sum(jnp.sin(convolve(x, kernel, stride))), (0, 1))
        )(x, kernel)

    for direct, fourier in zip(
        *map(gradients, (temporal_conv.temporal_conv, fourier_conv.fourier_temporal_conv)),
        strict=True,
    ):
        np.testing.assert_allclose(fourier, direct, atol=1e-5 * float(jnp.abs(direct).max() + 1))


@pytest.mark.parametrize(("taps", "outputs"), [(9, 25), (9, 8), (5, 25), (2, 1), (1, 3)])
def test_products_are_an_exact_correlation(taps, outputs):
    into, weigh, out = map(np.float64, fourier_conv.fourier_products(taps, outputs))
    x, w = (
        np.random.default_rng(0).normal(size=taps + outputs - 1),
        np.random.default_rng(1).normal(size=taps),
    )
    np.testing.assert_allclose(
        out @ ((into @ x) * (weigh @ w)), np.correlate(x, w, "valid"), atol=1e-5
    )
    assert len(into) <= 1.5 * len(x) + 0.5
