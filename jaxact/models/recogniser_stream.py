"""The recogniser on a stream, frame by frame, with one of two states.

    state, frame [b v c] -> state, logits [b k]

`Window` holds the last T frames and runs the whole network on them: the paper's online recognition.
At every frame it equals the network on that window, at the network's full cost (22.2 million
multiplications at the paper's sizes).

`Rolling` holds the LSTM states and the LSTMs' last T outputs. A frame is read once: one step of
each LSTM, whatever T is. The attention and the dense layers have separate weights for every
position in the window, and every new frame shifts all others, so they are computed again: 1.8
million multiplications in total. At the T-th frame this equals the network on the window. After
that the LSTM states include frames that have left the window: the LSTMs read the stream from its
first frame on, and the head reads their last T outputs.

Before the T-th frame, the first frame fills the missing positions: the frame itself in a `Window`,
its LSTM outputs in `Rolling`. The rows of a batch are persons; `restart` assigns rows to new
persons.
"""

import functools
from typing import Any, NamedTuple, TypeVar

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxact.models.layers.keras_lstm import LSTMState
from jaxact.models.layers.pose_features import frame_vectors, select_joints
from jaxact.models.recogniser import Recogniser, initial_states, window_length

Variables = Any  # {params, batch_stats} of a `Recogniser`


class Window(NamedTuple):
    """The last frames, newest last, and the number of frames read."""

    frames: Float[Array, "b t v c"]
    count: Int[Array, " b"]


class Rolling(NamedTuple):
    """The state of the LSTMs after the frames so far, and their last outputs."""

    lstm_states: tuple[LSTMState, ...]
    last_positions: Float[Array, "b w 2"]  # of each joint when it was last present
    outputs: Float[Array, "b t d"]  # of the last LSTM, newest last
    count: Int[Array, " b"]  # frames read


State = TypeVar("State", Window, Rolling)


def open_window(model: Recogniser, variables: Variables, shape: tuple[int, int, int]) -> Window:
    """A window before its first frame; `shape` is that of a frame, [b v c]."""
    batch, *frame = shape
    length = window_length(variables["params"], model.width)
    return Window(jnp.zeros((batch, length, *frame)), jnp.zeros(batch, jnp.int32))


def open_rolling(model: Recogniser, variables: Variables, batch: int) -> Rolling:
    """The state before the first frame."""
    length = window_length(variables["params"], model.width)
    return Rolling(
        lstm_states=initial_states(batch, model.width),
        last_positions=jnp.zeros((batch, len(model.joint_matrix), 2)),
        outputs=jnp.zeros((batch, length, model.width)),
        count=jnp.zeros(batch, jnp.int32),
    )


def restart(state: State, rows: Bool[Array, " b"]) -> State:
    """The state in which these rows wait for the first frame of another person."""
    return state._replace(count=jnp.where(rows, 0, state.count))


@functools.partial(jax.jit, static_argnums=0)
def slide(
    model: Recogniser, variables: Variables, state: Window, frame: Float[Array, "b v c"]
) -> tuple[Window, Float[Array, "b classes"]]:
    """The window that ends with `frame`, and its logits."""
    frames = _append(state.frames, frame, state.count == 0)
    logits: Any = model.apply(variables, frames[:, :, None])
    return Window(frames, state.count + 1), logits


@functools.partial(jax.jit, static_argnums=0)
def step(
    model: Recogniser, variables: Variables, state: Rolling, frame: Float[Array, "b v c"]
) -> tuple[Rolling, Float[Array, "b classes"]]:
    """The state after `frame`, and the logits of the last outputs."""
    first = state.count == 0
    lstm_states, last_positions = jax.tree.map(
        lambda x: _where_rows(first, 0.0, x), (state.lstm_states, state.last_positions)
    )
    positions, present = select_joints(frame[:, None], model.joint_matrix, model.score)
    vectors, last_positions = frame_vectors(positions, present, last_positions, parts=model.parts)
    lstm_states, output = _apply(model.recurrent(), variables, lstm_states, vectors)
    outputs = _append(state.outputs, output[:, 0], first)
    logits = _apply(model.head(), variables, outputs)
    return Rolling(lstm_states, last_positions, outputs, state.count + 1), logits


def _append(
    window: Float[Array, "b t ..."], newest: Float[Array, "b ..."], first: Bool[Array, " b"]
) -> Array:
    """The window moved on by `newest`; rows with `first` are filled with it."""
    shifted = jnp.concatenate([window[:, 1:], newest[:, None]], axis=1)
    return _where_rows(first, newest[:, None], shifted)


def _where_rows(rows: Bool[Array, " b"], x: Array | float, otherwise: Array) -> Array:
    return jnp.where(rows.reshape(-1, *(1,) * (otherwise.ndim - 1)), x, otherwise)


def _apply(module: nn.Module, variables: Variables, *inputs: Any) -> Any:
    """Applies a submodule with the network's variables of its name."""
    name = str(module.name)
    own = {kind: tree[name] for kind, tree in variables.items() if name in tree}
    return module.apply(own, *inputs)
