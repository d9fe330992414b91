"""Online classifiers: class probabilities of tracked people, frame by frame.

    {id: joints [w c]} -> {group: probabilities [k]}

A group is one person, or two for a network of interactions. `WindowClassifier` runs any skeleton
classifier on the last seconds of each group. `StatefulClassifier` keeps a state per group, for
networks that read every frame once: the causal ST-GCN, and the recogniser on request.
"""

import functools
from collections.abc import Collection, Mapping, Sequence
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
from jaxact.streaming.state_clock import StateClock
from jaxact.streaming.window import SlidingWindow, window_seconds

MAX_SECONDS = 60.0  # of a window

Group = tuple[int, ...]  # ids of the people who are classified together, in their slots
JointsById = Mapping[int, Float[np.ndarray, "w c"]]
Probabilities = dict[Group, Float[np.ndarray, " k"]]


@runtime_checkable
class OnlineClassifier(Protocol):
    """Classifies people frame by frame.

    Attributes:
        work_per_frame: description of what is computed at every frame.
    """

    work_per_frame: str

    def step(self, time: float, people: JointsById, groups: Sequence[Group]) -> Probabilities:
        """Reads a frame of some people.

        Args:
            time: seconds, above those of the frames before.
            people: id -> joints of this frame; zero for those who are out of sight.
            groups: those whose probabilities are returned, as far as they have frames.
        """
        ...

    def keep_only(self, groups: Collection[Group]) -> None:
        """Drops the state of all other groups and people."""
        ...


def build(
    net: trained_model.TrainedModel,
    preprocessor: PosePreprocessor,
    *,
    carry: bool = False,
    seconds: float | None = None,
) -> OnlineClassifier:
    """Builds the online classifier of a network.

    Args:
        net: a skeleton classifier.
        preprocessor: computes its input.
        carry: for a `recogniser`: carry the states of its LSTMs from frame to frame instead of
            reading every window from its start.
        seconds: seconds of the stream that the network reads at once; None takes the run's.

    Raises:
        UserError: `carry` with another network, or a window that cannot be that long.
    """
    clip = preprocessor.clip
    if carry and not isinstance(net.model, Recogniser):
        reason = "has no state that could be carried"
        if is_stateful(net):
            reason = "always carries its state"
        raise UserError(
            f"--carry is for the model 'recogniser'; {net.config.model.name!r} {reason}"
        )
    if seconds is not None and not 0 < seconds <= MAX_SECONDS:
        raise UserError(f"--window-seconds is above 0 and at most {MAX_SECONDS:g}, got {seconds!r}")
    if seconds is not None and clip["sampling"] == "window":
        raise UserError(
            f"--window-seconds is for networks whose clips are resampled; the clips of this "
            f"{net.config.model.name!r} are {clip['frames']} frames at {clip['fps']:g} per second "
            f"(clip.sampling='window')"
        )
    seconds = seconds or window_seconds(clip)
    if is_stateful(net, carry):
        # A carried recogniser reads as many frames in a window as its clips have.
        fps = clip["fps"] if clip["sampling"] == "window" else clip["frames"] / seconds
        return StatefulClassifier(net.model, net.weights, preprocessor, fps=fps)
    return WindowClassifier(net.model, net.weights, preprocessor, seconds=seconds)


def is_stateful(net: trained_model.TrainedModel, carry: bool = False) -> bool:
    """Whether every frame is read once."""
    return carry or isinstance(net.model, CausalSTGCN)


