"""CTR-GCN on UTD-MHAD, odd subjects train, even subjects test.

Paper: none. Ours: joints 84.88 % after 35 of the 60 epochs; four streams of width 16 fused 84.88 %
(71.86 joint, 70.47 bone, 78.84
      joint_motion, 68.60 bone_motion; at this width two channels tell joints apart). One seed, last
      checkpoint. The recipe is that of `configs/stgcn_utd_mhad.py`.
Command: jaxact prepare utd_mhad --raw UTD-MHAD/Skeleton --data-dir data
         jaxact train --config configs/ctrgcn_utd_mhad.py --data-dir data --workdir runs/ctrgcn_utd_mhad
         python scripts/cross_validate.py --config configs/ctrgcn_utd_mhad.py --data-dir data --out results/utd_ctr4
             --streams joint,bone,joint_motion,bone_motion --config.model.width=16
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
    """The run; "quick" is a toy of it."""
    config = TrainConfig(
        data=DataConfig(name="utd_mhad"),
        model=CTRGCNConfig(network="six", width=32, dropout=0.2),
        clip=ClipConfig(
            frames=48, persons=1, sampling="resize", center="first", scale="skeleton", views=5
        ),
        augment=AugmentConfig(crop=0.9, rotate=0.3, rescale=0.15, drop_joints=0.03),
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
        config.model.width, config.clip.frames, config.epochs = 6, 16, 1
    return config
