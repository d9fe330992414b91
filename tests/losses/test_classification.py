import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact.errors import UserError
from jaxact.losses import classification as losses
from jaxact.losses import make_loss

LOGITS = np.array([[2.0, -1.0, 0.5], [0.0, 0.0, 0.0], [100.0, -100.0, 0.0]], np.float32)
TARGETS = np.array([0, 2, 1], np.int32)


def by_hand(smoothing: float) -> list[float]:
    actual = []
    for row, target in zip(LOGITS.astype(np.float64), TARGETS, strict=True):
        log_p = row - (row.max() + np.log(np.exp(row - row.max()).sum()))
        q = np.full(3, smoothing / 3)
        q[target] += 1 - smoothing
        actual.append(-(q * log_p).sum())
    return actual


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_cross_entropy_is_the_equation(smoothing):
    actual = losses.cross_entropy(
        jnp.asarray(LOGITS), jnp.asarray(TARGETS), label_smoothing=smoothing
    )
    np.testing.assert_allclose(actual, by_hand(smoothing), rtol=1e-5)


def test_the_gradient_is_probability_minus_smoothed_target():
    smoothing = 0.3

    def loss(logits):
        return losses.cross_entropy(logits, jnp.asarray(TARGETS), label_smoothing=smoothing).sum()

    expected = jax.nn.softmax(LOGITS) - (np.eye(3)[TARGETS] * (1 - smoothing) + smoothing / 3)
    np.testing.assert_allclose(jax.grad(loss)(jnp.asarray(LOGITS)), expected, atol=1e-6)


SEGMENTS = np.random.default_rng(2).normal(scale=2.0, size=(4, 3, 5)).astype(np.float32)
OTHERS = np.random.default_rng(3).normal(scale=2.0, size=(4, 3, 5)).astype(np.float32)


@pytest.mark.parametrize(("selected", "step"), [(0, 9), (2, 9), (1, 9), (2, 3), (7, 9)])
def test_the_most_reliable_segments_train_and_all_of_them_at_first(selected, step):
    """By hand: cross-entropy of each segment and its auxiliary classifier, averaged over the
    likeliest segments.
    """
    targets = np.array([4, 0, 2, 2])
    outputs = {"segments": jnp.asarray(SEGMENTS), "auxiliary": jnp.asarray(OTHERS)}
    actual = losses.segment_loss(
        outputs, jnp.asarray(targets), step, auxiliary=0.5, segments=selected, warmup=5
    )
    count = 3 if step < 5 or selected in (0, 7) else selected
    for clip, target in enumerate(targets):
        own, other = (
            -np.log(np.exp(x[clip, :, target]) / np.exp(x[clip]).sum(-1)).astype(np.float64)
            for x in (SEGMENTS, OTHERS)
        )
        chosen = np.argsort(own)[:count]
        assert actual[clip] == pytest.approx((own + 0.5 * other)[chosen].mean(), rel=1e-5)


def test_a_segment_that_does_not_count_has_no_gradient():
    def total(segments):
        return losses.segment_loss(
            {"segments": segments}, jnp.array([4, 0, 2, 2]), segments=2
        ).sum()

    moved = np.any(np.asarray(jax.grad(total)(jnp.asarray(SEGMENTS))) != 0, axis=2)
    np.testing.assert_array_equal(moved.sum(1), 2)


def test_a_networks_own_penalty_is_added():
    logits, targets = jnp.asarray(LOGITS), jnp.asarray(TARGETS)
    penalty = jnp.asarray([0.5, 1.0, 2.0])
    plain = make_loss("cross_entropy", label_smoothing=0.1)(logits, targets, 7)
    np.testing.assert_allclose(plain, by_hand(0.1), rtol=1e-5)
    outputs = {"logits": logits, "penalty": penalty}
    both = make_loss("cross_entropy", label_smoothing=0.1)(outputs, targets, 7)
    np.testing.assert_array_equal(both, plain + penalty)


def test_an_unknown_loss_is_refused():
    with pytest.raises(UserError, match="unknown loss 'hinge'; available: cross_entropy, disp"):
        make_loss("hinge")
