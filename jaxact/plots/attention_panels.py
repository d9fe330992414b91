"""The parts of a picture of attention: heated skeletons, bars of segments, the heat of every joint
over time.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from jaxact.plots import style
from jaxact.plots.skeleton_scene import Plane, Space
from jaxact.plots.video import Footage

Scene = Space | Plane | Footage

ROW = 0.165  # inches of a joint in the map over time
_BONES, _TRACK, _KEPT, _EXCLUDED = "#b9c0c9", "#eef0f2", "#d55e00", "#c3c8cf"


@dataclasses.dataclass(frozen=True, slots=True)
class Attention:
    """What a network attended to in a clip, as it is drawn.

    Attributes:
      joints: places; pixels where there are `pictures`, else see `clips.animation`.
      frames: number in the record of each frame.
      heat: [t, m, v], H of each joint, 0 to 1.
      gate: h of each joint, 0 to 1; None: there is no panel of its means.
      taken: how much the others take from each joint of a person, of sum 1; None: there is no panel
          of it.
      confidence: of each segment, 0 to 1; segments are parts of the clip of equal length.
      kept: which of them the prediction is made of.
      labels: class of each.
      pictures: of the video, at every frame; None: the skeleton stands alone.
    """

    joints: Float[np.ndarray, "t m v c"]
    frames: Int[np.ndarray, " t"]
    heat: Float[np.ndarray, "..."]
    gate: Float[np.ndarray, "t m v"] | None
    taken: Float[np.ndarray, "m v"] | None
    confidence: Float[np.ndarray, " s"]
    kept: Bool[np.ndarray, " s"]
    labels: tuple[str, ...]
    pictures: UInt8[np.ndarray, "t h w 3"] | None = None


def place(drawing: Any, left: float, bottom: float, width: float, height: float) -> Any:
    """New axes of a figure, their box in inches."""
    size = drawing.get_size_inches()
    return drawing.add_axes((left / size[0], bottom / size[1], width / size[0], height / size[1]))


def colours() -> Any:
    """The colour map of the heat."""
    import matplotlib

    return matplotlib.colormaps[style.SEQUENCE]


def people(
    axes: Any, scene: Scene, heat: np.ndarray | None, size: float = 1.0
) -> Callable[[int], None]:
    """Draws a scene and returns the function that shows a frame; `heat` makes bones grey and joints
    discs.

    Args:
      axes: to draw on.
      scene: the clip.
      heat: of the joints; the hottest are the largest and lie on top. None: limbs in their own
          colours.
      size: of the discs; 1 for a panel of two inches.
    """
    axes.set_axis_off()
    show = scene.prepare(axes)
    if heat is None:
        return show
    bones, dots = (
        next(one for one in axes.collections if one.get_zorder() == order) for order in (3, 4)
    )
    dots.set_visible(False)
    points = scene.drawn()
    discs = axes.scatter([], [], zorder=5, linewidths=0.7, edgecolors=style.INK)

    def heated(t: int) -> None:
        show(t)
        bones.set_color(_BONES)
        seen = scene.visible[t]
        order = np.argsort(heat[t][seen], kind="stable")
        hot = heat[t][seen][order]
        discs.set_offsets(points[t][seen][order])
        discs.set_sizes((size * (3.0 + 7.0 * hot)) ** 2)
        discs.set_facecolors(colours()(hot))

    return heated


def bar(axes: Any, shown: Attention, part: int) -> None:
    """The confidence of a segment as a bar, its class above and the number below."""
    sure, kept = float(shown.confidence[part]), bool(shown.kept[part])
    ink = style.INK if kept else style.SOFT
    width = axes.get_figure().get_size_inches()[0] * axes.get_position().width
    axes.set_axis_off()
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.barh(0.46, 1.0, height=0.24, color=_TRACK)
    axes.barh(0.46, sure, height=0.24, color=_KEPT if kept else _EXCLUDED, hatch=None if kept else "////",
              edgecolor="white", linewidth=0)  # fmt: skip
    label = style.shorten(shown.labels[part], int(10 * width))
    axes.text(0, 0.84, label, weight="bold" if kept else "normal", color=ink, va="center")
    axes.text(
        0,
        0.14,
        f"{sure:.2f}" if kept else f"{sure:.2f} excluded",
        va="center",
        fontsize=9,
        color=ink,
    )


def rows(scene: Scene) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Person, joint and name of every row of the map over time: all joints that are ever seen."""
    person, joint = np.argwhere(scene.visible.any(0)).T
    names = [scene.layout.joints[v].replace("_", " ") for v in joint]
    if person.any():
        names = [f"{name}, {m + 1}" for name, m in zip(names, person, strict=True)]
    return person, joint, names


def over_time(
    axes: Any, shown: Attention, scene: Scene, chosen: Sequence[int], fps: float | int
) -> Any:
    """The heat of every joint over time, parted where the segments are; ticks are the frames in
    `chosen`.
    """
    person, joint, names = rows(scene)
    seen = scene.visible[:, person, joint]
    picture = np.ma.masked_where(~seen, shown.heat[:, person, joint]).T
    drawn = axes.imshow(
        picture, cmap=colours(), vmin=0, vmax=1, aspect="auto", interpolation="nearest"
    )
    axes.set_facecolor(_TRACK)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_xticks(list(chosen), [f"{shown.frames[t] / fps:.2f}" for t in chosen])
    axes.set_xlabel("time in s of the frames above")
    axes.set_title("H of every joint over time", fontsize=10)
    axes.spines[:].set_visible(False)
    parts = len(shown.confidence)
    for border in range(1, parts):
        axes.axvline(border * len(shown.heat) / parts - 0.5, color="white", linewidth=2.0)
    return drawn


def beside(shown: Attention, scene: Scene) -> list[Callable[[Any], None]]:
    """The panels that stand beside `over_time`, in its rows: each draws on the axes that it is
    given.
    """
    person, joint, names = rows(scene)
    panels = []
    if shown.gate is not None:
        seen = scene.visible
        means = (shown.gate * seen).sum(0) / np.maximum(seen.sum(0), 1)
        panels.append(("Gate, mean h", "0 shut, 1 open", means, None))
    if shown.taken is not None:
        panels.append(
            (
                "Taken from it (S')",
                "%, dashed: all alike",
                100 * shown.taken,
                100 / len(scene.layout.joints),
            )
        )

    def draw(axes: Any, title: str, unit: str, values: np.ndarray, alike: float | None) -> None:
        axes.barh(range(len(names)), values[person, joint], color=style.CYCLE[0], height=0.7)
        axes.set(ylim=(len(names) - 0.5, -0.5), yticks=[], xlabel=unit)
        axes.set_title(title, fontsize=10)
        if alike is None:
            axes.set(xlim=(0, 1), xticks=(0, 0.5, 1))
        else:
            axes.axvline(alike, color=style.INK, linewidth=0.9, linestyle=(0, (3, 2)))

    return [lambda axes, panel=panel: draw(axes, *panel) for panel in panels]
