"""Graphs on a layout: hops and radii from the centre, and the adjacency with every partition
strategy.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float, Float32, Int

from jaxact.errors import UserError, unknown
from jaxact.skeletons.layout import Layout

STRATEGIES = ("uniform", "distance", "distance_star", "spatial", "dad", "spatial_v2")
NORMS = ("subset", "eq10", "joint")
METRICS = ("hop", "gravity")


def hop_distances(layout: Layout) -> Int[np.ndarray, " v"]:
    """Edges between each joint and the centre."""
    parents = dict(layout.edges)
    hops = []
    for joint in range(len(layout.joints)):
        steps = 0
        while joint != layout.centre:
            joint, steps = parents[joint], steps + 1
        hops.append(steps)
    return np.array(hops)


def gravity_radii(
    clips: Iterable[Float[np.ndarray, "_ _ v _"]], *, channels: Sequence[str] = ("x", "y", "z")
) -> Float[np.ndarray, " v"]:
    """Mean distance of each joint to the body's centre of gravity: r_i of ST-GCN, Eq. 8.

    The centre of gravity is the mean of the joints present, per frame and person; a joint is
    averaged where it is present.

    Args:
      clips: records' joints [t, m, v, c]; a joint that is all zero, or whose score is zero, is
          missing.
      channels: their channel names; the score is no coordinate.

    Raises:
      UserError: a joint is missing from every frame, so that it has no radius.
    """
    axes = [index for index, channel in enumerate(channels) if channel != "score"]
    total: np.ndarray = np.zeros(())
    count: np.ndarray = np.zeros(())
    for clip in clips:
        places = clip[..., axes].astype(np.float64)
        present = np.any(places != 0, axis=-1)
        if "score" in channels:
            present &= clip[..., list(channels).index("score")] > 0
        weight = present[..., None]
        centre = (places * weight).sum(2, keepdims=True) / np.maximum(
            weight.sum(2, keepdims=True), 1
        )
        radius = np.linalg.norm(places - centre, axis=-1) * present
        total = total + radius.sum((0, 1))
        count = count + present.sum((0, 1))
    if not np.ndim(count) or not np.all(count):
        missing = np.flatnonzero(count == 0).tolist() if np.ndim(count) else "all"
        raise UserError(
            f"metric 'gravity' needs every joint at least once in the clips; never present: {missing}"
        )
    return total / count


def adjacency(
    layout: Layout,
    strategy: str = "spatial",
    norm: str = "subset",
    metric: str = "hop",
    radii: Float[np.ndarray, " v"] | None = None,
    alpha: float = 1e-3,
) -> Float32[np.ndarray, "k v v"]:
    """The normalised adjacency parts A_k of ST-GCN (Yan, Xiong and Lin, AAAI 2018), indexed [k,
    source, target].

    With A the edges in both directions, the parts before normalisation are (section "Partition
    strategies"):

    - `uniform`: {A + I}; uni-labelling.
    - `distance`: {I, A}, Eq. 7.
    - `distance_star`: I - A after normalisation: `distance` with w_0 = -w_1.
    - `spatial`: {I, source nearer the centre than the target, source farther}, Eq. 8; at equal
        distance the first.
    - `dad`: D^-1/2 (A + I) D^-1/2, Eq. 9; `norm` has no say in it.
    - `spatial_v2`: what the second public release computes: distances are known up to one hop, so
      edges whose ends are both farther fall in with {source farther or equal}; {I, that, source
      nearer}. With `norm="joint"` it is that release.

    Args:
      layout: the skeleton.
      strategy: one of `STRATEGIES`.
      norm: `subset` divides each column of each A_k by its sum (Eqs. 4 and 5: 1/Z, Z the size of
        the subset). `joint` divides each column of every A_k by the sum over all of them. `eq10` is
        Lambda^-1/2 A_k Lambda^-1/2 with Lambda the row sums plus alpha, to the letter; a directed
        part has empty rows, whose edges weigh up to 1 / sqrt(alpha).
      metric: for `spatial`, what "nearer" means: `hop` counts edges to the centre, `gravity`
          compares `radii`.
      radii: mean distance of each joint to the centre of gravity (`gravity_radii`), for `gravity`.
      alpha: added to the degrees of `eq10`.

    Raises:
      UserError: an unknown strategy, norm or metric, or `gravity` without usable radii.
    """
    for kind, given, available in (
        ("strategy", strategy, STRATEGIES),
        ("norm", norm, NORMS),
        ("metric", metric, METRICS),
    ):
        if given not in available:
            raise unknown(kind, given, available)
    distance = hop_distances(layout) if metric == "hop" else _checked_radii(layout, radii)
    edges = np.zeros((len(layout.joints), len(layout.joints)))
    for child, parent in layout.edges:
        edges[child, parent] = edges[parent, child] = 1
    itself = np.eye(len(edges))
    if strategy == "dad":
        degree = (edges + itself).sum(0)
        return ((edges + itself) / np.sqrt(np.outer(degree, degree)))[None].astype(np.float32)
    if strategy == "uniform":
        parts = [edges + itself]
    elif strategy in ("distance", "distance_star"):
        parts = [itself, edges]
    elif strategy == "spatial":
        nearer = distance[:, None] < distance[None, :]
        parts = [itself + edges * ~(nearer | nearer.T), edges * nearer, edges * nearer.T]
    else:
        known = np.minimum(hop_distances(layout), 2)
        nearer = known[:, None] < known[None, :]
        parts = [itself, edges * ~nearer, edges * nearer]
    normalised = _normalised(np.stack(parts), norm, alpha)
    if strategy == "distance_star":
        normalised = normalised[:1] - normalised[1:]
    return normalised.astype(np.float32)


def chebyshev(layout: Layout, order: int = 3) -> Float32[np.ndarray, "k v v"]:
    """The Chebyshev polynomials T_0 ... T_{order - 1} of the scaled Laplacian 2 L / lambda_max - I
    of the skeleton.

    L = I - D^-1/2 A D^-1/2, A without self loops; T_k = 2 L~ T_{k-1} - T_{k-2}, as matrices (the
    released ASTGCN multiplies entry by entry, and takes L = D - A). Symmetric, so that sources and
    targets are alike.
    """
    edges = np.zeros((len(layout.joints), len(layout.joints)))
    for child, parent in layout.edges:
        edges[child, parent] = edges[parent, child] = 1
    itself, degree = np.eye(len(edges)), edges.sum(0)
    laplacian = itself - edges / np.sqrt(np.outer(degree, degree))
    scaled = 2 * laplacian / np.linalg.eigvalsh(laplacian)[-1] - itself
    parts = [itself, scaled]
    while len(parts) < order:
        parts.append(2 * scaled @ parts[-1] - parts[-2])
    return np.stack(parts[:order]).astype(np.float32)


def _checked_radii(layout: Layout, radii: np.ndarray | None) -> np.ndarray:
    count = len(layout.joints)
    if radii is None or np.shape(radii) != (count,) or not np.all(np.isfinite(radii)):
        given = "none" if radii is None else f"an array of shape {np.shape(radii)}"
        raise UserError(
            f"metric 'gravity' needs one finite radius for each of the {count} joints, got {given}"
        )
    return np.asarray(radii)


def _normalised(parts: np.ndarray, norm: str, alpha: float) -> np.ndarray:
    """The parts [k, source, target] with their weights; an empty column stays empty."""
    if norm == "eq10":
        degree = parts.sum(2) + alpha
        return parts / np.sqrt(degree[:, :, None] * degree[:, None, :])
    sums = parts.sum(1, keepdims=True)
    if norm == "joint":
        sums = sums.sum(0, keepdims=True)
    return parts / np.where(sums > 0, sums, 1)
