"""Attention maps of an STA-GCN: joints of each frame and segments (the paper's Figures 3 to 5)."""

import dataclasses
import functools
import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxact.errors import UserError
from jaxact.models import stagcn, stgcn
from jaxact.models.layers import segment_fusion
from jaxact.plots.attention_maps import AttentionMaps
from jaxact.runs import trained_model


def attention_maps(net: trained_model.TrainedModel, record: Mapping[str, Any]) -> AttentionMaps:
    """Computes the attention maps of a record, in one view.

    Args:
        net: an STA-GCN with attention or a gate.
        record: a record of the data set that the network was trained on, or of one like it: `id`,
            `joints` and, where it has them, `person_id` and `pixels` [t, v, 2].

    Raises:
        UserError: a network without attention, a record of fewer frames than segments, or one
            without people.
    """
    model = _require_attention(net)
    name, recorded = record["id"].decode(), len(record["joints"])
    if recorded < model.segments:
        raise UserError(
            f"the record {name!r} has {recorded} frames, fewer than the {model.segments} segments "
            "that the network cuts a clip into; wanted a longer one"
        )
    persons = _select_persons(net, record)
    source = _source_index(net, persons)
    present = source > 0
    if not present.any():
        raise UserError(
            f"no person is visible in the frames that the network reads of the record {name!r}"
        )
    outputs, sown = _apply(model, net.weights, jnp.asarray(_network_input(net, record)[None]))
    sown = jax.tree.map(lambda x: np.asarray(x, np.float32), sown["intermediates"])
    predicted = int(np.argmax(outputs["logits"]))
    confidence = np.asarray(segment_fusion.confidences(outputs["segments"], model.confidence))[0]
    joints, pixels, frames = _recorded_joints(record, persons, source)
    segment_classes = np.argmax(outputs["segments"][0], -1)
    return AttentionMaps(
        joints=joints,
        pixels=pixels,
        frames=frames,
        heat=_clip_heat(net, sown, predicted, present),
        gate=sown["gate"][0][0] if model.gate != "none" else None,
        received=_received_attention(sown, present, model.segments),
        confidence=confidence,
        selected=select_segments(confidence, model.kept),
        segment_labels=tuple(net.labels[index] for index in segment_classes),
        predicted=net.labels[predicted],
        probability=float(jax.nn.softmax(outputs["logits"][0])[predicted]),
    )


def has_attention(net: trained_model.TrainedModel) -> bool:
    """Whether `attention_maps` supports the network."""
    if not isinstance(net.model, stagcn.STAGCN):
        return False
    return net.model.attention != "none" or net.model.gate != "none"


def joint_heat(
    features: Float[np.ndarray, "t m v d"],
    weight: Float[np.ndarray, " d"],
    gate: Float[np.ndarray, "t m v"] | None,
    present: Bool[np.ndarray, "t m v"],
) -> Float[np.ndarray, "t m v"]:
    """Computes H = h CAM, scaled to [0, 1] over a frame's joints by its minimum and maximum.

    CAM = features @ weight is a joint's share in a class's logit, which is the mean of all shares
    plus the bias. Where the features are gated, the gate h enters twice. Missing joints are left
    out of the scaling and have H = 0.

    Args:
        features: input of the classifier's average pooling.
        weight: the class's column of the classifier's kernel.
        gate: h of each joint; None for 1 everywhere.
        present: which joints are present.
    """
    cam = features.astype(np.float64) @ weight.astype(np.float64)
    if gate is not None:
        cam = gate * cam
    low = np.where(present, cam, np.inf).min((1, 2), keepdims=True)
    high = np.where(present, cam, -np.inf).max((1, 2), keepdims=True)
    with np.errstate(invalid="ignore"):  # a frame without people
        return np.where(present, (cam - low) / np.maximum(high - low, 1e-12), 0.0)


def select_segments(confidence: Float[np.ndarray, " s"], count: int) -> Bool[np.ndarray, " s"]:
    """Marks the `count` most confident segments; the first of equal ones wins. 0 marks all."""
    selected = np.zeros(len(confidence), bool)
    selected[np.argsort(-confidence, kind="stable")[: count or None]] = True
    return selected


def to_clip_order(
    features: Float[np.ndarray, "n v s d"], segments: int, frames: int, stride: int
) -> Float[np.ndarray, "t m v d"]:
    """Rearranges features per segment and person to whole clips, t = segments * frames.

    Args:
        features: features with n = segments * persons; the persons of a segment are adjacent.
        segments: segments of the clip.
        frames: frames per segment.
        stride: frames per step of the features.
    """
    whole = np.repeat(features, stride, axis=2)[:, :, :frames]
    whole = np.moveaxis(whole.reshape(segments, -1, *whole.shape[1:]), 3, 1)
    return whole.reshape(segments * frames, *whole.shape[2:])


@functools.partial(jax.jit, static_argnums=0)
def _apply(model: stagcn.STAGCN, weights: Any, inputs: Array) -> Any:
    return model.apply(weights, inputs, mutable=["intermediates"])


