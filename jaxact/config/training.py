"""The sections of a config: every option once, with its type, unit and default."""

import dataclasses
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

# A model's section is chosen by its class in the config file; `name` in it says which network it
# is.
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
MODELS = {  # the section that `model.name` stands for
    "stgcn": STGCNConfig,
    "local": LocalConfig,
    "tcn": TCNConfig,
    "deep_lstm": LSTMConfig,
    "stgcnpp": STGCNPPConfig,
    "ctrgcn": CTRGCNConfig,
    "stagcn": STAGCNConfig,
    "sta_lstm": STALSTMConfig,
    "asgcn": ASGCNConfig,
    "displacement": DisplacementConfig,
    "recogniser": RecogniserConfig,
    "causal_stgcn": CausalSTGCNConfig,
    "sc_xception": SCXceptionConfig,
    "tsn": TSNConfig,
    "pose": PoseConfig,
}
KINDS = {
    "sc_xception": "video",
    "tsn": "video",
    "pose": "pose",
}  # what models read that read no skeletons
INPUTS = {  # the sections `clip` and `augment` of each kind
    "skeleton": (ClipConfig, AugmentConfig),
    "video": (VideoClipConfig, VideoAugmentConfig),
    "pose": (PoseClipConfig, PoseAugmentConfig),  # pictures with people
}


def kind(model: str) -> str:
    """The kind of records that the model of this name reads, a key of `INPUTS`."""
    return KINDS.get(model, "skeleton")


@dataclasses.dataclass(kw_only=True, slots=True)
class DataConfig:
    """Which records are read."""

    name: str = "synthetic_actions"  # a prepared dataset; `custom/NAME` for one of your own
    data_dir: str = (
        ""  # folder that `jaxact prepare` wrote to; "" = $TFDS_DATA_DIR or ~/tensorflow_datasets
    )
    train_split: str = "train"  # a split or protocol split of the dataset, e.g. "xsub_train"
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
    milestones: tuple[float, ...] = (
        10.0,
        50.0,
    )  # epochs at which the step schedule multiplies by `factor`
    factor: float = 0.1
    warmup: float = 0.0  # epochs of linear warm-up from zero
    clip_norm: float = 0.0  # largest global gradient norm; 0 = off
    ema: float = 0.0  # decay of the parameters' moving average that evaluation then uses; 0 = off
    accumulate: int = 1  # micro-batches per step


@dataclasses.dataclass(kw_only=True, slots=True)
class TrainConfig:
    """One run."""

    model: ModelConfig = dataclasses.field(default_factory=STGCNConfig)
    data: DataConfig = dataclasses.field(default_factory=DataConfig)
    clip: Any = dataclasses.field(
        default_factory=ClipConfig
    )  # what the model reads decides its kind: see `INPUTS`
    augment: Any = dataclasses.field(default_factory=AugmentConfig)
    optim: OptimConfig = dataclasses.field(default_factory=OptimConfig)
    loss: Any = None  # the model decides its kind: see `losses.loss_section`; None = its defaults
    protocol: str = (
        ""  # published preprocessing that clip and augment follow; set it by `follow(config, name)`
    )
    seed: int = 0
    # --workdir of a run: modules that both networks have begin with its weights; or a file of a backbone's weights.
    init_from: str = ""
    batch_size: int = 64  # examples per step, over all devices and processes
    epochs: int = 80
    parallel: Literal["jit", "pmap"] = "jit"
    batch_norm: Literal["global", "per_device"] = "global"
    devices: int = 0  # devices used; 0 = all
    log_every: int = 50  # steps
    eval_every: float = 5.0  # epochs; 0 = only at the end
    checkpoint_every: int = 500  # steps
    select: Literal["last", "best"] = (
        "last"  # which checkpoint evaluate and export take: the last, or best top-1 on eval_split
    )

    def __post_init__(self) -> None:
        if self.loss is None:
            self.loss = loss_section(self.model.name)()
