"""The pose network of the online recognition paper on JHMDB's frames, at half width and 160 px: for
two CPU cores.

An argument is the split: official1 (the default), official2, official3. One person of a picture is
marked.

Paper: Li, CSA 14(1), 2024: no figure for poses. Ours: PCK@0.2 39.43 % on split 1 after 5 epochs, 95
minutes of one CPU core, that began from 2 epochs of batches of 16
      at 1e-3, with turns up to 40 degrees and all maps alike, 45 minutes (27.96 %). Nose and neck
      60, legs 45, elbows 24, wrists 18 %; 28 % of the joints are not found at all. One seed, last
      checkpoint.
Command: jaxact prepare jhmdb_pose --raw JHMDB --data-dir data
         jaxact train --config configs/pose_jhmdb.py --data-dir data --workdir runs/pose
         jaxact evaluate --checkpoint runs/pose --out results/pose
"""

from jaxact.config import (
    DataConfig,
    OptimConfig,
    PoseAugmentConfig,
    PoseClipConfig,
    PoseConfig,
    TrainConfig,
    choose,
)

SPLITS = ("official1", "official2", "official3")


def get_config(arg: str = "") -> TrainConfig:
    """The run; "quick" or "SPLIT,quick" is a toy of it."""
    split, quick = choose(arg, SPLITS)
    model, clip = PoseConfig(width=0.5, stages=3), PoseClipConfig(height=160, width=160)
    config = TrainConfig(
        data=DataConfig(
            name="jhmdb_pose", train_split=f"{split}_train", eval_split=f"{split}_test"
        ),
        model=model,
        clip=clip,
        augment=PoseAugmentConfig(rotate=20.0),
        optim=OptimConfig(
            name="adam",
            learning_rate=1.5e-3,
            schedule="cosine",
            weight_decay=4e-5,
            decay="depthwise",
            warmup=0.05,
            clip_norm=100.0,
        ),
        joint_weights=(3.0,) * 14,  # a field has three times the cells of a joint
        batch_size=8,
        epochs=6,
        eval_every=2.0,
    )
    if quick:
        model.width, model.filters, model.stages = 0.125, 4, 1
        clip.height, clip.width = 64, 64
        config.batch_size, config.epochs = 4, 1
    return config
