"""Preprocessing of people's joints for a network, by the clip section of its run.

    poses of a frame [n v 3], pixels -> convert: another layout, shares of the image [n w c]
    -> frames of some people, as a record holds them [s n w c] -> inputs [t m w d]

`inputs` is `jaxact.pipeline.skeleton.eval_inputs`: people are selected, empty frames handled,
positions normalised, short clips padded or stretched and streams computed as in the evaluation of
the run. Options that need a whole clip are refused for a network that reads every frame once.
"""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxact import skeletons
from jaxact.errors import UserError
from jaxact.pipeline import skeleton, streams
from jaxact.skeletons import Layout
from jaxact.skeletons.conversion import conversion_path

POSE_CHANNELS = ("x", "y", "score")


@dataclasses.dataclass(frozen=True, slots=True)
class PosePreprocessor:
    """Converts poses in images to the input of one recogniser.

    Attributes:
        layout: joint layout of the recogniser.
        channels: channels of its joints.
        clip: clip section of its run.
    """

    layout: Layout
    channels: tuple[str, ...]
    clip: dict[str, Any]

    @property
    def needs_image_size(self) -> bool:
        """Whether the recogniser reads shares of the image, which need the image's size."""
        return self.channels == POSE_CHANNELS

    def check_layout(self, source: str) -> None:
        """Checks that the layout `source` converts to the recogniser's.

        Raises:
            UserError: it does not.
        """
        conversion_path(source, self.layout.name)

    def check(self, *, stateful: bool) -> None:
        """Checks that poses in a video stream can become the recogniser's input.

        Args:
            stateful: whether the recogniser reads each frame once, without a window.

        Raises:
            UserError: they cannot; the text names the option or the channels.
        """
        if self.clip["align"]:
            raise UserError(
                "clip.align rotates a clip of 3-D joints, but poses in an image are 2-D; "
                "train without it"
            )
        names = ", ".join(self.channels)
        if "z" in self.channels:
            raise UserError(
                f"the recogniser reads 3-D joints, {names}; poses in an image have x, y and a "
                "score; wanted a run on such data"
            )
        unit_free = self.clip["center"] != "none" and self.clip["scale"] == "skeleton"
        if not self.needs_image_size and not unit_free:
            raise UserError(
                f"the recogniser reads {names}, and its checkpoint does not state their unit; "
                "wanted a run on x, y, score, or one with clip.center and clip.scale='skeleton'"
            )
        if stateful:
            self._check_single_frames()

    def _check_single_frames(self) -> None:
        """Checks that every frame can be preprocessed without other frames."""
        reason = ""
        for name in streams.parse(self.clip["stream"]):
            if name.endswith(("motion", "second_diff")):
                reason = reason or f"clip.stream={name!r} needs the next frame"
        if not reason and self.clip["empty"] == "loop":
            reason = "clip.empty='loop' repeats a whole clip"
        if not reason and self.clip["center"] == "first":
            reason = "clip.center='first' needs the first frame"
        if not reason and self.clip["scale"] == "skeleton":
            reason = "clip.scale='skeleton' needs the mean of a clip"
        if reason:
            raise UserError(
                f"the recogniser reads every frame once, but its run has an option for windows: "
                f"{reason}; take a recogniser that reads windows"
            )

    def convert(
        self, poses: Float[np.ndarray, "n v 3"], source: str, size: tuple[int, int]
    ) -> Float[np.ndarray, "n w c"]:
        """Converts poses to joints as records hold them.

        Args:
            poses: x and y in pixels, and a score.
            source: name of their layout.
            size: height and width of the image.
        """
        valid = np.isfinite(poses).all(axis=-1, keepdims=True) & (poses[..., 2:] != 0)
        poses = np.where(valid, poses, 0).astype(np.float32)
        joints = skeletons.convert(poses, source, self.layout.name, channels=POSE_CHANNELS)
        if not self.needs_image_size:
            return joints[..., :2]
        return joints / np.array([size[1], size[0], 1], np.float32)

    def inputs(self, joints: Float[np.ndarray, "s n w c"]) -> Float[np.ndarray, "t m w d"]:
        """Computes the network's input from the frames of some people.

        It is the first view of an evaluation clip with these frames, which a network with
        `clip.views` would average with others.

        Args:
            joints: at most `clip.frames` frames, unless the run resamples its clips.
        """
        return self._eval_inputs(joints, {**self.clip, "views": 1})

    def frame_inputs(self, joints: Float[np.ndarray, "n w c"]) -> Float[np.ndarray, "1 m w d"]:
        """Computes the input of a network that reads every frame once.

        A frame without the joint that is centred on is not moved.
        """
        options = {**self.clip, "views": 1, "frames": 1, "sampling": "window"}
        return self._eval_inputs(joints[None], options)

    def _eval_inputs(
        self, joints: Float[np.ndarray, "s n w c"], options: dict[str, Any]
    ) -> Float[np.ndarray, "t m w d"]:
        example = {"joints": joints}
        inputs = skeleton.eval_inputs(
            example, layout=self.layout, channels=self.channels, **options
        )
        return inputs[0]
