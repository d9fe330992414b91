"""One frame of a video stream."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8


class Frame(NamedTuple):
    """One frame of a source.

    Attributes:
        number: frame number from 0; dropped frames count.
        time: seconds from the first frame.
        image: RGB; None where the source holds poses, or where the frame is lost.
        poses: x, y and score of the joints of each person; None where the source holds images, or
            where the frame is lost.
        note: what is wrong with the frame or the source; "" if nothing is.
    """

    number: int
    time: float
    image: UInt8[np.ndarray, "h w 3"] | None = None
    poses: Float[np.ndarray, "n v 3"] | None = None
    note: str = ""
