"""Partitions of a joint's neighbours, drawn for any layout (Figure 3 of ST-GCN)."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxact import skeletons
from jaxact.errors import UserError, unknown
from jaxact.plots import layout_drawing, style
from jaxact.skeletons import Layout

_GREEN, _BLUE, _YELLOW = "#009e73", "#0072b2", "#e69f00"
_TITLES = {
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
    """Draws the joints of a layout, and how each strategy divides the neighbours of one joint.

    Subsets are read from `skeletons.adjacency`: a joint belongs to subset k of the root where
    A_k[joint, root] is not zero (Yan, Xiong and Lin, AAAI 2018, Figure 3).

    Args:
        layout: any layout; one with unknown joint names is drawn as a tree around its centre.
        out: picture file.
        strategies: partition strategies, one panel each.
        root: the example joint by number or name; None for an elbow, or a joint with several
            neighbours.
        title: the heading; "" for the layout's name.

    Raises:
        UserError: an unknown strategy or joint.
    """
    for strategy in strategies:
        if strategy not in skeletons.STRATEGIES:
            raise unknown("strategy", strategy, skeletons.STRATEGIES)
    root_joint = _find_root(layout, root)
    points = layout_drawing.standing_pose(layout)
    root_name = layout.joints[root_joint].replace("_", " ")
    heading = title or f"{layout.name}: {len(layout.joints)} joints, root {root_name}"
    with style.context():
        (left, bottom), (right, top) = _panel_box(points)
        width = 2.75
        height = 0.93 * width * (top - bottom) / (right - left) + 1.65
        figure = style.figure(width * (1 + len(strategies)), height)
        panels = figure.subplots(1, 1 + len(strategies), squeeze=False)[0]
        titles = ["Input frame", *(_TITLES[strategy] for strategy in strategies)]
        for letter, axes, panel_title in zip("abcdefg", panels, titles, strict=False):
            axes.set_title(f"({letter}) {panel_title}", fontsize=10.5)
            axes.set_axis_off()
            axes.set_aspect("equal")
            _draw_skeleton(axes, layout, points)
        _number_joints(panels[0], layout, points)
        for axes, strategy in zip(panels[1:], strategies, strict=True):
            _draw_neighbourhood(axes, layout, points, root_joint, strategy)
        figure.suptitle(heading, x=0.012, ha="left", fontsize=12.5, weight="bold")
        style.save(figure, out)


def _find_root(layout: Layout, root: int | str | None) -> int:
    count = len(layout.joints)
    if isinstance(root, str) and not root.isdecimal():
        if root not in layout.joints:
            raise unknown(f"joint of layout {layout.name!r}", root, layout.joints)
        return layout.joints.index(root)
    if root is not None:
        if not 0 <= int(root) < count:
            raise UserError(
                f"layout {layout.name!r} has no joint {root!r}; "
                f"its joints are numbered 0 to {count - 1}"
            )
        return int(root)
    for name in ("left_elbow", "left_shoulder", "left_knee"):
        if name in layout.joints:
            return layout.joints.index(name)
    degree = np.bincount(np.array(layout.edges).ravel(), minlength=count)
    degree[layout.centre] = 0
    return int(degree.argmax()) if degree.max() > 1 else layout.centre


def _draw_skeleton(axes: Any, layout: Layout, points: np.ndarray) -> None:
    from matplotlib.collections import LineCollection

    bones = list(points[np.array(layout.edges)])
    axes.add_collection(LineCollection(bones, colors="#b9c0c9", linewidths=2.2, zorder=1))
    axes.scatter(*points.T, s=30, color="#8f98a3", linewidths=0, zorder=2)
    (left, bottom), (right, top) = _panel_box(points)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)


def _panel_box(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the corners of a panel, at least 0.6 times as wide as high to fit its title."""
    low, high = points.min(axis=0) - 0.07, points.max(axis=0) + 0.07
    width, height = high - low
    margin = max(0.0, 0.6 * height - width) * np.array((0.5, 0.0))
    return low - margin, high + margin


def _legend_dot(label: str, **options: Any) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="", label=label, **{"marker": "o", "markersize": 8, **options})


