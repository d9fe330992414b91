"""Online classifiers: class probabilities of every tracked person, frame by frame.

    {id: joints [w c]} -> {id: probabilities [k]}

`WindowClassifier` runs any skeleton classifier on each person's last T frames. `StatefulClassifier`
keeps a state per person, for networks that read every frame once: the causal ST-GCN, and the
recogniser on request.
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
from jaxact.streaming.preprocessing import PosePreprocessor

JointsById = Mapping[int, Float[np.ndarray, "w c"]]
ProbabilitiesById = dict[int, Float[np.ndarray, " k"]]


@runtime_checkable
class OnlineClassifier(Protocol):
    """Classifies people frame by frame.

    Attributes:
        work_per_frame: description of what is computed at every frame.
    """

    work_per_frame: str

    def step(self, people: JointsById, requested: Collection[int]) -> ProbabilitiesById:
        """Reads a frame of some people.

        Args:
            people: id -> joints of this frame.
            requested: ids whose probabilities are returned, as far as they have frames.
        """
        ...

    def keep_only(self, ids: Collection[int]) -> None:
        """Drops the state of all other people."""
        ...


def build(
    net: trained_model.TrainedModel, preprocessor: PosePreprocessor, *, carry: bool = False
) -> OnlineClassifier:
    """Builds the online classifier of a network.

    Args:
        net: a skeleton classifier.
        preprocessor: computes its input.
        carry: for a `recogniser`: carry the states of its LSTMs from frame to frame instead of
            reading every window from its start.

    Raises:
        UserError: `carry` with another network.
    """
    if carry and not isinstance(net.model, Recogniser):
        reason = "has no state that could be carried"
        if is_stateful(net):
            reason = "always carries its state"
        raise UserError(
            f"--carry is for the model 'recogniser'; {net.config.model.name!r} {reason}"
        )
    if is_stateful(net, carry):
        return StatefulClassifier(net.model, net.weights, preprocessor)
    return WindowClassifier(net.model, net.weights, preprocessor)


def is_stateful(net: trained_model.TrainedModel, carry: bool = False) -> bool:
    """Whether every frame is read once."""
    return carry or isinstance(net.model, CausalSTGCN)


class WindowClassifier:
    """Runs a network on each person's last T frames, where T is the run's `clip.frames`.

    A window with fewer frames is filled in the manner of the run's clips. For the recogniser the
    first frame is repeated at the front. For others the window is padded at the end with zeros or
    with the clip again (`clip.pad`), or the frames are stretched.
    """

    def __init__(self, model: Any, weights: Any, preprocessor: PosePreprocessor) -> None:
        clip = preprocessor.clip
        self.frames, self.persons = clip["frames"], clip["persons"]
        self.work_per_frame = f"the whole network on each person's last {self.frames} frames"
        self._preprocessor, self._weights = preprocessor, weights
        self._history: dict[int, collections.deque] = {}
        if isinstance(model, Recogniser):
            self._padding = "first"
        else:
            self._padding = clip["pad"] if clip["sampling"] == "window" else "stretch"
        self._apply = jax.jit(
            lambda weights, x: _probabilities(model.apply(weights, x, train=False))
        )

    def step(self, people: JointsById, requested: Collection[int]) -> ProbabilitiesById:
        """See `OnlineClassifier`.

        The batch is padded to a power of two, so that few programs are compiled.
        """
        for person, joints in people.items():
            if person not in self._history:
                self._history[person] = collections.deque(maxlen=self.frames)
            self._history[person].append(joints)
        ids = [person for person in requested if person in self._history]
        if not ids:
            return {}
        windows = [self._window(np.stack(self._history[person])) for person in ids]
        batch_size = 1 << (len(ids) - 1).bit_length()
        x = np.zeros((batch_size, self.frames, self.persons, *windows[0].shape[1:]), np.float32)
        x[: len(ids), :, 0] = windows
        probabilities = np.asarray(self._apply(self._weights, jnp.asarray(x)))
        return dict(zip(ids, probabilities, strict=False))

    def keep_only(self, ids: Collection[int]) -> None:
        """See `OnlineClassifier`."""
        self._history = _only(self._history, ids)

    def _window(self, joints: Float[np.ndarray, "s w c"]) -> Float[np.ndarray, "t w d"]:
        count = len(joints)
        if self._padding == "zero":
            empty = np.zeros((self.frames - count, *joints.shape[1:]), np.float32)
            return self._preprocessor.inputs(np.concatenate([joints, empty]))
        index = np.arange(self.frames)
        if self._padding == "first":
            index = np.maximum(index - (self.frames - count), 0)
        elif self._padding == "stretch":
            index = index * count // self.frames
        else:
            index = index % count
        return self._preprocessor.inputs(joints[index])


class StatefulClassifier:
    """Reads every frame once; the size of a person's state is constant."""

    def __init__(self, model: Any, weights: Any, preprocessor: PosePreprocessor) -> None:
        self.persons = preprocessor.clip["persons"]
        self._preprocessor = preprocessor
        self._states: dict[int, Any] = {}
        self._logits: dict[int, Any] = {}
        self._has_person_axis = not isinstance(model, Recogniser)
        if isinstance(model, Recogniser):
            self.work_per_frame = (
                "one step of each LSTM, and the attention and dense layers on the window"
            )
            self._initial_state = lambda: recogniser_stream.open_rolling(model, weights, 1)
            self._step = functools.partial(recogniser_stream.step, model, weights)
        else:
            self.work_per_frame = "one step of each unit that has a new frame"
            self._initial_state = lambda: causal_stgcn.open_stream(model, 1, self.persons)
            self._step = functools.partial(causal_stgcn.step, model, weights)

    def step(self, people: JointsById, requested: Collection[int]) -> ProbabilitiesById:
        """See `OnlineClassifier`."""
        for person, joints in people.items():
            inputs = self._preprocessor.inputs(joints[None])
            if self._has_person_axis:
                inputs = np.pad(inputs[:, None], ((0, 0), (0, self.persons - 1), (0, 0), (0, 0)))
            if person not in self._states:
                self._states[person] = self._initial_state()
            state = self._states[person]
            self._states[person], self._logits[person] = self._step(state, jnp.asarray(inputs))
        probabilities = {}
        for person in requested:
            if person in self._logits:
                probabilities[person] = np.asarray(_probabilities(self._logits[person]))[0]
        return probabilities

    def keep_only(self, ids: Collection[int]) -> None:
        """See `OnlineClassifier`."""
        self._states = _only(self._states, ids)
        self._logits = _only(self._logits, ids)


def _only(values: dict[int, Any], ids: Collection[int]) -> dict[int, Any]:
    return {person: value for person, value in values.items() if person in ids}


def _probabilities(outputs: Any) -> Any:
    logits = outputs["logits"] if isinstance(outputs, Mapping) else outputs
    return jax.nn.softmax(logits.astype(jnp.float32))
