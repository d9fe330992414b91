"""SC-Xception + ConvGRU + MCAM-AFF on JHMDB's videos (928 clips, 21 classes), narrow and small:
from scratch on two CPU cores.

A row of the paper's tables is an argument; the first is the default:
    full                 SC-Xception + ConvGRU + MCAM-AFF
    f20                  the same with 20 filters
    f30                  with 30 filters
    f50                  with 50 filters
    sc_convgru_aff       MS-CAM's AFF in place of MCAM
    sc_convgru           without fusion
    xc_convgru           Xception without excitation
    xc_lstm              Xception + LSTM, as LRCN
    inception_v3         InceptionV3 + ConvGRU
    inception_resnet_v2  InceptionResNetV2 + ConvGRU
    tsn                  the mean of single frames' scores, with the same backbone
and so is a split: official1 (the default), official2, official3.

Paper: none on this set. Chance is 4.8 %, a small 3-D CNN on colour reaches 36.9 % on split 1.
Ours: split 1, last checkpoint, one seed, five views, 15 to 25 minutes of one CPU core each:
          tsn   flow 35.5 %, differences 35.8 %, colour 16.8 % (it knows its training scenes by heart); flow and
                differences added 44.4 %
          full  from scratch flow 28.7 %; on the backbone of `tsn` flow 35.1 %, differences 35.5 %, added 40.3 %
      All four networks added: 45.5 %.
Command: jaxact prepare jhmdb_video --raw JHMDB --short-side 128 --flow dis --data-dir data
         jaxact train --config configs/convgru_jhmdb.py:tsn --data-dir data --workdir runs/tsn --streams flow,difference
         jaxact train --config configs/convgru_jhmdb.py:full --data-dir data --workdir runs/full_flow
             --config.epochs=30 --config.optim.learning_rate=1.5e-3 --config.init_from=runs/tsn/flow
         jaxact train --config configs/convgru_jhmdb.py:full --data-dir data --workdir runs/full_difference
             --config.epochs=20 --config.optim.learning_rate=1.5e-3
             --config.init_from=runs/tsn/difference --config.clip.stream=difference
         jaxact evaluate --checkpoint runs/full_flow --out results/flow, the same of the other, then
         jaxact fuse results/flow results/difference --out results/full
Differences were trained with --config.augment.crop=0.7, of `tsn` for 36 epochs.
"""

from jaxact.config import (
    SCXCEPTION_SYSTEMS,
    DataConfig,
    OptimConfig,
    SCXceptionConfig,
    TrainConfig,
    TSNConfig,
    VideoAugmentConfig,
    VideoClipConfig,
    choose,
)

ROWS = (*SCXCEPTION_SYSTEMS, "tsn")
SPLITS = ("official1", "official2", "official3")


def get_config(arg: str = "") -> TrainConfig:
    """The run of a row and a split; "quick" beside them is a toy of it."""
    row, split, quick = choose(arg, ROWS, SPLITS)
    model = (
        TSNConfig(backbone="xception")
        if row == "tsn"
        else SCXceptionConfig(**SCXCEPTION_SYSTEMS[row])
    )
    model.width, model.train_from, model.dropout = 0.25, "all", 0.3
    if model.backbone == "xception":  # shallow: its features are of places, not of scenes
        model.depth, model.skip = 0.0, ("block4", "block14")
    else:
        model.depth = 0.125
    if isinstance(model, SCXceptionConfig):
        model.hidden = 64
    config = TrainConfig(
        data=DataConfig(
            name="jhmdb_video", train_split=f"{split}_train", eval_split=f"{split}_test"
        ),
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
        epochs=40 if row == "tsn" else 60,
        label_smoothing=0.1,
        eval_every=20.0,
    )
    if quick:
        model.width, model.depth = 1 / 32, 0.0
        config.clip.frames, config.clip.height, config.clip.width = 3, 80, 80
        config.batch_size, config.epochs = 4, 1
    return config
