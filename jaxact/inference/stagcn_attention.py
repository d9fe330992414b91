"""What an STA-GCN attended to in a clip: joints of each frame, and the clip's segments (the paper's
Figures 3 to 5).
"""

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
from jaxact.runs import trained_model


@dataclasses.dataclass(frozen=True, slots=True)
class AttentionMaps:
    """A clip as the network saw it, and what it attended to.

    Attributes:
      joints: as recorded, in the frames and of the people that the network saw; interpolated frames
          show the nearest.
      pixels: the same joints in the picture, where the record has them.
      frames: number in the record of each frame.
      heat: H of each joint, see `heat`; 0 where a joint is missing.
      gate: h in (0, 1) of each joint; None in a network without.
      taken: the mean of S' over its targets, how much is taken from each joint of a person: of sum
        1, or 0 for a person who is not there; None in a network without.
      confidence: of each segment, in [0, 1].
      kept: which segments the prediction is made of.
      segments: each segment's own class.
      predicted: the class of the whole clip.
      probability: of that class.
    """

    joints: Float[np.ndarray, "t m v c"]
    pixels: Float[np.ndarray, "t m v 2"] | None
    frames: Int[np.ndarray, " t"]
    heat: Float[np.ndarray, "t m v"]
    gate: Float[np.ndarray, "t m v"] | None
    taken: Float[np.ndarray, "m v"] | None
    confidence: Float[np.ndarray, " s"]
    kept: Bool[np.ndarray, " s"]
    segments: tuple[str, ...]
    predicted: str
    probability: float


def look(net: trained_model.Trained, record: Mapping[str, Any]) -> AttentionMaps:
    """What a network attends to in a record, as read from data of the kind it was trained on, in
    one view.

    Args:
      net: an STA-GCN.
      record: `id`, `joints`, `label` and, where there are any, `person_id` and `pixels` [t, v, 2].

    Raises:
      UserError: a network without attention, a record of fewer frames than segments, or one without
          anyone.
    """
    model = _with_attention(net)
    name, recorded = record["id"].decode(), len(record["joints"])
    if recorded < model.segments:
        raise UserError(
            f"the record {name!r} has {recorded} frames, fewer than the {model.segments} segments that the network "
            "cuts a clip into; wanted a longer one"
        )
    chosen = _chosen(net, record)
    inputs, number = _seen(net, record, chosen)
    present = number > 0
    if not present.any():
        raise UserError(
            f"nobody is seen in the frames that the network takes of the record {name!r}"
        )
    outputs, sown = _run(model, net.weights, jnp.asarray(inputs[None]))
    sown = jax.tree.map(lambda x: np.asarray(x, np.float32), sown["intermediates"])
    predicted = int(np.argmax(outputs["logits"]))
    confidence = np.asarray(stagcn.confidences(outputs["segments"], model.confidence))[0]
    joints, pixels, frames = _places(record, chosen, number)
    return AttentionMaps(
        joints=joints,
        pixels=pixels,
        frames=frames,
        heat=_heat(net, sown, predicted, present),
        gate=sown["gate"][0][0] if model.gate != "none" else None,
        taken=_taken(sown, present, model.segments),
        confidence=confidence,
        kept=kept(confidence, model.kept),
        segments=tuple(net.labels[k] for k in np.argmax(outputs["segments"][0], -1)),
        predicted=net.labels[predicted],
        probability=float(jax.nn.softmax(outputs["logits"][0])[predicted]),
    )


def attends(net: trained_model.Trained) -> bool:
    """Whether a network has something that `look` can show."""
    return (
        isinstance(net.model, stagcn.STAGCN) and not net.model.attention == net.model.gate == "none"
    )


def heat(
    features: Float[np.ndarray, "t m v d"],
    weight: Float[np.ndarray, " d"],
    gate: Float[np.ndarray, "t m v"] | None,
    present: Bool[np.ndarray, "t m v"],
) -> Float[np.ndarray, "t m v"]:
    """H = minmax over a frame's joints of h CAM: 1 where a frame's prediction comes from most, 0
    where from least.

    CAM = features @ weight, a joint's share in a class's logit, which is the mean of them all but
    for the bias. The gate h then stands in it twice where the features are gated ones. Missing
    joints take no part, and are 0.

    Args:
      features: what the classifier averages.
      weight: of the class.
      gate: h; None: 1 everywhere.
      present: which joints are there, of all people in the frame.
    """
    cam = features.astype(np.float64) @ weight.astype(np.float64)
    cam = cam if gate is None else gate * cam
    low = np.where(present, cam, np.inf).min((1, 2), keepdims=True)
    high = np.where(present, cam, -np.inf).max((1, 2), keepdims=True)
    with np.errstate(invalid="ignore"):  # a frame without anyone
        return np.where(present, (cam - low) / np.maximum(high - low, 1e-12), 0.0)


def kept(confidence: Float[np.ndarray, " s"], count: int) -> Bool[np.ndarray, " s"]:
    """The `count` most confident segments, the first of equal ones; 0: all of them."""
    chosen = np.zeros(len(confidence), bool)
    chosen[np.argsort(-confidence, kind="stable")[: count or None]] = True
    return chosen


@functools.partial(jax.jit, static_argnums=0)
def _run(model: stagcn.STAGCN, weights: Any, inputs: Array) -> Any:
    return model.apply(weights, inputs, mutable=["intermediates"])


