"""Figure 3 of ST-GCN for any layout: the receptive field of one joint, coloured by the subset of
each neighbour.
"""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxact import skeletons
from jaxact.errors import UserError, unknown
from jaxact.plots import drawing_poses, style
from jaxact.skeletons import Layout

_PALETTE = _GREEN, _BLUE, _YELLOW = "#009e73", "#0072b2", "#e69f00"
_HEADS = {
    "uniform": "Uni-labelling",
    "distance": "Distance",
    "distance_star": "Distance*",
    "spatial": "Spatial configuration",
    "dad": "Symmetric (DAD)",
    "spatial_v2": "Spatial, second release",
}
# Meaning and colour of the subsets, in the order of the parts of the adjacency.
_SUBSETS = {
    "uniform": (("root and neighbours", _GREEN),),
    "distance": (("root", _GREEN), ("neighbours", _BLUE)),
    "distance_star": (("root, weight +w", _GREEN), ("neighbours, weight -w", _BLUE)),
    "spatial": (
        ("root", _GREEN),
        ("centripetal: nearer the centre", _BLUE),
        ("centrifugal: farther", _YELLOW),
    ),
    "dad": (("root and neighbours", _GREEN),),
    "spatial_v2": (
        ("root", _GREEN),
        ("farther or equal", _YELLOW),
        ("centripetal: nearer the centre", _BLUE),
    ),
}


def partition(
    layout: Layout,
    out: str | os.PathLike[str],
    strategies: Sequence[str] = ("uniform", "distance", "spatial"),
    root: int | str | None = None,
    title: str = "",
) -> None:
    """Draws the joints of a layout, then for each strategy how it divides the neighbours of one
    example joint.

    What is coloured is read from `skeletons.adjacency`: a joint belongs to subset k of the root
    where A_k[joint, root] is not zero (Yan, Xiong and Lin, AAAI 2018, Figure 3).

    Args:
      layout: any layout; one whose joint names are not known is drawn as a tree around its centre.
      out: picture file.
      strategies: one panel each.
      root: the example joint by number or name; None: an elbow, or a joint with neighbours on both
          sides.
      title: the heading; "" is the layout's name.

    Raises:
      UserError: an unknown strategy or joint.
    """
    for strategy in strategies:
        if strategy not in skeletons.STRATEGIES:
            raise unknown("strategy", strategy, skeletons.STRATEGIES)
    chosen = _root(layout, root)
    places = drawing_poses.standing(layout)
    with style.context():
        (low, high), width = _box(places), 2.75
        height = 0.93 * width * (high - low)[1] / (high - low)[0] + 1.65
        drawing = style.figure(width * (1 + len(strategies)), height)
        panels = drawing.subplots(1, 1 + len(strategies), squeeze=False)[0]
        heads = ["Input frame", *(_HEADS[strategy] for strategy in strategies)]
        for letter, axes, head in zip("abcdefg", panels, heads, strict=False):
            axes.set_title(f"({letter}) {head}", fontsize=10.5)
            axes.set_axis_off()
            axes.set_aspect("equal")
            _skeleton(axes, layout, places)
        _numbers(panels[0], layout, places)
        for axes, strategy in zip(panels[1:], strategies, strict=True):
            _field(axes, layout, places, chosen, strategy)
        heading = (
            title
            or f"{layout.name}: {len(layout.joints)} joints, root {layout.joints[chosen].replace('_', ' ')}"
        )
        drawing.suptitle(heading, x=0.012, ha="left", fontsize=12.5, weight="bold")
        style.save(drawing, out)


def _root(layout: Layout, root: int | str | None) -> int:
    count = len(layout.joints)
    if isinstance(root, str) and not root.isdecimal():
        if root not in layout.joints:
            raise unknown(f"joint of layout {layout.name!r}", root, layout.joints)
        return layout.joints.index(root)
    if root is not None:
        if not 0 <= int(root) < count:
            raise UserError(
                f"layout {layout.name!r} has no joint {root!r}; its joints are numbered 0 to {count - 1}"
            )
        return int(root)
    for name in ("left_elbow", "left_shoulder", "left_knee"):
        if name in layout.joints:
            return layout.joints.index(name)
    degree = np.bincount(np.array(layout.edges).ravel(), minlength=count)
    degree[layout.centre] = 0
    return int(degree.argmax()) if degree.max() > 1 else layout.centre


def _skeleton(axes: Any, layout: Layout, places: np.ndarray) -> None:
    from matplotlib.collections import LineCollection

    axes.add_collection(
        LineCollection(
            list(places[np.array(layout.edges)]), colors="#b9c0c9", linewidths=2.2, zorder=1
        )
    )
    axes.scatter(*places.T, s=30, color="#8f98a3", linewidths=0, zorder=2)
    (left, bottom), (right, top) = _box(places)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)


