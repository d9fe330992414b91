"""The fields of all networks of graph convolutions, and the pooling before their classifier."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.models.layers.adjacency import Adjacency


class GraphClassifier(nn.Module):
    """A classifier of skeleton clips by graph convolutions; a subclass defines its units.

    Attributes:
        num_classes: logits out.
        adjacency: normalised partition, [k][source][target], from `jaxact.skeletons.adjacency`
            through `Adjacency`.
        width: channels of the first units; 64 in the papers.
        dtype: of the computation, "float32" or "bfloat16". Parameters, statistics and logits stay
            float32.
        remat: recompute each unit's activations in the backward pass: less memory, about a third
            more time.
        axis_name: mapped axis whose devices share batch statistics; None uses each device's own
            batch.
    """

    num_classes: int
    adjacency: Adjacency
    width: int = 64
    dtype: Any = "float32"
    remat: bool = False
    axis_name: str | None = None

    @nn.nowrap
    def pooled(self, x: Float[Array, "n v s d"], batch: Any) -> Float[Array, "b d"]:
        """The mean over frames, joints and persons, in float32."""
        return jnp.mean(x.astype(jnp.float32).reshape(batch, -1, x.shape[-1]), axis=1)
