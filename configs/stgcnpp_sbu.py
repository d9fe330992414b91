"""ST-GCN++ on SBU Kinect Interaction, two persons, five folds. `:fold1` (default) ... `:fold5`.

Paper: none. Ours: mean of the folds 95.10 % top-1 (90.91, 98.08, 98.21, 94.44, 93.85), last
checkpoint, one seed. Four streams, each
      beside `partner` (94.22, 95.37, 91.26, 94.32), fused 95.69 %; all five networks, 3 : 2 : 2 : 1
      : 1, 96.44 %.
Command: jaxact prepare sbu --raw SBU --data-dir data
         python scripts/cross_validate.py --config configs/stgcnpp_sbu.py --data-dir data --out results/sbu_stgcnpp
             --arguments fold1,fold2,fold3,fold4,fold5
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
    """The run that leaves a fold out; "quick" is a toy of it."""
    fold = arg if arg.startswith("fold") else "fold1"
    config = TrainConfig(
        data=DataConfig(name="sbu", train_split=f"{fold}_train", eval_split=f"{fold}_test"),
        model=STGCNPPConfig(network="six", width=32, dropout=0.2),
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
        epochs=40,
        label_smoothing=0.1,
        eval_every=20.0,
    )
    if arg == "quick":
        config.model.width, config.clip.frames, config.epochs = 6, 8, 1
    return config
