"""Where a graph network answers: the size of its last unit's features per joint and frame (ST-GCN's
released demo).
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from jaxact.errors import UserError
from jaxact.models import stgcn
from jaxact.runs import trained_model

POWER = 5  # the demo's, which leaves the few joints that answer most


@dataclasses.dataclass(frozen=True, slots=True)
class Response:
    """A clip as the network saw it, and where it answered.

    Attributes:
      joints: places in the units of the record, in the frames and of the people that the network
          saw.
      strength: of each joint; 1 is a frame's and person's mean.
      predicted: the class with the highest logit.
      rate: frames shown per frame of the record.
    """

    joints: Float[np.ndarray, "t m v c"]
    strength: Float[np.ndarray, "t m v"]
    predicted: str
    rate: float


def respond(net: trained_model.Trained, record: Mapping[str, Any]) -> Response:
    """The response of a network to a record, as read from data of the kind it was trained on.

    Raises:
      UserError: a network whose last unit has no joints, or a record without anyone.
    """
    from jaxact.pipeline import skeleton

    if not isinstance(net.model, stgcn.STGCN):
        name = net.config.model.name
        raise UserError(
            f"the last layer of the network {name!r} has no joints; wanted a checkpoint of stgcn or local"
        )
    clip = {**dataclasses.asdict(net.config.clip), "views": 1}
    raw = clip | {"stream": "joint", "center": "none", "align": False, "scale": "none"}
    example = {name: record[name] for name in ("id", "joints", "label")}
    inputs, joints = (
        skeleton.evaluate(example, layout=net.layout, channels=net.channels, **options)["inputs"][0]
        for options in (clip, raw)
    )
    recorded = len(record["joints"])
    shown = min(len(joints), recorded) if clip["sampling"] == "window" else len(joints)
    filled = np.flatnonzero(joints[:shown].any(axis=(1, 2, 3)))
    if not len(filled):
        raise UserError(
            f"nobody is seen in the frames that the network takes of the record {record['id'].decode()!r}"
        )
    apply = jax.jit(lambda weights, x: net.model.apply(weights, x, mutable=["intermediates"]))
    logits, sown = apply(net.weights, jnp.asarray(inputs[None]))
    (features,) = sown["intermediates"]["features"]
    found = strength(np.asarray(features[0], np.float32))
    stride = math.prod(stride for *_, stride in stgcn.VARIANTS[net.model.network])
    shown = int(filled[-1]) + 1
    rate = 1.0 if clip["sampling"] == "window" else len(joints) / recorded
    predicted = net.labels[int(np.argmax(logits))]
    return Response(joints[:shown], np.repeat(found, stride, axis=0)[:shown], predicted, rate)


def strength(features: Float[np.ndarray, "s m v d"]) -> Float[np.ndarray, "s m v"]:
    """(r / mean of r)^5 with r = mean over channels of |features|, then divided by its mean over a
    person's joints.

    The last step is the released demo's: without it a few frames of a clip would outshine all
    others.
    """
    size = np.abs(features.astype(np.float64)).mean(-1)
    size = (size / max(size.mean(), 1e-12)) ** POWER
    return size / np.maximum(size.mean(-1, keepdims=True), 1e-12)
