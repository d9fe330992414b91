"""The networks by name, and how a config section becomes one."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn

from jaxact import errors, skeletons
from jaxact.models import (
    asgcn,
    causal_stgcn,
    ctrgcn,
    deep_lstm,
    local_stgcn,
    pose_net,
    recogniser,
    sc_xception,
    spatial_attention_net,
    sta_lstm,
    stagcn,
    stgcn,
    stgcnpp,
    tcn,
    tsn,
)

UNSUPERVISED = ("displacement", "pose")  # networks that give no classes

MODELS: dict[str, Callable[..., nn.Module]] = {
    "stgcn": stgcn.build_stgcn,
    "local": local_stgcn.build_local,
    "tcn": tcn.build_tcn,
    "deep_lstm": deep_lstm.build_deep_lstm,
    "stgcnpp": stgcnpp.build_stgcnpp,
    "ctrgcn": ctrgcn.build_ctrgcn,
    "stagcn": stagcn.build_stagcn,
    "sta_lstm": sta_lstm.build_sta_lstm,
    "asgcn": asgcn.build_asgcn,
    "displacement": spatial_attention_net.build_displacement,
    "recogniser": recogniser.build_recogniser,
    "causal_stgcn": causal_stgcn.build_causal_stgcn,
    "sc_xception": sc_xception.build_sc_xception,
    "tsn": tsn.build_tsn,
    "pose": pose_net.build_pose,
}


def build(
    name: str,
    *,
    layout: skeletons.Layout,
    num_classes: int,
    channels: tuple[str, ...],
    axis_name: str | None = None,
    **options: Any,
) -> nn.Module:
    """The network `name`, ready for `init`.

    Args:
        name: a key of `MODELS`.
        layout: joints and bones of the input.
        num_classes: logits out.
        channels: what the numbers of a joint are, e.g. ("x", "y", "score").
        axis_name: mapped axis whose devices share batch statistics; None for each device's own.
        **options: the remaining fields of the model's config section; for the gravity metric also
            `radii` [v], the joints' mean distances from the centre of gravity.

    Raises:
        UserError: on a name that is not in `MODELS`.
    """
    if name not in MODELS:
        raise errors.unknown("model", name, MODELS)
    return MODELS[name](
        layout=layout, num_classes=num_classes, channels=channels, axis_name=axis_name, **options
    )
