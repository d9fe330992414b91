"""Per-example losses, unreduced: the step sums them under a mask and divides once."""

import optax
from jaxtyping import Array, Float, Int


def cross_entropy(
    logits: Float[Array, "b classes"], targets: Int[Array, " b"], *, label_smoothing: float = 0.0
) -> Float[Array, " b"]:
    """Softmax cross entropy with smoothed targets, -sum_j q_j log softmax(logits)_j.

    q_j = (1 - a) [j = target] + a / classes, with a = `label_smoothing`; the skeleton papers here have a = 0.

    Args:
      logits: unnormalised scores.
      targets: class ids in [0, classes).
      label_smoothing: a in [0, 1).

    Returns:
      One loss an example, in nats.
    """
    plain = optax.softmax_cross_entropy_with_integer_labels(logits, targets)
    if label_smoothing == 0.0:
        return plain
    uniform = optax.losses.softmax_cross_entropy(logits, 1.0 / logits.shape[-1] + 0.0 * logits)
    return (1.0 - label_smoothing) * plain + label_smoothing * uniform