def _number_joints(axes: Any, layout: Layout, points: np.ndarray) -> None:
    """Draws every joint with its number in the colour of its side, and a ring around the centre."""
    sides = layout_drawing.joint_sides(layout)
    colours = style.TONES[0]
    axes.scatter(*points.T, s=34, color=[colours[side] for side in sides], linewidths=0, zorder=3)
    ring: dict[str, Any] = {"facecolors": "none", "edgecolors": style.INK, "linewidths": 1.2}
    axes.scatter(*points[layout.centre], s=110, zorder=4, **ring)
    for joint, point in enumerate(points):
        offset = 9.5 * _free_direction(layout, points, joint)
        if joint == layout.centre:
            offset *= 1.35
        axes.annotate(
            str(joint), point, xytext=tuple(offset), textcoords="offset points", fontsize=7.5,
            color=style.INK, ha="center", va="center", zorder=5,
        )  # fmt: skip
    handles = []
    for side in ("left", "right"):
        if side in sides:
            handles.append(_legend_dot(f"{side} side", markersize=6, color=colours[side]))
    centre = layout.joints[layout.centre].replace("_", " ")
    handles.append(_legend_dot(f"centre: {centre}", markerfacecolor="none", color=style.INK))
    _draw_legend(axes, handles)


def _draw_neighbourhood(
    axes: Any, layout: Layout, points: np.ndarray, root: int, strategy: str
) -> None:
    """Draws the root's neighbours in the colours of their subsets, with bones and an outline."""
    parts = skeletons.adjacency(layout, strategy)[:, :, root]
    if strategy == "distance_star":  # one matrix whose sign marks the subset
        parts = np.stack([np.maximum(parts[0], 0), np.maximum(-parts[0], 0)])
    neighbours = np.flatnonzero(np.any(parts != 0, axis=0))
    bone: dict[str, Any] = {"color": style.INK, "linewidth": 2.6, "solid_capstyle": "round"}
    for joint in neighbours:
        if joint != root:
            axes.plot(*points[[root, joint]].T, zorder=3, **bone)
    _draw_outline(axes, points[neighbours])
    handles = []
    for part, (meaning, colour) in zip(parts, _SUBSETS[strategy], strict=True):
        subset = points[np.flatnonzero(part)].T
        axes.scatter(*subset, s=105, color=colour, edgecolors=style.PAPER, linewidths=1.1, zorder=5)
        handles.append(_legend_dot(meaning, color=colour))
    axes.scatter(*points[root], s=16, color=style.PAPER, linewidths=0, zorder=6)
    if "spatial" in strategy:
        centre = points[layout.centre]
        axes.scatter(*centre, s=48, marker="x", color=style.INK, linewidths=1.8, zorder=7)
        cross: dict[str, Any] = {"marker": "x", "markersize": 7, "markeredgewidth": 1.8}
        handles.append(_legend_dot("centre", color=style.INK, **cross))
    _draw_legend(axes, handles)


def _free_direction(layout: Layout, points: np.ndarray, joint: int) -> np.ndarray:
    """Returns the direction from a joint in which its bones leave most room for a number."""
    ends = [b if a == joint else a for a, b in layout.edges if joint in (a, b)]
    bones = points[ends] - points[joint]
    bones /= np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), 1e-9)
    angles = np.radians(np.arange(0, 360, 15))
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    outward = np.sign(points[joint, 0]) if abs(points[joint, 0]) > 0.01 else 1.0
    # The smallest angle to a bone counts; among equals the outer side of the figure wins.
    nearest_bone = np.max(directions @ bones.T, axis=-1, initial=-1.0)
    cost = nearest_bone - directions @ (0.25 * outward, -0.06)
    return directions[np.argmin(cost)]


def _draw_legend(axes: Any, handles: list) -> None:
    axes.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        fontsize=8,
        handletextpad=0.4,
    )


def _draw_outline(axes: Any, points: np.ndarray, radius: float = 0.052) -> None:
    """Draws a dashed line around points: the convex hull of discs around them."""
    angles = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    circle = radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    hull = _convex_hull((points[:, None] + circle).reshape(-1, 2))
    axes.fill(
        *hull.T,
        facecolor="#f3f5f7",
        edgecolor=style.SOFT,
        linestyle=(0, (4, 3)),
        linewidth=1.1,
        zorder=0,
    )


def _convex_hull(points: np.ndarray) -> np.ndarray:
    """Computes the convex hull by the monotone chain, counter-clockwise."""

    def chain(ordered: list) -> list:
        hull: list = []
        for point in ordered:
            while len(hull) > 1:
                (ax, ay), (bx, by) = hull[-1] - hull[-2], point - hull[-2]
                if ax * by - ay * bx > 0:
                    break
                hull.pop()
            hull.append(point)
        return hull[:-1]

    ordered = list(points[np.lexsort((points[:, 1], points[:, 0]))])
    return np.array(chain(ordered) + chain(ordered[::-1]))
