"""The networks by name, and how a config section becomes one."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn
import numpy as np

from jaxact import errors, skeletons
from jaxact.models import ctrgcn, multibranch, stgcn, stgcnpp


def build_stgcn(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: int,
    axis_name: str | None = None,
    strategy: str = "spatial",
    norm: str = "subset",
    metric: str = "hop",
    radii: np.ndarray | None = None,
    init: str = "v2",
    **options: Any,
) -> stgcn.STGCN:
    """ST-GCN on the graph of `layout`; `options` are fields of `STGCN`, the rest chooses the partition."""
    del channels  # read off the input
    if options.get("network", "stem9") not in stgcn.VARIANTS:
        raise errors.unknown("network", options["network"], stgcn.VARIANTS)
    adjacency = skeletons.adjacency(layout, strategy, norm, metric, radii)
    return stgcn.STGCN(
        num_classes=num_classes, adjacency=stgcn.as_tuple(adjacency), axis_name=axis_name, initial=init, **options
    )


def build_stgcnpp(
    *, layout: skeletons.Layout, num_classes: int, channels: int, axis_name: str | None = None, **options: Any
) -> stgcnpp.STGCNPP:
    """ST-GCN++ whose graphs start as that of `layout`; `options` are fields of `STGCNPP`."""
    del channels  # read off the input
    if options.get("network", "ten") not in stgcnpp.VARIANTS:
        raise errors.unknown("network", options["network"], stgcnpp.VARIANTS)
    multibranch.check_width("stgcnpp", options.get("width", 64), stgcnpp.DILATIONS)
    adjacency = stgcn.as_tuple(skeletons.adjacency(layout, "spatial"))
    return stgcnpp.STGCNPP(num_classes=num_classes, adjacency=adjacency, axis_name=axis_name, **options)


def build_ctrgcn(
    *, layout: skeletons.Layout, num_classes: int, channels: int, axis_name: str | None = None, **options: Any
) -> ctrgcn.CTRGCN:
    """CTR-GCN whose shared topologies start as the graph of `layout`; `options` are fields of `CTRGCN`."""
    del channels  # read off the input
    multibranch.check_width("ctrgcn", options.get("width", 64), ctrgcn.DILATIONS)
    adjacency = stgcn.as_tuple(skeletons.adjacency(layout, "spatial"))
    return ctrgcn.CTRGCN(num_classes=num_classes, adjacency=adjacency, axis_name=axis_name, **options)


MODELS: dict[str, Callable[..., nn.Module]] = {
    "stgcn": build_stgcn,
    "stgcnpp": build_stgcnpp,
    "ctrgcn": build_ctrgcn,
}


def build(
    name: str,
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: int,
    axis_name: str | None = None,
    **options: Any,
) -> nn.Module:
    """The network `name`, ready for `init`.

    Args:
        name: a key of `MODELS`.
        layout: joints and bones of the input.
        num_classes: logits out.
        channels: numbers per joint in the input.
        axis_name: mapped axis whose devices share batch statistics; None for each device's own.
        **options: the remaining fields of the model's config section; for the gravity metric also `radii` [v], the
            joints' mean distances from the centre of gravity.

    Raises:
        UserError: on a name that is not in `MODELS`.
    """
    if name not in MODELS:
        raise errors.unknown("model", name, MODELS)
    return MODELS[name](layout=layout, num_classes=num_classes, channels=channels, axis_name=axis_name, **options)
