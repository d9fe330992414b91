"""Batch renormalisation (Ioffe, NIPS 2017, arXiv 1702.03275), as a factor and an offset per
channel, kept in float32.

Batch normalisation trains with the batch's statistics and evaluates with running ones. Batch
renormalisation corrects the training pass towards the running statistics; no gradient flows through
the correction. A schedule over training steps limits it.
"""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.errors import unknown
from jaxact.models.layers.batch_norm import batch_statistics

DECAY = 0.99  # of the running statistics
EPSILON = 1e-3
R_MAX, D_MAX = 3.0, 5.0  # the final limits
TIME_STEP = 1e-3  # of the smooth schedule: time t that one training step adds
INITIAL_D_MAX = 1e-3  # of the smooth schedule

Limits = tuple[Float[Array, ""], Float[Array, ""]]  # r_max >= 1 and d_max >= 0


def smooth_limits(steps: Float[Array, ""]) -> Limits:
    """Logistic curves from (1, 0.001) to (3, 5), after a first step of plain batch normalisation
    (keras-contrib).

        r_max = 3 / (1 + 2 exp(-t))        d_max = 5 / (1 + (5 / 0.001 - 1) exp(-2 t))

    with t = 0.001 (steps - 1).
    """
    time = TIME_STEP * (steps - 1)
    r_max = R_MAX / (1 + (R_MAX - 1) * jnp.exp(-time))
    d_max = D_MAX / (1 + (D_MAX / INITIAL_D_MAX - 1) * jnp.exp(-2 * time))
    first = steps < 1
    return jnp.where(first, 1.0, r_max), jnp.where(first, 0.0, d_max)


def linear_limits(steps: Float[Array, ""]) -> Limits:
    """Linear ramps, as in the paper (Section 4): r_max 1 to 3 in steps 5k to 40k, d_max 0 to 5 in
    steps 5k to 25k.
    """

    def ramp(first: float, last: float, end: float) -> Array:
        return first + (last - first) * jnp.clip((steps - 5e3) / (end - 5e3), 0, 1)

    return ramp(1.0, R_MAX, 40e3), ramp(0.0, D_MAX, 25e3)


def no_correction(steps: Float[Array, ""]) -> Limits:
    """(1, 0) at every step: batch normalisation."""
    return jnp.ones_like(steps), jnp.zeros_like(steps)


SCHEDULES: dict[str, Callable[[Float[Array, ""]], Limits]] = {
    "smooth": smooth_limits,
    "linear": linear_limits,
    "none": no_correction,
}


class BatchRenorm(nn.Module):
    """((x - m) / s r + d) * scale + bias, given as an affine map for `layers.batch_norm.affine`
    (Algorithm 1).

    m and s = sqrt(v + eps) are the batch's, M and S the running ones before this step:

        r = clip(s / S, 1 / r_max, r_max)        d = clip((m - M) / S, -d_max, d_max)

    The gradient treats r and d as constants. Where neither is clipped, the training pass equals the
    evaluation pass; with r_max 1 and d_max 0 it equals batch normalisation. Evaluation uses the
    running statistics. Collections: `params` {scale, bias}, `batch_stats` {mean, var, steps}, all
    float32; `steps` counts training steps, and every micro-batch of an accumulated step.

    Departs from the paper: the running variance is averaged, not the running deviation, as in
    keras-contrib, so that the statistics are those of batch normalisation; and S has the same
    epsilon as s.

    Attributes:
        schedule: a key of `SCHEDULES`, which maps the step to r_max and d_max.
        axis_name: mapped axis whose devices share batch statistics; None for each device's own.
    """

    schedule: str = "smooth"
    axis_name: str | None = None

    @nn.compact
    def __call__(
        self, x: Float[Array, "*rows c"], train: bool = False
    ) -> tuple[Float[Array, " c"], Float[Array, " c"]]:
        """Factor and offset with which `affine` normalises `x`.

        Args:
            x: activations, normalised over all axes but the last.
            train: use the batch's statistics, and update the running ones.

        Raises:
            UserError: a schedule that is not in `SCHEDULES`.
        """
        if self.schedule not in SCHEDULES:
            raise unknown("schedule of batch renormalisation", self.schedule, SCHEDULES)
        channels = (x.shape[-1],)
        scale = self.param("scale", nn.initializers.ones, channels)
        bias = self.param("bias", nn.initializers.zeros, channels)
        running_mean = self.variable("batch_stats", "mean", jnp.zeros, channels)
        running_var = self.variable("batch_stats", "var", jnp.ones, channels)
        steps = self.variable("batch_stats", "steps", jnp.zeros, ())
        running_deviation = jnp.sqrt(running_var.value + EPSILON)
        if not train or self.is_initializing():
            factor = scale / running_deviation
            return factor, bias - running_mean.value * factor
        mean, var = batch_statistics(x, self.axis_name)
        deviation = jnp.sqrt(var + EPSILON)
        r_max, d_max = SCHEDULES[self.schedule](steps.value)
        r, d = corrections(mean, deviation, running_mean.value, running_deviation, r_max, d_max)
        running_mean.value = DECAY * running_mean.value + (1 - DECAY) * mean
        running_var.value = DECAY * running_var.value + (1 - DECAY) * var
        steps.value = steps.value + 1
        factor = scale * r / deviation
        return factor, bias + scale * d - mean * factor


def corrections(
    mean: Float[Array, " c"],
    deviation: Float[Array, " c"],
    running_mean: Float[Array, " c"],
    running_deviation: Float[Array, " c"],
    r_max: Float[Array, ""],
    d_max: Float[Array, ""],
) -> tuple[Float[Array, " c"], Float[Array, " c"]]:
    """r and d of `BatchRenorm`, without gradient."""
    r = jnp.clip(deviation / running_deviation, 1 / r_max, r_max)
    d = jnp.clip((mean - running_mean) / running_deviation, -d_max, d_max)
    return jax.lax.stop_gradient(r), jax.lax.stop_gradient(d)