def _with_attention(net: trained_model.Trained) -> stagcn.STAGCN:
    model, name = net.model, net.config.model.name
    if not isinstance(model, stagcn.STAGCN):
        raise UserError(
            f"the network {name!r} has no attention and no gate; wanted a checkpoint of stagcn"
        )
    if model.attention == model.gate == "none":
        raise UserError(
            f"this {name!r} was trained with model.attention and model.gate 'none'; wanted one of the two"
        )
    return model


def _chosen(net: trained_model.Trained, record: Mapping[str, Any]) -> Float[np.ndarray, "s m v c"]:
    """The record's joints of the people that the network takes."""
    from jaxact.pipeline import joints, person_selection

    clip, ids = net.config.clip, record.get("person_id")
    options: dict[str, Any] = {
        "persons": clip.persons,
        "person": clip.person,
        "channels": net.channels,
    }
    with np.errstate(over="ignore", invalid="ignore"):  # as in `skeleton.evaluate`
        return person_selection.choose(joints.finite(record["joints"]), **options, ids=ids)


def _seen(
    net: trained_model.Trained, record: Mapping[str, Any], chosen: Float[np.ndarray, "s m v c"]
) -> tuple[Float[np.ndarray, "t m v c"], Int[np.ndarray, "t m v"]]:
    """The network's input, and where in the record each of its joints is: 1 + frame + frames *
    slot; 0 if missing.

    The numbers take the same way through the pipeline as the places, whatever frames it draws and
    people it reorders.
    """
    from jaxact.pipeline import skeleton

    clip = {
        **dataclasses.asdict(net.config.clip),
        "views": 1,
        "layout": net.layout,
        "channels": net.channels,
    }
    example = {name: value for name, value in record.items() if name != "pixels"}
    inputs = skeleton.evaluate(example, **clip)["inputs"][0]
    present = (chosen != 0).any(-1)
    if net.channels[-1] == "score":
        present &= (chosen[..., -1] != 0) & (
            (chosen[..., -1] > clip["min_score"]) | (clip["min_score"] == 0)
        )
    frames, slots = np.indices(present.shape[:2])
    number = (1 + frames + len(chosen) * slots)[..., None] * present
    example["joints"] = np.repeat(number[..., None], len(net.channels), axis=-1).astype(np.float32)
    clip |= {
        "person": "file",
        "stream": "joint",
        "center": "none",
        "align": False,
        "scale": "none",
        "flip_y": False,
    }
    found = skeleton.evaluate(example, **{**clip, "min_score": 0.0})["inputs"][0]
    return inputs, found[..., -1].round().astype(int)


def _places(
    record: Mapping[str, Any],
    chosen: Float[np.ndarray, "s m v c"],
    number: Int[np.ndarray, "t m v"],
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """`joints`, `pixels` and `frames` of `AttentionMaps`."""
    present, (slot, frame), joint = (
        number > 0,
        np.divmod(number - 1, len(chosen)),
        np.arange(number.shape[2]),
    )
    frame, slot = np.where(present, frame, 0), np.where(present, slot, 0)
    joints = chosen[frame, slot, joint] * present[..., None]
    pixels = record["pixels"][frame, joint] * present[..., None] if "pixels" in record else None
    there = np.flatnonzero(present.any((1, 2)))
    first = present[there].any(2).argmax(1)
    own = [np.median(frame[t, m][present[t, m]]) for t, m in zip(there, first, strict=True)]
    return joints, pixels, np.interp(np.arange(len(number)), there, own).round().astype(int)


def _heat(
    net: trained_model.Trained,
    sown: Mapping[str, Any],
    predicted: int,
    present: Bool[np.ndarray, "t m v"],
) -> Float[np.ndarray, "t m v"]:
    """H by the auxiliary classifier, or by the network's own where there is no gate."""
    gated, weights = "gate" in sown, net.weights["params"]
    kernel = np.asarray(weights["auxiliary" if gated else "head"]["kernel"])[:, predicted]
    (features,), segments = sown["gated_features" if gated else "features"], net.model.segments
    stride = 1 if gated else math.prod(stride for *_, stride in stgcn.VARIANTS[net.model.network])
    features = in_order(features, segments, len(present) // segments, stride)
    return heat(features, kernel, sown["gate"][0][0] if gated else None, present)


def in_order(
    features: Float[np.ndarray, "n v s d"], segments: int, frames: int, stride: int
) -> Float[np.ndarray, "t m v d"]:
    """Features of every person of every segment as those of whole clips, t = segments * frames.

    Args:
      features: n = segments * m, the persons of a segment side by side.
      segments: parts of the clip.
      frames: of a segment.
      stride: frames that a feature stands for.
    """
    whole = np.repeat(features, stride, axis=2)[:, :, :frames]
    whole = np.moveaxis(whole.reshape(segments, -1, *whole.shape[1:]), 3, 1)
    return whole.reshape(segments * frames, *whole.shape[2:])


def _taken(
    sown: Mapping[str, Any], present: Bool[np.ndarray, "t m v"], segments: int
) -> Float[np.ndarray, "m v"] | None:
    """The mean of S' over its targets, the units, and the segments in which a person is there."""
    units = [unit["spatial_attention"][0] for unit in sown.values() if isinstance(unit, Mapping)]
    if not units:
        return None
    taken = np.mean(units, axis=(0, 3)).reshape(segments, *present.shape[1:])
    there = present.reshape(segments, -1, *present.shape[1:]).max((1, 3), keepdims=True)[:, 0]
    return (taken * there).sum(0) / np.maximum(there.sum(0), 1)
