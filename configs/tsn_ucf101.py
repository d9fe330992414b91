"""Temporal segment network on UCF101; with `--streams rgb,flow` the two-stream network of the
SC-Xception paper's Table 3.

An argument chooses the split: official1 (the default), official2, official3, group, random_3to1.
Single frames of three segments, scored by Inception-v3 in place of BN-Inception; 25 segments at
test time.

Paper: two-stream 88.0 % (Simonyan and Zisserman, NeurIPS 2014, mean of the official splits); TSN
      94.0 % (Wang et al., ECCV 2016, colour and flow).
Ours: not run: needs the data set, ImageNet weights and a GPU.
Command: jaxact prepare ucf101 --raw UCF101 --flow dis --data-dir data
         jaxact import keras inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5 --out inception.safetensors
         jaxact train --config configs/tsn_ucf101.py:official1 --data-dir data --workdir runs/tsn --streams rgb,flow
             --config.init_from=inception.safetensors
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

SPLITS = ("official1", "official2", "official3", "group", "random_3to1")


def get_config(arg: str = "") -> TrainConfig:
    """The run on a split; "quick" or "SPLIT,quick" is a toy of it."""
    split, quick = choose(arg, SPLITS)
    model, clip = TSNConfig(), VideoClipConfig(frames=3, sampling="segments", fit="crop", views=8)
    config = TrainConfig(
        data=DataConfig(
            name="ucf101",
            train_split=f"{split}_train",
            eval_split=f"{split}_test",
            shuffle_buffer=2048,
        ),
        model=model,
        clip=clip,
        augment=VideoAugmentConfig(crop=0.66, mirror=True),
        optim=OptimConfig(
            learning_rate=1e-3, weight_decay=5e-4, milestones=(30.0, 60.0), clip_norm=20.0
        ),
        batch_size=128,
        epochs=80,
    )
    if quick:
        model.width, model.depth = 1 / 32, 0.0
        clip.height, clip.width, clip.views, clip.frames = 80, 80, 1, 2
        config.batch_size, config.epochs = 4, 1
    return config
