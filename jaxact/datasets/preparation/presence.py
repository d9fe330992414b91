"""Which persons are present in which frame: cheap enough to compute for every prepared record."""

import numpy as np
from jaxtyping import Bool, Num


def persons_present(joints: Num[np.ndarray, "t m v c"]) -> Bool[np.ndarray, "t m"]:
    """True for a person with at least one joint that is not missing, that is, not zero."""
    return (joints != 0).any((2, 3))


def gap_frames(present: Bool[np.ndarray, " t"]) -> Bool[np.ndarray, " t"]:
    """Frames that are False in `present` between an earlier and a later frame that are True."""
    before = np.logical_or.accumulate(present)
    after = np.logical_or.accumulate(present[::-1])[::-1]
    return ~present & before & after
