"""What a trained network says of a clip that is in no data set: an array, a file of joints, a
video.

A clip takes the way of an evaluation example: its joints become those of the network's layout, the
checkpoint's clip section says what is done to them, views are averaged. A long recording is shown
in windows, one answer each. All of it is computed in NumPy and JAX; TensorFlow is neither needed
nor used.
"""

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from jaxact import config, skeletons
from jaxact.errors import UserError
from jaxact.models.outputs import apply_to_views, logits_of, merge_views
from jaxact.runs import trained_model

ROWS = 8  # windows that the network sees at once


@dataclasses.dataclass(frozen=True, slots=True)
class Prediction:
    """The answer to one clip.

    Attributes:
      name: of the clip.
      labels: class names.
      spans: first frame and the one after the last of each window.
      windows: probabilities of each window.
    """

    name: str
    labels: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    windows: Float[np.ndarray, "windows classes"]

    @property
    def probabilities(self) -> Float[np.ndarray, " classes"]:
        """Of the whole clip: the mean over its windows."""
        return self.windows.mean(0)

    def top(self, count: int = 5, window: int | None = None) -> list[tuple[str, float]]:
        """The most probable classes, of the whole clip or of a window, with their probabilities."""
        shares = self.probabilities if window is None else self.windows[window]
        order = np.argsort(-shares, kind="stable")[:count]
        return [(self.labels[index], float(shares[index])) for index in order]


@dataclasses.dataclass(frozen=True, slots=True)
class Clip:
    """A clip that was opened, and may be asked about more than once.

    Attributes:
      name: of the clip.
      frames: how many it has.
      inputs: the network's input [views, ...] from a first frame and the one after the last.
    """

    name: str
    frames: int
    inputs: Callable[[int, int], np.ndarray]


