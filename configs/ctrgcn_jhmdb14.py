"""CTR-GCN on the 2-D poses of 14 JHMDB classes, three splits. `:split1` (default) ... `:split3`.

Paper: none. Ours: mean of the splits 74.57 % top-1 from joints (73.30, 76.70, 73.71), last
checkpoint, one seed, with
      --config.epochs=50. Split 1, joint (so), bone 78.41, joint_motion 71.59 and bone_motion 79.55
      % (60 epochs) fused 2 : 2 : 1 : 1: 85.23 %.
Command: jaxact prepare custom --name jhmdb14 --layout jhmdb-15 --raw jhmdb14_pose2d.npz --data-dir
    data
         python scripts/cross_validate.py --config configs/ctrgcn_jhmdb14.py --data-dir data
             --out results/jhmdb_ctrgcn --arguments split1,split2,split3
"""

from jaxact.config import (
    AugmentConfig,
    ClipConfig,
    CTRGCNConfig,
    DataConfig,
    OptimConfig,
    TrainConfig,
)


def get_config(arg: str = "") -> TrainConfig:
    """The run of a split; "quick" is a toy of it."""
    split = arg if arg.startswith("split") else "split1"
    config = TrainConfig(
        data=DataConfig(
            name="custom/jhmdb14", train_split=f"{split}_train", eval_split=f"{split}_test"
        ),
        model=CTRGCNConfig(network="six", width=32, dropout=0.2),
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
