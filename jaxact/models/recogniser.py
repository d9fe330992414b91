"""Online recognition of actions from one person's joints (Li, Computer Science and Application
14(1), 2024; sections 4.1 and 4.2).

Three layers of long short-term memory read the frames' vectors. A softmax over time weighs what
they gave, for each of the 128 numbers of their output on its own, or, for a number of them drawn
anew each time, with the weights that all share. Two dense layers read all weighted frames at once.
Everything is renormalised batch by batch.

    [b 60 1 v c] -> vectors [b 60 34] -> 3 LSTMs [b 60 128] -> attention [b 60 128] -> [b 7680] -> 128 -> 64 -> [b k]

1 345 008 numbers for 32 classes, 22.2 million multiplications a window. 32 classes of UCF101: up to
98 % of the training clips and 97 % of the test clips (section 5), by a split of the author's own.
"""

from typing import Any, NamedTuple

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxact import errors, skeletons
from jaxact.errors import UserError
from jaxact.models.layers import batch_renorm, pose_features
from jaxact.models.layers.batch_norm import affine
from jaxact.models.layers.batch_renorm import BatchRenorm
from jaxact.models.layers.dropout import dropout, position_bits
from jaxact.models.layers.keras_lstm import ACTIVATIONS, GLOROT, LSTM, Memory
from jaxact.models.layers.pose_features import Rows, frame_vectors, taken

LAYERS = 3


class Variant(NamedTuple):
    """A network of the paper.

    Attributes:
        attention: whether there is an attention layer; without, what the LSTMs gave is flattened as
            it is.
        input_norm: whether the vectors are renormalised before the first LSTM.
    """

    attention: bool = True
    input_norm: bool = True


VARIANTS: dict[str, Variant] = {
    "full": Variant(),  # Figure 3 and its text, whose normalised input Table 2 does not list: 1 345 008 numbers
    "table2": Variant(input_norm=False),  # Table 2 by the letter: 1 344 940
    "no_attention": Variant(attention=False),  # the lower curve of Figure 7: 1 341 348
}


class Recurrent(nn.Module):
    """The LSTMs, renormalised and with dropout each; every frame depends on those before it alone.

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
        self, memories: tuple[Memory, ...], x: Float[Array, "b t c"], train: bool = False
    ) -> tuple[tuple[Memory, ...], Float[Array, "b t d"]]:
        """The layers' memories after the last frame, and what the last layer hands on."""
        if self.input_norm:
            x = affine(x, *BatchRenorm(self.schedule, self.axis_name, name="input_norm")(x, train))
        after = []
        for number, memory in enumerate(memories, 1):
            memory, x = LSTM(self.width, self.activation, self.dtype, name=f"lstm{number}")(
                memory, x
            )
            x = affine(
                x, *BatchRenorm(self.schedule, self.axis_name, name=f"norm{number}")(x, train)
            )
            x = _dropped(self, x, self.dropout, train)
            after.append(memory)
        return tuple(after), x


class SharedAttention(nn.Module):
    """Attention over time for each of the d numbers, shared by a random part of them (equations 5
    to 7 and Figure 4).

        a_d = softmax over time of (W h_d + b)        m = mean over d of a_d
        r_d ~ Bernoulli(p)        a'_d = r_d m + (1 - r_d) a_d        y_td = a'_dt h_td

    r is drawn for each clip and each d. Evaluation takes the expectation, (1 - p) a_d + p m. W runs
    over all frames, so that a network that has it is tied to one number of them.

    Equations 6 and 7 are missing from the paper; these follow its sentences. Departs from its
    equation 5: the sum over time is left to the dense layer behind, as in Table 2, where all frames
    reach it. Equation 4's attention of the frame before has no counterpart in Figure 4 and Table 2
    and is not there.

    Attributes:
        shared: p, in [0, 1]; 0 gives every number its own weights, 1 all the same.
    """

    shared: float

    @nn.compact
    def __call__(self, x: Float[Array, "b t d"], train: bool = False) -> Float[Array, "b t d"]:
        """The weighted frames.

        Sown in `intermediates`: `attention` [b t d], which sums to 1 over t, and `shares` [b d],
        the part that each d has in what comes out, sum over t of |y_td| divided by its sum over d.
        """
        frames = x.shape[1]
        kernel = self.param("kernel", GLOROT, (frames, frames))
        bias = self.param("bias", nn.initializers.zeros, (frames,))
        weights = nn.softmax(jnp.einsum("btd,ts->bsd", x, kernel) + bias[None, :, None], axis=1)
        mean = jnp.mean(weights, axis=2, keepdims=True)
        part: Array | float = self.shared
        if train and 0 < self.shared < 1:
            bits = position_bits(self.make_rng("dropout"), (x.shape[0], 1, x.shape[2]))
            part = (bits < np.uint32(self.shared * 2**32)).astype(jnp.float32)
        weights = part * mean + (1 - part) * weights
        y = weights * x
        self.sow("intermediates", "attention", weights)
        size = jnp.sum(jnp.abs(y), axis=1)
        self.sow(
            "intermediates",
            "shares",
            size / jnp.maximum(jnp.sum(size, axis=1, keepdims=True), 1e-12),
        )
        return y


