"""The sections of the pose network: `model`, `clip` and `augment`."""

import dataclasses
from typing import Literal


@dataclasses.dataclass(kw_only=True, slots=True)
class PoseConfig:
    """The pose network of the online recognition paper (Li, 2024); predicts joints, no classes."""

    name: Literal["pose"] = "pose"
    # Factor on the channels of the stages; 0.5 as in tf-pose-estimation's thin network.
    width: float = 1.0
    filters: int = 24  # channels of the first layer; 24 in the paper
    stages: int = 6
    background: bool = False  # predict a fifteenth map, of the pixels without a joint
    between: bool = True  # batch normalisation and ReLU after every depthwise convolution
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; parameters stay float32
    remat: bool = False  # recompute activations in the backward pass


@dataclasses.dataclass(kw_only=True, slots=True)
class PoseClipConfig:
    """Model input and target maps of an image, in training and in evaluation."""

    height: int = 224  # pixels; a multiple of 8
    width: int = 224
    sigma: float = 7.0  # standard deviation of a joint's Gaussian, pixels
    thickness: float = 1.0  # half-width of a limb's field, cells of 8 pixels
    persons: int = 30  # largest number of people per image in evaluation
    views: Literal[1] = 1


@dataclasses.dataclass(kw_only=True, slots=True)
class PoseAugmentConfig:
    """Random augmentation, in training only; defaults of lightweight OpenPose (Osokin, 2018)."""

    # Height of the selected person before the zoom, as a share of the image's shorter side.
    span: float = 0.6
    zoom_least: float = 0.5  # smallest random factor on the height
    zoom_most: float = 1.1  # largest random factor on the height
    rotate: float = 40.0  # largest rotation in either direction, degrees
    # Largest offset of that person from the centre along each axis, as a share of the shorter side.
    shift: float = 0.11
    mirror: bool = True  # left/right mirror with probability 1/2
