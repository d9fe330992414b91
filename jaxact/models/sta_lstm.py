"""Spatio-temporal attention LSTM, STA-LSTM (Song, Lan, Xing, Zeng and Liu, AAAI 2017, arXiv
1611.06067).

A frame is one vector, the joints of all persons. Two gates, each with its own memory, read it: the
joint gate weights the joints of the frame, and the frame gate weights the frame. Three LSTM layers
read the weighted joints and score the classes in every frame. The logits are the weighted sum over
frames.

    [b t m v c] -> joint gate [b t mv] -> weighted joints -> 3 layers [b t 100] -> scores [b t k]
                -> frame gate -> [b k]

NTU RGB+D 73.4 % X-Sub and 81.2 % X-View (`configs/stagcn.py:ntu60`), as quoted in Table 4 of the
STA-GCN paper.
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
    """The recurrent state: the memory of each gate and of each layer of the main network."""

    joints: Memory
    frames: Memory
    main: tuple[Memory, ...]


class FrameOutput(NamedTuple):
    """The output of one frame."""

    scores: Float[Array, "b classes"]  # z
    joints: Float[Array, "b k"]  # alpha, which sums to 1 over the joints
    frame: Float[Array, " b"]  # beta >= 0


class Cell(nn.Module):
    """One frame through the gates and the main network (the joint-selection and frame-selection
    gates).

        s = U tanh(W_x x + W_h h + b) + b'        alpha = softmax(s)        x'_k = alpha_k x_k
        beta = ReLU(w_x x + w_h h~ + b~)          z = V LSTM(x') + c

    h and h~ are the outputs of the gates' own LSTM layers after the frame before.

    Departs from the paper: b~ starts at one, not near zero. A frame gate that is zero for all clips
    has no gradient, and neither have the layers below it. The paper avoids that by training the
    main network first, with beta = 1.

    Attributes:
        num_classes, width, layers, dropout, dtype: see `STALSTM`.
        train: turn on dropout (rng `dropout`).
    """

    num_classes: int
    width: int
    layers: int
    dropout: float
    dtype: Any
    train: bool

    @nn.compact
    def __call__(
        self, memories: Memories, x: Float[Array, "b k c"]
    ) -> tuple[Memories, FrameOutput]:
        """The memories after the frame `x`, whose k joints are those of all persons; its output."""
        batch, joints, _ = x.shape
        frame = x.reshape(batch, -1)
        hidden = nn.Dense(self.width, dtype=self.dtype, name="joint_hidden")
        hidden = nn.tanh(hidden(jnp.concatenate([frame, memories.joints[1]], axis=1)))
        alpha = nn.softmax(nn.Dense(joints, name="joint_scores")(hidden.astype(jnp.float32)))
        gate = nn.Dense(1, bias_init=nn.initializers.ones, name="frame_gate")
        gate_inputs = jnp.concatenate([frame, memories.frames[1]], axis=1)
        beta = nn.relu(gate(gate_inputs.astype(jnp.float32)))[:, 0]

        weighted = (x * alpha[..., None].astype(x.dtype)).reshape(batch, -1)
        main = deep_lstm.Cell(
            self.width, self.layers, self.dropout, self.dtype, self.train, name="main"
        )
        main_memory, features = main(memories.main, weighted)
        scores = nn.Dense(self.num_classes, name="head")(features.astype(jnp.float32))
        joint_layer = nn.OptimizedLSTMCell(self.width, dtype=self.dtype, name="joint_memory")
        frame_layer = nn.OptimizedLSTMCell(self.width, dtype=self.dtype, name="frame_memory")
        joint_memory, _ = joint_layer(memories.joints, frame)
        frame_memory, _ = frame_layer(memories.frames, frame)
        memories = Memories(joints=joint_memory, frames=frame_memory, main=main_memory)
        return memories, FrameOutput(scores, alpha, beta)


# The cell along the second axis, with the same parameters and a new dropout mask for each frame.
OverTime = nn.scan(
    Cell,
    variable_broadcast="params",
    split_rngs={"params": False, "dropout": True},
    in_axes=1,
    out_axes=1,
)


class STALSTM(nn.Module):
    """STA-LSTM, for any number of frames and a fixed number of persons.

    Departs from the paper: gates and main network are trained together from the start. The paper
    trains the frame gate with one layer, then the joint gate, then the main network with both gates
    fixed, and finally all together.

    Attributes:
        num_classes: logits out.
        width: units of each layer of the main network, of each gate's memory, and of the joint
            gate's inner layer.
        layers: of the main network.
        dropout: probability of dropping an element after each layer of the main network, in [0, 1).
        joint_penalty, frame_penalty, weight_penalty: lambda_1, lambda_2 and lambda_3 of `penalty`.
        dtype: of the computation, "float32" or "bfloat16". Parameters, gates and logits stay
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
        """`logits` [b, classes], o = sum_t beta_t z_t, and the loss `penalty` [b] for training.

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
        _, outputs = cell(Memories(empty, empty, (empty,) * self.layers), x)
        self.sow("intermediates", "joints", outputs.joints.reshape(batch, frames, persons, joints))
        self.sow("intermediates", "frames", outputs.frame)
        weights = self.weight_penalty * absolute_sum(self.variables["params"])
        gates = gate_penalty(outputs.joints, outputs.frame, self.joint_penalty, self.frame_penalty)
        logits = jnp.einsum("bt,btk->bk", outputs.frame, outputs.scores)
        return {"logits": logits, "penalty": gates + weights}


def gate_penalty(
    joints: Float[Array, "b t k"],
    frames: Float[Array, "b t"],
    joint_penalty: float,
    frame_penalty: float,
) -> Float[Array, " b"]:
    """lambda_1 sum_k (1 - mean_t alpha_tk)^2 + lambda_2 / T sum_t |beta_t|.

    These are two of the regularisation terms of the loss. The first makes the joint gate use many
    joints over a clip, the second keeps the frame gate small.
    """
    unused_joints = jnp.sum(jnp.square(1 - jnp.mean(joints, axis=1)), axis=1)
    return joint_penalty * unused_joints + frame_penalty * jnp.mean(jnp.abs(frames), axis=1)


def absolute_sum(params: Any) -> Float[Array, ""]:
    """|W|_1 over all weight matrices of the network, of gates and layers, without biases."""
    total = jnp.zeros(())
    for leaf in jax.tree.leaves(params):
        if leaf.ndim > 1:
            total = total + jnp.sum(jnp.abs(leaf))
    return total


def build_sta_lstm(spec: InputSpec, **options: Any) -> STALSTM:
    """STA-LSTM, which has no batch statistics; `options` are fields of `STALSTM`."""
    return STALSTM(num_classes=spec.num_classes, **options)
