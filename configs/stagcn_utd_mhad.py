"""STA-GCN on UTD-MHAD, odd subjects train, even subjects test.

Paper: none. STA-GCN (spatio-temporal attention graph convolutional network) reports Kinetics-skeleton and NTU RGB+D.
Ours: not run yet. The recipe is that of `configs/stgcn_utd_mhad.py`.
Command: jaxact prepare utd_mhad --raw UTD-MHAD/Skeleton --data-dir data
         jaxact train --config configs/stagcn_utd_mhad.py --data-dir data --workdir runs/stagcn_utd_mhad
"""

from jaxact.config import AugmentConfig, ClipConfig, DataConfig, OptimConfig, STAGCNConfig, TrainConfig


def get_config(arg: str = "") -> TrainConfig:
    """The run; "quick" is a toy of it."""
    config = TrainConfig(
        data=DataConfig(name="utd_mhad"),
        model=STAGCNConfig(segments=3, kept=2, width=32, dropout=0.2, init="he_fan_out"),
        clip=ClipConfig(frames=48, persons=1, sampling="resize", center="first", scale="skeleton", views=5),
        augment=AugmentConfig(crop=0.9, rotate=0.3, rescale=0.15, drop_joints=0.03),
        optim=OptimConfig(name="adamw", learning_rate=3e-3, schedule="cosine", warmup=3.0, weight_decay=0.01, ema=0.99),
        batch_size=16,
        epochs=100,
        label_smoothing=0.1,
        segments_kept=2,
        eval_every=50.0,
    )
    if arg == "quick":
        config.model.width, config.clip.frames, config.epochs = 4, 12, 1
    return config
