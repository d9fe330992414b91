"""The sections `clip` and `augment`: how a record becomes model input."""

import dataclasses
import typing
from typing import Literal


@dataclasses.dataclass(kw_only=True, slots=True)
class ClipConfig:
    """How a clip of skeletons becomes model input, in training and in evaluation alike.

    Published numbers depend on all of it; see `protocols`.
    """

    frames: int = 300  # T
    persons: int = 2  # M
    # "window": the first T frames, padded. "resize": the clip resampled to T frames. "crop_resize":
    # a crop of whole frames, resampled. "segments": a frame of each of T equal segments, as
    # recurrent models read a clip; a random one in training, the middle one in evaluation.
    # "uniform": a frame of each segment, drawn as pyskl draws it.
    sampling: Literal["window", "resize", "crop_resize", "segments", "uniform"] = "window"
    share: float = 1.0  # crop_resize: share of the clip, its middle, that evaluation reads
    # Frames without anybody, or without the main person, are dropped; or each person's frames are
    # repeated to T.
    empty: Literal["keep", "drop", "drop_main", "loop"] = "keep"
    pad: Literal["zero", "replay"] = "zero"  # what fills a clip shorter than T (window only)
    # Which M people are selected, and by what.
    person: Literal["file", "frame_score", "clip_mean", "energy", "denoised"] = "file"
    min_score: float = 0.0  # records with scores: a joint scored at or below it is missing
    flip_y: bool = False  # negate y
    # joint, bone, joint_motion, bone_motion, joint_second_diff, partner; several, joined by "+",
    # are concatenated along the channels.
    stream: str = "joint"
    # Motion streams: between sampled frames, or between recorded frames.
    motion: Literal["sampled", "recorded"] = "sampled"
    # Subtract a joint of person 0: of each frame, or of the first frame.
    center: Literal["none", "frame", "first"] = "none"
    # Which joint: the layout's centre, or the upper joint of its spine.
    origin: Literal["centre", "spine"] = "centre"
    align: bool = False  # 3-D: rotate so that the spine of the first frame is z and the shoulders x
    # Divide by the clip's mean bone length times the number of bones, or by half the picture
    # (records with scores).
    scale: Literal["none", "skeleton", "frame"] = "none"
    views: int = 1  # evaluation clips per record, their probabilities averaged
    fps: float = 30.0  # frames per second of the records; a video stream is resampled to it
    # Seconds of a video stream that the network reads at once, about the length of the records;
    # 0 = frames / fps.
    seconds: float = 0.0


@dataclasses.dataclass(kw_only=True, slots=True)
class AugmentConfig:
    """Random changes of skeletons, made in training only."""

    # Frames of a random window placed in T frames (ST-GCN's random_choose); 0 = off.
    window: int = 0
    # The window is taken from the clip, or from the clip padded to T frames.
    window_from: Literal["clip", "padded"] = "clip"
    # ST-GCN's random moving: rotation, scale and shift of x and y, interpolated over the clip.
    move: bool = False
    # Random moving also moves missing joints and padding, as ST-GCN's released code does.
    move_missing: bool = False
    crop: float = 1.0  # resize and crop_resize: shortest random share of the clip, in (0, 1]
    crop_frames: int = 0  # crop_resize: fewest frames of the crop
    # Largest random rotation in radians: about each axis (3-D) or in the plane (2-D).
    rotate: float = 0.0
    rescale: float = 0.0  # random scale in [1 - a, 1 + a], one draw per spatial axis
    jitter: float = 0.0  # standard deviation of noise on present joints, in units of the input
    mirror: bool = False  # left/right mirror with probability 1/2; only where labels have no side
    swap: bool = False  # exchange the first two persons with probability 1/2
    drop_joints: float = 0.0  # probability that a joint is missing for the whole clip


@dataclasses.dataclass(kw_only=True, slots=True)
class VideoClipConfig:
    """How a video becomes model input, in training and in evaluation alike."""

    frames: int = 40  # T
    height: int = 299  # pixels
    width: int = 299
    # "uniform": evenly over the frames. "uniform_time": evenly over their duration. "segments": a
    # frame of each of T equal segments, a random one in training.
    sampling: Literal["uniform", "uniform_time", "segments"] = "uniform"
    # The whole frame, whatever its aspect ratio, or its largest centred window of the input's.
    fit: Literal["stretch", "crop"] = "stretch"
    stream: Literal["rgb", "difference", "flow"] = "rgb"  # flow needs `jaxact prepare --flow`
    # difference: to the next recorded frame, or to the next sampled frame.
    motion: Literal["recorded", "sampled"] = "recorded"
    views: int = 1  # evaluation clips per record, their probabilities averaged; > 1 needs segments


@dataclasses.dataclass(kw_only=True, slots=True)
class VideoAugmentConfig:
    """Random changes of videos, made in training only, the same for every frame of a clip."""

    crop: float = 1.0  # smallest random share of either side, in (0, 1]
    mirror: bool = False  # left/right mirror with probability 1/2; only where labels have no side


def choices(section: type) -> dict[str, tuple[str, ...]]:
    """The values that an option may have, for each option of a section with a fixed set of them."""
    return {
        name: typing.get_args(option_type)
        for name, option_type in typing.get_type_hints(section).items()
        if typing.get_origin(option_type) is Literal
    }
