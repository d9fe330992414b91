"""SC-Xception + ConvGRU + MCAM-AFF (Cheng, Zhang, Liu, Liu, Liu and Yang) on videos.

    configs/convgru.py:DATASET[,SPLIT][,ROW][,quick]

Rows of the paper's Tables 1, 2 and 4, with its top-1 on UCF101; the first is the default:
    full                 SC-Xception + ConvGRU + MCAM-AFF, 40 filters   95.66 % (Tables 2, 3 and 4)
    f20                  the same with 20 filters                       94.71 % (Table 2)
    f30                  with 30 filters                                95.13 % (Table 2)
    f50                  with 50 filters                                95.58 % (Table 2)
    sc_convgru_aff       MS-CAM's AFF in place of MCAM                  94.71 % (Table 4)
    sc_convgru           without fusion                                 93.58 % (Table 4)
    xc_convgru           Xception without excitation                    92.76 % (Tables 1 and 4)
    xc_lstm              Xception + LSTM, as LRCN                       88.47 % (Table 4)
    inception_v3         InceptionV3 + ConvGRU                          85.74 % (Table 1)
    inception_resnet_v2  InceptionResNetV2 + ConvGRU                    90.26 % (Table 1)
    tsn                  the mean of single frames' scores, with the same backbone; of jhmdb_video

ucf101 (default): UCF101
    Splits: random_3to1 (default, the paper's: clips of one recording fall on both sides, and the
    report says so), official1, official2, official3, group.
    Paper: top-1 on a random 3:1 split, figures above.
    Ours: not run: needs the data set, ImageNet weights and a GPU.
    Memory: one step of 32 clips of 40 frames of 299 px needs 5.65 GiB in these eight micro-batches,
    by XLA's account (scripts/memory_frames.py --accumulate 8); 54 GiB at once.
    Command:
        jaxact prepare ucf101 --raw UCF101 --data-dir data
        jaxact import keras xception_weights_tf_dim_ordering_tf_kernels_notop.h5
            --out xception.safetensors
        jaxact train --config configs/convgru.py:ucf101,full --data-dir data
            --workdir runs/ucf101_full --config.init_from=xception.safetensors
        jaxact evaluate --checkpoint runs/ucf101_full --out results/ucf101_full
    Figures: 9 (loss) and 10 (top-1, top-5): jaxact plot curves runs/ucf101_full --out curves.png
        11 (confusion): jaxact plot confusion results/ucf101_full --out confusion.png

hmdb51: HMDB51, the same splits
    Paper: full 69.82 % (Table 3), top-1 on a random 3:1 split; the ablations are given for UCF101
    only. Others, on the official splits: two-stream 59.4, STC-ResNet101 66.8, STS 67.2, STAM 69.1.
    Ours: not run: needs the data set, ImageNet weights and a GPU.
    Command:
        jaxact prepare hmdb51 --raw HMDB51 --data-dir data
        jaxact train --config configs/convgru.py:hmdb51,full --data-dir data
            --workdir runs/hmdb51_full --config.init_from=xception.safetensors
        jaxact evaluate --checkpoint runs/hmdb51_full --out results/hmdb51_full
    Figure 11: jaxact plot confusion results/hmdb51_full --out confusion.png

jhmdb_video: JHMDB's videos (928 clips, 21 classes), narrow and small, from scratch on two CPU cores
    Splits: official1 (default), official2, official3.
    Paper: none on this set. Chance is 4.8 %, a small 3-D CNN on colour reaches 36.9 % on split 1.
    Ours: split 1, last checkpoint, one seed, five views, 15 to 25 minutes of one CPU core each:
        tsn   flow 35.5 %, differences 35.8 %, colour 16.8 % (it knows its training scenes by
              heart); flow and differences added 44.4 %
        full  from scratch flow 28.7 %; on the backbone of `tsn` flow 35.1 %, differences 35.5 %,
              added 40.3 %
    All four networks added: 45.5 %. Differences were trained with --config.augment.crop=0.7, of
    `tsn` for 36 epochs.
    Command:
        jaxact prepare jhmdb_video --raw JHMDB --short-side 128 --flow dis --data-dir data
        jaxact train --config configs/convgru.py:jhmdb_video,tsn --data-dir data --workdir runs/tsn
            --streams flow,difference
        jaxact train --config configs/convgru.py:jhmdb_video,full --data-dir data
            --workdir runs/full_flow --config.epochs=30 --config.optim.learning_rate=1.5e-3
            --config.init_from=runs/tsn/flow
        jaxact train --config configs/convgru.py:jhmdb_video,full --data-dir data
            --workdir runs/full_difference --config.epochs=20
            --config.optim.learning_rate=1.5e-3 --config.init_from=runs/tsn/difference
            --config.clip.stream=difference
        jaxact evaluate --checkpoint runs/full_flow --out results/flow, the same of the other, then
        jaxact fuse results/flow results/difference --out results/full
"""

