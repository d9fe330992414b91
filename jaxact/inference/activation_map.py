"""Activation map of a graph network: feature magnitude of its last unit per joint and frame.

This is the visualisation of ST-GCN's released demo.
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

POWER = 5  # the demo's; it suppresses all but the strongest joints


@dataclasses.dataclass(frozen=True, slots=True)
class ActivationMap:
    """A clip as the network reads it, and the strength of each joint.

    Attributes:
        joints: joints in the units of the record, for the frames and people that the network reads.
        strength: strength of each joint, at least 0; the mean over a person in a frame is 1.
        predicted: the class with the highest logit.
        rate: frames in `joints` per frame of the record.
    """

    joints: Float[np.ndarray, "t m v c"]
    strength: Float[np.ndarray, "t m v"]
    predicted: str
    rate: float


def activation_map(net: trained_model.TrainedModel, record: Mapping[str, Any]) -> ActivationMap:
    """Computes the activation map of a record.

    Args:
        net: a network whose last unit has a joint axis, `stgcn` or `local`.
        record: a record of the data set that the network was trained on, or of one like it.

    Raises:
        UserError: a network without a joint axis in its last unit, or a record without people.
    """
    from jaxact.pipeline import skeleton

    if not isinstance(net.model, stgcn.STGCN):
        raise UserError(
            f"the last layer of the network {net.config.model.name!r} has no joints; "
            "wanted a checkpoint of stgcn or local"
        )
    clip = {**dataclasses.asdict(net.config.clip), "views": 1}
    untransformed = {"stream": "joint", "center": "none", "align": False, "scale": "none"}
    example = {"joints": record["joints"]}
    dataset = {"layout": net.layout, "channels": net.channels}
    inputs = skeleton.eval_inputs(example, **dataset, **clip)[0]
    joints = skeleton.eval_inputs(example, **dataset, **(clip | untransformed))[0]

    recorded = len(record["joints"])
    rate = len(joints) / recorded
    if clip["sampling"] == "window":
        joints = joints[:recorded]
        rate = 1.0
    occupied = np.flatnonzero(joints.any(axis=(1, 2, 3)))
    if not len(occupied):
        raise UserError(
            "no person is visible in the frames that the network reads of the record "
            f"{record['id'].decode()!r}"
        )
    length = int(occupied[-1]) + 1

    apply = jax.jit(lambda weights, x: net.model.apply(weights, x, mutable=["intermediates"]))
    logits, sown = apply(net.weights, jnp.asarray(inputs[None]))
    (features,) = sown["intermediates"]["features"]
    per_feature = strength(np.asarray(features[0], np.float32))
    stride = math.prod(stride for *_, stride in stgcn.VARIANTS[net.model.network])
    per_frame = np.repeat(per_feature, stride, axis=0)
    return ActivationMap(
        joints=joints[:length],
        strength=per_frame[:length],
        predicted=net.labels[int(np.argmax(logits))],
        rate=rate,
    )


def strength(features: Float[np.ndarray, "s m v d"]) -> Float[np.ndarray, "s m v"]:
    """Computes (r / mean of r)^5 with r = mean over channels of |features|, per person and frame.

    The result is divided by its mean over a person's joints in a frame, as in the released demo;
    otherwise a few frames of a clip would dominate all others.

    Args:
        features: features [s, m, v, d] of the last unit, one step per stride of the network.
    """
    magnitude = np.abs(features.astype(np.float64)).mean(-1)
    magnitude = (magnitude / max(magnitude.mean(), 1e-12)) ** POWER
    return magnitude / np.maximum(magnitude.mean(-1, keepdims=True), 1e-12)
