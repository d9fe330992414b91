"""A trained network's prediction for a new clip: an array, a file of joints, or a video.

A clip is processed as an evaluation example: its joints are converted to the network's layout, the
checkpoint's clip section preprocesses them, and views are averaged. A long recording can be cut
into windows with a prediction each. Everything runs in NumPy and JAX, without TensorFlow.
"""

import dataclasses
import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from jaxact import config, skeletons
from jaxact.datasets.formats.video_poses import PoseEstimator
from jaxact.errors import UserError
from jaxact.inference.joint_inputs import to_network_joints
from jaxact.inference.prediction import LazyClip, Prediction, window_spans
from jaxact.models.outputs import predict_logits
from jaxact.runs import trained_model

WINDOWS_PER_BATCH = 8
# Videos pass through the JPEG encoder of prepared records, at the same size. So a video file gives
# the same inputs, bit for bit, as its prepared record.
SHORT_SIDE = 256  # pixels


class Predictor:
    """Predicts the class of clips with a trained network.

    Attributes:
        net: the network and everything else that its checkpoint holds.
        kind: what the network reads, "skeleton" or "video".
    """

    def __init__(self, net: trained_model.TrainedModel) -> None:
        self.net = net
        self.kind = config.kind(net.config.model.name)
        self._clip_options: Mapping[str, Any] = dataclasses.asdict(net.config.clip)
        self._apply = jax.jit(functools.partial(predict_logits, apply=net.model.apply))

    def predict(
        self,
        clip: np.ndarray | str | os.PathLike[str],
        *,
        layout: str | None = None,
        window: int = 0,
        stride: int = 0,
        image_size: tuple[int, int] | None = None,
        pose: PoseEstimator | None = None,
    ) -> Prediction:
        """Predicts one clip.

        Args:
            clip: joints [t, v, c], [m, t, v, c] or [t, m, v, c] in the units of the training data;
                the shorter of the two first axes is the person axis. Or a path, see `predict_file`.
            layout: layout of the joints, where it is not the network's and the file does not state
                one.
            window: frames per window; 0 for the whole clip at once.
            stride: frames between windows; 0 for half a window.
            image_size: see `jaxact.datasets.formats.recording.read`.
            pose: for a video and a network of joints, the estimator of the poses in it; see
                `jaxact.streaming.pose_estimator.open_pose_estimator`.

        Raises:
            UserError: joints that cannot be converted to the network's, or a file that cannot be
                read or holds several clips.
        """
        if isinstance(clip, np.ndarray):
            return self.predict_clip(self._open_array(clip, layout), window=window, stride=stride)
        predictions = self.predict_file(
            clip, layout=layout, window=window, stride=stride, image_size=image_size, pose=pose
        )
        if len(predictions) != 1:
            raise UserError(
                f"{os.fspath(clip)!r} holds {len(predictions)} clips; "
                "predict_file returns a prediction for each"
            )
        return predictions[0]

    def predict_file(
        self,
        path: str | os.PathLike[str],
        *,
        layout: str | None = None,
        window: int = 0,
        stride: int = 0,
        image_size: tuple[int, int] | None = None,
        pose: PoseEstimator | None = None,
    ) -> list[Prediction]:
        """Predicts every clip of a file or folder.

        Args:
            path: a file or folder of joints, see `jaxact.datasets.formats.recording`; or a video.
            layout, window, stride, image_size, pose: see `predict`.

        Raises:
            UserError: the file cannot be read, or the network does not read its kind.
        """
        if pose is not None:
            if layout or image_size:
                raise UserError(
                    "--layout and --image-size describe files of joints; leave them out with "
                    "--pose, whose estimator states both"
                )
            opened = self.open_video_poses(path, pose)
            return [self.predict_clip(opened, window=window, stride=stride)]
        if self.kind == "video":
            return [self.predict_clip(self.open_video(path), window=window, stride=stride)]
        from jaxact.datasets.formats import recording

        predictions = []
        for clip in recording.read(Path(path), image_size=image_size):
            opened = self.open_joints(clip, layout=layout)
            predictions.append(self.predict_clip(opened, window=window, stride=stride))
        return predictions

    def predict_clip(self, clip: LazyClip, *, window: int = 0, stride: int = 0) -> Prediction:
        """Predicts an opened clip; for `window` and `stride` see `predict`.

        Raises:
            UserError: see `window_spans`.
        """
        spans = window_spans(clip.frames, window, stride)
        # One compiled program for whole clips and one for windows.
        batch_size = WINDOWS_PER_BATCH if len(spans) > 1 else 1
        probabilities = []
        for first in range(0, len(spans), batch_size):
            batch_spans = spans[first : first + batch_size]
            inputs = np.stack([clip.inputs(start, stop) for start, stop in batch_spans])
            padding = [(0, batch_size - len(inputs))] + [(0, 0)] * (inputs.ndim - 1)
            logits = self._apply(self.net.weights, np.pad(inputs, padding))
            probabilities.append(np.asarray(jax.nn.softmax(logits))[: len(batch_spans)])
        return Prediction(clip.name, self.net.labels, spans, np.concatenate(probabilities))

    def inputs(
        self, clip: np.ndarray, *, layout: str | None = None
    ) -> Float[np.ndarray, "views t m v c"]:
        """Preprocesses one clip: the network's input, and that of an exported artifact.

        Args:
            clip: joints, as for `predict`.
            layout: layout of the joints, where it is not the network's.

        Raises:
            UserError: the network reads no joints, or these cannot be converted to its own.
        """
        opened = self._open_array(clip, layout)
        return opened.inputs(0, opened.frames)

    def open_joints(self, recording: Any, *, layout: str | None = None) -> LazyClip:
        """Opens a recording of joints.

        Args:
            recording: a `jaxact.datasets.formats.recording.Recording`.
            layout: see `predict`.

        Raises:
            UserError: joints that cannot be converted to the network's, or a network that reads no
                joints.
        """
        if self.kind != "skeleton":
            raise UserError(f"the network reads {self.kind}s, not joints; give it a video")
        from jaxact.pipeline import skeleton

        net = self.net
        joints = to_network_joints(recording, net, layout)

        def inputs(start: int, stop: int) -> np.ndarray:
            example = {"joints": joints[start:stop]}
            if recording.person_id is not None:
                example["person_id"] = recording.person_id[start:stop]
            return skeleton.eval_inputs(
                example, layout=net.layout, channels=net.channels, **self._clip_options
            )

        return LazyClip(recording.name, len(joints), inputs)

    def open_video_poses(self, path: str | os.PathLike[str], estimator: PoseEstimator) -> LazyClip:
        """Opens the joints of the people in a video, those of its prepared record.

        Args:
            path: the video file.
            estimator: estimates the poses in its frames.

        Raises:
            UserError: no usable video, nobody in it, or see `check_pose_support`.
        """
        from jaxact.datasets.formats import recording

        self.check_pose_support(estimator)
        return self.open_joints(recording.read_video(Path(path), estimator))

    def check_pose_support(self, estimator: PoseEstimator) -> None:
        """Checks that the joints of a pose estimator can be converted to the network's.

        Raises:
            UserError: a network of videos, or of other joints.
        """
        from jaxact.datasets.formats.recording import XY_SCORE, Recording

        if self.kind != "skeleton":
            raise UserError(
                f"--pose is for networks that read joints, but this one reads {self.kind}s; "
                "leave --pose out"
            )
        shape = (1, 1, len(skeletons.get_layout(estimator.layout).joints), len(XY_SCORE))
        nobody = Recording(
            name="--pose",
            joints=np.zeros(shape, np.float32),
            layout=estimator.layout,
            channels=XY_SCORE,
        )
        try:
            to_network_joints(nobody, self.net, None)
        except UserError as error:
            raise UserError(f"--pose does not fit the network: {error}") from error

    def open_video(self, path: str | os.PathLike[str]) -> LazyClip:
        """Opens a video file.

        Raises:
            UserError: no video file, or a network that reads joints or optical flow.
        """
        from jaxact.datasets.formats import video_encoding
        from jaxact.pipeline import video

        file = Path(path)
        self.check_video_support()
        if not file.is_file():
            raise UserError(f"no file {str(file)!r}: wanted a video")
        stored = video_encoding.encode(str(file), short_side=SHORT_SIDE)

        def inputs(start: int, stop: int) -> np.ndarray:
            example = {
                "frames": np.array(stored.frames[start:stop], object),
                "times": stored.times[start:stop],
                "height": stored.height,
                "width": stored.width,
            }
            return video.eval_inputs(example, **self._clip_options)

        return LazyClip(file.stem, len(stored.frames), inputs)

    def check_video_support(self) -> None:
        """Checks that the network can predict video files and that the packages are installed.

        Raises:
            UserError: a network of joints or of optical flow, or a missing package.
        """
        from jaxact.datasets.formats import video_file
        from jaxact.pipeline import images

        if self.kind != "video":
            raise UserError(f"the network reads {self.kind}s, not videos")
        if self._clip_options["stream"] == "flow":
            raise UserError(
                "the network reads optical flow, which only prepared records hold; "
                "see jaxact evaluate"
            )
        video_file.need_av()
        images.need_pillow()

    def _open_array(self, clip: np.ndarray, layout: str | None) -> LazyClip:
        from jaxact.datasets.formats.recording import Recording, people_second

        recording = Recording(name="array", joints=people_second(clip, "the array"))
        return self.open_joints(recording, layout=layout)


def load(workdir: str | Path, *, step: int | None = None, select: str | None = None) -> Predictor:
    """Loads the network of a run for prediction.

    Args:
        workdir: the --workdir of `jaxact train`, or the output of `jaxact import`.
        step, select: which checkpoint; see `jaxact.runs.trained_model.load`.

    Raises:
        UserError: no checkpoint, or a network that is no classifier.
    """
    return Predictor(trained_model.load(workdir, step=step, how=select))
