"""Per-example losses, unreduced: the step sums them under a mask and divides once."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from jaxact.losses import pose as pose_losses


def per_example(
    outputs: Any,
    targets: Any,
    step: Int[Array, ""] | int = 0,
    *,
    label_smoothing: float = 0.0,
    auxiliary: float = 0.0,
    joint_weights: Sequence[float] = (),
    kept: int = 0,
    warmup: int = 0,
) -> Float[Array, " b"]:
    """The loss of what a network returns.

    Args:
      outputs: logits [b, classes]; or a dict with `logits`, with `segments` for
        `segment_cross_entropy`, or with `predicted` for `displacement`, or with `limbs` for
        `pose_losses.pose`. A `penalty` [b] in it, the network's own regulariser, is added.
      targets: class ids [b], or the maps that a pose network should answer.
      step: updates made so far.
      label_smoothing: see `cross_entropy`.
      auxiliary: weight of the auxiliary classifier's loss.
      joint_weights: see `pose_losses.pose`.
      kept: most reliable segments that train; 0 is all of them.
      warmup: steps in which all of them do.
    """
    if not isinstance(outputs, Mapping):
        return cross_entropy(outputs, targets, label_smoothing=label_smoothing)
    if "limbs" in outputs:
        return pose_losses.pose(outputs, targets, joint_weights=joint_weights)
    if "predicted" in outputs:
        return displacement(outputs["predicted"], outputs["displacement"], outputs["confidence"])
    if "segments" not in outputs:
        plain = cross_entropy(outputs["logits"], targets, label_smoothing=label_smoothing)
        return plain + outputs["penalty"] if "penalty" in outputs else plain
    segments = outputs["segments"].shape[1]
    count = jnp.where(step < warmup, segments, min(kept or segments, segments))
    options = {"label_smoothing": label_smoothing, "auxiliary": auxiliary, "count": count}
    return segment_cross_entropy(outputs["segments"], outputs.get("auxiliary"), targets, **options)


def segment_cross_entropy(
    segments: Float[Array, "b s classes"],
    others: Float[Array, "b s classes"] | None,
    targets: Int[Array, " b"],
    *,
    count: Int[Array, ""],
    label_smoothing: float = 0.0,
    auxiliary: float = 0.0,
) -> Float[Array, " b"]:
    """Mean over a clip's `count` segments that give the true class the highest probability: the
    unsupervised selection of the STA-GCN paper, section 2.3. Which ones these are is told by the
    training pass itself; the rest of a clip has no gradient.

    Args:
      segments: logits.
      others: the auxiliary classifier's, or None.
      targets: class ids.
      count: segments that count.
      label_smoothing: see `cross_entropy`.
      auxiliary: weight of the auxiliary classifier's loss.
    """
    repeated = jnp.repeat(targets, segments.shape[1])

    def of_each(logits: Array) -> Array:
        flat = logits.reshape(-1, logits.shape[-1])
        return cross_entropy(flat, repeated, label_smoothing=label_smoothing).reshape(
            logits.shape[:2]
        )

    loss = of_each(segments) + (0.0 if others is None else auxiliary * of_each(others))
    surprise = -jnp.take_along_axis(jax.nn.log_softmax(segments), targets[:, None, None], axis=2)[
        ..., 0
    ]
    place = jnp.argsort(jnp.argsort(surprise, axis=1), axis=1)
    return jnp.sum(jnp.where(place < count, loss, 0.0), axis=1) / count


def displacement(
    predicted: Float[Array, "b t m v d"],
    true: Float[Array, "b t m v d"],
    confidence: Float[Array, "b t m v"],
) -> Float[Array, " b"]:
    """Smooth L1 of a clip's displacements, weighted by their confidence: sum_i c_i huber(e_i) /
    sum_i c_i, the mean over the coordinates of huber(e) = e^2 / 2 for |e| < 1 and |e| - 1/2 beyond
    (Girshick, ICCV 2015, Equation 3).

    Args:
      predicted, true: in units of the displacements' deviation.
      confidence: from 0; a clip without any has no loss.
    """
    each = jnp.mean(optax.losses.huber_loss(predicted, true, delta=1.0), axis=-1) * confidence
    return jnp.sum(each, axis=(1, 2, 3)) / jnp.maximum(jnp.sum(confidence, axis=(1, 2, 3)), 1e-6)


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
      One loss an example, in nats.
    """
    plain = optax.softmax_cross_entropy_with_integer_labels(logits, targets)
    if label_smoothing == 0.0:
        return plain
    uniform = optax.losses.softmax_cross_entropy(logits, 1.0 / logits.shape[-1] + 0.0 * logits)
    return (1.0 - label_smoothing) * plain + label_smoothing * uniform
