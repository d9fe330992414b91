"""What is seen of a clip: bodies of bones and joints on the image plane, or on a floor in
perspective; or a video.
"""

from typing import Any

import numpy as np
from jaxtyping import UInt8

from jaxact.plots import drawing_poses, style
from jaxact.skeletons import Layout


class Limbs:
    """The bones and joints of everybody, moved from frame to frame."""

    def __init__(self, axes: Any, layout: Layout, persons: int, width: float) -> None:
        from matplotlib.collections import LineCollection

        self.bones = np.array([bone for bone in layout.edges])
        sides = drawing_poses.sides(layout)
        tones = [style.TONES[min(person, 1)] for person in range(persons)]
        self.bone_colours = np.array(
            [[tone[sides[child]] for child, _ in self.bones] for tone in tones]
        )
        self.joint_colours = np.array([[tone[side] for side in sides] for tone in tones])
        heads = [name in ("head", "face", "nose") for name in layout.joints]
        small = [
            any(part in name for part in ("eye", "ear", "tip", "thumb")) for name in layout.joints
        ]
        self.sizes = np.where(
            heads, (3.4 * width) ** 2, np.where(small, (0.9 * width) ** 2, (1.5 * width) ** 2)
        )
        self.lines = LineCollection([], linewidths=width, capstyle="round", zorder=3)
        self.dots = axes.scatter([], [], zorder=4, linewidths=0)
        axes.add_collection(self.lines)

    def move(self, points: np.ndarray, depth: np.ndarray, visible: np.ndarray) -> None:
        """Shows one frame: points [m, v, 2], depth [m, v] (larger is farther and drawn first),
        visible [m, v].
        """
        start, end = self.bones.T
        shown = visible[:, start] & visible[:, end]
        order = np.argsort(-0.5 * (depth[:, start] + depth[:, end])[shown], kind="stable")
        segments = np.stack([points[:, start], points[:, end]], axis=2)[shown][order]
        self.lines.set_segments(list(segments))
        self.lines.set_colors(self.bone_colours[shown][order].tolist())
        order = np.argsort(-depth[visible], kind="stable")
        self.dots.set_offsets(points[visible][order])
        self.dots.set_sizes(np.broadcast_to(self.sizes, visible.shape)[visible][order])
        self.dots.set_facecolors(self.joint_colours[visible][order])


class Plane:
    """The image plane."""

    def __init__(self, places: np.ndarray, visible: np.ndarray, layout: Layout) -> None:
        self.places, self.visible, self.layout = places, visible, layout

    def drawn(self) -> np.ndarray:
        """Picture coordinates [t, m, v, 2] of every joint."""
        return self.places

    def prepare(self, axes: Any) -> Any:
        """Frames the whole clip and returns the function that shows a frame."""
        seen = self.places[self.visible]
        low, high = seen.min(axis=0), seen.max(axis=0)
        margin = 0.08 * max(high - low)
        _frame(axes, low - margin, high + margin)
        height = _typical_height(self.places, self.visible)
        width = float(np.clip(9.0 * height / max(high - low + 2 * margin), 1.2, 5.0))
        limbs = Limbs(axes, self.layout, self.places.shape[1], width)
        flat = np.zeros(self.places.shape[1:3])
        return lambda t: limbs.move(self.places[t], flat, self.visible[t])


class Screen:
    """A video as a scene."""

    def __init__(self, pictures: UInt8[np.ndarray, "t h w 3"]) -> None:
        self.places = pictures

    def prepare(self, axes: Any) -> Any:
        """Returns the function that shows a frame."""
        shown = axes.imshow(self.places[0], aspect="equal")
        return lambda t: shown.set_data(self.places[t])


