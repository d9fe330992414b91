"""The online recognition paper's recogniser on 32 classes of UCF101, poses of one person, five
folds.

A row of the paper's figures is an argument; the first is the default:
    full            LSTMs, batch renormalisation, attention with weights shared at random, p = 0.5 (Figure 6)
    no_attention    without attention (Figure 7)
    p0              p = 0: no weight is shared
    p25             p = 0.25
    p75             p = 0.75
    p100            p = 1: all are
    batch_norm      batch normalisation in place of renormalisation
    tanh            LSTMs of tanh in place of ReLU
    coco17          the 17 joints of COCO in place of 14 and six directions; poses must have them
and so is a fold: fold1 (the default) to fold5, drawn by clip, and group_fold1 to group_fold5, by
recording.

On JHMDB's poses LSTMs of ReLU, the paper by the letter, fail (see `recogniser_jhmdb14.py`): where
they do here, take tanh.

Paper: Li, CSA 14(1), 2024, section 5: up to 98 % of the training clips and 97 % of the test clips.
Ours: not run: needs UCF101.
Command: jaxact prepare ucf101_32 --raw ucf101_2d.pkl --data-dir data
         (or --raw UCF101 --checkpoint runs/pose, whose videos a pose network looks at first)
         python scripts/cross_validate.py --config configs/recogniser_ucf32.py --data-dir data --out results/ucf32
             --arguments fold1,fold2,fold3,fold4,fold5
         one fold: jaxact train --config configs/recogniser_ucf32.py:fold1 --data-dir data --workdir
         runs/ucf32
"""

from typing import Any

from jaxact.config import (
    AugmentConfig,
    ClipConfig,
    DataConfig,
    OptimConfig,
    RecogniserConfig,
    TrainConfig,
    choose,
)

ROWS: dict[str, dict[str, Any]] = {
    "full": {},
    "no_attention": {"network": "no_attention"},
    "p0": {"shared": 0.0},
    "p25": {"shared": 0.25},
    "p75": {"shared": 0.75},
    "p100": {"shared": 1.0},
    "batch_norm": {"norm": "batch"},
    "tanh": {"activation": "tanh"},
    "coco17": {"features": "coco17"},
}
FOLDS = [f"{prefix}fold{number}" for prefix in ("", "group_") for number in range(1, 6)]


def get_config(arg: str = "") -> TrainConfig:
    """The run of a row and a fold; "quick" beside them is a toy of it."""
    row, fold, quick = choose(arg, ROWS, FOLDS)
    model, clip = RecogniserConfig(**ROWS[row]), ClipConfig(frames=60, persons=1, sampling="resize")
    config = TrainConfig(
        data=DataConfig(name="ucf101_32", train_split=f"{fold}_train", eval_split=f"{fold}_test"),
        model=model,
        clip=clip,
        augment=AugmentConfig(crop=0.85, rotate=0.2, rescale=0.1, mirror=True),
        # The paper leaves optimiser, rate and number of epochs open.
        optim=OptimConfig(
            name="adam", learning_rate=1e-3, weight_decay=0.0, schedule="constant", clip_norm=5.0
        ),
        batch_size=64,
        epochs=100,
        eval_every=5.0,
    )
    if quick:
        model.width, clip.frames, config.epochs = 4, 6, 1
    return config
