"""The pose network, and what becomes of a picture with people before it is seen: every option
once.
"""

import dataclasses
from typing import Literal


@dataclasses.dataclass(kw_only=True, slots=True)
class PoseConfig:
    """The pose network of the online recognition paper (Li, 2024); gives joints, no classes."""

    name: Literal["pose"] = "pose"
    width: float = (
        1.0  # factor on the channels of the stages; 0.5 as in tf-pose-estimation's thin network
    )
    filters: int = 24  # channels of the first layer; 24 is the paper's
    stages: int = 6
    background: bool = False  # a fifteenth map, of the places without a joint
    between: bool = True  # normalisation and ReLU behind every depthwise convolution
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; parameters stay float32
    remat: bool = False  # recompute activations in the backward pass


@dataclasses.dataclass(kw_only=True, slots=True)
class PoseClipConfig:
    """How a picture becomes model input and what should be answered, in training and in evaluation
    alike.
    """

    height: int = 224  # pixels; a multiple of 8
    width: int = 224
    sigma: float = 7.0  # of a joint's Gaussian, pixels
    thickness: float = 1.0  # cells of 8 pixels to either side of a limb in which its field is set
    persons: int = 30  # people of a picture that evaluation holds
    views: Literal[1] = 1


@dataclasses.dataclass(kw_only=True, slots=True)
class PoseAugmentConfig:
    """Random changes made in training only; the numbers are those of the lightweight OpenPose of
    Osokin (2018).
    """

    span: float = (
        0.6  # height of the drawn person, share of the example's shorter side, before the zoom
    )
    zoom_least: float = 0.5  # random factor on that
    zoom_most: float = 1.1
    rotate: float = 40.0  # largest turn, degrees either way
    shift: float = (
        0.11  # largest distance of that person from the middle, share of the shorter side, each way
    )
    mirror: bool = True  # left/right mirror with probability 1/2
