"""LSTM layer with Keras's parameters and a tanh or, as in online recognition, ReLU activation."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

LSTMState = tuple[Float[Array, "b d"], Float[Array, "b d"]]  # a layer's cell state c and output h

ACTIVATIONS = {"relu": nn.relu, "tanh": nn.tanh}
GLOROT = nn.initializers.glorot_uniform()


class LSTM(nn.Module):
    """One LSTM layer over a sequence of frames, with Keras's parameters.

    The gates i, f, o = sigmoid and g = a of W x + U h + b are concatenated in the order i, f, g, o:

        c' = f c + i g        h' = o a(c')

    The forget gate's bias starts at one. The input projection runs over all frames at once.

    Attributes:
        width: units.
        activation: a, a key of `ACTIVATIONS`.
        dtype: of the matrix products; gates and state stay float32.
    """

    width: int
    activation: str
    dtype: Any

    @nn.compact
    def __call__(
        self, state: LSTMState, x: Float[Array, "b t c"]
    ) -> tuple[LSTMState, Float[Array, "b t d"]]:
        """The state after the last frame, and the outputs of all frames."""
        gates = 4 * self.width
        kernel = self.param("kernel", GLOROT, (x.shape[-1], gates)).astype(self.dtype)
        recurrent = self.param("recurrent", nn.initializers.orthogonal(), (self.width, gates))
        recurrent = recurrent.astype(self.dtype)
        bias = self.param("bias", _forget_bias_of_one, (gates,))
        projected = (x.astype(self.dtype) @ kernel).astype(jnp.float32) + bias[None, None]

        def step(state: LSTMState, projected: Array) -> tuple[LSTMState, Array]:
            previous = (state[1].astype(self.dtype) @ recurrent).astype(jnp.float32)
            state = cell(state[0], projected + previous, self.activation)
            return state, state[1]

        state, outputs = jax.lax.scan(step, state, jnp.swapaxes(projected, 0, 1))
        return state, jnp.swapaxes(outputs, 0, 1)


def cell(c: Float[Array, "b d"], gates: Float[Array, "b d4"], activation: str) -> LSTMState:
    """c' and h' from c and the four gates before their activations."""
    act = ACTIVATIONS[activation]
    i, f, g, o = jnp.split(gates, 4, axis=-1)
    c = nn.sigmoid(f) * c + nn.sigmoid(i) * act(g)
    return c, nn.sigmoid(o) * act(c)


def _forget_bias_of_one(key: Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> Array:
    """Zeros, and ones for the forget gate, the second quarter."""
    del key
    return jnp.zeros(shape, dtype).at[shape[0] // 4 : shape[0] // 2].set(1)
