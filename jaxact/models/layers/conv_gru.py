"""Convolutional gated recurrent unit over the feature maps of a clip (Shi et al., NeurIPS 2017;
equations 10 to 13 of the SC-Xception paper).

A GRU whose matrix products are convolutions, so that its hidden state keeps the spatial layout. The
input convolution runs over all frames at once; only the recurrent convolution runs along time.

    [b t h w c] -> input convolution [b t h w 3f] -> cell along t [b h w f]

With f = 40 on maps of 10 x 10 x 2048: 2 255 160 parameters, 0.23 GMAC per frame.
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.models.layers.conv_batch_norm import GLOROT
from jaxact.models.layers.convolution import convolve

State = Float[Array, "b h w f"]


class ConvGRUCell(nn.Module):
    """One time step: the hidden state H after a frame x.

        Z = sigmoid(Wxz * x + Whz * H)        R = sigmoid(Wxr * x + Whr * H)
        H~ = tanh(Wxh * x + R o (Whh * H))    H' = (1 - Z) o H~ + Z o H

    The paper prints H'_t for H~_t in equation 13, a misprint. Z weights the previous state, as in
    Keras's GRU.

    Attributes:
        kernel, reset_after, swap_z, dtype: see `ConvGRU`.
    """

    kernel: int
    reset_after: bool
    swap_z: bool
    dtype: Any

    @nn.compact
    def __call__(self, state: State, frame: Float[Array, "b h w g"]) -> tuple[State, None]:
        """The state after a frame, which is given as Wx * x + b for Z, R and H~ concatenated
        (g = 3 f); all in float32.
        """
        filters = state.shape[-1]
        shape = (self.kernel, self.kernel, filters, 3 * filters)
        weights = self.param("kernel", nn.initializers.orthogonal(), shape).astype(self.dtype)

        def recurrent(state: Array, part: slice) -> Array:
            return convolve(state.astype(self.dtype), weights[..., part]).astype(jnp.float32)

        gates = slice(0, 2 * filters)
        candidate = slice(2 * filters, 3 * filters)
        if self.reset_after:
            projected = recurrent(state, slice(None))
            z, r = jnp.split(nn.sigmoid(frame[..., gates] + projected[..., gates]), 2, axis=-1)
            new = jnp.tanh(frame[..., candidate] + r * projected[..., candidate])
        else:
            z, r = jnp.split(nn.sigmoid(frame[..., gates] + recurrent(state, gates)), 2, axis=-1)
            new = jnp.tanh(frame[..., candidate] + recurrent(r * state, candidate))
        if self.swap_z:
            z = 1 - z
        return (1 - z) * new + z * state, None


# The cell along the second axis, with the same parameters in every frame.
OverTime = nn.scan(
    ConvGRUCell, variable_broadcast="params", split_rngs={"params": False}, in_axes=1
)


class ConvGRU(nn.Module):
    """One ConvGRU layer over a clip, from an initial state of zeros.

    Attributes:
        filters: channels of the hidden state.
        kernel: size of the kernels in both directions, pixels.
        reset_after: apply R after the recurrent convolution, as printed; False applies it before.
        swap_z: Z weights the candidate instead of the previous state.
        dtype: of the convolutions, "float32" or "bfloat16"; gates and state stay float32.
    """

    filters: int
    kernel: int = 3
    reset_after: bool = True
    swap_z: bool = False
    dtype: Any = "float32"

    @nn.compact
    def __call__(self, x: Float[Array, "b t h w c"]) -> State:
        """The state after the last frame."""
        x = nn.Conv(
            3 * self.filters,
            (self.kernel, self.kernel),
            dtype=self.dtype,
            kernel_init=GLOROT,
            conv_general_dilated=lambda x, kernel, *_, **__: convolve(x, kernel),
            name="inputs",
        )(x)
        batch, _, height, width, _ = x.shape
        initial = jnp.zeros((batch, height, width, self.filters), jnp.float32)
        cell = OverTime(self.kernel, self.reset_after, self.swap_z, self.dtype, name="cell")
        state, _ = cell(initial, x.astype(jnp.float32))
        return state
