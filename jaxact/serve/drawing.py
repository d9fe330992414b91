"""Skeleton of a clip in JSON values, as the web page draws it."""

import contextlib
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from jaxact.errors import UserError
from jaxact.inference import stagcn_attention
from jaxact.inference.joint_inputs import to_network_joints
from jaxact.plots import layout_drawing, skeleton_animation
from jaxact.runs import trained_model

MAX_FRAMES = 900  # of a drawing; longer clips are subsampled


def skeleton_of(
    net: trained_model.TrainedModel,
    recording: Any,
    layout: str | None,
    *,
    in_video: bool = False,
) -> dict[str, Any] | None:
    """Returns the drawing of a recording, with the network's attention where it has any.

    Args:
        net: the network.
        recording: a `jaxact.datasets.formats.recording.Recording`.
        layout: layout of its joints; None for the one that its file states.
        in_video: see `draw_skeleton`.

    Returns:
        See `draw_skeleton`; None where no joint is visible.

    Raises:
        UserError: joints that cannot be converted to the network's.
    """
    joints = to_network_joints(recording, net, layout)
    record = {"id": recording.name.encode(), "joints": joints}
    if recording.person_id is not None:
        record["person_id"] = recording.person_id
    maps = None
    if stagcn_attention.has_attention(net):
        with contextlib.suppress(UserError):  # a clip with fewer frames than segments
            maps = stagcn_attention.attention_maps(net, record)
    with contextlib.suppress(UserError):  # no joint is visible
        if maps is not None:
            return draw_skeleton(
                maps.joints, net, frames=maps.frames, heat=maps.heat, in_video=in_video
            )
        return draw_skeleton(joints, net, in_video=in_video)
    return None


def draw_skeleton(
    joints: Float[np.ndarray, "t m v c"],
    net: trained_model.TrainedModel,
    *,
    frames: np.ndarray | None = None,
    heat: np.ndarray | None = None,
    in_video: bool = False,
) -> dict[str, Any]:
    """Projects a clip onto a plane, in JSON values.

    Args:
        joints: joints in the network's layout.
        net: the network.
        frames: frame number in the recording of each frame; None for 0, 1, 2 ...
        heat: attention of each joint [t, m, v], in [0, 1].
        in_video: whether the joints are in shares of a video's pictures, y down.

    Returns:
        `box` (width and height), `points` [t, m, v] of x and y in it from its upper left corner,
        None where a joint is missing, `frames` (their numbers), `edges` of the layout, `sides` and
        names (`joints`) of the joints, `heat` or None, and `picture`: None, or for a video `left`,
        `top` and `scale`, by which a point is at left + scale x, top + scale y of the picture.

    Raises:
        UserError: no joint is visible in any frame.
    """
    step = -(-len(joints) // MAX_FRAMES)
    if frames is None:
        frames = np.arange(len(joints))
    scene = skeleton_animation.make_scene(
        joints[::step],
        net.layout,
        scores=net.channels[-1] == "score",
        y_up=False if in_video else None,
    )
    points, box, picture = _fit_box(scene.drawn(), scene.visible)
    return {
        "picture": picture if in_video else None,
        "box": box,
        "points": _points_or_none(points, scene.visible),
        "frames": frames[::step].tolist(),
        "edges": [list(edge) for edge in net.layout.edges],
        "sides": layout_drawing.joint_sides(net.layout),
        "joints": list(net.layout.joints),
        "heat": None if heat is None else np.round(heat[::step].astype(float), 3).tolist(),
    }


def _fit_box(
    points: Float[np.ndarray, "t m v 2"], visible: Bool[np.ndarray, "t m v"]
) -> tuple[Float[np.ndarray, "t m v 2"], list[float], dict[str, float]]:
    """Scales points, y up, to a box with longer side 1.

    Returns:
        The points from the box's upper left corner, y down; its width and height; its `left`, `top`
        and `scale` before.
    """
    low, high = points[visible].min(0), points[visible].max(0)
    scale = max(float((high - low).max()), 1e-9)
    from_upper_left = np.stack([points[..., 0] - low[0], high[1] - points[..., 1]], -1)
    box = np.round((high - low) / scale, 4).tolist()
    origin = {"left": float(low[0]), "top": -float(high[1]), "scale": scale}
    return from_upper_left / scale, box, origin


def _points_or_none(
    points: Float[np.ndarray, "t m v 2"], visible: Bool[np.ndarray, "t m v"]
) -> list[Any]:
    """Returns points as nested lists, with None for joints that are not visible."""
    values = np.where(visible[..., None], np.round(points, 4), 0.0).tolist()
    for t, m, v in np.argwhere(~visible):
        values[t][m][v] = None
    return values
