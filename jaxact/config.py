"""Every option once: its type, unit and default. Configs in `configs/` fill these in; nothing below the commands sees them."""

import dataclasses
from typing import Any, Literal

Stream = Literal["joint", "bone", "joint_motion", "bone_motion"]


@dataclasses.dataclass(kw_only=True, slots=True)
class DataConfig:
    """Which records are read."""

    name: str = "synthetic_actions"  # a prepared dataset; `custom/NAME` for one of your own
    data_dir: str = ""  # folder that `jaxact prepare` wrote to; "" = $TFDS_DATA_DIR or ~/tensorflow_datasets
    train_split: str = "train"  # a split or protocol split of the dataset, e.g. "xsub_train"
    eval_split: str = "test"  # the split evaluated during and after training
    shuffle_buffer: int = 8192  # records held for shuffling


@dataclasses.dataclass(kw_only=True, slots=True)
class ClipConfig:
    """How a clip becomes model input, in training and in evaluation alike. A published number depends on all of it."""

    frames: int = 300  # T
    persons: int = 2  # M
    sampling: Literal["window", "resize"] = "window"  # first T frames and padding, or linear resampling of the whole clip to T
    pad: Literal["zero", "replay"] = "zero"  # what fills a clip shorter than T (window only)
    person: Literal["file", "frame_score", "clip_mean", "energy"] = "file"  # which M people are kept
    stream: Stream = "joint"
    center: Literal["none", "frame", "first"] = "none"  # subtract the centre joint of person 0: per frame, or of the first frame
    align: bool = False  # 3-D: rotate so that the spine of the first frame is z and the shoulders x
    scale: Literal["none", "skeleton"] = "none"  # divide by the clip's mean bone length times the number of bones
    views: int = 1  # evaluation clips per record, their probabilities averaged


@dataclasses.dataclass(kw_only=True, slots=True)
class AugmentConfig:
    """Random changes made in training only."""

    window: int = 0  # frames of a random window placed in T frames (ST-GCN's random_choose); 0 = off
    move: bool = False  # ST-GCN's random moving: rotation, scale and translation interpolated over the clip, x and y only
    crop: float = 1.0  # resize sampling: shortest random share of the clip that is kept, in (0, 1]
    rotate: float = 0.0  # largest random rotation in radians: about each axis (3-D) or in the plane (2-D)
    rescale: float = 0.0  # random scale in [1 - a, 1 + a], one draw per spatial axis
    jitter: float = 0.0  # standard deviation of noise on present joints, in units of the input
    mirror: bool = False  # left/right mirror with probability 1/2; only where labels have no side
    swap: bool = False  # exchange the first two persons with probability 1/2
    drop_joints: float = 0.0  # probability that a joint is missing for the whole clip


@dataclasses.dataclass(kw_only=True, slots=True)
class STGCNConfig:
    """ST-GCN (Yan, Xiong and Lin, AAAI 2018)."""

    name: Literal["stgcn"] = "stgcn"
    network: Literal["stem9", "literal9"] = "stem9"  # input layer and nine units, or nine units
    strategy: Literal["uniform", "distance", "distance_star", "spatial", "dad", "spatial_v2"] = "spatial"
    norm: Literal["subset", "eq10", "joint"] = "subset"
    metric: Literal["hop", "gravity"] = "hop"
    edge_importance: bool = True
    width: int = 64  # channels of the first units; 64 is the paper's
    dropout: float = 0.5
    init: Literal["v2", "he_fan_out"] = "v2"
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the computation; parameters stay float32
    remat: bool = False  # recompute each unit's activations in the backward pass


@dataclasses.dataclass(kw_only=True, slots=True)
class OptimConfig:
    """Optimiser and schedule. Epochs may be fractions."""

    name: Literal["sgd", "adamw"] = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.9  # SGD
    nesterov: bool = True  # SGD
    weight_decay: float = 1e-4
    decay: Literal["all", "kernels"] = "all"  # which parameters decay: all, or arrays of two and more axes
    schedule: Literal["constant", "step", "cosine"] = "step"
    milestones: tuple[float, ...] = (10.0, 50.0)  # epochs at which the step schedule multiplies by `factor`
    factor: float = 0.1
    warmup: float = 0.0  # epochs of linear warm-up from zero
    clip_norm: float = 0.0  # largest global gradient norm; 0 = off
    ema: float = 0.0  # decay of the parameters' moving average that evaluation then uses; 0 = off
    accumulate: int = 1  # micro-batches per step


@dataclasses.dataclass(kw_only=True, slots=True)
class TrainConfig:
    """One run."""

    model: STGCNConfig = dataclasses.field(default_factory=STGCNConfig)
    data: DataConfig = dataclasses.field(default_factory=DataConfig)
    clip: ClipConfig = dataclasses.field(default_factory=ClipConfig)
    augment: AugmentConfig = dataclasses.field(default_factory=AugmentConfig)
    optim: OptimConfig = dataclasses.field(default_factory=OptimConfig)
    seed: int = 0
    batch_size: int = 64  # examples per step, over all devices and processes
    epochs: int = 80
    label_smoothing: float = 0.0
    parallel: Literal["jit", "pmap"] = "jit"
    batch_norm: Literal["global", "per_device"] = "global"
    devices: int = 0  # devices used; 0 = all
    log_every: int = 50  # steps
    eval_every: float = 5.0  # epochs; 0 = only at the end
    checkpoint_every: int = 500  # steps
    select: Literal["last", "best"] = "last"  # which checkpoint evaluate and export take: the last, or best top-1 on eval_split


def to_dict(config: TrainConfig) -> dict[str, Any]:
    """The config as plain JSON values."""
    return dataclasses.asdict(config)
