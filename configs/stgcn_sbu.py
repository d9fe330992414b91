"""ST-GCN on SBU Kinect Interaction, two persons, five folds. `:fold1` (default) ... `:fold5`.

Paper: none. Ours: mean of the folds 90.15 % top-1 (89.09, 88.46, 91.07, 94.44, 87.69), last
checkpoint, one seed, with
      --config.model.width=16 --config.epochs=40. Without `partner`, folds 1 to 3: 89.09, 78.85,
      80.36. Four streams, each beside `partner`, fused 2 : 2 : 1 : 1: 93.59 (89.09, 94.23, 98.21,
      92.59, 93.85).
Command: jaxact prepare sbu --raw SBU --data-dir data
         python scripts/cross_validate.py --config configs/stgcn_sbu.py --data-dir data --out results/sbu
             --arguments fold1,fold2,fold3,fold4,fold5
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
    """The run that leaves a fold out; "quick" is a toy of it."""
    fold = arg if arg.startswith("fold") else "fold1"
    config = TrainConfig(
        data=DataConfig(name="sbu", train_split=f"{fold}_train", eval_split=f"{fold}_test"),
        model=STGCNConfig(width=32, dropout=0.2, init="he_fan_out"),
        clip=ClipConfig(
            frames=24,
            persons=2,
            sampling="resize",
            center="first",
            stream="joint+bone+joint_motion+partner",
            views=5,
        ),
        augment=AugmentConfig(crop=0.8, rotate=0.1, rescale=0.1, mirror=True, swap=True),
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
