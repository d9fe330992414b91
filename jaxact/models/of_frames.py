"""How the config sections of the networks over the frames of videos become modules."""

from typing import Any

from jaxact import skeletons
from jaxact.models import scxception, tsn


def build_sc_xception(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    **options: Any,
) -> scxception.SCXception:
    """SC-Xception, ConvGRU and MCAM-AFF; `options` are fields of `SCXception`."""
    del layout, channels  # a picture has no joints, and its channels are read off the input
    return scxception.SCXception(num_classes=num_classes, axis_name=axis_name, **options)


def build_tsn(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    **options: Any,
) -> tsn.TSN:
    """A temporal segment network; `options` are fields of `TSN`."""
    del layout, channels
    return tsn.TSN(num_classes=num_classes, axis_name=axis_name, **options)