class Predictor:
    """A trained network that is asked about clips; `net` is what its checkpoint holds."""

    def __init__(self, net: trained_model.Trained) -> None:
        self.net = net
        self.kind = config.kind(net.config.model.name)
        self._clip: Mapping[str, Any] = dataclasses.asdict(net.config.clip)
        self._apply = jax.jit(self._logits)

    def predict(
        self,
        clip: np.ndarray | str | os.PathLike[str],
        *,
        layout: str | None = None,
        window: int = 0,
        stride: int = 0,
        image_size: tuple[int, int] | None = None,
    ) -> Prediction:
        """The answer to one clip.

        Args:
          clip: joints [t, v, c], [m, t, v, c] or [t, m, v, c] in the units of the training data,
            people being the shorter of two axes; or a path, see `predict_file`.
          layout: of the joints, where it is not the network's and the file does not tell.
          window: frames of a window; 0 for the whole clip at once.
          stride: frames between windows; 0 for half a window.
          image_size: see `jaxact.datasets.formats.recording.read`.

        Raises:
          UserError: joints that cannot become the network's, or a file that cannot be read or holds
              several clips.
        """
        if isinstance(clip, np.ndarray):
            return self.ask(self._array(clip, layout), window=window, stride=stride)
        answers = self.predict_file(
            clip, layout=layout, window=window, stride=stride, image_size=image_size
        )
        if len(answers) != 1:
            raise UserError(
                f"{os.fspath(clip)!r} holds {len(answers)} clips; ask predict_file for all of them"
            )
        return answers[0]

    def inputs(
        self, clip: np.ndarray, *, layout: str | None = None
    ) -> Float[np.ndarray, "views t m v c"]:
        """What the network sees of one clip, and an artifact of `jaxact export` takes: resampled,
        centred, a stream ...

        Args:
          clip: joints, as for `predict`.
          layout: of the joints, where it is not the network's.

        Raises:
          UserError: the network reads no joints, or these cannot become its own.
        """
        opened = self._array(clip, layout)
        return opened.inputs(0, opened.frames)

    def _array(self, clip: np.ndarray, layout: str | None) -> Clip:
        from jaxact.datasets.formats.recording import Recording, people_second

        return self.joints(
            Recording(name="array", joints=people_second(clip, "the array")), layout=layout
        )

    def predict_file(
        self,
        path: str | os.PathLike[str],
        *,
        layout: str | None = None,
        window: int = 0,
        stride: int = 0,
        image_size: tuple[int, int] | None = None,
    ) -> list[Prediction]:
        """The answers to every clip of a file or folder: see `jaxact.datasets.formats.recording`,
        or a video.

        Raises:
          UserError: it cannot be read, or is not what the network reads.
        """
        if self.kind == "video":
            return [self.ask(self.video(path), window=window, stride=stride)]
        from jaxact.datasets.formats import recording

        clips = recording.read(Path(path), image_size=image_size)
        return [
            self.ask(self.joints(clip, layout=layout), window=window, stride=stride)
            for clip in clips
        ]

    def joints(self, found: Any, *, layout: str | None = None) -> Clip:
        """A `jaxact.datasets.formats.recording.Recording`, to be asked about; for the other
        arguments see `predict`.

        Raises:
          UserError: joints that cannot become the network's, or a network that reads no joints.
        """
        if self.kind != "skeleton":
            raise UserError(f"the network reads {self.kind}s, not joints; give it a video")
        from jaxact.pipeline import skeleton

        net = self.net
        joints = as_trained(found, net, layout)

        def inputs(start: int, stop: int) -> np.ndarray:
            ids = {} if found.person_id is None else {"person_id": found.person_id[start:stop]}
            example = {"joints": joints[start:stop], "label": 0, "id": found.name, **ids}
            return skeleton.evaluate(
                example, layout=net.layout, channels=net.channels, **self._clip
            )["inputs"]

        return Clip(found.name, len(joints), inputs)

    def video(self, path: str | os.PathLike[str]) -> Clip:
        """A video, to be asked about.

        Raises:
          UserError: no video, or a network that reads none, or reads optical flow.
        """
        from jaxact.datasets.formats import video_file
        from jaxact.pipeline import video

        place, clip = Path(path), self._clip
        self.check_videos()
        if not place.is_file():
            raise UserError(f"no file {str(place)!r}: wanted a video")
        stored = video_file.encode(str(place), short_side=256)
        size = {"height": stored.height, "width": stored.width}

        def inputs(start: int, stop: int) -> np.ndarray:
            frames, times = np.array(stored.frames[start:stop], object), stored.times[start:stop]
            example = {"frames": frames, "times": times, "label": 0, "id": place.stem, **size}
            return video.evaluate(example, **clip)["inputs"]

        return Clip(place.stem, len(stored.frames), inputs)

    def check_videos(self) -> None:
        """Raises UserError where the network cannot be asked about a video file, or a package for
        it is missing.
        """
        from jaxact.datasets.formats import video_file
        from jaxact.pipeline import images

        if self.kind != "video":
            raise UserError(f"the network reads {self.kind}s, not videos")
        if self._clip["stream"] == "flow":
            raise UserError(
                "the network reads optical flow, which only prepared records hold; see jaxact evaluate"
            )
        video_file.need_av()
        images.need_pillow()

    def _logits(
        self, weights: Any, inputs: Float[jax.Array, "b views *rest"]
    ) -> Float[jax.Array, "b classes"]:
        outputs = apply_to_views(weights, inputs, apply=self.net.model.apply)
        return merge_views(logits_of(outputs), inputs.shape[1])

    def ask(self, clip: Clip, *, window: int = 0, stride: int = 0) -> Prediction:
        """The answer to an opened clip; for the arguments see `predict`.

        Raises:
          UserError: see `spans`.
        """
        windows, rows = spans(clip.frames, window, stride), []
        for first in range(0, len(windows), ROWS):
            inputs = np.stack([clip.inputs(*span) for span in windows[first : first + ROWS]])
            padding = (ROWS if len(windows) > 1 else 1) - len(
                inputs
            )  # one program for whole clips, one for windows
            inputs = np.pad(inputs, ((0, padding), *((0, 0),) * (inputs.ndim - 1)))
            logits = self._apply(self.net.weights, inputs)
            rows.append(np.asarray(jax.nn.softmax(logits))[: len(windows) - first])
        return Prediction(clip.name, self.net.labels, tuple(windows), np.concatenate(rows))