class Space:
    """A stage with a floor, seen in perspective by a viewer a little above the sensor's line of
    sight.
    """

    def __init__(
        self, places: np.ndarray, visible: np.ndarray, layout: Layout, turn: float | int
    ) -> None:
        places = _levelled(places, visible)
        seen = places[visible]
        floor = np.percentile(np.where(visible, places[..., 1], np.inf).min(axis=(1, 2)), 15)
        low, high = seen.min(axis=0), seen.max(axis=0)
        self.origin = np.array((0.5 * (low[0] + high[0]), floor, 0.5 * (low[2] + high[2])))
        c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        self.places = (places - self.origin) @ np.array(((c, 0, s), (0, 1, 0), (-s, 0, c))).T
        self.visible, self.layout = visible, layout
        flat = np.linalg.norm(self.places[visible][:, (0, 2)], axis=-1)
        self.height = _typical_height(self.places, visible)
        self.extent = max(high[1] - floor, 2.0 * np.percentile(flat, 99.5), 0.8 * self.height)

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Picture coordinates and depth of stage points."""
        tilt = np.radians(13.0)
        x, y, z = points[..., 0], points[..., 1] - 0.5 * self.extent, points[..., 2]
        up, near = y * np.cos(tilt) - z * np.sin(tilt), y * np.sin(tilt) + z * np.cos(tilt)
        away = 3.6 * self.extent - near
        scale = 3.6 * self.extent / away
        return np.stack([x * scale, up * scale], axis=-1), away

    def drawn(self) -> np.ndarray:
        """Picture coordinates [t, m, v, 2] of every joint."""
        return self.project(self.places)[0]

    def prepare(self, axes: Any) -> Any:
        """Draws the floor and returns the function that shows a frame."""
        from matplotlib.collections import LineCollection

        unit = 0.5 if 0.6 < self.height < 2.6 else self.height / 3.5
        seen = self.places[self.visible][:, (0, 2)]
        (left, back), (right, front) = (
            np.floor(seen.min(axis=0) / unit - 0.5) * unit,
            np.ceil(seen.max(axis=0) / unit + 0.5) * unit,
        )
        across = [
            ((left, 0.0, z), (right, 0.0, z)) for z in np.arange(back, front + 0.5 * unit, unit)
        ]
        along = [
            ((x, 0.0, back), (x, 0.0, front)) for x in np.arange(left, right + 0.5 * unit, unit)
        ]
        grid = [self.project(np.array(line))[0] for line in (*across, *along)]
        corners = self.project(
            np.array([(left, 0, back), (right, 0, back), (right, 0, front), (left, 0, front)])
        )[0]
        axes.fill(*corners.T, color="#f5f6f8", zorder=0, linewidth=0)
        axes.add_collection(LineCollection(grid, colors=style.GRID, linewidths=0.8, zorder=1))
        points, away = self.project(self.places)
        low = np.minimum(points[self.visible].min(axis=0), corners.min(axis=0))
        high = np.maximum(points[self.visible].max(axis=0), corners.max(axis=0))
        _frame(axes, low - 0.06 * self.extent, high + 0.06 * self.extent)
        if unit == 0.5:
            axes.text(
                0.035,
                0.025,
                "floor grid 0.5 m",
                transform=axes.transAxes,
                fontsize=8,
                color=style.SOFT,
            )
        width = float(np.clip(7.0 * self.height / self.extent, 1.5, 5.0))
        limbs = Limbs(axes, self.layout, self.places.shape[1], width)
        ground = self.project(self.places * (1.0, 0.0, 1.0))[0]
        shade = LineCollection(
            [], colors="#d4d8de", linewidths=0.9 * width, capstyle="round", zorder=2
        )
        axes.add_collection(shade)
        bones = np.array(self.layout.edges)

        def show(t: int) -> None:
            shown = self.visible[t][:, bones[:, 0]] & self.visible[t][:, bones[:, 1]]
            shade.set_segments(list(ground[t][:, bones][shown]))
            limbs.move(points[t], away[t], self.visible[t])

        return show


def _levelled(places: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Takes out the slope that a tilted sensor gives the floor, where feet at different depths show
    it.
    """
    there = visible.any(axis=-1)
    height = np.where(visible, places[..., 1], np.inf)
    lowest = np.take_along_axis(places, height.argmin(axis=-1)[..., None, None], axis=2)[:, :, 0][
        there
    ]
    depth = lowest[:, 2] - lowest[:, 2].mean()
    if depth.std() < 0.15 * _typical_height(places, visible):
        return places
    slope = np.clip(depth @ lowest[:, 1] / (depth @ depth), -0.5, 0.5)
    return places - slope * (places[..., 2:] - lowest[:, 2].mean()) * (0.0, 1.0, 0.0)


def _frame(axes: Any, low: np.ndarray, high: np.ndarray) -> None:
    """Fits the box from `low` to `high` into the axes, both directions at one scale."""
    box = axes.get_window_extent()
    scale = max((high[0] - low[0]) / box.width, (high[1] - low[1]) / box.height)
    middle, half = 0.5 * (low + high), 0.5 * scale * np.array((box.width, box.height))
    axes.set_xlim(middle[0] - half[0], middle[0] + half[0])
    axes.set_ylim(middle[1] - half[1], middle[1] + half[1])


def _typical_height(places: np.ndarray, visible: np.ndarray) -> float:
    """Median height of a person in the units of the clip."""
    y = places[..., 1]
    top = np.where(visible, y, -np.inf).max(axis=-1)
    bottom = np.where(visible, y, np.inf).min(axis=-1)
    there = visible.any(axis=-1)
    return float(max(np.median((top - bottom)[there]), 1e-6))
