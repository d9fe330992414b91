import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import losses

LOGITS = np.array([[2.0, -1.0, 0.5], [0.0, 0.0, 0.0], [100.0, -100.0, 0.0]], np.float32)
TARGETS = np.array([0, 2, 1], np.int32)


def by_hand(smoothing: float) -> list[float]:
    found = []
    for row, target in zip(LOGITS.astype(np.float64), TARGETS, strict=True):
        log_p = row - (row.max() + np.log(np.exp(row - row.max()).sum()))
        q = np.full(3, smoothing / 3)
        q[target] += 1 - smoothing
        found.append(-(q * log_p).sum())
    return found


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_cross_entropy_is_the_equation(smoothing):
    found = losses.cross_entropy(jnp.asarray(LOGITS), jnp.asarray(TARGETS), label_smoothing=smoothing)
    np.testing.assert_allclose(found, by_hand(smoothing), rtol=1e-5)


def test_the_gradient_is_probability_minus_smoothed_target():
    smoothing = 0.3

    def loss(logits):
        return losses.cross_entropy(logits, jnp.asarray(TARGETS), label_smoothing=smoothing).sum()

    wanted = jax.nn.softmax(LOGITS) - (np.eye(3)[TARGETS] * (1 - smoothing) + smoothing / 3)
    np.testing.assert_allclose(jax.grad(loss)(jnp.asarray(LOGITS)), wanted, atol=1e-6)