def load(workdir: str | Path, *, step: int | None = None, select: str | None = None) -> Predictor:
    """The network of a run, ready to be asked.

    Args:
      workdir: the --workdir of `jaxact train`, or what `jaxact import` wrote.
      step, select: which checkpoint; see `jaxact.runs.trained_model.load`.

    Raises:
      UserError: no checkpoint, or a network that gives no classes.
    """
    return Predictor(trained_model.load(workdir, step=step, how=select))


def spans(frames: int, window: int, stride: int = 0) -> tuple[tuple[int, int], ...]:
    """First frame and the one after the last of every window; the last window ends with the clip.

    Raises:
      UserError: a window or stride below zero, or a stride without a window.
    """
    if window < 0 or stride < 0 or (stride and not window):
        raise UserError(
            f"windows of {window} frames every {stride}: wanted numbers from 1, a stride only with a window"
        )
    if not window or window >= frames:
        return ((0, frames),)
    starts = [*range(0, frames - window, stride or max(window // 2, 1)), frames - window]
    return tuple((start, start + window) for start in starts)


def as_trained(
    found: Any, net: trained_model.Trained, layout: str | None
) -> Float[np.ndarray, "t m v c"]:
    """A recording's joints in the network's layout and channels.

    Args:
      found: a `jaxact.datasets.formats.recording.Recording`.
      layout: name of its layout, in place of what the file says.

    Raises:
      UserError: they do not convert; says why.
    """
    joints, wanted = found.joints, net.layout
    count = joints.shape[2]
    source = layout or found.layout or (wanted.name if count == len(wanted.joints) else None)
    if source is None:
        raise UserError(
            f"{found.name!r} has {count} joints, the network reads the {len(wanted.joints)} of {wanted.name!r}; say "
            "which joints they are (--layout)"
        )
    channels = found.channels or _channels(joints.shape[3], net.channels, found.name)
    if source != wanted.name:
        joints = skeletons.convert(joints, source, wanted.name, channels=channels)
    elif count != len(wanted.joints):
        raise UserError(
            f"{found.name!r} has {count} joints, but layout {source!r} has {len(wanted.joints)}"
        )
    return np.stack([*_columns(joints, channels, net.channels, found.name)], -1)


def _channels(count: int, wanted: tuple[str, ...], name: str) -> tuple[str, ...]:
    for channels in (wanted, tuple(channel for channel in wanted if channel != "score")):
        if len(channels) == count:
            return channels
    raise UserError(f"{name!r} has {count} numbers a joint, the network reads {', '.join(wanted)}")


def _columns(
    joints: np.ndarray, channels: tuple[str, ...], wanted: tuple[str, ...], name: str
) -> Iterator[Float[np.ndarray, "t m v"]]:
    """Each channel that the network reads; a score that nobody gave is one where the joint is."""
    space = [channel for channel in channels if channel != "score"]
    if space != [channel for channel in wanted if channel != "score"]:
        raise UserError(
            f"{name!r} holds {', '.join(channels)}, the network reads {', '.join(wanted)}: no way between"
        )
    there = np.any(joints[..., : len(space)] != 0, axis=-1)
    if "score" in channels and "score" not in wanted:
        there &= joints[..., channels.index("score")] > 0
    for channel in wanted:
        if channel in channels:
            yield np.where(there, joints[..., channels.index(channel)], 0).astype(np.float32)
        else:
            yield there.astype(np.float32)
