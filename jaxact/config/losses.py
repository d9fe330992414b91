"""The `loss` sections of a config: which loss a run trains with, and its options."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal


@dataclasses.dataclass(kw_only=True, slots=True)
class CrossEntropyLossConfig:
    """Cross entropy of the logits, plus the network's own penalty if it has one."""

    name: Literal["cross_entropy"] = "cross_entropy"
    label_smoothing: float = 0.0


@dataclasses.dataclass(kw_only=True, slots=True)
class SegmentLossConfig:
    """Cross entropy of a clip's most reliable segments (STA-GCN, section 2.3)."""

    name: Literal["segments"] = "segments"
    label_smoothing: float = 0.0
    auxiliary: float = 0.5  # weight of the auxiliary classifier's loss
    segments: int = 0  # most reliable segments of each clip that train; 0 = all
    warmup: float = 5.0  # epochs in which all segments train


@dataclasses.dataclass(kw_only=True, slots=True)
class DisplacementLossConfig:
    """Smooth L1 loss of predicted displacements, weighted by the joints' confidence."""

    name: Literal["displacement"] = "displacement"


@dataclasses.dataclass(kw_only=True, slots=True)
class PoseLossConfig:
    """Squared error of the pose network's maps, summed over its stages."""

    name: Literal["pose"] = "pose"
    joint_weights: tuple[float, ...] = ()  # weight of each joint map; () is 1 for all


# The loss sections of models that do not train with the cross entropy of their logits.
_OF_MODEL = {
    "stagcn": SegmentLossConfig,
    "displacement": DisplacementLossConfig,
    "pose": PoseLossConfig,
}

# Where options stood before there was a section `loss`.
MOVED_OPTIONS = {
    "label_smoothing": "loss.label_smoothing",
    "auxiliary": "loss.auxiliary",
    "joint_weights": "loss.joint_weights",
    "segments_kept": "loss.segments",
    "segments_warmup": "loss.warmup",
}


def loss_section(model: str) -> type:
    """The type of the section `loss` for the model of this name."""
    return _OF_MODEL.get(model, CrossEntropyLossConfig)


def with_loss_section(values: Mapping[str, Any]) -> dict[str, Any]:
    """A stored config with a section `loss`, from the options that older versions stored.

    Options that the model's loss does not have had no effect and are dropped.
    """
    upgraded = dict(values)
    if "loss" in upgraded:
        return upgraded
    section = loss_section(values["model"]["name"])
    options = {field.name for field in dataclasses.fields(section)}
    loss = {}
    for old_name, new_name in MOVED_OPTIONS.items():
        option = new_name.removeprefix("loss.")
        if old_name in upgraded:
            value = upgraded.pop(old_name)
            if option in options:
                loss[option] = value
    upgraded["loss"] = loss
    return upgraded
