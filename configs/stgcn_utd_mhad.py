"""ST-GCN on UTD-MHAD, odd subjects train, even subjects test.

Paper: none; the published subject-wise figure beside it is the authors' depth + inertial fusion, 79.1 %.
Command: jaxact prepare utd_mhad --raw UTD-MHAD/Skeleton --data-dir data
         jaxact train --config configs/stgcn_utd_mhad.py --data-dir data --workdir runs/utd_mhad
"""

from jaxact.config import AugmentConfig, ClipConfig, DataConfig, OptimConfig, STGCNConfig, TrainConfig


def get_config(arg: str = "") -> TrainConfig:
    """The run; "quick" is a toy of it."""
    config = TrainConfig(
        data=DataConfig(name="utd_mhad"),
        model=STGCNConfig(width=32, dropout=0.5),
        clip=ClipConfig(frames=64, persons=1, sampling="resize", center="first"),
        augment=AugmentConfig(crop=0.75, rotate=0.3, rescale=0.1, jitter=0.005),
        optim=OptimConfig(
            name="sgd", learning_rate=0.1, schedule="cosine", warmup=5.0, weight_decay=5e-4, decay="kernels"
        ),
        batch_size=32,
        epochs=60,
        label_smoothing=0.1,
        eval_every=10.0,
    )
    if arg == "quick":
        config.model.width, config.clip.frames, config.epochs = 4, 16, 1
    return config