def _box(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners of what a panel shows: never narrower than 0.6 of its height, so that titles fit."""
    low, high = places.min(axis=0) - 0.07, places.max(axis=0) + 0.07
    spread = max(0.0, 0.6 * (high - low)[1] - (high - low)[0]) * np.array((0.5, 0.0))
    return low - spread, high + spread


def _numbers(axes: Any, layout: Layout, places: np.ndarray) -> None:
    """Every joint in the colour of its side, with its number, and the centre ringed."""
    tones = [style.TONES[0][side] for side in drawing_poses.sides(layout)]
    axes.scatter(*places.T, s=34, color=tones, linewidths=0, zorder=3)
    axes.scatter(
        *places[layout.centre],
        s=110,
        facecolors="none",
        edgecolors=style.INK,
        linewidths=1.2,
        zorder=4,
    )
    for joint in range(len(places)):
        offset = 9.5 * _free_side(layout, places, joint)
        if joint == layout.centre:
            offset *= 1.35
        axes.annotate(
            str(joint), places[joint], xytext=tuple(offset), textcoords="offset points", fontsize=7.5,
            color=style.INK, ha="center", va="center", zorder=5,
        )  # fmt: skip
    from matplotlib.lines import Line2D

    dots = [
        Line2D(
            [],
            [],
            marker="o",
            linestyle="",
            markersize=6,
            color=style.TONES[0][side],
            label=f"{side} side",
        )
        for side in ("left", "right")
        if side in drawing_poses.sides(layout)
    ]
    ring = Line2D(
        [], [], marker="o", linestyle="", markersize=8, markerfacecolor="none", color=style.INK
    )
    ring.set_label(f"centre: {layout.joints[layout.centre].replace('_', ' ')}")
    _legend(axes, [*dots, ring])


def _field(axes: Any, layout: Layout, places: np.ndarray, root: int, strategy: str) -> None:
    """The neighbourhood of the root in the colours of its subsets, the bones in it drawn through, a
    dashed outline.
    """
    from matplotlib.lines import Line2D

    parts = skeletons.adjacency(layout, strategy)[:, :, root]
    subsets = _SUBSETS[strategy]
    if strategy == "distance_star":  # one matrix whose sign tells the two apart
        parts = np.stack([np.maximum(parts[0], 0), np.maximum(-parts[0], 0)])
    members = np.flatnonzero(np.any(parts != 0, axis=0))
    for joint in members:
        if joint != root:
            axes.plot(
                *places[[root, joint]].T,
                color=style.INK,
                linewidth=2.6,
                zorder=3,
                solid_capstyle="round",
            )
    _outline(axes, places[members])
    used = []
    for part, (meaning, colour) in zip(parts, subsets, strict=True):
        inside = np.flatnonzero(part)
        axes.scatter(
            *places[inside].T, s=105, color=colour, edgecolors=style.PAPER, linewidths=1.1, zorder=5
        )
        used.append(
            Line2D([], [], marker="o", linestyle="", markersize=8, color=colour, label=meaning)
        )
    axes.scatter(*places[root], s=16, color=style.PAPER, linewidths=0, zorder=6)
    cross = Line2D(
        [],
        [],
        marker="x",
        linestyle="",
        markersize=7,
        markeredgewidth=1.8,
        color=style.INK,
        label="centre",
    )
    if "spatial" in strategy:
        axes.scatter(
            *places[layout.centre], s=48, marker="x", color=style.INK, linewidths=1.8, zorder=7
        )
        used.append(cross)
    _legend(axes, used)


def _free_side(layout: Layout, places: np.ndarray, joint: int) -> np.ndarray:
    """The direction from a joint in which its bones leave most room for a number."""
    ends = [b if a == joint else a for a, b in layout.edges if joint in (a, b)]
    bones = places[ends] - places[joint]
    bones /= np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), 1e-9)
    angles = np.radians(np.arange(0, 360, 15))
    ways = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    outward = np.sign(places[joint, 0]) if abs(places[joint, 0]) > 0.01 else 1.0
    # The smallest angle to a bone counts; between equals the outer side of the figure wins.
    room = np.max(ways @ bones.T, axis=-1, initial=-1.0) - ways @ (0.25 * outward, -0.06)
    return ways[np.argmin(room)]


def _legend(axes: Any, handles: list) -> None:
    axes.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        fontsize=8,
        handletextpad=0.4,
    )


def _outline(axes: Any, points: np.ndarray, radius: float = 0.052) -> None:
    """A dashed line around points: the hull of discs about them."""
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    rim = (points[:, None] + radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1)).reshape(
        -1, 2
    )
    hull = _hull(rim)
    axes.fill(
        *hull.T,
        facecolor="#f3f5f7",
        edgecolor=style.SOFT,
        linestyle=(0, (4, 3)),
        linewidth=1.1,
        zorder=0,
    )


def _hull(points: np.ndarray) -> np.ndarray:
    """Convex hull by the monotone chain, counter-clockwise."""

    def chain(ordered: list) -> list:
        kept: list = []
        for point in ordered:
            while len(kept) > 1:
                (ax, ay), (bx, by) = kept[-1] - kept[-2], point - kept[-2]
                if ax * by - ay * bx > 0:
                    break
                kept.pop()
            kept.append(point)
        return kept[:-1]

    ordered = list(points[np.lexsort((points[:, 1], points[:, 0]))])
    return np.array(chain(ordered) + chain(ordered[::-1]))
