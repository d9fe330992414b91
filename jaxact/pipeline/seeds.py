"""Seeds of the random operations of training: each operation draws its own numbers."""

import numpy as np
from jaxtyping import Int

from jaxact.pipeline.array_ops import Array

Seed = Int[Array, "2"]

# The index of an operation affects every trained number: append new ones, never reorder.
OPERATIONS = (
    *("window", "crop", "mirror", "rotate", "rescale", "move", "jitter", "swap", "drop_joints"),
    *("segments", "uniform"),
)


def subseed(seed: Seed, operation: str) -> Seed:
    """The seed of one operation.

    TensorFlow scrambles seeds before use, so distinct seeds are independent. Seeds given by the
    user are below 2**32, which leaves the upper half of the first number free.
    """
    return seed + np.array([(OPERATIONS.index(operation) + 1) << 32, 0], np.int64)
