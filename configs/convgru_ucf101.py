"""SC-Xception + ConvGRU + MCAM-AFF on UCF101: every row of the paper's Tables 1, 2 and 4.

A row of the tables is an argument; the first is the default:
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
and so is a split: random_3to1 (the paper's; clips of one recording fall on both sides, and the
report says so), official1, official2, official3, group.

Paper: Cheng, Zhang, Liu, Liu, Liu and Yang; top-1 on a random 3:1 split, figures above. Ours: not
run: needs the data set, ImageNet weights and a GPU. Memory: one step of 32 clips of 40 frames of
299 px needs 5.65 GiB in these eight micro-batches, by XLA's account
      (scripts/memory_frames.py --accumulate 8); 54 GiB at once.
Command: jaxact prepare ucf101 --raw UCF101 --data-dir data
         jaxact import keras xception_weights_tf_dim_ordering_tf_kernels_notop.h5 --out xception.safetensors
         jaxact train --config configs/convgru_ucf101.py:full --data-dir data --workdir runs/ucf101_full
             --config.init_from=xception.safetensors
         jaxact evaluate --checkpoint runs/ucf101_full --out results/ucf101_full
Figures: 9 (loss) and 10 (top-1, top-5): jaxact plot curves runs/ucf101_full --out curves.png
         11 (confusion): jaxact plot confusion results/ucf101_full --out confusion.png
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
            name="ucf101",
            train_split=f"{split}_train",
            eval_split=f"{split}_test",
            shuffle_buffer=2048,
        ),
        model=model,
        clip=clip,
        augment=VideoAugmentConfig(),
        # Without decay AdamW is the paper's Adam.
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
