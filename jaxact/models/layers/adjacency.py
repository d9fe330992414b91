"""Adjacency matrices as a hashable attribute of a module."""

import numpy as np
from jaxtyping import Float


class Adjacency:
    """Weights [k][source][target] of the parts of a skeleton graph, as a hashable constant.

    A module is a static argument of compiled functions, so its attributes must be hashable. A
    nested tuple is hashable too, but Flax traverses it whenever it clones a module, which takes
    half of the time of tracing a network.

    Args:
        weights: a normalised partition, for example from `jaxact.skeletons.adjacency`.
    """

    def __init__(self, weights: Float[np.ndarray, "k v v"]):
        self._weights = np.array(weights, np.float64)
        self._weights.flags.writeable = False

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return self._weights.astype(dtype or np.float64, copy=bool(copy))

    def __len__(self) -> int:
        return len(self._weights)

    @property
    def num_joints(self) -> int:
        """Number of joints."""
        return self._weights.shape[-1]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Adjacency) and np.array_equal(self._weights, other._weights)

    def __hash__(self) -> int:
        return hash(self._weights.tobytes())

    def __repr__(self) -> str:
        return f"Adjacency{self._weights.shape}"