class Head(nn.Module):
    """Attention over the window, and the dense layers that read all of it.

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
        """Logits from what the LSTMs handed on."""
        if self.attention:
            x = SharedAttention(self.shared, name="attention")(x, train)
        x = x.reshape(x.shape[0], -1)
        for number, width in enumerate((self.width, self.width // 2), 1):
            x = nn.Dense(width, dtype=self.dtype, kernel_init=GLOROT, name=f"dense{number}")(
                x
            ).astype(jnp.float32)
            x = nn.relu(
                affine(
                    x, *BatchRenorm(self.schedule, self.axis_name, name=f"norm{number}")(x, train)
                )
            )
            x = _dropped(self, x, self.dropout, train)
        return nn.Dense(self.num_classes, kernel_init=GLOROT, name="head")(x)


class Recogniser(nn.Module):
    """The whole network; tied to the number of frames that it was made with.

    The paper says neither the rate of dropout nor p; 0.3 and 0.5 are decisions taken here.
    "Activation ReLU" is read by the letter: the LSTMs' too, which then are not bounded, so that
    gradients should be clipped (`optim.clip_norm`, 5).

    Attributes:
        num_classes: logits out.
        rows: the vector's joints from the input's, from
            `jaxact.models.layers.pose_features.joint_rows`.
        parts: whether six directions follow the coordinates.
        score: whether the last channel of the input is a score.
        network: a key of `VARIANTS`.
        width: units of each LSTM and of the first dense layer; the second has half of it. 128 is
            the paper's.
        activation: of the LSTMs, "relu" or "tanh".
        shared: p, share of the numbers that take the shared attention, in [0, 1].
        norm: "renorm", or "batch" for batch normalisation in its place.
        schedule: of the renormalisation, "smooth" or "linear", see
            `jaxact.models.layers.batch_renorm`.
        dropout: share of elements dropped after every layer, in [0, 1).
        dtype: of the products, "float32" or "bfloat16"; parameters, statistics and logits stay
            float32.
        axis_name: mapped axis whose devices share batch statistics; None for those of each device's
            own batch.
    """

    num_classes: int
    rows: Rows
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
        """Logits of each clip, read off its first person.

        Args:
            inputs: joints from the picture's middle, in its widths and heights, y downwards; those
                missing are zero.
            train: batch statistics and dropout (rng `dropout`); `batch_stats` must then be mutable.

        Raises:
            UserError: clips of another length than the network is made for.
        """
        self._check_frames(inputs.shape[1])
        places, present = taken(inputs[:, :, 0], self.rows, self.score)
        vectors, _ = frame_vectors(places, present, jnp.zeros_like(places[:, 0]), parts=self.parts)
        _, x = self.recurrent()(empty_memories(inputs.shape[0], self.width), vectors, train)
        return self.head()(x, train)

    @nn.nowrap
    def recurrent(self) -> Recurrent:
        """What is done frame by frame."""
        input_norm = VARIANTS[self.network].input_norm
        options = (self.dropout, self.dtype, self.axis_name)
        return Recurrent(
            self.width, self.activation, self._schedule(), input_norm, *options, name="recurrent"
        )

    @nn.nowrap
    def head(self) -> Head:
        """What is done with the window."""
        attention = VARIANTS[self.network].attention
        options = (self.shared, self.dropout, self.dtype, self.axis_name)
        return Head(
            self.num_classes, self.width, self._schedule(), attention, *options, name="head"
        )

    @nn.nowrap
    def _schedule(self) -> str:
        return self.schedule if self.norm == "renorm" else "none"

    def _check_frames(self, length: int) -> None:
        params = self.variables.get("params", {})
        if "head" in params and (made := frames_of(params, self.width)) != length:
            raise UserError(
                f"this recogniser reads windows of {made} frames, got {length}; wanted the clip.frames that it was "
                "trained with"
            )


def frames_of(params: Any, width: int) -> int:
    """Frames of the window that a recogniser with these parameters reads."""
    return params["head"]["dense1"]["kernel"].shape[0] // width


def empty_memories(batch: int, width: int) -> tuple[Memory, ...]:
    """Those of three layers before the first frame."""
    zeros = jnp.zeros((batch, width), jnp.float32)
    return ((zeros, zeros),) * LAYERS


def _dropped(module: nn.Module, x: Array, rate: float, train: bool) -> Array:
    return dropout(module.make_rng("dropout"), x, rate) if train and rate > 0 else x


def build_recogniser(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    features: str = "parts",
    fast: bool | None = None,
    **options: Any,
) -> Recogniser:
    """The online recogniser of one person; `options` are fields of `Recogniser`.

    Raises:
        UserError: a layout or channels from which the vectors cannot be made, or an option out of
            its range.
    """
    del fast  # there is one form for every platform
    pose_features.check_channels(channels)
    for field, kind, available in (
        ("network", "network", VARIANTS),
        ("activation", "activation", ACTIVATIONS),
        ("schedule", "schedule of batch renormalisation", batch_renorm.SCHEDULES),
        ("norm", "normalisation", ("renorm", "batch")),
    ):
        if field in options and options[field] not in available:
            raise errors.unknown(kind, options[field], available)
    if not 0 <= options.get("shared", 0.5) <= 1:
        raise errors.UserError(
            f"model.shared is a probability from 0 to 1, got {options['shared']!r}"
        )
    return Recogniser(
        num_classes=num_classes,
        rows=pose_features.joint_rows(layout, features),
        parts=features == "parts",
        score=channels[-1] == "score",
        axis_name=axis_name,
        **options,
    )
