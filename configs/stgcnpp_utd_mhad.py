"""ST-GCN++ on UTD-MHAD, odd subjects train, even subjects test.

Paper: none. Ours: 91.40 % top-1 from joints after the last of 60 epochs, one seed; joint, bone and
their motions (91.40, 92.33,
      90.47, 86.74) fused 94.42 %.
Command: jaxact prepare utd_mhad --raw UTD-MHAD/Skeleton --data-dir data
         jaxact train --config configs/stgcnpp_utd_mhad.py --data-dir data --workdir runs/stgcnpp_utd_mhad
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
    """The run; "quick" is a toy of it."""
    config = TrainConfig(
        data=DataConfig(name="utd_mhad"),
        model=STGCNPPConfig(network="six", width=32, dropout=0.2),
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
