"""One frame of what is watched."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8


class Shot(NamedTuple):
    """One frame of the source.

    Attributes:
      number: from 0, of the source's frames, those that are left out too.
      time: seconds from the first frame.
      picture: RGB; None where poses are read, or where the frame is lost.
      people: poses that were read, x, y and score; None where a picture is to be looked at, or
          nothing came.
      note: what is wrong with the frame or the source; "" where nothing is.
    """

    number: int
    time: float
    picture: UInt8[np.ndarray, "h w 3"] | None = None
    people: Float[np.ndarray, "n v 3"] | None = None
    note: str = ""
