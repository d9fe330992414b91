"""Panels of an attention figure: heated skeletons, segment bars, and joint heat over time."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxact.plots import style
from jaxact.plots.attention_maps import AttentionMaps
from jaxact.plots.skeleton_scene import FloorScene, PlaneScene
from jaxact.plots.video import FootageScene

Scene = FloorScene | PlaneScene | FootageScene

ROW = 0.165  # inches of a joint in the map over time
_TRACK, _SELECTED, _EXCLUDED = "#eef0f2", "#d55e00", "#c3c8cf"


def add_axes(figure: Any, left: float, bottom: float, width: float, height: float) -> Any:
    """Adds axes to a figure; the box is in inches."""
    size = figure.get_size_inches()
    return figure.add_axes((left / size[0], bottom / size[1], width / size[0], height / size[1]))


def heat_colours() -> Any:
    """Returns the colour map of the heat."""
    import matplotlib

    return matplotlib.colormaps[style.SEQUENCE]


def draw_people(
    axes: Any, scene: Scene, heat: np.ndarray | None, size: float = 1.0
) -> Callable[[int], None]:
    """Draws a scene and returns the function that shows frame t.

    Args:
        axes: the axes to draw on.
        scene: the clip.
        heat: heat of the joints [t, m, v], drawn as discs on grey bones; the hottest are the
            largest and lie on top. None draws limbs in their own colours.
        size: scale of the discs; 1 for a panel of two inches.
    """
    axes.set_axis_off()
    if heat is None:
        return scene.prepare(axes)
    show = scene.prepare(axes, grey=True)
    points = scene.drawn()
    discs = axes.scatter([], [], zorder=5, linewidths=0.7, edgecolors=style.INK)

    def show_heat(t: int) -> None:
        show(t)
        visible = scene.visible[t]
        order = np.argsort(heat[t][visible], kind="stable")
        sorted_heat = heat[t][visible][order]
        discs.set_offsets(points[t][visible][order])
        discs.set_sizes((size * (3.0 + 7.0 * sorted_heat)) ** 2)
        discs.set_facecolors(heat_colours()(sorted_heat))

    return show_heat


def draw_segment_bar(axes: Any, maps: AttentionMaps, segment: int) -> None:
    """Draws the confidence of a segment as a bar, its class above and the value below."""
    confidence = float(maps.confidence[segment])
    width = axes.get_figure().get_size_inches()[0] * axes.get_position().width
    ink, weight, colour, hatch, text = style.INK, "bold", _SELECTED, None, f"{confidence:.2f}"
    if not maps.selected[segment]:
        ink, weight, colour, hatch = style.SOFT, "normal", _EXCLUDED, "////"
        text += " excluded"
    axes.set_axis_off()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.barh(0.46, 1.0, height=0.24, color=_TRACK)
    axes.barh(
        0.46, confidence, height=0.24, color=colour, hatch=hatch, edgecolor="white", linewidth=0
    )
    label = style.shorten(maps.segment_labels[segment], int(10 * width))
    axes.text(0, 0.84, label, weight=weight, color=ink, va="center")
    axes.text(0, 0.14, text, va="center", fontsize=9, color=ink)


def joint_rows(scene: Scene) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Returns person, joint and name of every row of the map over time: all joints ever visible."""
    person, joint = np.argwhere(scene.visible.any(0)).T
    names = [scene.layout.joints[v].replace("_", " ") for v in joint]
    if person.any():
        names = [f"{name}, {m + 1}" for name, m in zip(names, person, strict=True)]
    return person, joint, names


def draw_heat_over_time(
    axes: Any, maps: AttentionMaps, scene: Scene, frames: Sequence[int], fps: float | int
) -> Any:
    """Draws the heat of every joint over time, with lines between segments and ticks at `frames`.

    Returns:
        The image, for a colour bar.
    """
    person, joint, names = joint_rows(scene)
    visible = scene.visible[:, person, joint]
    heat = np.ma.masked_where(~visible, maps.heat[:, person, joint]).T
    image = axes.imshow(
        heat, cmap=heat_colours(), vmin=0, vmax=1, aspect="auto", interpolation="nearest"
    )
    axes.set_facecolor(_TRACK)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_xticks(list(frames), [f"{maps.frames[t] / fps:.2f}" for t in frames])
    axes.set_xlabel("time in s of the frames above")
    axes.set_title("H of every joint over time", fontsize=10)
    axes.spines[:].set_visible(False)
    segments = len(maps.confidence)
    for border in range(1, segments):
        axes.axvline(border * len(maps.heat) / segments - 0.5, color="white", linewidth=2.0)
    return image


def joint_bar_panels(maps: AttentionMaps, scene: Scene) -> list[Callable[[Any], None]]:
    """Returns a drawing function for each panel beside the map over time, in the map's rows."""
    panels = []
    if maps.gate is not None:
        visible = scene.visible
        mean_gate = (maps.gate * visible).sum(0) / np.maximum(visible.sum(0), 1)
        panels.append(lambda axes: _draw_gate(axes, scene, mean_gate))
    received = maps.received
    if received is not None:
        panels.append(lambda axes: _draw_received(axes, scene, received))
    return panels


def _draw_gate(axes: Any, scene: Scene, mean_gate: np.ndarray) -> None:
    _draw_joint_bars(axes, scene, mean_gate)
    axes.set(xlim=(0, 1), xticks=(0, 0.5, 1), xlabel="0 closed, 1 open")
    axes.set_title("Gate, mean h", fontsize=10)


def _draw_received(axes: Any, scene: Scene, received: np.ndarray) -> None:
    _draw_joint_bars(axes, scene, 100 * received)
    uniform = 100 / len(scene.layout.joints)
    axes.axvline(uniform, color=style.INK, linewidth=0.9, linestyle=(0, (3, 2)))
    axes.set_xlabel("%, dashed: uniform")
    axes.set_title("Received (S')", fontsize=10)


def _draw_joint_bars(axes: Any, scene: Scene, values: np.ndarray) -> None:
    person, joint, names = joint_rows(scene)
    axes.barh(range(len(names)), values[person, joint], color=style.CYCLE[0], height=0.7)
    axes.set(ylim=(len(names) - 0.5, -0.5), yticks=[])
