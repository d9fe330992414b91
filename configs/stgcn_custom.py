"""ST-GCN on clips of your own: a place to start for some hundreds of clips, from whatever pose
estimator.

Paper: none.
Ours: not run: the data are yours.
Command: jaxact prepare custom --name mine --raw clips --layout coco-17 --data-dir data
         jaxact train --config configs/stgcn_custom.py --config.data.name=custom/mine --data-dir data --workdir mine
Where left and right tell classes apart (swipe left, swipe right): --config.augment.mirror=false
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
        data=DataConfig(name="custom/mine"),
        model=STGCNConfig(width=32, dropout=0.2, init="he_fan_out"),
        clip=ClipConfig(frames=64, persons=2, sampling="resize", center="first", scale="skeleton"),
        augment=AugmentConfig(crop=0.75, rotate=0.2, rescale=0.1, mirror=True, drop_joints=0.03),
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
        eval_every=10.0,
    )
    if arg == "quick":
        config.model.width, config.clip.frames, config.epochs = 4, 8, 1
    return config
