"""Temporal segment network on videos; with `--streams rgb,flow` a two-stream network.

    configs/tsn.py:DATASET[,SPLIT][,quick]

Single frames of three segments, scored by Inception-v3 in place of BN-Inception; 25 segments at
test time.

ucf101 (default), hmdb51: the two-stream network of the SC-Xception paper's Table 3
    Splits: official1 (default), official2, official3, group, random_3to1.
    Paper: two-stream 88.0 % on UCF101, 59.4 % on HMDB51 (Simonyan and Zisserman, NeurIPS 2014, mean
    of the official splits); TSN 94.0 % and 68.5 % (Wang et al., ECCV 2016, colour and flow).
    Ours: not run: needs the data set, ImageNet weights and a GPU.
    Command, and the same of HMDB51:
        jaxact prepare ucf101 --raw UCF101 --flow dis --data-dir data
        jaxact import keras inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5
            --out inception.safetensors
        jaxact train --config configs/tsn.py:ucf101,official1 --data-dir data --workdir runs/tsn
            --streams rgb,flow --config.init_from=inception.safetensors

kinetics: a folder of Kinetics' videos, the colour and flow scores of the ST-GCN paper's Table 5
    The folder holds the videos, named as the clips of `kinetics_skeleton` are, and a table
    path,label,split that lists them (see `jaxact prepare video_folder`): scores of both sets then
    have the same ids, and `jaxact fuse` joins them.
    Paper: without ImageNet weights RGB 70.3 %, optical flow 51.0 %, both 71.1 %, RGB and ST-GCN
    71.2 %, all three 71.7 % (Yan, Xiong and Lin, AAAI 2018, Table 5; its figures for RGB and flow
    are those of others).
    Ours: not run: needs the data set and GPUs.
    Command:
        jaxact prepare video_folder --name kinetics --raw kinetics400 --flow dis --skip-bad
            --data-dir data
        jaxact train --config configs/tsn.py:kinetics --data-dir data --workdir runs/tsn_kinetics
            --streams rgb,flow
"""

from jaxact.config import (
    OptimConfig,
    TrainConfig,
    TSNConfig,
    VideoAugmentConfig,
    VideoClipConfig,
    choose,
)

ROWS = {"ucf101": (), "hmdb51": (), "kinetics": ()}


def get_config(arg: str = "") -> TrainConfig:
    """The run of a data set and split; "quick" beside them makes a small one of it."""
    selection = choose(arg, ROWS, default_split="official1")
    model = TSNConfig()
    config = TrainConfig(
        data=selection.data(shuffle_buffer=2048),
        model=model,
        clip=VideoClipConfig(frames=3, sampling="segments", fit="crop", views=8),
        augment=VideoAugmentConfig(crop=0.66, mirror=True),
        optim=OptimConfig(
            learning_rate=1e-3, weight_decay=5e-4, milestones=(30.0, 60.0), clip_norm=20.0
        ),
        batch_size=128,
        epochs=80,
    )
    if selection.dataset == "kinetics":
        config.optim.learning_rate, config.optim.milestones = 0.01, (20.0, 40.0)
        config.batch_size, config.epochs = 256, 60
    if selection.quick:
        model.width, model.depth = 1 / 32, 0.0
        config.clip.height, config.clip.width = 80, 80
        config.clip.views, config.clip.frames = 1, 2
        config.batch_size, config.epochs = 4, 1
    return config
