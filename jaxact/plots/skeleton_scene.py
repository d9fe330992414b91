"""Scenes that a figure draws frame by frame: skeletons in a plane or on a floor, or a video."""

from typing import Any

import numpy as np
from jaxtyping import UInt8

from jaxact.plots import layout_drawing, style
from jaxact.skeletons import Layout

_GREY = "#b9c0c9"


class Limbs:
    """Bones and joints of all people, moved from frame to frame."""

    def __init__(
        self, axes: Any, layout: Layout, persons: int, width: float, *, grey: bool = False
    ) -> None:
        """Adds empty artists to the axes.

        Args:
            axes: the axes to draw on.
            layout: joint layout.
            persons: number of persons; the first has a tone of its own, the others share one.
            width: line width of a bone in points.
            grey: draw bones in grey and hide the joints.
        """
        from matplotlib.collections import LineCollection

        self.bones = np.array(list(layout.edges))
        self.grey = grey
        sides = layout_drawing.joint_sides(layout)
        bone_colours, joint_colours = [], []
        for person in range(persons):
            tone = style.TONES[min(person, 1)]
            bone_colours.append([tone[sides[child]] for child, _ in self.bones])
            joint_colours.append([tone[side] for side in sides])
        self.bone_colours = np.array(bone_colours)
        self.joint_colours = np.array(joint_colours)
        self.sizes = np.array([_joint_size(name, width) for name in layout.joints])
        self.lines = LineCollection([], linewidths=width, capstyle="round", zorder=3)
        self.dots = axes.scatter([], [], zorder=4, linewidths=0)
        self.dots.set_visible(not grey)
        axes.add_collection(self.lines)

    def move(self, points: np.ndarray, depth: np.ndarray, visible: np.ndarray) -> None:
        """Shows one frame.

        Args:
            points: joint positions [m, v, 2].
            depth: depth [m, v]; larger is farther and drawn first.
            visible: which joints are drawn [m, v].
        """
        start, end = self.bones.T
        drawn = visible[:, start] & visible[:, end]
        order = np.argsort(-0.5 * (depth[:, start] + depth[:, end])[drawn], kind="stable")
        segments = np.stack([points[:, start], points[:, end]], axis=2)[drawn][order]
        self.lines.set_segments(list(segments))
        if self.grey:
            self.lines.set_color(_GREY)
        else:
            self.lines.set_colors(self.bone_colours[drawn][order].tolist())
        order = np.argsort(-depth[visible], kind="stable")
        self.dots.set_offsets(points[visible][order])
        self.dots.set_sizes(np.broadcast_to(self.sizes, visible.shape)[visible][order])
        self.dots.set_facecolors(self.joint_colours[visible][order])


def _joint_size(name: str, width: float) -> float:
    """Returns the area of a joint's dot in square points: large for a head, small for a face."""
    if name in ("head", "face", "nose"):
        return (3.4 * width) ** 2
    if any(part in name for part in ("eye", "ear", "tip", "thumb")):
        return (0.9 * width) ** 2
    return (1.5 * width) ** 2


class PlaneScene:
    """A clip of 2-D skeletons in the image plane."""

    def __init__(self, points: np.ndarray, visible: np.ndarray, layout: Layout) -> None:
        self.points, self.visible, self.layout = points, visible, layout

    def __len__(self) -> int:
        return len(self.points)

    def drawn(self) -> np.ndarray:
        """Returns picture coordinates [t, m, v, 2] of every joint."""
        return self.points

    def prepare(self, axes: Any, *, grey: bool = False) -> Any:
        """Fits the whole clip into the axes and returns the function that shows frame t."""
        visible_points = self.points[self.visible]
        low, high = visible_points.min(axis=0), visible_points.max(axis=0)
        margin = 0.08 * max(high - low)
        _fit_axes(axes, low - margin, high + margin)
        height = _median_height(self.points, self.visible)
        width = float(np.clip(9.0 * height / max(high - low + 2 * margin), 1.2, 5.0))
        limbs = Limbs(axes, self.layout, self.points.shape[1], width, grey=grey)
        no_depth = np.zeros(self.points.shape[1:3])
        return lambda t: limbs.move(self.points[t], no_depth, self.visible[t])


class VideoScene:
    """A video."""

    def __init__(self, images: UInt8[np.ndarray, "t h w 3"]) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def prepare(self, axes: Any) -> Any:
        """Returns the function that shows frame t."""
        artist = axes.imshow(self.images[0], aspect="equal")
        return lambda t: artist.set_data(self.images[t])


