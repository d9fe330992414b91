"""SC-Xception + ConvGRU + MCAM-AFF on HMDB51: the paper's Table 3, and the ablations that it gives
for UCF101 only.

A row is an argument, "full" the default:
    full                 SC-Xception + ConvGRU + MCAM-AFF               69.82 % (Table 3)
    f20                  the same with 20 filters
    f30                  with 30 filters
    f50                  with 50 filters
    sc_convgru_aff       MS-CAM's AFF in place of MCAM
    sc_convgru           without fusion
    xc_convgru           Xception without excitation
    xc_lstm              Xception + LSTM, as LRCN
    inception_v3         InceptionV3 + ConvGRU
    inception_resnet_v2  InceptionResNetV2 + ConvGRU
and so is a split: random_3to1 (the paper's, which leaks), official1, official2, official3, group.

Paper: Cheng, Zhang, Liu, Liu, Liu and Yang; top-1 on a random 3:1 split. Others, on the official
      splits: two-stream 59.4, STC-ResNet101 66.8, STS 67.2, STAM 69.1.
Ours: not run: needs the data set, ImageNet weights and a GPU.
Command: jaxact prepare hmdb51 --raw HMDB51 --data-dir data
         jaxact train --config configs/convgru_hmdb51.py:full --data-dir data --workdir runs/hmdb51_full
             --config.init_from=xception.safetensors
         jaxact evaluate --checkpoint runs/hmdb51_full --out results/hmdb51_full
Figure 11: jaxact plot confusion results/hmdb51_full --out confusion.png
"""

from jaxact.config import (
    SCXCEPTION_SYSTEMS,
    DataConfig,
    OptimConfig,
    SCXceptionConfig,
    TrainConfig,
    VideoAugmentConfig,
    VideoClipConfig,
    choose,
)

ROWS = tuple(SCXCEPTION_SYSTEMS)
SPLITS = ("random_3to1", "official1", "official2", "official3", "group")


def get_config(arg: str = "") -> TrainConfig:
    """The run of a row and a split; "quick" beside them is a toy of it."""
    row, split, quick = choose(arg, ROWS, SPLITS)
    model, clip = SCXceptionConfig(**SCXCEPTION_SYSTEMS[row]), VideoClipConfig()
    config = TrainConfig(
        data=DataConfig(
            name="hmdb51",
            train_split=f"{split}_train",
            eval_split=f"{split}_test",
            shuffle_buffer=2048,
        ),
        model=model,
        clip=clip,
        augment=VideoAugmentConfig(),
        optim=OptimConfig(
            name="adamw", learning_rate=1e-4, weight_decay=0.0, schedule="constant", accumulate=8
        ),
        batch_size=32,
        epochs=50,
        eval_every=1.0,
    )
    if quick:
        model.width, model.depth, model.train_from = 1 / 32, 0.0, "all"
        clip.frames, clip.height, clip.width = 3, 80, 80
        config.optim.accumulate, config.batch_size, config.epochs = 1, 4, 1
    return config
