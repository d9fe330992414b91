"""A class for everybody who is followed, frame by frame: windows that are read anew, or states that
are carried on.

    {id: joints [w c]} -> {id: probabilities [k]}

`Windows` runs any classifier of skeletons on each person's last T frames. `Carried` keeps what a
network that reads every frame once knows of each person: the causal ST-GCN, and the recogniser
where that is asked for.
"""

import collections
import functools
from collections.abc import Collection, Mapping
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from jaxact.errors import UserError
from jaxact.models import causal_stgcn, recogniser_stream
from jaxact.models.causal_stgcn import CausalSTGCN
from jaxact.models.recogniser import Recogniser
from jaxact.runs import trained_model
from jaxact.streaming.preprocessing import Reader

Frames = Mapping[int, Float[np.ndarray, "w c"]]
Probabilities = dict[int, Float[np.ndarray, " k"]]


@runtime_checkable
class Network(Protocol):
    """What is done with the people of every frame.

    Attributes:
      anew: what of the network is computed anew at every frame, in words.
    """

    anew: str

    def step(self, people: Frames, wanted: Collection[int]) -> Probabilities:
        """Takes a frame of each of these people; gives the classes of those who are wanted, of whom
        it has frames.
        """
        ...

    def forget(self, kept: Collection[int]) -> None:
        """Keeps nothing of anybody else."""
        ...


def build(net: trained_model.Trained, reader: Reader, *, carry: bool = False) -> Network:
    """What runs the network of a run on a stream.

    Args:
      net: a classifier of skeletons.
      reader: how it reads them.
      carry: of a `recogniser`, carry the LSTMs' memories on in place of reading every window anew.

    Raises:
      UserError: `carry` with a network that has nothing to carry.
    """
    if carry and not isinstance(net.model, Recogniser):
        raise UserError(
            f"--carry is for the model 'recogniser'; {net.config.model.name!r} "
            + (
                "carries its state on by itself"
                if is_carried(net)
                else "has no state that could be carried on"
            )
        )
    if is_carried(net, carry):
        return Carried(net.model, net.weights, reader)
    return Windows(net.model, net.weights, reader)


def is_carried(net: trained_model.Trained, carry: bool = False) -> bool:
    """Whether every frame is read once."""
    return carry or isinstance(net.model, CausalSTGCN)


class Windows:
    """The whole network on each person's last T frames; T is the run's `clip.frames`.

    Before there are T of them the window is filled as the run's clips are: the recogniser's with
    the first frame in front, others with nothing or the clip again behind (`clip.pad`), or by
    stretching what there is.
    """

    def __init__(self, model: Any, weights: Any, reader: Reader) -> None:
        self.frames, self.persons = reader.clip["frames"], reader.clip["persons"]
        self.anew = f"the whole network on each person's last {self.frames} frames"
        self._reader, self._weights, self._held = reader, weights, {}
        sampling, pad = reader.clip["sampling"], reader.clip["pad"]
        self._fill = (
            "first" if isinstance(model, Recogniser) else pad if sampling == "window" else "stretch"
        )
        self._apply = jax.jit(
            lambda weights, x: _probabilities(model.apply(weights, x, train=False))
        )

    def step(self, people: Frames, wanted: Collection[int]) -> Probabilities:
        """See `Network`; people are padded to a power of two, so that few programs are compiled."""
        for name, frame in people.items():
            self._held.setdefault(name, collections.deque(maxlen=self.frames)).append(frame)
        names = [name for name in wanted if name in self._held]
        if not names:
            return {}
        windows = [self._window(np.stack(self._held[name])) for name in names]
        room = 1 << (len(names) - 1).bit_length()
        x = np.zeros((room, self.frames, self.persons, *windows[0].shape[1:]), np.float32)
        x[: len(names), :, 0] = windows
        return dict(
            zip(names, np.asarray(self._apply(self._weights, jnp.asarray(x))), strict=False)
        )

    def forget(self, kept: Collection[int]) -> None:
        """See `Network`."""
        self._held = {name: held for name, held in self._held.items() if name in kept}

    def _window(self, joints: Float[np.ndarray, "s w c"]) -> Float[np.ndarray, "t w d"]:
        count = len(joints)
        places = np.arange(self.frames)
        if self._fill == "first":
            places = np.maximum(places - (self.frames - count), 0)
        elif self._fill == "stretch":
            places = places * count // self.frames
        elif self._fill == "replay":
            places = places % count
        else:
            empty = np.zeros((self.frames - count, *joints.shape[1:]), np.float32)
            return self._reader.inputs(np.concatenate([joints, empty]))
        return self._reader.inputs(joints[places])


class Carried:
    """Every frame is read once; a person's state is as large after a day as at the start."""

    def __init__(self, model: Any, weights: Any, reader: Reader) -> None:
        self.persons = reader.clip["persons"]
        self._reader, self._states, self._newest = reader, {}, {}
        if isinstance(model, Recogniser):
            self.anew = "one turn of each LSTM, and attention and dense layers on what the LSTMs made of the window"
            self._open = lambda: recogniser_stream.open_rolling(model, weights, 1)
            self._read = functools.partial(recogniser_stream.step, model, weights)
            self._axes = (None,)
        else:
            self.anew = "one turn of each unit that has a new frame"
            self._open = lambda: causal_stgcn.open_stream(model, 1, self.persons)
            self._read = functools.partial(causal_stgcn.step, model, weights)
            self._axes = (None, None)

    def step(self, people: Frames, wanted: Collection[int]) -> Probabilities:
        """See `Network`."""
        for name, frame in people.items():
            inputs = self._reader.inputs(frame[None])[0][(*self._axes, ...)]
            if len(self._axes) == 2:
                inputs = np.pad(inputs, ((0, 0), (0, self.persons - 1), (0, 0), (0, 0)))
            state = self._states[name] if name in self._states else self._open()
            self._states[name], logits = self._read(state, jnp.asarray(inputs))
            self._newest[name] = logits
        return {
            name: np.asarray(_probabilities(self._newest[name]))[0]
            for name in wanted
            if name in self._newest
        }

    def forget(self, kept: Collection[int]) -> None:
        """See `Network`."""
        self._states = {name: state for name, state in self._states.items() if name in kept}
        self._newest = {name: logits for name, logits in self._newest.items() if name in kept}


def _probabilities(outputs: Any) -> Any:
    logits = outputs["logits"] if isinstance(outputs, Mapping) else outputs
    return jax.nn.softmax(logits.astype(jnp.float32))