class FloorScene:
    """3-D skeletons on a floor, in perspective, from slightly above the sensor's line of sight."""

    def __init__(
        self, points: np.ndarray, visible: np.ndarray, layout: Layout, turn: float | int
    ) -> None:
        points = _level_floor(points, visible)
        visible_points = points[visible]
        floor = np.percentile(np.where(visible, points[..., 1], np.inf).min(axis=(1, 2)), 15)
        low, high = visible_points.min(axis=0), visible_points.max(axis=0)
        self.origin = np.array((0.5 * (low[0] + high[0]), floor, 0.5 * (low[2] + high[2])))
        c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        rotation = np.array(((c, 0, s), (0, 1, 0), (-s, 0, c)))
        self.points = (points - self.origin) @ rotation.T
        self.visible, self.layout = visible, layout
        self.height = _median_height(self.points, visible)
        radius = np.linalg.norm(self.points[visible][:, (0, 2)], axis=-1)
        self.extent = max(high[1] - floor, 2.0 * np.percentile(radius, 99.5), 0.8 * self.height)

    def __len__(self) -> int:
        return len(self.points)

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns picture coordinates and depth of 3-D points."""
        tilt = np.radians(13.0)
        x, y, z = points[..., 0], points[..., 1] - 0.5 * self.extent, points[..., 2]
        up = y * np.cos(tilt) - z * np.sin(tilt)
        near = y * np.sin(tilt) + z * np.cos(tilt)
        depth = 3.6 * self.extent - near
        scale = 3.6 * self.extent / depth
        return np.stack([x * scale, up * scale], axis=-1), depth

    def drawn(self) -> np.ndarray:
        """Returns picture coordinates [t, m, v, 2] of every joint."""
        return self.project(self.points)[0]

    def prepare(self, axes: Any, *, grey: bool = False) -> Any:
        """Draws the floor and returns the function that shows frame t."""
        from matplotlib.collections import LineCollection

        corners = self._draw_floor(axes)
        points, depth = self.project(self.points)
        low = np.minimum(points[self.visible].min(axis=0), corners.min(axis=0))
        high = np.maximum(points[self.visible].max(axis=0), corners.max(axis=0))
        _fit_axes(axes, low - 0.06 * self.extent, high + 0.06 * self.extent)
        width = float(np.clip(7.0 * self.height / self.extent, 1.5, 5.0))
        limbs = Limbs(axes, self.layout, self.points.shape[1], width, grey=grey)
        on_floor = self.project(self.points * (1.0, 0.0, 1.0))[0]
        shadow = LineCollection(
            [], colors="#d4d8de", linewidths=0.9 * width, capstyle="round", zorder=2
        )
        axes.add_collection(shadow)
        bones = np.array(self.layout.edges)

        def show(t: int) -> None:
            drawn = self.visible[t][:, bones[:, 0]] & self.visible[t][:, bones[:, 1]]
            shadow.set_segments(list(on_floor[t][:, bones][drawn]))
            limbs.move(points[t], depth[t], self.visible[t])

        return show

    def _draw_floor(self, axes: Any) -> np.ndarray:
        """Draws the floor with its grid and returns picture coordinates of its corners."""
        from matplotlib.collections import LineCollection

        metric = 0.6 < self.height < 2.6  # the height of a person in metres
        unit = 0.5 if metric else self.height / 3.5
        ground = self.points[self.visible][:, (0, 2)]
        left, back = np.floor(ground.min(axis=0) / unit - 0.5) * unit
        right, front = np.ceil(ground.max(axis=0) / unit + 0.5) * unit
        lines = [
            ((left, 0.0, z), (right, 0.0, z)) for z in np.arange(back, front + 0.5 * unit, unit)
        ]
        lines += [
            ((x, 0.0, back), (x, 0.0, front)) for x in np.arange(left, right + 0.5 * unit, unit)
        ]
        grid = [self.project(np.array(line))[0] for line in lines]
        floor = np.array([(left, 0, back), (right, 0, back), (right, 0, front), (left, 0, front)])
        corners = self.project(floor)[0]
        axes.fill(*corners.T, color="#f5f6f8", zorder=0, linewidth=0)
        axes.add_collection(LineCollection(grid, colors=style.GRID, linewidths=0.8, zorder=1))
        if metric:
            axes.text(
                0.035, 0.025, "floor grid 0.5 m", transform=axes.transAxes, fontsize=8,
                color=style.SOFT,
            )  # fmt: skip
        return corners


def _level_floor(points: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Removes the slope of the floor under a tilted sensor.

    The slope is fitted to the lowest joint of each person and frame, where these differ in depth.
    """
    occupied = visible.any(axis=-1)
    height = np.where(visible, points[..., 1], np.inf)
    lowest_joint = height.argmin(axis=-1)[..., None, None]
    lowest = np.take_along_axis(points, lowest_joint, axis=2)[:, :, 0][occupied]
    depth = lowest[:, 2] - lowest[:, 2].mean()
    if depth.std() < 0.15 * _median_height(points, visible):
        return points
    slope = np.clip(depth @ lowest[:, 1] / (depth @ depth), -0.5, 0.5)
    return points - slope * (points[..., 2:] - lowest[:, 2].mean()) * (0.0, 1.0, 0.0)


def _fit_axes(axes: Any, low: np.ndarray, high: np.ndarray) -> None:
    """Fits the box from `low` to `high` into the axes, at the same scale in both directions."""
    box = axes.get_window_extent()
    scale = max((high[0] - low[0]) / box.width, (high[1] - low[1]) / box.height)
    middle = 0.5 * (low + high)
    half = 0.5 * scale * np.array((box.width, box.height))
    axes.set_xlim(middle[0] - half[0], middle[0] + half[0])
    axes.set_ylim(middle[1] - half[1], middle[1] + half[1])


def _median_height(points: np.ndarray, visible: np.ndarray) -> float:
    """Returns the median height of a person in the units of the clip."""
    y = points[..., 1]
    top = np.where(visible, y, -np.inf).max(axis=-1)
    bottom = np.where(visible, y, np.inf).min(axis=-1)
    occupied = visible.any(axis=-1)
    return float(max(np.median((top - bottom)[occupied]), 1e-6))
