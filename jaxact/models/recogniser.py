"""Online action recognition from one person's joints (Li, Computer Science and Application 14(1),
2024; sections 4.1 and 4.2).

Three LSTM layers read the frames' feature vectors. Temporal attention weights their outputs per
feature; a random subset of the features shares one set of weights. Two dense layers read all
weighted frames at once. Batch renormalisation follows every layer.

    [b 60 1 v c] -> vectors [b 60 34] -> 3 LSTMs [b 60 128] -> attention [b 60 128]
      -> [b 7680] -> 128 -> 64 -> [b k]

1 345 008 parameters for 32 classes, 22.2 million multiplications per window. 32 classes of UCF101:
up to 98 % of the training clips and 97 % of the test clips (section 5), by the author's own split.
"""

from typing import Any, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxact.errors import UserError, unknown
from jaxact.models.input_spec import InputSpec
from jaxact.models.layers import batch_renorm, pose_features
from jaxact.models.layers.batch_norm import affine
from jaxact.models.layers.batch_renorm import BatchRenorm
from jaxact.models.layers.dropout import dropout
from jaxact.models.layers.keras_lstm import ACTIVATIONS, GLOROT, LSTM, LSTMState
from jaxact.models.layers.pose_features import JointMatrix, frame_vectors, select_joints
from jaxact.models.layers.shared_attention import SharedAttention

LAYERS = 3


class Variant(NamedTuple):
    """A network of the paper.

    Attributes:
        attention: use the attention layer; without it the LSTM outputs are flattened directly.
        input_norm: renormalise the vectors before the first LSTM.
    """

    attention: bool = True
    input_norm: bool = True


VARIANTS: dict[str, Variant] = {
    # Figure 3 and its text, whose normalised input Table 2 does not list: 1 345 008 parameters.
    "full": Variant(),
    "table2": Variant(input_norm=False),  # exactly Table 2: 1 344 940
    "no_attention": Variant(attention=False),  # the lower curve of Figure 7: 1 341 348
}


class LSTMStack(nn.Module):
    """The LSTM layers, each with batch renormalisation and dropout; a causal network.

    Attributes:
        width, activation, schedule, dropout, dtype, axis_name: see `Recogniser`.
        input_norm: see `Variant`.
    """

    width: int
    activation: str
    schedule: str
    input_norm: bool
    dropout: float
    dtype: Any
    axis_name: str | None

    @nn.compact
    def __call__(
        self, states: tuple[LSTMState, ...], x: Float[Array, "b t c"], train: bool = False
    ) -> tuple[tuple[LSTMState, ...], Float[Array, "b t d"]]:
        """The states after the last frame, and the last layer's outputs for every frame."""
        if self.input_norm:
            x = _renormalised(x, self.schedule, self.axis_name, train, name="input_norm")
        new_states = []
        for number, state in enumerate(states, 1):
            lstm = LSTM(self.width, self.activation, self.dtype, name=f"lstm{number}")
            state, x = lstm(state, x)
            x = _renormalised(x, self.schedule, self.axis_name, train, name=f"norm{number}")
            x = _dropped(self, x, self.dropout, train)
            new_states.append(state)
        return tuple(new_states), x


