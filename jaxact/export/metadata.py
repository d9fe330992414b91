"""What an artifact says of itself: labels, joints, what its numbers are, preprocessing, origin and
terms.
"""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

import jaxact
from jaxact import config as configs
from jaxact.config import protocols
from jaxact.runs import trained_model


def describe(
    net: trained_model.Trained, inputs: jax.ShapeDtypeStruct, symbolic: Sequence[str]
) -> dict[str, Any]:
    """What a user of the artifact must know, as plain JSON values."""
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
        "preprocessing": configs.to_dict(net.config)["clip"],
        "trained_on": {"dataset": net.config.data.name, "split": net.config.data.train_split},
        "licence": _licence(net.config.data.name),
        "model": configs.to_dict(net.config)["model"],
        "step": net.step,
        "step_chosen": net.chosen,
    }


def ensemble(
    nets: Sequence[trained_model.Trained], shares: Sequence[float], about: dict[str, Any]
) -> dict[str, Any]:
    """`about`, what `describe` says of the first of several networks, as the artifact of all of
    them says it.
    """
    channels = [_input(net)["channels"] for net in nets]
    ends = np.cumsum([len(names) for names in channels]).tolist()
    return about | {
        "input": about["input"] | {"channels": [name for names in channels for name in names]},
        "output": about["output"]
        | {"meaning": "logarithms of the mean of the networks' probabilities"},
        "preprocessing": about["preprocessing"]
        | {"stream": "+".join(net.config.clip.stream for net in nets)},
        "ensemble": [
            {
                "stream": net.config.clip.stream,
                "channels": [end - len(names), end],
                "share": share,
                "model": configs.to_dict(net.config)["model"],
                "step": net.step,
                "step_chosen": net.chosen,
            }
            for net, share, names, end in zip(nets, shares, channels, ends, strict=True)
        ],
    }


def _input(net: trained_model.Trained) -> dict[str, Any]:
    """What the numbers of an input are."""
    if configs.kind(net.config.model.name) == "video":
        flow = net.config.clip.stream == "flow"
        return {
            "axes": ["n", "frames", "height", "width", "channels"],
            "channels": ["x", "y"] if flow else ["red", "green", "blue"],
            "range": "colours and flow x from 0 to 255 as x / 127.5 - 1; a difference is of two such numbers",
        }
    channels = [
        f"{name} {channel}" if name != "joint" else channel
        for name in net.config.clip.stream.split("+")
        for channel in net.channels
    ]
    return {
        "axes": ["n", "frames", "persons", "joints", "channels"],
        "channels": channels,
        "missing": "a joint, person or frame that is missing is all zeros",
    }


def _licence(data: str) -> dict[str, str]:
    """Terms of the code and of the data; weights have those of their data and of whoever trained
    them.
    """
    from jaxact.datasets import DATASETS

    maker = DATASETS.get(data.split("/")[0])
    return {
        "code": "Apache-2.0",
        "data": maker.LICENCE
        if maker
        else "not known: the network was trained on arrays, or elsewhere",
        "weights": "not stated here: those of the data, and of whoever trained the network",
    }
