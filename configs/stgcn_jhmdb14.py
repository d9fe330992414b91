"""ST-GCN on the 2-D poses of 14 JHMDB classes, three splits. `:split1` (default) ... `:split3`.

Paper: none.
Ours: mean of the splits 82.16 % top-1 (83.52, 84.66, 78.29), last checkpoint, one seed, width 32.
      Four streams of width 16, 25 epochs, fused 2 : 2 : 1 : 1: 81.21 (85.23, 80.11, 78.29).
Command: jaxact prepare custom --name jhmdb14 --layout jhmdb-15 --raw jhmdb14_pose2d.npz --data-dir
    data
         python scripts/cross_validate.py --config configs/stgcn_jhmdb14.py --data-dir data --out results/jhmdb
             --arguments split1,split2,split3
"""

from jaxact.config import (
    AugmentConfig,
    ClipConfig,
    DataConfig,
    OptimConfig,
    STGCNConfig,
    TrainConfig,
)


def get_config(arg: str = "") -> TrainConfig:
    """The run of a split; "quick" is a toy of it."""
    split = arg if arg.startswith("split") else "split1"
    config = TrainConfig(
        data=DataConfig(
            name="custom/jhmdb14", train_split=f"{split}_train", eval_split=f"{split}_test"
        ),
        model=STGCNConfig(width=32, dropout=0.2, init="he_fan_out"),
        clip=ClipConfig(
            frames=32,
            persons=1,
            sampling="resize",
            center="first",
            stream="joint+bone+joint_motion",
        ),
        augment=AugmentConfig(crop=0.85, rotate=0.2, rescale=0.1, mirror=True, drop_joints=0.03),
        optim=OptimConfig(
            name="adamw",
            learning_rate=3e-3,
            schedule="cosine",
            warmup=3.0,
            weight_decay=0.01,
            ema=0.99,
        ),
        batch_size=16,
        epochs=80,
        label_smoothing=0.1,
        eval_every=40.0,
    )
    if arg == "quick":
        config.model.width, config.clip.frames, config.epochs = 4, 8, 1
    return config
