"""ST-GCN, small, on the generated data set: what `jaxact quickstart` trains.

Paper: none; subjects 1-16 train, 17-24 test.
Ours: 100.0 % top-1 after 8 epochs, one seed, about a minute on 2 cores.
Command: jaxact prepare synthetic_actions --data-dir data
         jaxact train --config configs/stgcn_synthetic.py --data-dir data --workdir runs/synthetic
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
    """The run; "quick" is a toy of it."""
    config = TrainConfig(
        data=DataConfig(name="synthetic_actions"),
        model=STGCNConfig(width=16, dropout=0.2),
        clip=ClipConfig(frames=32, sampling="resize", center="first"),
        augment=AugmentConfig(crop=0.8, rotate=0.2),
        optim=OptimConfig(
            name="adamw", learning_rate=3e-3, schedule="cosine", warmup=0.5, weight_decay=0.01
        ),
        batch_size=16,
        epochs=8,
        label_smoothing=0.1,
        eval_every=2.0,
        log_every=20,
    )
    if arg == "quick":
        config.model.width, config.clip.frames, config.epochs = 4, 8, 1
    return config
