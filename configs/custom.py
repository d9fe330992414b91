"""ST-GCN on your own clips: a starting point for some hundreds of clips, from any pose estimator.

    configs/custom.py[:quick]

mine: the data set `custom/mine`; another name is --config.data.name=custom/NAME
    Paper: none.
    Ours: not run: the data are yours.
    Command:
        jaxact prepare custom --name mine --raw clips --layout coco-17 --data-dir data
        jaxact train --config configs/custom.py --data-dir data --workdir runs/mine
    Where left and right distinguish classes (swipe left, swipe right):
        --config.augment.mirror=false
"""

from jaxact.config import (
    AugmentConfig,
    ClipConfig,
    CrossEntropyLossConfig,
    STGCNConfig,
    TrainConfig,
    choose,
    recipes,
)

ROWS = {"mine": ()}


def get_config(arg: str = "") -> TrainConfig:
    """The run; "quick" makes a small one of it."""
    selection = choose(arg, ROWS)
    config = TrainConfig(
        data=selection.data(),
        model=STGCNConfig(width=32, dropout=0.2, init="he_fan_out"),
        clip=ClipConfig(frames=64, persons=2, sampling="resize", center="first", scale="skeleton"),
        augment=AugmentConfig(crop=0.75, rotate=0.2, rescale=0.1, mirror=True, drop_joints=0.03),
        optim=recipes.adamw(),
        batch_size=16,
        epochs=60,
        loss=CrossEntropyLossConfig(label_smoothing=0.1),
        eval_every=10.0,
    )
    if selection.quick:
        config.model.width, config.clip.frames, config.epochs = 4, 8, 1
    return config
