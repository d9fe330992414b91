"""The pose network of the online recognition paper (Li, CSA 14(1), 2024).

    configs/pose.py[:SPLIT][,quick]

jhmdb_pose: JHMDB's frames, at half width and 160 px, for two CPU cores
    One person of a picture is labelled. Splits: official1 (default), official2, official3.
    Paper: no figure for poses.
    Ours: PCK@0.2 39.43 % on split 1 after 5 epochs, 95 minutes of one CPU core, started from 2
    epochs of batches of 16 at 1e-3, with rotations up to 40 degrees and all maps weighted alike, 45
    minutes (27.96 %). Nose and neck 60, legs 45, elbows 24, wrists 18 %; 28 % of the joints are not
    found at all. One seed, last checkpoint.
    Command:
        jaxact prepare jhmdb_pose --raw JHMDB --data-dir data
        jaxact train --config configs/pose.py --data-dir data --workdir runs/pose
        jaxact evaluate --checkpoint runs/pose --out results/pose
"""

from jaxact.config import (
    OptimConfig,
    PoseAugmentConfig,
    PoseClipConfig,
    PoseConfig,
    PoseLossConfig,
    TrainConfig,
    choose,
)

ROWS = {"jhmdb_pose": ()}


def get_config(arg: str = "") -> TrainConfig:
    """The run of a split; "quick" beside it makes a small one of it."""
    selection = choose(arg, ROWS)
    model = PoseConfig(width=0.5, stages=3)
    config = TrainConfig(
        data=selection.data(),
        model=model,
        clip=PoseClipConfig(height=160, width=160),
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
        # A field has three times the cells of a joint.
        loss=PoseLossConfig(joint_weights=(3.0,) * 14),
        batch_size=8,
        epochs=6,
        eval_every=2.0,
    )
    if selection.quick:
        model.width, model.filters, model.stages = 0.125, 4, 1
        config.clip.height, config.clip.width = 64, 64
        config.batch_size, config.epochs = 4, 1
    return config
