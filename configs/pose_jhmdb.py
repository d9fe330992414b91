"""The pose network of the online recognition paper on JHMDB's frames, at half width and 160 px: for two CPU cores.

An argument is the split: official1 (the default), official2, official3. One person of a picture is marked.

Paper: Li, CSA 14(1), 2024: no figure for poses.
Ours: PCK@0.2 27.96 % on split 1 with --config.epochs=2, 45 minutes of one CPU core (nose 44, ankles 42, wrists 10 %).
Command: jaxact prepare jhmdb_pose --raw JHMDB --data-dir data
         jaxact train --config configs/pose_jhmdb.py --data-dir data --workdir runs/pose
         jaxact evaluate --checkpoint runs/pose --out results/pose
"""

from jaxact.config import DataConfig, OptimConfig, PoseAugmentConfig, PoseClipConfig, PoseConfig, TrainConfig, choose

SPLITS = ("official1", "official2", "official3")


def get_config(arg: str = "") -> TrainConfig:
    """The run; "quick" or "SPLIT,quick" is a toy of it."""
    split, quick = choose(arg, SPLITS)
    model, clip = PoseConfig(width=0.5, stages=3), PoseClipConfig(height=160, width=160)
    config = TrainConfig(
        data=DataConfig(name="jhmdb_pose", train_split=f"{split}_train", eval_split=f"{split}_test"),
        model=model,
        clip=clip,
        augment=PoseAugmentConfig(),
        optim=OptimConfig(
            name="adam",
            learning_rate=1e-3,
            schedule="cosine",
            weight_decay=4e-5,
            decay="depthwise",
            warmup=0.2,
            clip_norm=100.0,
        ),
        batch_size=16,
        epochs=4,
        eval_every=1.0,
    )
    if quick:
        model.width, model.filters, model.stages = 0.125, 4, 1
        clip.height, clip.width = 64, 64
        config.batch_size, config.epochs = 4, 1
    return config
