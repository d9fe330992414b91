"""Temporal segment network on Kinetics from a folder of its videos: the colour and flow scores of
the ST-GCN paper's Table 5.

The folder holds the videos, named as the clips of `kinetics_skeleton` are, and a table
path,label,split that lists them (see `jaxact prepare video_folder`): scores of both sets then have
the same ids, and `jaxact fuse` joins them.

Paper: without ImageNet weights RGB 70.3 %, optical flow 51.0 %, both 71.1 %, RGB and ST-GCN 71.2 %,
      all three 71.7 % (Yan, Xiong and Lin, AAAI 2018, Table 5; its figures for RGB and flow are
      those of others).
Ours: not run: needs the data set and GPUs. Command: jaxact prepare video_folder --name kinetics
--raw kinetics400 --flow dis --skip-bad --data-dir data
         jaxact train --config configs/tsn_kinetics.py --data-dir data --workdir runs/tsn_kinetics --streams rgb,flow
"""

from jaxact.config import (
    DataConfig,
    OptimConfig,
    TrainConfig,
    TSNConfig,
    VideoAugmentConfig,
    VideoClipConfig,
    choose,
)


def get_config(arg: str = "") -> TrainConfig:
    """The run; "quick" is a toy of it."""
    (quick,) = choose(arg)
    model, clip = TSNConfig(), VideoClipConfig(frames=3, sampling="segments", fit="crop", views=8)
    config = TrainConfig(
        data=DataConfig(
            name="video_folder/kinetics", train_split="train", eval_split="val", shuffle_buffer=2048
        ),
        model=model,
        clip=clip,
        augment=VideoAugmentConfig(crop=0.66, mirror=True),
        optim=OptimConfig(
            learning_rate=0.01, weight_decay=5e-4, milestones=(20.0, 40.0), clip_norm=20.0
        ),
        batch_size=256,
        epochs=60,
    )
    if quick:
        model.width, model.depth = 1 / 32, 0.0
        clip.height, clip.width, clip.views, clip.frames = 80, 80, 1, 2
        config.batch_size, config.epochs = 4, 1
    return config
