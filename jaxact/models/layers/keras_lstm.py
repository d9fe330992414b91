"""A layer of long short-term memory with the parameters of Keras's, with tanh or, as in online
recognition, ReLU.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Memory = tuple[Float[Array, "b d"], Float[Array, "b d"]]  # a layer's cell and output

ACTIVATIONS = {"relu": nn.relu, "tanh": nn.tanh}
GLOROT = nn.initializers.glorot_uniform()


class LSTM(nn.Module):
    """A layer of long short-term memory over a stretch of frames, with the parameters of Keras's.

    With gates i, f, o = sigmoid and g = a of W x + U h + b, side by side in the order i, f, g, o:

        c' = f c + i g        h' = o a(c')

    The forget gate's bias starts at one. What the frames contribute is projected for all of them at
    once.

    Attributes:
        width: units.
        activation: a, a key of `ACTIVATIONS`.
        dtype: of the products; gates and memory stay float32.
    """

    width: int
    activation: str
    dtype: Any

    @nn.compact
    def __call__(
        self, memory: Memory, x: Float[Array, "b t c"]
    ) -> tuple[Memory, Float[Array, "b t d"]]:
        """The memory after the last frame, and the outputs of all of them."""
        size = (self.width, 4 * self.width)
        kernel = self.param("kernel", GLOROT, (x.shape[-1], size[1])).astype(self.dtype)
        recurrent = self.param("recurrent", nn.initializers.orthogonal(), size).astype(self.dtype)
        bias = self.param("bias", _open_to_the_past, size[1:])
        seen = (x.astype(self.dtype) @ kernel).astype(jnp.float32) + bias[None, None]

        def frame(memory: Memory, seen: Array) -> tuple[Memory, Array]:
            known = (memory[1].astype(self.dtype) @ recurrent).astype(jnp.float32)
            memory = cell(memory[0], seen + known, self.activation)
            return memory, memory[1]

        memory, outputs = jax.lax.scan(frame, memory, jnp.swapaxes(seen, 0, 1))
        return memory, jnp.swapaxes(outputs, 0, 1)


def cell(held: Float[Array, "b d"], gates: Float[Array, "b d4"], activation: str) -> Memory:
    """c' and h' from c and the four gates before their activations."""
    act = ACTIVATIONS[activation]
    i, f, g, o = jnp.split(gates, 4, axis=-1)
    held = nn.sigmoid(f) * held + nn.sigmoid(i) * act(g)
    return held, nn.sigmoid(o) * act(held)


def _open_to_the_past(key: Array, shape: tuple[int, ...], dtype: Any = jnp.float32) -> Array:
    """Zeros, and ones for the forget gate, the second quarter."""
    del key
    return jnp.zeros(shape, dtype).at[shape[0] // 4 : shape[0] // 2].set(1)
