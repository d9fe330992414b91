"""AS-GCN's second head, which predicts the poses of the next frames."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.models.asgcn_unit import ASGCNUnit
from jaxact.models.layers.temporal_conv import TAPS

# Width factor, stride and taps of the units from the last features to the poses. 0 taps: all of the
# remaining frames.
POSE_UNITS = ((2, 1, TAPS), (2, 2, TAPS), (2, 2, TAPS), (2, 2, TAPS), (2, 2, 3), (2, 1, 0))


class PoseHead(nn.Module):
    """The poses of the next frames: units that reduce the clip to one frame, then steps from it.

    Attributes:
        horizon: number of predicted frames.
        fields: the fields of `ASGCNUnit` that all units share.
        width, dropout: see `jaxact.models.asgcn.ASGCN`; the last unit, whose outputs are
            coordinates, has no dropout.
    """

    horizon: int
    fields: dict[str, Any]
    width: int
    dropout: float

    @nn.compact
    def __call__(
        self,
        x: Float[Array, "n v t d"],
        last: Float[Array, "n v c"],
        links: Float[Array, "n k v w"],
        train: bool = False,
    ) -> Float[Array, "n v s c"]:
        """The coordinates in the s = horizon frames after the pose `last`.

        Departs from the released code, which adds the last pose's coordinates to the wrong
        coordinates of the steps.
        """
        for number, (factor, stride, taps) in enumerate(POSE_UNITS):
            unit = ASGCNUnit(
                features=factor * self.width,
                stride=stride,
                taps=taps,
                residual=taps > 0,
                dropout=self.dropout,
                name=f"unit{number}",
                **self.fields,
            )
            x = unit(x, train, links)
        x = jnp.concatenate([x, last[:, :, None].astype(x.dtype)], axis=-1)
        steps = ASGCNUnit(
            features=self.horizon * last.shape[-1],
            stride=1,
            taps=1,
            residual=False,
            dropout=0.0,
            activated=False,
            name="steps",
            **self.fields,
        )
        x = steps(x, train, links).astype(jnp.float32)
        return last[:, :, None] + x.reshape(*last.shape[:2], self.horizon, -1)


def pose_loss(
    predicted: Float[Array, "n v s c"], true: Float[Array, "n v s c"], last: Float[Array, "n v c"]
) -> Float[Array, " n"]:
    """mean |predicted - true|^2 over coordinates, frames and joints.

    A joint that is missing (zero) in `true` or in `last` is not counted.
    """
    present = jnp.any(true != 0, axis=-1) & jnp.any(last != 0, axis=-1)[:, :, None]
    error = jnp.mean(jnp.square(predicted - true), axis=-1) * present
    return jnp.sum(error, axis=(1, 2)) / jnp.maximum(jnp.sum(present, axis=(1, 2)), 1)
