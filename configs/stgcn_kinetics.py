"""ST-GCN on Kinetics-skeleton and the systems it is compared with: a row of the paper's tables is
an argument.

Paper: Yan, Xiong and Lin, AAAI 2018, Tables 1 and 2, top-1 / top-5 in %:
    spatial_imp    30.7 / 52.8   ST-GCN + Imp., the paper's system; the default
    spatial        29.9 / 52.2   spatial configuration partitioning, without edge importance
    distance       29.1 / 51.3   distance partitioning
    distance_star  23.9 / 44.9   distance partitioning*, its two weights tied (w0 = -w1)
    uniform        19.3 / 37.4   uni-labeling
    local          22.0 / 43.2   local convolution: no two edges share weights
    tcn            20.3 / 40.0   baseline TCN
    deep_lstm      16.4 / 35.3   Deep LSTM; its recipe is ours, the papers print none
Ours: not run: needs the data set.
Command: jaxact prepare kinetics_skeleton --raw kinetics-skeleton --data-dir data
         jaxact train --config configs/stgcn_kinetics.py:spatial --data-dir data --workdir runs/kinetics
Table 4, Kinetics-Motion, 72.4 % mean class accuracy on 30 classes, of the default row:
         jaxact evaluate --checkpoint runs/kinetics --subset kinetics_motion --out results/kmotion
Table 5 adds its scores to those of two frame networks: 71.7 % with RGB (70.3 alone) and optical
flow (51.0). The recipe is that of the released code, clips replayed to 300 frames as the paper
says. Zero padding, as in the released arrays: --config.clip.pad=zero
"""

import dataclasses

from jaxact.config import (
    AugmentConfig,
    ClipConfig,
    DataConfig,
    LocalConfig,
    LSTMConfig,
    OptimConfig,
    STGCNConfig,
    TCNConfig,
    TrainConfig,
    choose,
)

ROWS = {
    "spatial_imp": STGCNConfig(dropout=0.0),
    "spatial": STGCNConfig(dropout=0.0, edge_importance=False),
    "distance": STGCNConfig(dropout=0.0, edge_importance=False, strategy="distance"),
    "distance_star": STGCNConfig(dropout=0.0, edge_importance=False, strategy="distance_star"),
    "uniform": STGCNConfig(dropout=0.0, edge_importance=False, strategy="uniform"),
    "local": LocalConfig(dropout=0.0),
    "tcn": TCNConfig(),
    "deep_lstm": LSTMConfig(),
}


def get_config(arg: str = "") -> TrainConfig:
    """The run of a row; "quick" or "ROW,quick" is a toy of it."""
    row, quick = choose(arg, ROWS)
    config = TrainConfig(
        data=DataConfig(name="kinetics_skeleton", train_split="train", eval_split="val"),
        model=dataclasses.replace(ROWS[row]),
        clip=ClipConfig(frames=300, persons=2, pad="replay", person="frame_score"),
        augment=AugmentConfig(window=150, move=True),
        optim=OptimConfig(
            learning_rate=0.1, milestones=(20.0, 30.0, 40.0, 50.0), weight_decay=1e-4
        ),
        batch_size=256,
        epochs=50,
    )
    if row == "tcn":
        config.augment.window, config.optim.milestones = 0, (10.0, 60.0)
        config.batch_size, config.epochs = 512, 60
    if row == "deep_lstm":
        config.clip.frames, config.clip.sampling, config.augment.window = 8, "segments", 0
        config.optim = OptimConfig(
            name="adamw", learning_rate=1e-3, schedule="cosine", clip_norm=1.0
        )
    if quick:
        config.model.width, config.epochs = 4, 1
        config.clip.frames, config.augment.window = (
            min(16, config.clip.frames // 2),
            min(8, config.augment.window),
        )
    return config
