"""The people in a picture: the whole of it in the middle of what the pose network reads, and its
answers decoded.

picture [h w 3] -> fitted [h' w' 3] in [-1, 1] -> network -> decode -> people [n 14 (x, y, score)]
in its pixels
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
from jaxact.runs import trained_model
from jaxact.skeletons.pose_body import BODY

PEOPLE = 30  # of a picture, the surest ones


class Finder:
    """Finds people with a pose network.

    Attributes:
      seconds: spent so far, by `pose` and `decode`.
    """

    layout: str = BODY.name

    def __init__(
        self,
        net: trained_model.Trained,
        *,
        people: int = PEOPLE,
        clock: Callable[[], float] = time.perf_counter,
    ):
        """Takes the network of a run.

        Raises:
          UserError: it is no pose network.
        """
        if net.config.model.name != "pose":
            raise UserError(
                f"--pose wants a run of the model 'pose', got one of {net.config.model.name!r}; "
                "a network that tells classes is a --recogniser"
            )
        clip = net.config.clip
        self.size = (clip.height, clip.width)
        self.seconds: dict[str, float] = defaultdict(float)
        self._people, self._clock, self._weights = people, clock, net.weights

        def last_stage(weights: Any, inputs: Any) -> dict[str, Any]:
            answers: Any = net.model.apply(weights, inputs, train=False)
            return {name: maps[:, -1:] for name, maps in answers.items()}

        self._apply = jax.jit(last_stage)
        self(np.zeros((8, 8, 3), np.uint8))  # compiles, so that a camera does not have to wait
        self.seconds.clear()

    def __call__(self, picture: UInt8[np.ndarray, "h w 3"]) -> Float[np.ndarray, "n 14 3"]:
        """The people in a picture, the surest first, in its pixels."""
        begun = self._clock()
        inputs, zoom, corner = fitted(picture, self.size)
        answers = jax.block_until_ready(self._apply(self._weights, jnp.asarray(inputs[None])))
        answered = self._clock()
        people = pose_decoding.decode(answers, persons=self._people)[0]
        places = (people[..., :2] - corner) / zoom
        inside = ((places >= 0) & (places <= picture.shape[1::-1])).all(
            axis=-1
        )  # not in the grey around it
        people = (
            np.concatenate([places, people[..., 2:]], axis=-1)
            * (inside & (people[..., 2] > 0))[..., None]
        )
        self.seconds["pose"] += answered - begun
        self.seconds["decode"] += self._clock() - answered
        return people[(people[..., 2] > 0).any(axis=1)].astype(np.float32)


def fitted(
    picture: UInt8[np.ndarray, "h w 3"], size: tuple[int, int]
) -> tuple[Float[np.ndarray, "i j 3"], Float[np.ndarray, "2"], Float[np.ndarray, "2"]]:
    """The whole picture in the middle of another size, its shape kept, from -1 to 1; grey, 0,
    around it.

    Args:
      picture: RGB.
      size: height and width wanted.

    Returns:
      What the network reads; zoom and corner, each along x and y: what is at p in the picture is at
      zoom p + corner.
    """
    from jaxact.datasets.formats import video_file

    height, width = picture.shape[:2]
    share = min(size[0] / height, size[1] / width)
    rows, columns = (max(1, round(side * share)) for side in (height, width))
    top, left = (size[0] - rows) // 2, (size[1] - columns) // 2
    frame = video_file.need_av().VideoFrame.from_ndarray(
        np.ascontiguousarray(picture), format="rgb24"
    )
    method = "AREA" if share < 1 else "BILINEAR"
    small = frame.reformat(columns, rows, "rgb24", interpolation=method).to_ndarray(format="rgb24")
    found = np.zeros((*size, 3), np.float32)
    found[top : top + rows, left : left + columns] = small.astype(np.float32) / 127.5 - 1.0
    return found, np.array([columns / width, rows / height]), np.array([left, top], np.float64)