class WindowClassifier:
    """Runs a network on the last seconds of each group.

    The window has the frame rate of the training data and is prepared as its clips are: fewer
    frames than the network reads are padded with zeros or replayed (`clip.pad`), or the frames are
    resampled (`clip.sampling`).
    """

    def __init__(
        self,
        model: Any,
        weights: Any,
        preprocessor: PosePreprocessor,
        *,
        seconds: float,
    ) -> None:
        """Compiles nothing yet.

        Args:
            model: module of a skeleton classifier.
            weights: its variables.
            preprocessor: computes its input.
            seconds: length of the window.
        """
        self.work_per_frame = f"the whole network on each person's last {seconds:.3g} s"
        self._preprocessor, self._weights = preprocessor, weights
        self._window = SlidingWindow(seconds=seconds, fps=preprocessor.clip["fps"])
        self._apply = functools.partial(_classify, model)

    def step(self, time: float, people: JointsById, groups: Sequence[Group]) -> Probabilities:
        """See `OnlineClassifier`.

        The batch is padded to a power of two, so that few programs are compiled.
        """
        self._window.add(time, people)
        complete = []
        for group in groups:
            if all(person in self._window for person in group):
                complete.append(group)
        if not complete:
            return {}
        windows = []
        for group in complete:
            windows.append(self._preprocessor.inputs(self._window.record(group)))
        batch_size = 1 << (len(complete) - 1).bit_length()
        x = np.zeros((batch_size, *windows[0].shape), np.float32)
        x[: len(complete)] = windows
        probabilities = np.asarray(self._apply(self._weights, jnp.asarray(x)))
        return dict(zip(complete, probabilities, strict=False))

    def keep_only(self, groups: Collection[Group]) -> None:
        """See `OnlineClassifier`."""
        self._window.keep_only({person for group in groups for person in group})


class StatefulClassifier:
    """Reads every frame once; the size of a group's state is constant."""

    def __init__(
        self, model: Any, weights: Any, preprocessor: PosePreprocessor, *, fps: float
    ) -> None:
        """Compiles nothing yet.

        Args:
            model: module of a network with a state.
            weights: its variables.
            preprocessor: computes its input.
            fps: frames per second that the network reads.
        """
        self._preprocessor = preprocessor
        self._fps = fps
        self._states: dict[Group, Any] = {}
        self._clocks: dict[Group, StateClock] = {}
        self._logits: dict[Group, Any] = {}
        persons = preprocessor.clip["persons"]
        self._has_person_axis = not isinstance(model, Recogniser)
        if isinstance(model, Recogniser):
            self.work_per_frame = (
                "one step of each LSTM, and the attention and dense layers on the window"
            )
            self._initial_state = lambda: recogniser_stream.open_rolling(model, weights, 1)
            self._step = functools.partial(recogniser_stream.step, model, weights)
        else:
            self.work_per_frame = "one step of each unit that has a new frame"
            self._initial_state = lambda: causal_stgcn.open_stream(model, 1, persons)
            self._step = functools.partial(causal_stgcn.step, model, weights)

    def step(self, time: float, people: JointsById, groups: Sequence[Group]) -> Probabilities:
        """See `OnlineClassifier`."""
        for group in dict.fromkeys([*groups, *self._states]):  # also those who are out of sight
            if all(person in people for person in group):
                self._read(time, group, np.stack([people[person] for person in group]))
        probabilities = {}
        for group in groups:
            if group in self._logits:
                probabilities[group] = np.asarray(_probabilities(self._logits[group]))[0]
        return probabilities

    def keep_only(self, groups: Collection[Group]) -> None:
        """See `OnlineClassifier`."""
        for group in list(self._states):
            if group not in groups:
                del self._states[group], self._clocks[group], self._logits[group]

    def _read(self, time: float, group: Group, joints: Float[np.ndarray, "n w c"]) -> None:
        """Steps through the frames at the network's rate up to this one."""
        if self._preprocessor.clip["empty"] != "keep" and not joints.any():
            return
        if group not in self._states:
            self._states[group] = self._initial_state()
            self._clocks[group] = StateClock(self._fps)
        for frame in self._clocks[group].frames(time, joints):
            inputs = self._preprocessor.frame_inputs(frame)
            if not self._has_person_axis:
                inputs = inputs[:, 0]
            state = self._states[group]
            self._states[group], self._logits[group] = self._step(state, jnp.asarray(inputs))


@functools.partial(jax.jit, static_argnames="model")
def _classify(model: Any, weights: Any, x: Any) -> Any:
    """Probabilities of windows; all streams of a network share its compiled programs."""
    return _probabilities(model.apply(weights, x, train=False))


def _probabilities(outputs: Any) -> Any:
    logits = outputs["logits"] if isinstance(outputs, Mapping) else outputs
    return jax.nn.softmax(logits.astype(jnp.float32))
