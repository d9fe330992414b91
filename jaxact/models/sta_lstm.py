"""Spatio-temporal attention LSTM, STA-LSTM (Song, Lan, Xing, Zeng and Liu, AAAI 2017, arXiv
1611.06067).

A frame is one vector, the joints of all persons. Two gates, each with a memory of its own, read it
beside the classifier: one says how much each joint of this frame counts, the other how much the
frame does. Three layers of long short-term memory read the joints so weighted and score the classes
in every frame; the class is read off the sum.

    [b t m v c] -> joint gate [b t mv] -> weighted joints -> 3 layers [b t 100] -> scores [b t k] -> frame gate -> [b k]

NTU RGB+D 73.4 % X-Sub and 81.2 % X-View (`configs/stagcn.py:ntu60`), as Table 4 of the STA-GCN
paper quotes them.
"""

from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.models import deep_lstm
from jaxact.models.deep_lstm import Memory
from jaxact.models.input_spec import InputSpec


class Memories(NamedTuple):
    """What is carried from frame to frame: the memory of each gate, and of each layer of the main
    network.
    """

    joints: Memory
    frames: Memory
    main: tuple[Memory, ...]


class Seen(NamedTuple):
    """What comes out of a frame."""

    scores: Float[Array, "b classes"]  # z
    joints: Float[Array, "b k"]  # alpha, of sum 1 over the joints
    frame: Float[Array, " b"]  # beta, from 0 up


class Cell(nn.Module):
    """One frame through the gates and the main network (the joint-selection and frame-selection
    gates).

        s = U tanh(W_x x + W_h h + b) + b'        alpha = softmax(s)        x'_k = alpha_k x_k
        beta = ReLU(w_x x + w_h h~ + b~)          z = V LSTM(x') + c

    h and h~ are what the gates' own memories, an LSTM layer each, gave after the frame before.

    Departs from the paper: b~ starts at one, not near zero. A frame gate that is closed for all
    clips has no gradient, and nor has anything below it; the paper avoids that by training the main
    network on its own first, beta being one.

    Attributes:
        num_classes, width, layers, dropout, dtype: see `STALSTM`.
        train: whether elements are dropped (rng `dropout`).
    """

    num_classes: int
    width: int
    layers: int
    dropout: float
    dtype: Any
    train: bool

    @nn.compact
    def __call__(self, memories: Memories, x: Float[Array, "b k c"]) -> tuple[Memories, Seen]:
        """The memories after the frame `x`, joints k of all persons, and what it gives."""
        batch, joints, _ = x.shape
        frame = x.reshape(batch, -1)
        hidden = nn.Dense(self.width, dtype=self.dtype, name="joint_hidden")
        hidden = nn.tanh(hidden(jnp.concatenate([frame, memories.joints[1]], axis=1)))
        alpha = nn.softmax(nn.Dense(joints, name="joint_scores")(hidden.astype(jnp.float32)))
        gate = nn.Dense(1, bias_init=nn.initializers.ones, name="frame_gate")
        beta = nn.relu(
            gate(jnp.concatenate([frame, memories.frames[1]], axis=1).astype(jnp.float32))
        )[:, 0]

        weighted = (x * alpha[..., None].astype(x.dtype)).reshape(batch, -1)
        main = deep_lstm.Cell(
            self.width, self.layers, self.dropout, self.dtype, self.train, name="main"
        )
        after, handed_on = main(memories.main, weighted)
        scores = nn.Dense(self.num_classes, name="head")(handed_on.astype(jnp.float32))
        memories = Memories(
            joints=nn.OptimizedLSTMCell(self.width, dtype=self.dtype, name="joint_memory")(
                memories.joints, frame
            )[0],
            frames=nn.OptimizedLSTMCell(self.width, dtype=self.dtype, name="frame_memory")(
                memories.frames, frame
            )[0],
            main=after,
        )
        return memories, Seen(scores, alpha, beta)


