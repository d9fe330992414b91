"""Pose estimation with the pose network of a run.

image [h w 3] -> letterbox [h' w' 3] in [-1, 1] -> network -> decode
    -> poses [n 14 (x, y, score)] in pixels of the image
"""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, UInt8

from jaxact.errors import UserError
from jaxact.models import pose_decoding
from jaxact.pipeline.images import letterbox
from jaxact.pipeline.pose_joints import undo_letterbox
from jaxact.runs import trained_model
from jaxact.skeletons.pose_body import BODY
from jaxact.streaming.missing_joints import drop_missing

MAX_PEOPLE = 30  # per image, those with the highest scores


class PoseNetEstimator:
    """A `PoseEstimator` with a trained pose network; its stages are `pose` and `decode`."""

    layout: str = BODY.name

    def __init__(
        self,
        net: trained_model.TrainedModel,
        *,
        run: str = "",
        people: int = MAX_PEOPLE,
        clock: Callable[[], float] = time.perf_counter,
    ):
        """Compiles the network of a run.

        Args:
            net: the network.
            run: its workdir, for `about`.
            people: most people per image.
            clock: seconds.

        Raises:
            UserError: it is no pose network.
        """
        if net.config.model.name != "pose":
            raise UserError(
                f"--pose wants a run of the model 'pose', got one of {net.config.model.name!r}; "
                "a classifier is a --recogniser"
            )
        clip = net.config.clip
        self.size = (clip.height, clip.width)
        self.about: dict[str, Any] = {
            "from": "checkpoint",
            "run": run,
            **trained_model.fingerprint(net),
        }
        self.seconds: dict[str, float] = defaultdict(float)
        self._people, self._clock, self._weights = people, clock, net.weights

        def last_stage(weights: Any, inputs: Any) -> dict[str, Any]:
            outputs: Any = net.model.apply(weights, inputs, train=False)
            return {name: maps[:, -1:] for name, maps in outputs.items()}

        self._apply = jax.jit(last_stage)
        self(np.zeros((8, 8, 3), np.uint8))  # compiles before the first frame of a camera
        self.seconds.clear()

    def __call__(self, image: UInt8[np.ndarray, "h w 3"]) -> Float[np.ndarray, "n 14 3"]:
        """Returns the poses in an image, highest score first, in pixels of the image."""
        start = self._clock()
        inputs, zoom, corner = letterbox(image, self.size)
        outputs = jax.block_until_ready(self._apply(self._weights, jnp.asarray(inputs[None])))
        decode_start = self._clock()
        poses = pose_decoding.decode(outputs, persons=self._people)[0]
        poses = undo_letterbox(poses, zoom, corner)
        poses = drop_missing(poses, image.shape)
        self.seconds["pose"] += decode_start - start
        self.seconds["decode"] += self._clock() - decode_start
        return poses

    def reset(self) -> None:
        """Does nothing: every image is processed alone."""
