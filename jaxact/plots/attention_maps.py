"""Attention of an STA-GCN in one clip, as it is computed by `inference` and drawn by `plots`."""

import dataclasses

import numpy as np
from jaxtyping import Bool, Float, Int


@dataclasses.dataclass(frozen=True, slots=True)
class AttentionMaps:
    """A clip as the network reads it, with the attention of its joints and segments.

    A clip is cut into segments of equal length.

    Attributes:
        joints: recorded joints in the frames and of the people that the network reads; an
            interpolated frame shows the nearest recorded one. Zero where missing.
        pixels: the same joints in pixels of the video; None where the record has none.
        frames: frame number in the record of each frame.
        heat: H of each joint in [0, 1], see `jaxact.inference.stagcn_attention.joint_heat`; 0 where
            missing.
        gate: h of each joint in (0, 1); None in a network without a gate.
        received: mean attention that each joint receives, S' averaged over its targets. Sums to 1
            over a person, or is 0 for a person who is absent. None in a network without spatial
            attention.
        confidence: confidence of each segment, in [0, 1].
        selected: whether each segment is part of the prediction.
        segment_labels: predicted class of each segment.
        predicted: predicted class of the clip.
        probability: probability of that class.
    """

    joints: Float[np.ndarray, "t m v c"]
    pixels: Float[np.ndarray, "t m v 2"] | None
    frames: Int[np.ndarray, " t"]
    heat: Float[np.ndarray, "..."]
    gate: Float[np.ndarray, "t m v"] | None
    received: Float[np.ndarray, "m v"] | None
    confidence: Float[np.ndarray, " s"]
    selected: Bool[np.ndarray, " s"]
    segment_labels: tuple[str, ...]
    predicted: str
    probability: float