# The cell along the second axis, with the same parameters and another dropout in every frame.
OverTime = nn.scan(
    Cell,
    variable_broadcast="params",
    split_rngs={"params": False, "dropout": True},
    in_axes=1,
    out_axes=1,
)


class STALSTM(nn.Module):
    """The whole network; any number of frames at run time, the number of persons as at the start.

    Departs from the paper: gates and main network are trained together from the start. The paper
    trains the frame gate with one layer, then the joint gate, then the main network with both held,
    and all together at last.

    Attributes:
        num_classes: logits out.
        width: units of each layer of the main network, of each gate's memory, and of the joint
            gate's inner layer.
        layers: of the main network.
        dropout: share of elements dropped after each layer of the main network, in [0, 1).
        joint_penalty, frame_penalty, weight_penalty: lambda_1, lambda_2 and lambda_3 of `penalty`.
        dtype: of the computation, "float32" or "bfloat16"; parameters, gates and logits stay
            float32.
    """

    num_classes: int
    width: int = 100
    layers: int = 3
    dropout: float = 0.5
    joint_penalty: float = 1e-3
    frame_penalty: float = 1e-4
    weight_penalty: float = 5e-4
    dtype: Any = "float32"

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "b t m v c"], *, train: bool = False
    ) -> dict[str, Array]:
        """`logits` [b, classes], o = sum_t beta_t z_t, and `penalty` [b], what training adds to
        their cross-entropy.

        The gates are sown as `joints` [b, t, m, v] and `frames` [b, t] in `intermediates`.

        Args:
            inputs: joint coordinates (and scores), absent persons and missing joints zero.
            train: dropout (rng `dropout`).
        """
        batch, frames, persons, joints, channels = inputs.shape
        x = inputs.reshape(batch, frames, persons * joints, channels).astype(self.dtype)
        cell = OverTime(
            self.num_classes, self.width, self.layers, self.dropout, self.dtype, train, name="cell"
        )
        zeros = jnp.zeros((batch, self.width), self.dtype)
        empty: Memory = (zeros, zeros)
        _, seen = cell(Memories(empty, empty, tuple(empty for _ in range(self.layers))), x)
        self.sow("intermediates", "joints", seen.joints.reshape(batch, frames, persons, joints))
        self.sow("intermediates", "frames", seen.frame)
        weights = self.weight_penalty * absolute_sum(self.variables["params"])
        return {
            "logits": jnp.einsum("bt,btk->bk", seen.frame, seen.scores),
            "penalty": gate_penalty(seen.joints, seen.frame, self.joint_penalty, self.frame_penalty)
            + weights,
        }


def gate_penalty(
    joints: Float[Array, "b t k"],
    frames: Float[Array, "b t"],
    joint_penalty: float,
    frame_penalty: float,
) -> Float[Array, " b"]:
    """lambda_1 sum_k (1 - mean_t alpha_tk)^2 + lambda_2 / T sum_t |beta_t|, two of the terms that
    regularise the loss.

    The first asks the joint gate to turn to many joints in the course of a clip, the second keeps
    the frame gate small.
    """
    ignored = jnp.sum(jnp.square(1 - jnp.mean(joints, axis=1)), axis=1)
    return joint_penalty * ignored + frame_penalty * jnp.mean(jnp.abs(frames), axis=1)


def absolute_sum(params: Any) -> Float[Array, ""]:
    """|W|_1 over all connection matrices of the network, gates and layers alike; biases are not
    connections.
    """
    return sum(
        (jnp.sum(jnp.abs(leaf)) for leaf in jax.tree.leaves(params) if leaf.ndim > 1), jnp.zeros(())
    )


def build_sta_lstm(spec: InputSpec, **options: Any) -> STALSTM:
    """STA-LSTM; `options` are fields of `STALSTM`. It has no batch statistics, so no `axis_name`."""
    return STALSTM(num_classes=spec.num_classes, **options)
