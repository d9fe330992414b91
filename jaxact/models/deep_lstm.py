"""Deep LSTM, the recurrent baseline of NTU RGB+D (Shahroudy, Liu, Ng and Wang, CVPR 2016, Section
4.2).

A frame is one vector, the joints of all persons. Two LSTM layers read a clip of few frames (one
from each of eight segments, `clip.sampling="segments"`), and a linear layer classifies the output
after the last frame.

    [b 8 m v c] -> [b 8 mvc] -> layer 1 [b 8 256] -> layer 2 [b 8 256] -> last frame [b 256]
                -> [b k]

Kinetics-skeleton 16.4 % top-1 (`configs/stgcn.py:kinetics_skeleton,deep_lstm`), NTU RGB+D 60.7 %
X-Sub and 67.3 % X-View (`configs/stgcn.py:ntu60,xsub,deep_lstm`), as quoted in Tables 2 and 3 of
Yan, Xiong and Lin, AAAI 2018.
"""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.models.input_spec import InputSpec
from jaxact.models.layers.dropout import dropout

Memory = tuple[Float[Array, "b d"], Float[Array, "b d"]]  # cell and output of a layer


class Cell(nn.Module):
    """One frame through all layers (Hochreiter and Schmidhuber, 1997, with forget gates).

    In each layer, with gates i, f, o = sigmoid and g = tanh of W x + U h + b:

        c' = f c + i g        h' = o tanh(c')

    Dropout is applied to a layer's output for the next layer or the head, never to its memory
    (Zaremba, Sutskever and Vinyals, 2014).

    Attributes:
        width, layers, dropout, dtype: see `DeepLSTM`.
        train: turn on dropout (rng `dropout`).
    """

    width: int
    layers: int
    dropout: float
    dtype: Any
    train: bool

    @nn.compact
    def __call__(
        self, memories: tuple[Memory, ...], x: Float[Array, "b c"]
    ) -> tuple[tuple[Memory, ...], Array]:
        """The layers' memories after the frame `x`, and the output of the last layer [b d]."""
        new_memories = []
        for index, memory in enumerate(memories):
            layer = nn.OptimizedLSTMCell(self.width, dtype=self.dtype, name=f"layer{index + 1}")
            memory, x = layer(memory, x)
            if self.train and self.dropout > 0:
                x = dropout(self.make_rng("dropout"), x, self.dropout)
            new_memories.append(memory)
        return tuple(new_memories), x


# The cell along the second axis, with the same parameters and a new dropout mask for each frame.
OverTime = nn.scan(
    Cell,
    variable_broadcast="params",
    split_rngs={"params": False, "dropout": True},
    in_axes=1,
    out_axes=1,
)


class DeepLSTM(nn.Module):
    """Deep LSTM, for any number of frames and a fixed number of persons.

    Attributes:
        num_classes: logits out.
        width: units of a layer.
        layers: number of layers.
        dropout: probability of dropping an element after each layer, in [0, 1).
        dtype: of the computation, "float32" or "bfloat16". Parameters and logits stay float32.
    """

    num_classes: int
    width: int = 256
    layers: int = 2
    dropout: float = 0.5
    dtype: Any = "float32"

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "b t m v c"], *, train: bool = False
    ) -> Float[Array, "b classes"]:
        """Logits of each clip.

        Args:
            inputs: joint coordinates (and scores), absent persons and missing joints zero. The last
                frame should not be padding, because the class is read off it.
            train: dropout (rng `dropout`).
        """
        batch, frames, persons, joints, channels = inputs.shape
        x = inputs.reshape(batch, frames, persons * joints * channels).astype(self.dtype)
        cell = OverTime(self.width, self.layers, self.dropout, self.dtype, train, name="cell")
        zeros = jnp.zeros((batch, self.width), self.dtype)
        _, outputs = cell(((zeros, zeros),) * self.layers, x)
        return nn.Dense(self.num_classes, name="head")(outputs[:, -1].astype(jnp.float32))


def build_deep_lstm(spec: InputSpec, **options: Any) -> DeepLSTM:
    """Deep LSTM, which has no batch statistics; `options` are fields of `DeepLSTM`."""
    return DeepLSTM(num_classes=spec.num_classes, **options)
