"""Convolutional gated recurrent unit over the maps of a clip's frames (Shi et al., NeurIPS 2017;
equations 10 to 13 of the SC-Xception paper).

A GRU whose matrix products are convolutions, so that it remembers where something was seen. What
the frames contribute is convolved for all of them at once; only the convolution of the memory runs
along time.

    [b t h w c] -> input convolution [b t h w 3f] -> cell along t [b h w f]

At f = 40 on maps of 10 x 10 x 2048: 2 255 160 numbers, 0.23 GMAC a frame.
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.models.layers.conv_batch_norm import GLOROT, convolve

Memory = Float[Array, "b h w f"]


class ConvGRUCell(nn.Module):
    """One frame: how its maps change the memory H.

        Z = sigmoid(Wxz * x + Whz * H)        R = sigmoid(Wxr * x + Whr * H)
        H~ = tanh(Wxh * x + R o (Whh * H))    H' = (1 - Z) o H~ + Z o H

    The paper prints H'_t for H~_t in equation 13, a misprint. Z keeps the old memory, as in Keras's
    GRU.

    Attributes:
        kernel, reset_after, swap_z, dtype: see `ConvGRU`.
    """

    kernel: int
    reset_after: bool
    swap_z: bool
    dtype: Any

    @nn.compact
    def __call__(self, memory: Memory, frame: Float[Array, "b h w g"]) -> tuple[Memory, None]:
        """The memory after a frame, given as Wx * x + b for Z, R and H~ side by side (g = 3 f); all
        in float32.
        """
        filters = memory.shape[-1]
        shape = (self.kernel, self.kernel, filters, 3 * filters)
        weights = self.param("kernel", nn.initializers.orthogonal(), shape).astype(self.dtype)

        def recurrent(memory: Array, part: slice) -> Array:
            return convolve(memory.astype(self.dtype), weights[..., part]).astype(jnp.float32)

        gates, candidate = slice(0, 2 * filters), slice(2 * filters, 3 * filters)
        if self.reset_after:
            seen = recurrent(memory, slice(None))
            z, r = jnp.split(nn.sigmoid(frame[..., gates] + seen[..., gates]), 2, axis=-1)
            new = jnp.tanh(frame[..., candidate] + r * seen[..., candidate])
        else:
            z, r = jnp.split(nn.sigmoid(frame[..., gates] + recurrent(memory, gates)), 2, axis=-1)
            new = jnp.tanh(frame[..., candidate] + recurrent(r * memory, candidate))
        z = 1 - z if self.swap_z else z
        return (1 - z) * new + z * memory, None


# The cell along the second axis, with the same parameters in every frame.
OverTime = nn.scan(
    ConvGRUCell, variable_broadcast="params", split_rngs={"params": False}, in_axes=1
)


class ConvGRU(nn.Module):
    """One layer over a clip; the memory starts empty.

    Attributes:
        filters: maps that are remembered.
        kernel: pixels of the kernels, each way.
        reset_after: R weighs the convolved memory, as printed; or the memory before it is
            convolved.
        swap_z: Z keeps the new instead of the old.
        dtype: of the convolutions, "float32" or "bfloat16"; gates and memory stay float32.
    """

    filters: int
    kernel: int = 3
    reset_after: bool = True
    swap_z: bool = False
    dtype: Any = "float32"

    @nn.compact
    def __call__(self, x: Float[Array, "b t h w c"]) -> Memory:
        """The memory after the last frame."""
        x = nn.Conv(
            3 * self.filters,
            (self.kernel, self.kernel),
            dtype=self.dtype,
            kernel_init=GLOROT,
            conv_general_dilated=lambda x, kernel, *_, **__: convolve(x, kernel),
            name="inputs",
        )(x)
        batch, _, height, width, _ = x.shape
        empty = jnp.zeros((batch, height, width, self.filters), jnp.float32)
        cell = OverTime(self.kernel, self.reset_after, self.swap_z, self.dtype, name="cell")
        memory, _ = cell(empty, x.astype(jnp.float32))
        return memory
