"""Per-example classification losses, unreduced.

The training step sums them under a mask and divides once.
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

Step = Int[Array, ""] | int


def classification_loss(
    outputs: Float[Array, "b classes"] | Mapping[str, Array],
    targets: Int[Array, " b"],
    step: Step = 0,
    *,
    label_smoothing: float = 0.0,
) -> Float[Array, " b"]:
    """Cross entropy of the logits, plus the network's own regulariser if it returns one.

    Args:
        outputs: logits; or a dict with `logits` [b, classes] and perhaps `penalty` [b], which is
            added.
        targets: class ids.
        step: ignored.
        label_smoothing: see `cross_entropy`.
    """
    del step
    if not isinstance(outputs, Mapping):
        return cross_entropy(outputs, targets, label_smoothing=label_smoothing)
    loss = cross_entropy(outputs["logits"], targets, label_smoothing=label_smoothing)
    if "penalty" in outputs:
        loss = loss + outputs["penalty"]
    return loss


def segment_loss(
    outputs: Mapping[str, Array],
    targets: Int[Array, " b"],
    step: Step = 0,
    *,
    label_smoothing: float = 0.0,
    auxiliary: float = 0.5,
    segments: int = 0,
    warmup: int = 0,
) -> Float[Array, " b"]:
    """`segment_cross_entropy` of a network that classifies the segments of a clip.

    Args:
        outputs: `segments` [b, s, classes]; and `auxiliary`, of the same shape, from a network with
            an auxiliary classifier.
        targets: class ids.
        step: number of updates so far.
        label_smoothing: see `cross_entropy`.
        auxiliary: weight of the auxiliary classifier's loss.
        segments: most reliable segments of each clip that train; 0 = all.
        warmup: steps in which all segments train.
    """
    available = outputs["segments"].shape[1]
    count = jnp.where(step < warmup, available, min(segments or available, available))
    return segment_cross_entropy(
        outputs["segments"],
        outputs.get("auxiliary"),
        targets,
        label_smoothing=label_smoothing,
        auxiliary=auxiliary,
        count=count,
    )


def segment_cross_entropy(
    segments: Float[Array, "b s classes"],
    auxiliary_segments: Float[Array, "b s classes"] | None,
    targets: Int[Array, " b"],
    *,
    count: Int[Array, ""],
    label_smoothing: float = 0.0,
    auxiliary: float = 0.0,
) -> Float[Array, " b"]:
    """Mean loss of a clip's `count` segments that give the true class the highest probability: the
    unsupervised selection of the STA-GCN paper, section 2.3.

    The same forward pass ranks the segments. The other segments of a clip have no gradient.

    Args:
        segments: logits.
        auxiliary_segments: logits of the auxiliary classifier, or None.
        targets: class ids.
        count: segments that train.
        label_smoothing: see `cross_entropy`.
        auxiliary: weight of the auxiliary classifier's loss.
    """
    repeated_targets = jnp.repeat(targets, segments.shape[1])

    def losses_of(logits: Array) -> Array:
        flat = logits.reshape(-1, logits.shape[-1])
        loss = cross_entropy(flat, repeated_targets, label_smoothing=label_smoothing)
        return loss.reshape(logits.shape[:2])

    loss = losses_of(segments)
    if auxiliary_segments is not None:
        loss = loss + auxiliary * losses_of(auxiliary_segments)
    log_probabilities = jax.nn.log_softmax(segments)
    true_class = jnp.take_along_axis(log_probabilities, targets[:, None, None], axis=2)[..., 0]
    rank = jnp.argsort(jnp.argsort(-true_class, axis=1), axis=1)
    return jnp.sum(jnp.where(rank < count, loss, 0.0), axis=1) / count


def cross_entropy(
    logits: Float[Array, "b classes"], targets: Int[Array, " b"], *, label_smoothing: float = 0.0
) -> Float[Array, " b"]:
    """Softmax cross entropy with smoothed targets, -sum_j q_j log softmax(logits)_j.

    q_j = (1 - a) [j = target] + a / classes, with a = `label_smoothing`; the skeleton papers here
    have a = 0.

    Args:
        logits: unnormalised scores.
        targets: class ids in [0, classes).
        label_smoothing: a in [0, 1).

    Returns:
        One loss per example, in nats.
    """
    one_hot_loss = optax.softmax_cross_entropy_with_integer_labels(logits, targets)
    if label_smoothing == 0.0:
        return one_hot_loss
    uniform_loss = optax.losses.softmax_cross_entropy(logits, 1.0 / logits.shape[-1] + 0.0 * logits)
    return (1.0 - label_smoothing) * one_hot_loss + label_smoothing * uniform_loss
