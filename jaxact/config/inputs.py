"""What becomes of a record before a network sees it: skeletons, and videos."""

import dataclasses
from typing import Literal


@dataclasses.dataclass(kw_only=True, slots=True)
class ClipConfig:
    """How a clip becomes model input, in training and in evaluation alike. A published number
    depends on all of it.
    """

    frames: int = 300  # T
    persons: int = 2  # M
    # First T frames and padding; the clip resampled to T; a crop of whole frames resampled; a frame
    # of each of T equal segments, as recurrent models read a clip (drawn in training, the middle
    # one else), or as pyskl draws them.
    sampling: Literal["window", "resize", "crop_resize", "segments", "uniform"] = "window"
    share: float = 1.0  # crop_resize: share of the clip, its middle, that evaluation sees
    # Frames without anybody, or without the main person, are dropped; or each person is looped to T
    # frames.
    empty: Literal["keep", "drop", "drop_main", "loop"] = "keep"
    pad: Literal["zero", "replay"] = "zero"  # what fills a clip shorter than T (window only)
    person: Literal["file", "frame_score", "clip_mean", "energy", "denoised"] = (
        "file"  # which M people are kept
    )
    min_score: float = 0.0  # records with scores: a joint scored at or below it is missing
    flip_y: bool = False  # y changes its sign
    # joint, bone, joint_motion, bone_motion, joint_second_diff, partner; several, joined by "+",
    # lie side by side.
    stream: str = "joint"
    motion: Literal["sampled", "recorded"] = (
        "sampled"  # motion streams: between sampled, or between recorded frames
    )
    center: Literal["none", "frame", "first"] = (
        "none"  # subtract a joint of person 0: per frame, or of the first frame
    )
    origin: Literal["centre", "spine"] = (
        "centre"  # which joint: the layout's centre, or the upper joint of its spine
    )
    align: bool = False  # 3-D: rotate so that the spine of the first frame is z and the shoulders x
    # Divide by the clip's mean bone length times the number of bones, or by half the picture
    # (records with scores).
    scale: Literal["none", "skeleton", "frame"] = "none"
    views: int = 1  # evaluation clips per record, their probabilities averaged


@dataclasses.dataclass(kw_only=True, slots=True)
class AugmentConfig:
    """Random changes made in training only."""

    window: int = (
        0  # frames of a random window placed in T frames (ST-GCN's random_choose); 0 = off
    )
    window_from: Literal["clip", "padded"] = (
        "clip"  # the window lies in the clip, or in the clip padded to T frames
    )
    move: bool = False  # ST-GCN's random moving: rotation, scale and shift of x and y, interpolated over the clip
    move_missing: bool = (
        False  # random moving also moves missing joints and padding, as ST-GCN's released code does
    )
    crop: float = (
        1.0  # resize and crop_resize: shortest random share of the clip that is kept, in (0, 1]
    )
    crop_frames: int = 0  # crop_resize: fewest frames kept
    rotate: float = (
        0.0  # largest random rotation in radians: about each axis (3-D) or in the plane (2-D)
    )
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
    # Evenly over the frames, or the time that they take; or a frame of each of T equal segments,
    # drawn in training.
    sampling: Literal["uniform", "uniform_time", "segments"] = "uniform"
    fit: Literal["stretch", "crop"] = "stretch"  # the whole frame whatever its shape, or its middle
    stream: Literal["rgb", "difference", "flow"] = (
        "rgb"  # flow must be stored: `jaxact prepare --flow`
    )
    motion: Literal["recorded", "sampled"] = (
        "recorded"  # difference: to the next recorded, or the next sampled frame
    )
    views: int = (
        1  # evaluation clips per record, their probabilities averaged; several need segments
    )


@dataclasses.dataclass(kw_only=True, slots=True)
class VideoAugmentConfig:
    """Random changes made in training only, alike for every frame of a clip."""

    crop: float = 1.0  # smallest random share of either side that is kept, in (0, 1]
    mirror: bool = False  # left/right mirror with probability 1/2; only where labels have no side
