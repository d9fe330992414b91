"""The sections of a config: every option once, with its type, unit and default."""

import dataclasses
import typing
from typing import Any, Literal

from jaxact.config.inputs import AugmentConfig, ClipConfig, VideoAugmentConfig, VideoClipConfig
from jaxact.config.losses import loss_section
from jaxact.config.pose_model import PoseAugmentConfig, PoseClipConfig, PoseConfig
from jaxact.config.skeleton_models import (
    ASGCNConfig,
    CausalSTGCNConfig,
    CTRGCNConfig,
    DisplacementConfig,
    LocalConfig,
    LSTMConfig,
    RecogniserConfig,
    STAGCNConfig,
    STALSTMConfig,
    STGCNConfig,
    STGCNPPConfig,
    TCNConfig,
)
from jaxact.config.video_models import SCXceptionConfig, TSNConfig

# A config file chooses a model by the class of its section; `name` in it is the model's name.
ModelConfig = (
    STGCNConfig
    | LocalConfig
    | TCNConfig
    | LSTMConfig
    | STGCNPPConfig
    | CTRGCNConfig
    | STAGCNConfig
    | STALSTMConfig
    | ASGCNConfig
    | DisplacementConfig
    | RecogniserConfig
    | CausalSTGCNConfig
    | SCXceptionConfig
    | TSNConfig
    | PoseConfig
)
# The section of each `model.name`.
MODELS: dict[str, type] = {section().name: section for section in typing.get_args(ModelConfig)}
# The kind of records that a model reads, where that is not skeletons.
KINDS = {"sc_xception": "video", "tsn": "video", "pose": "pose"}
# The sections `clip` and `augment` of each kind of records.
INPUTS = {
    "skeleton": (ClipConfig, AugmentConfig),
    "video": (VideoClipConfig, VideoAugmentConfig),
    "pose": (PoseClipConfig, PoseAugmentConfig),  # pictures with people
}


def kind(model: str) -> str:
    """The kind of records that the model of this name reads, a key of `INPUTS`."""
    return KINDS.get(model, "skeleton")


@dataclasses.dataclass(kw_only=True, slots=True)
class DataConfig:
    """The records that a run reads."""

    name: str = "synthetic_actions"  # a prepared data set; `custom/NAME` for one of your own
    # Folder that `jaxact prepare` wrote to; "" = $TFDS_DATA_DIR or ~/tensorflow_datasets.
    data_dir: str = ""
    train_split: str = "train"  # a split of the data set, such as "xsub_train"
    eval_split: str = "test"  # the split evaluated during and after training
    shuffle_buffer: int = 8192  # records held for shuffling


@dataclasses.dataclass(kw_only=True, slots=True)
class OptimConfig:
    """Optimiser and schedule. Epochs may be fractions."""

    name: Literal["sgd", "adam", "adamw"] = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.9  # SGD
    nesterov: bool = True  # SGD
    weight_decay: float = 1e-4
    # Which parameters decay: all, arrays of two and more axes, or the kernels of depthwise
    # convolutions.
    decay: Literal["all", "kernels", "depthwise"] = "all"
    schedule: Literal["constant", "step", "cosine"] = "step"
    # Epochs at which the step schedule multiplies the learning rate by `factor`.
    milestones: tuple[float, ...] = (10.0, 50.0)
    factor: float = 0.1
    warmup: float = 0.0  # epochs of linear warm-up from zero
    clip_norm: float = 0.0  # largest global gradient norm; 0 = off
    ema: float = 0.0  # decay of the parameters' moving average, used by evaluation; 0 = off
    accumulate: int = 1  # micro-batches per step


@dataclasses.dataclass(kw_only=True, slots=True)
class TrainConfig:
    """One run."""

    model: ModelConfig = dataclasses.field(default_factory=STGCNConfig)
    data: DataConfig = dataclasses.field(default_factory=DataConfig)
    # The types of `clip` and `augment` follow from what the model reads: see `INPUTS`.
    clip: Any = dataclasses.field(default_factory=ClipConfig)
    augment: Any = dataclasses.field(default_factory=AugmentConfig)
    optim: OptimConfig = dataclasses.field(default_factory=OptimConfig)
    # The type follows from the model: see `losses.loss_section`. None = its defaults.
    loss: Any = None
    # Published preprocessing that clip and augment follow; set by `follow(config, name)`.
    protocol: str = ""
    seed: int = 0
    # Initial weights: the --workdir of a run, for the modules that both networks have, or a file
    # of a backbone's weights.
    init_from: str = ""
    batch_size: int = 64  # examples per step, over all devices and processes
    epochs: int = 80
    parallel: Literal["jit", "pmap"] = "jit"
    batch_norm: Literal["global", "per_device"] = "global"
    devices: int = 0  # devices used; 0 = all
    log_every: int = 50  # steps
    eval_every: float = 5.0  # epochs; 0 = only at the end
    checkpoint_every: int = 500  # steps
    # Which checkpoint evaluate and export read: the last, or the best top-1 on eval_split.
    select: Literal["last", "best"] = "last"

    def __post_init__(self) -> None:
        """Sets the loss section to the model's, where none is given."""
        if self.loss is None:
            self.loss = loss_section(self.model.name)()
