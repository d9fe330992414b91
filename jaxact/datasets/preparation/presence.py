"""Who is there in which frame: what is cheap enough to be looked at in every record that is
prepared.
"""

import numpy as np
from jaxtyping import Bool, Num


def persons_present(joints: Num[np.ndarray, "t m v c"]) -> Bool[np.ndarray, "t m"]:
    """Persons with a joint that is not missing, that is, not zero."""
    return (joints != 0).any((2, 3))


def gap_frames(there: Bool[np.ndarray, " t"]) -> Bool[np.ndarray, " t"]:
    """Frames in the middle: false in `there`, but true in a frame before and in a frame after."""
    return ~there & np.logical_or.accumulate(there) & np.logical_or.accumulate(there[::-1])[::-1]
