"""Recipes that several configs share: input, augmentation and optimiser of a data set.

The values that depend on the network, such as its width and the number of epochs, are set in
`configs/`.
"""

from typing import Any

from jaxact.config.arguments import DATASETS, Selection
from jaxact.config.inputs import AugmentConfig, ClipConfig
from jaxact.config.losses import CrossEntropyLossConfig
from jaxact.config.skeleton_models import CTRGCNConfig, STGCNConfig, STGCNPPConfig
from jaxact.config.training import DataConfig, ModelConfig, OptimConfig, TrainConfig

# The small skeleton data sets: options of the sections `clip` and `augment`.
_SMALL_CLIPS: dict[str, dict[str, Any]] = {
    "utd_mhad": {"frames": 48, "persons": 1, "scale": "skeleton", "views": 5},
    "sbu": {"frames": 24, "persons": 2, "views": 5},
    "jhmdb14": {"frames": 32, "persons": 1},
    "jhmdb_detected": {
        "frames": 16,
        "seconds": 1.0,  # of a stream, about the length of the clips
        "persons": 1,
        "person": "frame_score",  # a track may break; then another slot continues it
        "scale": "skeleton",
        "empty": "drop",
        "views": 5,
    },
}
_JHMDB_AUGMENTATION = {
    "crop": 0.85,
    "rotate": 0.2,
    "rescale": 0.1,
    "mirror": True,
    "drop_joints": 0.03,
}
_SMALL_AUGMENTATION: dict[str, dict[str, Any]] = {
    "utd_mhad": {"crop": 0.9, "rotate": 0.3, "rescale": 0.15, "drop_joints": 0.03},
    "sbu": {"crop": 0.8, "rotate": 0.1, "rescale": 0.1, "mirror": True, "swap": True},
    "jhmdb14": _JHMDB_AUGMENTATION,
    "jhmdb_detected": _JHMDB_AUGMENTATION,
}
SMALL_DATASETS = tuple(_SMALL_CLIPS)
_SMALL_EPOCHS = {"utd_mhad": 60, "sbu": 40, "jhmdb14": 60}  # of pyskl's networks
# Data sets of `ntu_or_small_dataset`, none of which has rows.
NTU_AND_SMALL_ROWS = {"ntu60": (), "ntu120": (), **dict.fromkeys(_SMALL_EPOCHS, ())}


def small_dataset(selection: Selection, model: ModelConfig) -> TrainConfig:
    """The recipe for UTD-MHAD, SBU and JHMDB, which have some hundreds of clips."""
    return TrainConfig(
        data=selection.data(),
        model=model,
        clip=ClipConfig(sampling="resize", center="first", **_SMALL_CLIPS[selection.dataset]),
        augment=AugmentConfig(**_SMALL_AUGMENTATION[selection.dataset]),
        optim=adamw(),
        batch_size=16,
    )


def adamw() -> OptimConfig:
    """AdamW with a cosine schedule and an average of the parameters, for hundreds of clips."""
    return OptimConfig(
        name="adamw",
        learning_rate=3e-3,
        schedule="cosine",
        warmup=3.0,
        weight_decay=0.01,
        ema=0.99,
    )


def pyskl_ntu(selection: Selection, model: ModelConfig) -> TrainConfig:
    """A recipe close to pyskl's for NTU RGB+D: clips of 100 frames, SGD with a cosine schedule.

    Departs from pyskl: clips are resampled to 100 frames where pyskl draws one frame of each
    hundredth, and centred and turned upright by their first frame.
    """
    return TrainConfig(
        data=selection.data(),
        model=model,
        clip=ClipConfig(
            frames=100, persons=2, sampling="resize", person="energy", center="first", align=True
        ),
        optim=OptimConfig(learning_rate=0.1, schedule="cosine", weight_decay=5e-4),
        batch_size=128,
        epochs=80,
    )


def ntu_or_small_dataset(
    selection: Selection, model: type[STGCNPPConfig] | type[CTRGCNConfig]
) -> TrainConfig:
    """A network of pyskl on NTU RGB+D, or its six units of width 32 on a small data set."""
    dataset = selection.dataset
    if dataset in _SMALL_EPOCHS:
        config = small_dataset(selection, model(network="six", width=32, dropout=0.2))
        config.loss.label_smoothing = 0.1
        config.epochs = _SMALL_EPOCHS[dataset]
        config.eval_every = config.epochs / 2
    else:
        config = pyskl_ntu(selection, model())
    if dataset == "sbu":
        config.clip.stream = "joint+bone+joint_motion+partner"
    if selection.quick:
        config.model.width, config.epochs = 6, 1
        config.clip.frames = 8 if dataset in ("sbu", "jhmdb14") else 16
    return config


def synthetic_actions() -> TrainConfig:
    """A small ST-GCN on the generated data set: about a minute on two CPU cores."""
    return TrainConfig(
        data=DataConfig(name=DATASETS["synthetic_actions"].name),
        model=STGCNConfig(width=16, dropout=0.2),
        clip=ClipConfig(frames=32, sampling="resize", center="first"),
        augment=AugmentConfig(crop=0.8, rotate=0.2),
        optim=OptimConfig(
            name="adamw", learning_rate=3e-3, schedule="cosine", warmup=0.5, weight_decay=0.01
        ),
        batch_size=16,
        epochs=8,
        loss=CrossEntropyLossConfig(label_smoothing=0.1),
        eval_every=2.0,
        log_every=20,
    )
