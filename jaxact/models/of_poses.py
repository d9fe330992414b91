"""How the config section of the pose network becomes a module."""

from typing import Any

from jaxact import skeletons
from jaxact.errors import UserError
from jaxact.models import pose


def build_pose(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    **options: Any,
) -> pose.PoseNet:
    """The pose network, whose joints are those of `body-14` whatever the set's are; `options` are fields of `PoseNet`.

    Raises:
        UserError: no stage, or a first layer without channels.
    """
    del layout, num_classes, channels
    for name in ("stages", "filters"):
        if options.get(name, 1) < 1:
            raise UserError(f"model.{name} is {options[name]!r}, but must be at least 1")
    return pose.PoseNet(axis_name=axis_name, **options)
