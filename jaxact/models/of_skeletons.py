"""How the config sections of the networks over skeletons become modules."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxact import errors, skeletons
from jaxact.models import asgcn, ctrgcn, localconv, lstm, multibranch, spatialnet, stagcn, stalstm, stgcn, stgcnpp, tcn


def build_stgcn(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
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
    _check_network(options, stgcn.VARIANTS)
    adjacency = skeletons.adjacency(layout, strategy, norm, metric, radii)
    return stgcn.STGCN(
        num_classes=num_classes, adjacency=stgcn.as_tuple(adjacency), axis_name=axis_name, initial=init, **options
    )


def build_local(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    unshare_temporal: bool = False,
    init: str = "v2",
    **options: Any,
) -> stgcn.STGCN:
    """Local convolution on the graph of `layout`; `options` are fields of `STGCN`."""
    del channels
    _check_network(options, stgcn.VARIANTS)
    adjacency = stgcn.as_tuple(skeletons.adjacency(layout, "uniform"))
    kind = localconv.UnsharedSTGCN if unshare_temporal else localconv.LocalSTGCN
    return kind(
        num_classes=num_classes,
        adjacency=adjacency,
        edge_importance=False,
        axis_name=axis_name,
        initial=init,
        **options,
    )


def build_tcn(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    fast: bool | None = None,
    **options: Any,
) -> tcn.TCN:
    """A temporal convolutional network; `options` are fields of `TCN`."""
    del layout, channels, fast  # the sizes are read off the input, and there is one form for every platform
    _check_network(options, tcn.VARIANTS)
    return tcn.TCN(num_classes=num_classes, axis_name=axis_name, **options)


def build_deep_lstm(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    fast: bool | None = None,
    **options: Any,
) -> lstm.DeepLSTM:
    """The recurrent baseline; `options` are fields of `DeepLSTM`."""
    del layout, channels, fast, axis_name  # it keeps no batch statistics either
    return lstm.DeepLSTM(num_classes=num_classes, **options)


def build_stgcnpp(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    **options: Any,
) -> stgcnpp.STGCNPP:
    """ST-GCN++ whose graphs start as that of `layout`; `options` are fields of `STGCNPP`."""
    del channels  # read off the input
    _check_network(options, multibranch.VARIANTS)
    multibranch.check_width("stgcnpp", options.get("width", 64), stgcnpp.DILATIONS)
    adjacency = stgcn.as_tuple(skeletons.adjacency(layout, "spatial"))
    return stgcnpp.STGCNPP(num_classes=num_classes, adjacency=adjacency, axis_name=axis_name, **options)


def build_ctrgcn(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    **options: Any,
) -> ctrgcn.CTRGCN:
    """CTR-GCN whose shared topologies start as the graph of `layout`; `options` are fields of `CTRGCN`."""
    del channels  # read off the input
    _check_network(options, multibranch.VARIANTS)
    multibranch.check_width("ctrgcn", options.get("width", 64), ctrgcn.DILATIONS)
    adjacency = stgcn.as_tuple(skeletons.adjacency(layout, "spatial"))
    return ctrgcn.CTRGCN(num_classes=num_classes, adjacency=adjacency, axis_name=axis_name, **options)


def build_stagcn(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    operator: str = "cheb",
    edge_importance: bool = True,
    init: str = "v2",
    **options: Any,
) -> stagcn.STAGCN:
    """STA-GCN on the graph of `layout`; `options` are fields of `STAGCN`."""
    del channels
    _check_network(options, stgcn.VARIANTS)
    partition = operator == "partition"
    spatial = skeletons.adjacency(layout, "spatial")
    adjacency = spatial if partition else skeletons.chebyshev(layout)
    return stagcn.STAGCN(
        num_classes=num_classes,
        adjacency=stgcn.as_tuple(adjacency),
        gate_adjacency=stgcn.as_tuple(spatial),
        edge_importance=edge_importance and partition,
        bias=partition,
        axis_name=axis_name,
        initial=init,
        **options,
    )


def build_sta_lstm(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    fast: bool | None = None,
    **options: Any,
) -> stalstm.STALSTM:
    """STA-LSTM; `options` are fields of `STALSTM`."""
    del layout, channels, fast, axis_name  # it keeps no batch statistics either
    return stalstm.STALSTM(num_classes=num_classes, **options)


def build_asgcn(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    structure: str = "powers",
    order: int = 4,
    init: str = "v2",
    **options: Any,
) -> asgcn.ASGCN:
    """AS-GCN whose structural links are the bones of `layout`; `options` are fields of `ASGCN`."""
    del channels
    adjacency = stgcn.as_tuple(asgcn.structural_links(layout, order, structure))
    return asgcn.ASGCN(num_classes=num_classes, adjacency=adjacency, axis_name=axis_name, initial=init, **options)


def build_displacement(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    init: str = "v2",
    **options: Any,
) -> spatialnet.DisplacementNetwork:
    """STA-GCN's spatial attention network alone; `options` are fields of `DisplacementNetwork`."""
    del num_classes
    score = channels[-1] == "score"
    return spatialnet.DisplacementNetwork(
        dims=len(channels) - score,
        score=score,
        adjacency=stgcn.as_tuple(skeletons.adjacency(layout, "spatial")),
        axis_name=axis_name,
        initial=init,
        **options,
    )


def _check_network(options: Mapping[str, Any], variants: Mapping[str, Any]) -> None:
    name = options.get("network")
    if name is not None and name not in variants:
        raise errors.unknown("network", name, variants)
