"""Joint layouts: their joints, bones and left/right pairs, their graphs, and conversions.

layout (one layout) -> layouts (the named ones) -> conversion (from one layout to another)
                                                -> graph (adjacency with every partition strategy)
"""

from jaxact.skeletons.conversion import convert
from jaxact.skeletons.graph import (
    METRICS,
    NORMS,
    STRATEGIES,
    adjacency,
    chebyshev,
    gravity_radii,
    hop_distances,
)
from jaxact.skeletons.layout import Layout, Pair
from jaxact.skeletons.layouts import LAYOUTS, get_layout

__all__ = [
    "LAYOUTS",
    "METRICS",
    "NORMS",
    "STRATEGIES",
    "Layout",
    "Pair",
    "adjacency",
    "chebyshev",
    "convert",
    "get_layout",
    "gravity_radii",
    "hop_distances",
]
