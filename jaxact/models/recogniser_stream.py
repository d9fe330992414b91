"""The recogniser on a stream, frame by frame: two states, and what each of them computes anew.

    state, frame [b v c] -> state, logits [b k]

`Window` keeps the last T frames and runs the whole network on them: the paper's online recognition,
at every frame the same as the network on that window, at its full cost (22.2 million
multiplications at the paper's sizes).

`Rolling` keeps what the LSTMs remember and the last T outputs of theirs. A frame is read once: one
turn of each LSTM, whatever T is. The attention and the dense layers have weights of their own for
every place in the window, in which every frame that comes moves all others, so that they are
computed anew: 1.8 million multiplications in all. This is the network on the window where the maths
allows it, which is when the T-th frame comes. Afterwards the LSTMs remember frames that have left
the window: it is a network whose LSTMs read the stream from its first frame on, and whose head sees
their last T outputs.

Until there are T frames the first one stands for those that are not there: itself in a `Window`, in
`Rolling` what the LSTMs made of it. The rows of a batch are persons; `restart` gives some of them
to new ones.
"""

import functools
from typing import Any, NamedTuple, TypeVar

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxact.models.layers.keras_lstm import Memory
from jaxact.models.layers.pose_features import frame_vectors, taken
from jaxact.models.recogniser import Recogniser, empty_memories, frames_of

Weights = Any  # {params, batch_stats} of a `Recogniser`


class Window(NamedTuple):
    """The last frames, the newest at the end, and how many have come."""

    frames: Float[Array, "b t v c"]
    seen: Int[Array, " b"]


class Rolling(NamedTuple):
    """What the LSTMs know after the frames so far."""

    memories: tuple[Memory, ...]
    last: Float[Array, "b w 2"]  # where each joint was seen last
    outputs: Float[Array, "b t d"]  # of the LSTMs, the newest at the end
    seen: Int[Array, " b"]


State = TypeVar("State", Window, Rolling)


def open_window(model: Recogniser, weights: Weights, shape: tuple[int, int, int]) -> Window:
    """A window before its first frame; `shape` is that of a frame, [b v c]."""
    batch, *frame = shape
    frames = frames_of(weights["params"], model.width)
    return Window(jnp.zeros((batch, frames, *frame)), jnp.zeros(batch, jnp.int32))


def open_rolling(model: Recogniser, weights: Weights, batch: int) -> Rolling:
    """The state before the first frame."""
    frames = frames_of(weights["params"], model.width)
    return Rolling(
        memories=empty_memories(batch, model.width),
        last=jnp.zeros((batch, len(model.rows), 2)),
        outputs=jnp.zeros((batch, frames, model.width)),
        seen=jnp.zeros(batch, jnp.int32),
    )


def restart(state: State, rows: Bool[Array, " b"]) -> State:
    """The state in which those rows wait for the first frame of somebody else."""
    return state._replace(seen=jnp.where(rows, 0, state.seen))


@functools.partial(jax.jit, static_argnums=0)
def slide(
    model: Recogniser, weights: Weights, state: Window, frame: Float[Array, "b v c"]
) -> tuple[Window, Float[Array, "b classes"]]:
    """The window that ends with `frame`, and its logits."""
    frames = _pushed(state.frames, frame, state.seen == 0)
    logits: Any = model.apply(weights, frames[:, :, None])
    return Window(frames, state.seen + 1), logits


@functools.partial(jax.jit, static_argnums=0)
def step(
    model: Recogniser, weights: Weights, state: Rolling, frame: Float[Array, "b v c"]
) -> tuple[Rolling, Float[Array, "b classes"]]:
    """The state after `frame`, and the logits of the last outputs."""
    fresh = state.seen == 0
    memories, last = jax.tree.map(lambda x: _where(fresh, 0.0, x), (state.memories, state.last))
    places, present = taken(frame[:, None], model.rows, model.score)
    vectors, last = frame_vectors(places, present, last, parts=model.parts)
    memories, handed_on = _run(model.recurrent(), weights, memories, vectors)
    outputs = _pushed(state.outputs, handed_on[:, 0], fresh)
    return Rolling(memories, last, outputs, state.seen + 1), _run(model.head(), weights, outputs)


def _pushed(
    ring: Float[Array, "b t ..."], newest: Float[Array, "b ..."], fresh: Bool[Array, " b"]
) -> Array:
    """The newest behind the others, the oldest left out; alone, all over, in rows that begin."""
    moved = jnp.concatenate([ring[:, 1:], newest[:, None]], axis=1)
    return _where(fresh, newest[:, None], moved)


def _where(rows: Bool[Array, " b"], one: Array | float, other: Array) -> Array:
    return jnp.where(rows.reshape(-1, *(1,) * (other.ndim - 1)), one, other)


def _run(module: nn.Module, weights: Weights, *inputs: Any) -> Any:
    """A submodule with the variables that the network has under its name."""
    name = str(module.name)
    return module.apply(
        {kind: tree[name] for kind, tree in weights.items() if name in tree}, *inputs
    )
