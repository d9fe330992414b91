"""ST-GCN++ on the 2-D poses of 14 JHMDB classes, three splits. `:split1` (default) ... `:split3`.

Paper: none. Ours: mean of the splits 80.45 % top-1 from joints (80.68, 81.25, 79.43), last
checkpoint, one seed; joint, bone and
      their motions (80.45, 78.37, 76.84, 70.97) fused 84.25 %.
Command: jaxact prepare custom --name jhmdb14 --layout jhmdb-15 --raw jhmdb14_pose2d.npz --data-dir
    data
         python scripts/cross_validate.py --config configs/stgcnpp_jhmdb14.py --data-dir data
             --out results/jhmdb_stgcnpp --arguments split1,split2,split3
"""

from jaxact.config import (
    AugmentConfig,
    ClipConfig,
    DataConfig,
    OptimConfig,
    STGCNPPConfig,
    TrainConfig,
)


def get_config(arg: str = "") -> TrainConfig:
    """The run of a split; "quick" is a toy of it."""
    split = arg if arg.startswith("split") else "split1"
    config = TrainConfig(
        data=DataConfig(
            name="custom/jhmdb14", train_split=f"{split}_train", eval_split=f"{split}_test"
        ),
        model=STGCNPPConfig(network="six", width=32, dropout=0.2),
        clip=ClipConfig(frames=32, persons=1, sampling="resize", center="first"),
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
        epochs=60,
        label_smoothing=0.1,
        eval_every=30.0,
    )
    if arg == "quick":
        config.model.width, config.clip.frames, config.epochs = 6, 8, 1
    return config