class Head(nn.Module):
    """Attention over the window, and the dense layers that read all its frames.

    Attributes:
        num_classes, width, schedule, shared, dropout, dtype, axis_name: see `Recogniser`.
        attention: see `Variant`.
    """

    num_classes: int
    width: int
    schedule: str
    attention: bool
    shared: float
    dropout: float
    dtype: Any
    axis_name: str | None

    @nn.compact
    def __call__(self, x: Float[Array, "b t d"], train: bool = False) -> Float[Array, "b classes"]:
        """Logits from the LSTM outputs."""
        if self.attention:
            x = SharedAttention(self.shared, name="attention")(x, train)
        x = x.reshape(x.shape[0], -1)
        for number, width in enumerate((self.width, self.width // 2), 1):
            dense = nn.Dense(width, dtype=self.dtype, kernel_init=GLOROT, name=f"dense{number}")
            x = dense(x).astype(jnp.float32)
            x = _renormalised(x, self.schedule, self.axis_name, train, name=f"norm{number}")
            x = _dropped(self, nn.relu(x), self.dropout, train)
        return nn.Dense(self.num_classes, kernel_init=GLOROT, name="head")(x)


class Recogniser(nn.Module):
    """The whole network, for windows of the length that it was initialised with.

    The paper gives neither the dropout rate nor p; 0.3 and 0.5 are choices made here. "Activation
    ReLU" is taken to include the LSTMs, whose outputs are then unbounded, so that gradients should
    be clipped (`optim.clip_norm`, 5).

    Attributes:
        num_classes: number of logits.
        joint_matrix: the vector's joints from the input's, from
            `jaxact.models.layers.pose_features.joint_matrix`.
        parts: append the directions of six body parts to the coordinates.
        score: whether the last channel of the input is a score.
        network: a key of `VARIANTS`.
        width: units of each LSTM and of the first dense layer; the second has half of it. 128 in
            the paper.
        activation: of the LSTMs, "relu" or "tanh".
        shared: p, probability that a feature uses the shared attention, in [0, 1].
        norm: "renorm", or "batch" for batch normalisation.
        schedule: of the renormalisation, "smooth" or "linear", see
            `jaxact.models.layers.batch_renorm`.
        dropout: rate after every layer, in [0, 1).
        dtype: of the matrix products, "float32" or "bfloat16"; parameters, statistics and logits
            stay float32.
        axis_name: mapped axis whose devices share batch statistics; None for each device's own.
    """

    num_classes: int
    joint_matrix: JointMatrix
    parts: bool = True
    score: bool = False
    network: str = "full"
    width: int = 128
    activation: str = "relu"
    shared: float = 0.5
    norm: str = "renorm"
    schedule: str = "smooth"
    dropout: float = 0.3
    dtype: Any = "float32"
    axis_name: str | None = None

    @nn.compact
    def __call__(
        self, inputs: Float[Array, "b t m v c"], *, train: bool = False
    ) -> Float[Array, "b classes"]:
        """Logits of each clip, from its first person.

        Args:
            inputs: joints relative to the image centre, in image widths and heights, y downwards;
                missing joints are zero.
            train: batch statistics and dropout (rng `dropout`); `batch_stats` must then be mutable.

        Raises:
            UserError: clips of another length than the network was initialised with.
        """
        self._check_frames(inputs.shape[1])
        positions, present = select_joints(inputs[:, :, 0], self.joint_matrix, self.score)
        nowhere = jnp.zeros_like(positions[:, 0])
        vectors, _ = frame_vectors(positions, present, nowhere, parts=self.parts)
        _, x = self.recurrent()(initial_states(inputs.shape[0], self.width), vectors, train)
        return self.head()(x, train)

    @nn.nowrap
    def recurrent(self) -> LSTMStack:
        """The part of the network that runs frame by frame."""
        return LSTMStack(
            width=self.width,
            activation=self.activation,
            schedule=self._schedule(),
            input_norm=VARIANTS[self.network].input_norm,
            dropout=self.dropout,
            dtype=self.dtype,
            axis_name=self.axis_name,
            name="recurrent",
        )

    @nn.nowrap
    def head(self) -> Head:
        """The part of the network that runs on a window."""
        return Head(
            num_classes=self.num_classes,
            width=self.width,
            schedule=self._schedule(),
            attention=VARIANTS[self.network].attention,
            shared=self.shared,
            dropout=self.dropout,
            dtype=self.dtype,
            axis_name=self.axis_name,
            name="head",
        )

    @nn.nowrap
    def _schedule(self) -> str:
        return self.schedule if self.norm == "renorm" else "none"

    def _check_frames(self, frames: int) -> None:
        params = self.variables.get("params", {})
        if "head" not in params:
            return
        length = window_length(params, self.width)
        if length != frames:
            raise UserError(
                f"this recogniser reads windows of {length} frames, got {frames}; wanted the "
                "clip.frames that it was trained with"
            )


def window_length(params: Any, width: int) -> int:
    """Number of frames in the window of a recogniser with these parameters."""
    return params["head"]["dense1"]["kernel"].shape[0] // width


def initial_states(batch: int, width: int) -> tuple[LSTMState, ...]:
    """The states of all LSTM layers before the first frame."""
    zeros = jnp.zeros((batch, width), jnp.float32)
    return ((zeros, zeros),) * LAYERS


def _renormalised(
    x: Array, schedule: str, axis_name: str | None, train: bool, *, name: str
) -> Array:
    return affine(x, *BatchRenorm(schedule, axis_name, name=name)(x, train))


def _dropped(module: nn.Module, x: Array, rate: float, train: bool) -> Array:
    if train and rate > 0:
        return dropout(module.make_rng("dropout"), x, rate)
    return x


def build_recogniser(spec: InputSpec, *, features: str = "parts", **options: Any) -> Recogniser:
    """The online recogniser of one person; `options` are fields of `Recogniser`.

    Args:
        spec: the layout must convert to the joints of `features`; channels begin with x and y.
        features: a word of `jaxact.models.layers.pose_features.FEATURES`.

    Raises:
        UserError: a layout or channels that the vectors cannot be computed from, or an option out
            of its range.
    """
    pose_features.check_channels(spec.channels)
    for option, noun, available in (
        ("network", "network", VARIANTS),
        ("activation", "activation", ACTIVATIONS),
        ("schedule", "schedule of batch renormalisation", batch_renorm.SCHEDULES),
        ("norm", "normalisation", ("renorm", "batch")),
    ):
        if option in options and options[option] not in available:
            raise unknown(noun, options[option], available)
    shared = options.get("shared", Recogniser.shared)
    if not 0 <= shared <= 1:
        raise UserError(f"model.shared is a probability from 0 to 1, got {shared!r}")
    return Recogniser(
        num_classes=spec.num_classes,
        joint_matrix=pose_features.joint_matrix(spec.layout, features),
        parts=features == "parts",
        score=spec.channels[-1] == "score",
        axis_name=spec.axis_name,
        **options,
    )
