"""The metadata of an artifact: labels, joints, input, preprocessing, origin and licence."""

from collections.abc import Sequence
from typing import Any

import jax

import jaxact
from jaxact import config as configs
from jaxact.config import protocols
from jaxact.runs import trained_model


def describe(
    net: trained_model.TrainedModel, inputs: jax.ShapeDtypeStruct, symbolic: Sequence[str]
) -> dict[str, Any]:
    """The metadata of one network as plain JSON values.

    Args:
        net: the network.
        inputs: the shape of one input.
        symbolic: names of the input's symbolic axes.
    """
    config = configs.to_dict(net.config)
    return {
        "jaxact": jaxact.__version__,
        "jax": jax.__version__,
        "input": {
            "dtype": "float32",
            "shape": ["n", *inputs.shape[1:]],
            "symbolic": list(symbolic),
            **_input(net),
        },
        "output": {"dtype": "float32", "axes": ["n", "classes"], "meaning": "logits"},
        "labels": list(net.labels),
        "layout": net.layout.to_dict(),
        "protocol": protocols.describe(net.config),
        "preprocessing": config["clip"],
        "trained_on": {"dataset": net.config.data.name, "split": net.config.data.train_split},
        "licence": _licence(net.config.data.name),
        "model": config["model"],
        "step": net.step,
        "step_chosen": net.selection,
    }


def ensemble(
    nets: Sequence[trained_model.TrainedModel], shares: Sequence[float], meta: dict[str, Any]
) -> dict[str, Any]:
    """The metadata of an ensemble.

    Args:
        nets: the networks.
        shares: weights of their probabilities.
        meta: the metadata of the first network, see `describe`.
    """
    channels = []
    members = []
    for net, share in zip(nets, shares, strict=True):
        start = len(channels)
        channels += _input(net)["channels"]
        members.append(
            {
                "stream": net.config.clip.stream,
                "channels": [start, len(channels)],
                "share": share,
                "model": configs.to_dict(net.config)["model"],
                "step": net.step,
                "step_chosen": net.selection,
            }
        )
    streams = "+".join(net.config.clip.stream for net in nets)
    meaning = "logarithms of the mean of the networks' probabilities"
    return meta | {
        "input": meta["input"] | {"channels": channels},
        "output": meta["output"] | {"meaning": meaning},
        "preprocessing": meta["preprocessing"] | {"stream": streams},
        "ensemble": members,
    }


def _input(net: trained_model.TrainedModel) -> dict[str, Any]:
    """The axes, channels and range of an input."""
    if configs.kind(net.config.model.name) == "video":
        channels = ["red", "green", "blue"]
        if net.config.clip.stream == "flow":
            channels = ["x", "y"]
        return {
            "axes": ["n", "frames", "height", "width", "channels"],
            "channels": channels,
            "range": "colours and flow x from 0 to 255 as x / 127.5 - 1; "
            "a difference is of two such numbers",
        }
    channels = []
    for stream in net.config.clip.stream.split("+"):
        for channel in net.channels:
            channels.append(channel if stream == "joint" else f"{stream} {channel}")
    return {
        "axes": ["n", "frames", "persons", "joints", "channels"],
        "channels": channels,
        "missing": "a joint, person or frame that is missing is all zeros",
    }


def _licence(data: str) -> dict[str, str]:
    """The licences of the code and the data; the weights have those of data and trainer."""
    from jaxact.datasets import DATASETS

    builder = DATASETS.get(data.split("/")[0])
    data_licence = "not known: the network was trained on arrays, or elsewhere"
    if builder:
        data_licence = builder.LICENCE
    return {
        "code": "Apache-2.0",
        "data": data_licence,
        "weights": "not stated here: those of the data, and of whoever trained the network",
    }
