"""The networks by name, and how one is built from a config section."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn

from jaxact import errors
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
from jaxact.models.input_spec import InputSpec

UNSUPERVISED = ("displacement", "pose")  # networks without class logits

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


def build(name: str, spec: InputSpec, **options: Any) -> nn.Module:
    """The network `name`, ready for `init`.

    Args:
        name: a key of `MODELS`.
        spec: the data that the network is built for.
        **options: the other fields of the model's config section.

    Raises:
        UserError: `name` is not a key of `MODELS`, or an option has an invalid value.
    """
    if name not in MODELS:
        raise errors.unknown("model", name, MODELS)
    return MODELS[name](spec, **options)