def _require_attention(net: trained_model.TrainedModel) -> stagcn.STAGCN:
    model, name = net.model, net.config.model.name
    if not isinstance(model, stagcn.STAGCN):
        raise UserError(
            f"the network {name!r} has no attention and no gate; wanted a checkpoint of stagcn"
        )
    if not has_attention(net):
        raise UserError(
            f"this {name!r} was trained with model.attention and model.gate 'none'; "
            "at least one of them must be on"
        )
    return model


def _select_persons(
    net: trained_model.TrainedModel, record: Mapping[str, Any]
) -> Float[np.ndarray, "s m v c"]:
    """Selects the people that the network reads from a record's joints."""
    from jaxact.pipeline import joint_ops, person_selection

    clip = net.config.clip
    with np.errstate(over="ignore", invalid="ignore"):  # as in `skeleton.eval_inputs`
        return person_selection.select(
            joint_ops.non_finite_to_missing(record["joints"]),
            persons=clip.persons,
            person=clip.person,
            channels=net.channels,
            ids=record.get("person_id"),
        )


def _network_input(
    net: trained_model.TrainedModel, record: Mapping[str, Any]
) -> Float[np.ndarray, "t m v c"]:
    """Preprocesses a record in one view."""
    from jaxact.pipeline import skeleton

    clip = {**dataclasses.asdict(net.config.clip), "views": 1}
    return skeleton.eval_inputs(record, layout=net.layout, channels=net.channels, **clip)[0]


def _source_index(
    net: trained_model.TrainedModel, persons: Float[np.ndarray, "s m v c"]
) -> Int[np.ndarray, "t m v"]:
    """Returns the origin of each joint of the network's input: 1 + frame + frames * person slot.

    An index per joint is resampled by the same functions as the joints, so it follows them through
    dropped frames, reordered people and interpolation. 0 marks a missing joint.

    Args:
        net: the network.
        persons: the record's joints of the selected people.
    """
    from jaxact.pipeline import empty_frames, sampling

    clip = {**dataclasses.asdict(net.config.clip), "views": 1}
    present = (persons != 0).any(-1)
    if net.channels[-1] == "score":
        score = persons[..., -1]
        present &= score != 0
        if clip["min_score"] != 0:
            present &= score > clip["min_score"]
    frame, slot = np.indices(present.shape[:2])
    index = (1 + frame + len(persons) * slot)[..., None] * present
    resampled, present = empty_frames.handle(
        index[..., None].astype(np.float32), present, empty=clip["empty"], frames=clip["frames"]
    )
    resampled, _ = sampling.view_frames(resampled, present, view=0, options=clip)
    return resampled[..., 0].round().astype(int)


def _recorded_joints(
    record: Mapping[str, Any],
    persons: Float[np.ndarray, "s m v c"],
    source: Int[np.ndarray, "t m v"],
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Returns `joints`, `pixels` and `frames` of `AttentionMaps`.

    A frame has the number of its first person's median joint; frames without people are
    interpolated.
    """
    present = source > 0
    slot, frame = np.divmod(source - 1, len(persons))
    slot, frame = np.where(present, slot, 0), np.where(present, frame, 0)
    joint = np.arange(source.shape[2])
    joints = persons[frame, slot, joint] * present[..., None]
    pixels = None
    if "pixels" in record:
        pixels = record["pixels"][frame, joint] * present[..., None]
    occupied = np.flatnonzero(present.any((1, 2)))
    frame_numbers = []
    for t in occupied:
        person = present[t].any(1).argmax()
        frame_numbers.append(np.median(frame[t, person][present[t, person]]))
    frames = np.interp(np.arange(len(source)), occupied, frame_numbers)
    return joints, pixels, frames.round().astype(int)


def _clip_heat(
    net: trained_model.TrainedModel,
    sown: Mapping[str, Any],
    predicted: int,
    present: Bool[np.ndarray, "t m v"],
) -> Float[np.ndarray, "t m v"]:
    """Computes H with the auxiliary classifier, or with the main one where there is no gate."""
    segments, params = net.model.segments, net.weights["params"]
    if "gate" in sown:
        classifier, gate, stride = "auxiliary", sown["gate"][0][0], 1
        (features,) = sown["gated_features"]
    else:
        classifier, gate = "head", None
        (features,) = sown["features"]
        stride = math.prod(stride for *_, stride in stgcn.VARIANTS[net.model.network])
    weight = np.asarray(params[classifier]["kernel"])[:, predicted]
    features = to_clip_order(features, segments, len(present) // segments, stride)
    return joint_heat(features, weight, gate, present)


def _received_attention(
    sown: Mapping[str, Any], present: Bool[np.ndarray, "t m v"], segments: int
) -> Float[np.ndarray, "m v"] | None:
    """Averages S' over targets, units, and the segments in which a person is present."""
    units = [unit["spatial_attention"][0] for unit in sown.values() if isinstance(unit, Mapping)]
    if not units:
        return None
    received = np.mean(units, axis=(0, 3)).reshape(segments, *present.shape[1:])
    in_segment = present.reshape(segments, -1, *present.shape[1:]).max((1, 3), keepdims=True)[:, 0]
    return (received * in_segment).sum(0) / np.maximum(in_segment.sum(0), 1)
