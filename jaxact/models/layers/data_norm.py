"""Batch normalisation of a network's input: joint coordinates and scores."""

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.models.layers.batch_norm import BatchNorm, affine


def data_norm(
    inputs: Float[Array, "b t m v c"],
    train: bool,
    *,
    axis_name: str | None,
    scale_init: nn.initializers.Initializer = nn.initializers.ones,
    persons_apart: bool = False,
) -> Float[Array, "n v t c"]:
    """Each channel of each joint normalised over clips, frames and persons; n = b * m.

    Call it in a compact method: the statistics belong to a submodule `data_norm` of the calling
    module.

    Args:
        inputs: joint coordinates (and scores).
        train: use the batch's statistics, and update the running ones.
        axis_name, scale_init: see `BatchNorm`.
        persons_apart: each person m has its own statistics, which fixes the number of persons.
    """
    batch, frames, persons, joints, channels = inputs.shape
    if persons_apart:
        x = inputs.reshape(batch, frames, persons * joints * channels)
    else:
        x = inputs.reshape(batch, frames, persons, joints * channels)
    norm = BatchNorm(axis_name=axis_name, scale_init=scale_init, name="data_norm")
    x = affine(x, *norm(x, train)).reshape(inputs.shape)
    return jnp.transpose(x, (0, 2, 3, 1, 4)).reshape(batch * persons, joints, frames, channels)
