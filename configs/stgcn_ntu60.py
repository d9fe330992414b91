"""ST-GCN on NTU RGB+D 60 and the systems it is compared with: a protocol and a row of the paper's
Table 3.

Paper: Yan, Xiong and Lin, AAAI 2018, Table 3, top-1 in %, X-Sub / X-View:
    stgcn      81.5 / 88.3   ST-GCN; the default
    res_tcn    74.3 / 83.1   Temporal Conv: Res-TCN (Kim and Reiter, CVPR workshops 2017)
    deep_lstm  60.7 / 67.3   Deep LSTM (Shahroudy et al., CVPR 2016); its recipe is ours
    tcn        not printed   the baseline TCN of ST-GCN's first release, by that release's recipe
Ours: not run: needs the data set.
Command: jaxact prepare ntu60 --raw nturgb+d_skeletons --data-dir data
         jaxact train --config configs/stgcn_ntu60.py:xview --data-dir data --workdir runs/ntu60_xview
         jaxact train --config configs/stgcn_ntu60.py:xview,res_tcn --data-dir data --workdir runs/ntu60_xview_tcn
Res-TCN departs from its release: weight decay in place of an L1 penalty, steps in place of a rate
that falls when the loss stands still, the spine and shoulders turned once per clip and not per
frame. NTU RGB+D 120 by the same recipe: --config.data.name=ntu120 (its own X-Set:
--config.data.train_split=xset_train --config.data.eval_split=xset_test) The paper's own schedule:
--config.optim.learning_rate=0.01 --config.optim.milestones=10,20,30,40 --config.epochs=50
"""

import dataclasses

from jaxact.config import (
    ClipConfig,
    DataConfig,
    LSTMConfig,
    OptimConfig,
    STGCNConfig,
    TCNConfig,
    TrainConfig,
    choose,
)

ROWS = {
    "stgcn": STGCNConfig(dropout=0.5),
    "res_tcn": TCNConfig(network="res_tcn"),
    "deep_lstm": LSTMConfig(),
    "tcn": TCNConfig(),
}


def get_config(arg: str = "") -> TrainConfig:
    """The run of a row on a protocol's splits; "quick" or "ROW,quick" is a toy of it."""
    protocol, row, quick = choose(arg, ("xsub", "xview"), ROWS)
    config = TrainConfig(
        data=DataConfig(
            name="ntu60", train_split=f"{protocol}_train", eval_split=f"{protocol}_test"
        ),
        model=dataclasses.replace(ROWS[row]),
        clip=ClipConfig(frames=300, persons=2, pad="zero", person="file"),
        optim=OptimConfig(learning_rate=0.1, milestones=(10.0, 50.0), weight_decay=1e-4),
        batch_size=64,
        epochs=80,
    )
    if row == "tcn":
        config.optim.milestones = (10.0, 70.0)
    if row in ("res_tcn", "deep_lstm"):  # both papers measure the joints from the body
        config.clip.center, config.clip.align, config.clip.scale = "frame", True, "skeleton"
    if row == "res_tcn":
        config.optim = OptimConfig(
            learning_rate=0.01, milestones=(100.0, 150.0), weight_decay=1e-4, decay="kernels"
        )
        config.batch_size, config.epochs = 126, 200
    if row == "deep_lstm":
        config.clip.frames, config.clip.sampling = 8, "segments"
        config.optim = OptimConfig(
            name="adamw", learning_rate=1e-3, schedule="cosine", clip_norm=1.0
        )
    if quick:
        config.model.width, config.clip.frames, config.epochs = (
            4,
            min(16, config.clip.frames // 2),
            1,
        )
    return config
