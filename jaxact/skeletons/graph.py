"""The graph of a layout: hop distances, radii, and adjacency with every partition strategy."""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float, Float32, Int

from jaxact.errors import UserError, unknown
from jaxact.skeletons.layout import Layout

STRATEGIES = ("uniform", "distance", "distance_star", "spatial", "dad", "spatial_v2")
NORMS = ("subset", "eq10", "joint")
METRICS = ("hop", "gravity")


def hop_distances(layout: Layout) -> Int[np.ndarray, " v"]:
    """Number of edges between each joint and the centre."""
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

    The centre of gravity is the mean of the joints that are present, per frame and person. The
    distance of a joint is averaged over the frames in which it is present.

    Args:
        clips: joints [t, m, v, c] of records. A joint that is all zero, or whose score is zero, is
          missing.
        channels: names of the channels. The score is not a coordinate.

    Raises:
        UserError: a joint is missing in every frame.
    """
    axes = [index for index, channel in enumerate(channels) if channel != "score"]
    total: np.ndarray = np.zeros(())
    count: np.ndarray = np.zeros(())
    for clip in clips:
        positions = clip[..., axes].astype(np.float64)
        present = np.any(positions != 0, axis=-1)
        if "score" in channels:
            present &= clip[..., list(channels).index("score")] > 0
        weight = present[..., None]
        joint_count = np.maximum(weight.sum(2, keepdims=True), 1)
        centre = (positions * weight).sum(2, keepdims=True) / joint_count
        radius = np.linalg.norm(positions - centre, axis=-1) * present
        total = total + radius.sum((0, 1))
        count = count + present.sum((0, 1))
    if not np.ndim(count) or not np.all(count):
        missing = np.flatnonzero(count == 0).tolist() if np.ndim(count) else "all"
        raise UserError(
            "metric 'gravity' needs every joint at least once in the clips; "
            f"never present: {missing}"
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
    """The normalised adjacency A_k of ST-GCN (Yan, Xiong and Lin, AAAI 2018).

    Indexed [k, source, target]. With A the edges in both directions, the subsets before
    normalisation are (section "Partition strategies"):

    - `uniform`: {A + I}; uni-labelling.
    - `distance`: {I, A}, Eq. 7.
    - `distance_star`: I - A after normalisation: `distance` with w_0 = -w_1.
    - `spatial`: {I, source nearer the centre than the target, source farther}, Eq. 8; at equal
        distance the first.
    - `dad`: D^-1/2 (A + I) D^-1/2, Eq. 9; `norm` is ignored.
    - `spatial_v2`: the second public release. Distances are cut off above one hop, so an edge
        between two joints beyond that counts as equally far: {I, source farther or equal, source
        nearer}. With `norm="joint"` it is exactly that release.

    Args:
        layout: the skeleton.
        strategy: one of `STRATEGIES`.
        norm: `subset` divides each column of each A_k by its sum (Eqs. 4 and 5: 1/Z, Z the size of
          the subset). `joint` divides each column of every A_k by the sum over all k. `eq10` is
          Lambda^-1/2 A_k Lambda^-1/2 with Lambda the row sums plus alpha, exactly as printed; a
          directed subset has empty rows, whose edges weigh up to 1 / sqrt(alpha).
        metric: the distance of `spatial`: `hop` counts edges to the centre, `gravity` compares
          `radii`.
        radii: mean distance of each joint to the centre of gravity (`gravity_radii`), for
            `gravity`.
        alpha: added to the degrees of `eq10`.

    Raises:
        UserError: an unknown strategy, norm or metric, or `gravity` without usable radii.
    """
    for option, value, available in (
        ("strategy", strategy, STRATEGIES),
        ("norm", norm, NORMS),
        ("metric", metric, METRICS),
    ):
        if value not in available:
            raise unknown(option, value, available)
    distance = hop_distances(layout) if metric == "hop" else _checked_radii(layout, radii)
    edges = _edge_matrix(layout)
    identity = np.eye(len(edges))
    if strategy == "dad":
        degree = (edges + identity).sum(0)
        return ((edges + identity) / np.sqrt(np.outer(degree, degree)))[None].astype(np.float32)
    if strategy == "uniform":
        subsets = [edges + identity]
    elif strategy in ("distance", "distance_star"):
        subsets = [identity, edges]
    elif strategy == "spatial":
        nearer = distance[:, None] < distance[None, :]
        subsets = [identity + edges * ~(nearer | nearer.T), edges * nearer, edges * nearer.T]
    else:
        hops = np.minimum(hop_distances(layout), 2)
        nearer = hops[:, None] < hops[None, :]
        subsets = [identity, edges * ~nearer, edges * nearer]
    normalised = _normalise(np.stack(subsets), norm, alpha)
    if strategy == "distance_star":
        normalised = normalised[:1] - normalised[1:]
    return normalised.astype(np.float32)


def chebyshev(layout: Layout, order: int = 3) -> Float32[np.ndarray, "k v v"]:
    """The Chebyshev polynomials T_0 ... T_{order - 1} of the skeleton's scaled Laplacian.

    L = I - D^-1/2 A D^-1/2, A without self loops; L~ = 2 L / lambda_max - I; T_k = 2 L~ T_{k-1} -
    T_{k-2}, as matrix products. The matrices are symmetric in source and target.

    Departs from the released ASTGCN, which multiplies entry by entry and takes L = D - A.
    """
    edges = _edge_matrix(layout)
    identity, degree = np.eye(len(edges)), edges.sum(0)
    laplacian = identity - edges / np.sqrt(np.outer(degree, degree))
    scaled = 2 * laplacian / np.linalg.eigvalsh(laplacian)[-1] - identity
    polynomials = [identity, scaled]
    while len(polynomials) < order:
        polynomials.append(2 * scaled @ polynomials[-1] - polynomials[-2])
    return np.stack(polynomials[:order]).astype(np.float32)


def _edge_matrix(layout: Layout) -> np.ndarray:
    """The symmetric 0/1 matrix [v, v] of the edges, without self loops."""
    edges = np.zeros((len(layout.joints), len(layout.joints)))
    for child, parent in layout.edges:
        edges[child, parent] = edges[parent, child] = 1
    return edges


def _checked_radii(layout: Layout, radii: np.ndarray | None) -> np.ndarray:
    """The radii; raises UserError unless there is one finite radius for each joint."""
    count = len(layout.joints)
    if radii is None or np.shape(radii) != (count,) or not np.all(np.isfinite(radii)):
        value = "none" if radii is None else f"an array of shape {np.shape(radii)}"
        raise UserError(
            f"metric 'gravity' needs one finite radius for each of the {count} joints, got {value}"
        )
    return np.asarray(radii)


def _normalise(subsets: np.ndarray, norm: str, alpha: float) -> np.ndarray:
    """Normalises the subsets [k, source, target]. An empty column stays empty."""
    if norm == "eq10":
        degree = subsets.sum(2) + alpha
        return subsets / np.sqrt(degree[:, :, None] * degree[:, None, :])
    sums = subsets.sum(1, keepdims=True)
    if norm == "joint":
        sums = sums.sum(0, keepdims=True)
    return subsets / np.where(sums > 0, sums, 1)
