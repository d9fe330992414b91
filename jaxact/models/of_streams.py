"""How the config sections of the networks that also run on streams become modules."""

from typing import Any

from jaxact import errors, skeletons
from jaxact.models import causal, posevector, recogniser, renorm, stgcn
from jaxact.models.keraslstm import ACTIVATIONS


def build_recogniser(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    features: str = "parts",
    fast: bool | None = None,
    **options: Any,
) -> recogniser.Recogniser:
    """The online recogniser of one person; `options` are fields of `Recogniser`.

    Raises:
        UserError: a layout or channels from which the vectors cannot be made, or an option out of its range.
    """
    del fast  # there is one form for every platform
    posevector.check_channels(channels)
    for field, kind, available in (
        ("network", "network", recogniser.VARIANTS),
        ("activation", "activation", ACTIVATIONS),
        ("schedule", "schedule of batch renormalisation", renorm.SCHEDULES),
        ("norm", "normalisation", ("renorm", "batch")),
    ):
        if field in options and options[field] not in available:
            raise errors.unknown(kind, options[field], available)
    if not 0 <= options.get("shared", 0.5) <= 1:
        raise errors.UserError(f"model.shared is a probability from 0 to 1, got {options['shared']!r}")
    return recogniser.Recogniser(
        num_classes=num_classes,
        rows=posevector.joint_rows(layout, features),
        parts=features == "parts",
        score=channels[-1] == "score",
        axis_name=axis_name,
        **options,
    )


def build_causal_stgcn(
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    strategy: str = "spatial",
    norm: str = "subset",
    init: str = "v2",
    **options: Any,
) -> causal.CausalSTGCN:
    """The causal ST-GCN on the graph of `layout`; `options` are fields of `CausalSTGCN`.

    Raises:
        UserError: an unknown network, strategy or norm, or a window that is no number of outputs.
    """
    del channels  # read off the input
    if options.get("network", "stem9") not in stgcn.VARIANTS:
        raise errors.unknown("network", options["network"], stgcn.VARIANTS)
    if options.get("window", 0) < 0:
        raise errors.UserError(f"model.window is how many outputs are averaged, 0 for all; got {options['window']!r}")
    adjacency = stgcn.as_tuple(skeletons.adjacency(layout, strategy, norm))
    return causal.CausalSTGCN(
        num_classes=num_classes, adjacency=adjacency, axis_name=axis_name, initial=init, **options
    )