from jaxact.config import (
    SCXCEPTION_SYSTEMS,
    CrossEntropyLossConfig,
    OptimConfig,
    SCXceptionConfig,
    Selection,
    TrainConfig,
    TSNConfig,
    VideoAugmentConfig,
    VideoClipConfig,
    choose,
)

ROWS = {
    "ucf101": tuple(SCXCEPTION_SYSTEMS),
    "hmdb51": tuple(SCXCEPTION_SYSTEMS),
    "jhmdb_video": (*SCXCEPTION_SYSTEMS, "tsn"),
}


def get_config(arg: str = "") -> TrainConfig:
    """The run of a data set, split and row; "quick" beside them makes a small one of it."""
    selection = choose(arg, ROWS)
    if selection.dataset == "jhmdb_video":
        model = small_model(selection)
        config = small_dataset(selection, model)
    else:
        model = SCXceptionConfig(**SCXCEPTION_SYSTEMS[selection.row])
        config = paper(selection, model)
    if selection.quick:
        model.width, model.depth, model.train_from = 1 / 32, 0.0, "all"
        config.clip.frames, config.clip.height, config.clip.width = 3, 80, 80
        config.optim.accumulate, config.batch_size, config.epochs = 1, 4, 1
    return config


def paper(selection: Selection, model: SCXceptionConfig) -> TrainConfig:
    """The paper's recipe for UCF101 and HMDB51."""
    return TrainConfig(
        data=selection.data(shuffle_buffer=2048),
        model=model,
        clip=VideoClipConfig(),
        augment=VideoAugmentConfig(),
        # Without decay AdamW is the paper's Adam.
        optim=OptimConfig(
            name="adamw", learning_rate=1e-4, weight_decay=0.0, schedule="constant", accumulate=8
        ),
        batch_size=32,
        epochs=50,
        eval_every=1.0,
    )


def small_model(selection: Selection) -> SCXceptionConfig | TSNConfig:
    """The network of a row at a quarter of its width, for small frames."""
    if selection.row == "tsn":
        model = TSNConfig(backbone="xception")
    else:
        model = SCXceptionConfig(hidden=64, **SCXCEPTION_SYSTEMS[selection.row])
    model.width, model.train_from, model.dropout = 0.25, "all", 0.3
    if model.backbone == "xception":  # shallow: its features are of places, not of scenes
        model.depth, model.skip = 0.0, ("block4", "block14")
    else:
        model.depth = 0.125
    return model


def small_dataset(selection: Selection, model: SCXceptionConfig | TSNConfig) -> TrainConfig:
    """The recipe for JHMDB from scratch."""
    return TrainConfig(
        data=selection.data(),
        model=model,
        clip=VideoClipConfig(
            frames=8, height=64, width=64, sampling="segments", stream="flow", views=5
        ),
        augment=VideoAugmentConfig(crop=0.8, mirror=True),
        optim=OptimConfig(
            name="adamw",
            learning_rate=3e-3,
            weight_decay=0.05,
            decay="kernels",
            schedule="cosine",
            warmup=2.0,
        ),
        batch_size=16,
        epochs=40 if selection.row == "tsn" else 60,
        loss=CrossEntropyLossConfig(label_smoothing=0.1),
        eval_every=20.0,
    )
