"""The networks by name, and how a config section becomes one."""

from collections.abc import Callable
from typing import Any

import flax.linen as nn

from jaxact import errors, skeletons
from jaxact.models import of_frames, of_poses, of_skeletons, of_streams

UNSUPERVISED = ("displacement", "pose")  # networks that give no classes

MODELS: dict[str, Callable[..., nn.Module]] = {
    "stgcn": of_skeletons.build_stgcn,
    "local": of_skeletons.build_local,
    "tcn": of_skeletons.build_tcn,
    "deep_lstm": of_skeletons.build_deep_lstm,
    "stgcnpp": of_skeletons.build_stgcnpp,
    "ctrgcn": of_skeletons.build_ctrgcn,
    "stagcn": of_skeletons.build_stagcn,
    "sta_lstm": of_skeletons.build_sta_lstm,
    "asgcn": of_skeletons.build_asgcn,
    "displacement": of_skeletons.build_displacement,
    "recogniser": of_streams.build_recogniser,
    "causal_stgcn": of_streams.build_causal_stgcn,
    "sc_xception": of_frames.build_sc_xception,
    "tsn": of_frames.build_tsn,
    "pose": of_poses.build_pose,
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
        **options: the remaining fields of the model's config section; for the gravity metric also `radii` [v], the
            joints' mean distances from the centre of gravity.

    Raises:
        UserError: on a name that is not in `MODELS`.
    """
    if name not in MODELS:
        raise errors.unknown("model", name, MODELS)
    return MODELS[name](layout=layout, num_classes=num_classes, channels=channels, axis_name=axis_name, **options)
