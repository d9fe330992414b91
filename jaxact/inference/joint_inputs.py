"""A recording's joints converted to the layout and channels that a network was trained on."""

from typing import Any

import numpy as np
from jaxtyping import Float

from jaxact import skeletons
from jaxact.errors import UserError
from jaxact.runs import trained_model


def to_network_joints(
    recording: Any, net: trained_model.TrainedModel, layout: str | None
) -> Float[np.ndarray, "t m v c"]:
    """Converts the joints of a recording to the network's layout and channels.

    Args:
        recording: a `jaxact.datasets.formats.recording.Recording`.
        net: the network.
        layout: name of the recording's layout; None for the layout that its file states.

    Raises:
        UserError: the joints cannot be converted; the text states the reason.
    """
    joints, target = recording.joints, net.layout
    count = joints.shape[2]
    source = layout or recording.layout
    if source is None and count == len(target.joints):
        source = target.name
    if source is None:
        raise UserError(
            f"{recording.name!r} has {count} joints, but the network reads the "
            f"{len(target.joints)} joints of {target.name!r}; name its layout (--layout)"
        )
    channels = recording.channels or _guess_channels(joints.shape[3], net.channels, recording.name)
    if source != target.name:
        joints = skeletons.convert(joints, source, target.name, channels=channels)
    elif count != len(target.joints):
        raise UserError(
            f"{recording.name!r} has {count} joints, but layout {source!r} has {len(target.joints)}"
        )
    return _select_channels(joints, channels, net.channels, recording.name)


def _without_score(channels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(channel for channel in channels if channel != "score")


def _guess_channels(count: int, network_channels: tuple[str, ...], name: str) -> tuple[str, ...]:
    """Names `count` channels: the network's own, with or without the score."""
    for channels in (network_channels, _without_score(network_channels)):
        if len(channels) == count:
            return channels
    raise UserError(
        f"{name!r} has {count} channels per joint, but the network reads "
        f"{', '.join(network_channels)}"
    )


def _select_channels(
    joints: Float[np.ndarray, "t m v _"],
    channels: tuple[str, ...],
    network_channels: tuple[str, ...],
    name: str,
) -> Float[np.ndarray, "t m v c"]:
    """Selects the channels that the network reads.

    A score that the recording lacks is 1 where the joint is present. A score that the network does
    not read marks joints as missing where it is 0.
    """
    coordinates = _without_score(channels)
    if coordinates != _without_score(network_channels):
        raise UserError(
            f"{name!r} holds {', '.join(channels)}, but the network reads "
            f"{', '.join(network_channels)}; these channels cannot be converted"
        )
    present = np.any(joints[..., : len(coordinates)] != 0, axis=-1)
    if "score" in channels and "score" not in network_channels:
        present &= joints[..., channels.index("score")] > 0
    columns = []
    for channel in network_channels:
        if channel in channels:
            values = np.where(present, joints[..., channels.index(channel)], 0)
        else:
            values = present
        columns.append(values.astype(np.float32))
    return np.stack(columns, -1)
