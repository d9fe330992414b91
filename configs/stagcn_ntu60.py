"""STA-GCN on NTU RGB+D 60 and the systems it is made of and compared with: a protocol and a row are
the argument.

Paper: STA-GCN (spatio-temporal attention graph convolutional network), top-1 in %, X-Sub / X-View,
the columns of its Tables 2 to 4 put in the order that its text has:
    sn             87.7 / 95.0   the two networks of STA-GCN, on joints (the default) and
    tn             ...           on displacements, fused
    sa             86.3 / 93.7   SA + ST-GCN: spatial attention
    ta             85.3 / 91.4   TA + ST-GCN: temporal attention, segments averaged (AFM: `jaxact evaluate --kept 0`)
                   85.1 / 92.6   ... the confident ones weighted (DCW: `--kept 3`); X-Sub is no better, as the text says
    sta_lstm       73.4 / 81.2   STA-LSTM (Song et al., AAAI 2017)
    as_gcn         86.8 / 94.2   AS-GCN (Li et al., CVPR 2019)
    sta_partition  not printed   sn on ST-GCN's graph operator in place of Chebyshev polynomials
ST-GCN's own 81.5 / 88.3 and Res-TCN's (published 74.3 / 83.1) are rows of `configs/stgcn_ntu60.py`.
Ours: not run: needs the data set.
Command: jaxact prepare ntu60 --raw nturgb+d_skeletons --data-dir data
         jaxact train --config configs/stagcn_pretrain_ntu60.py:xview --data-dir data --workdir runs/xview_pretrain
         jaxact train --config configs/stagcn_ntu60.py:xview,sn --data-dir data --workdir runs/xview_sn
             --config.init_from=runs/xview_pretrain
         python scripts/reproduce_stagcn.py --table 3 --data-dir data --out results/stagcn
The paper names no optimiser: the recipe is ST-GCN's, with clips replayed to 300 frames so that no
segment is empty.
"""

from jaxact.config import (
    STAGCN_SYSTEMS,
    ASGCNConfig,
    ClipConfig,
    DataConfig,
    OptimConfig,
    STAGCNConfig,
    STALSTMConfig,
    TrainConfig,
    choose,
)

ROWS = ("sn", "tn", "sa", "ta", "sta_partition", "as_gcn", "sta_lstm")


def get_config(arg: str = "") -> TrainConfig:
    """The run of a row on a protocol's splits; "quick" or "ROW,quick" is a toy of it."""
    protocol, row, quick = choose(arg, ("xsub", "xview"), ROWS)
    others = {"as_gcn": ASGCNConfig(), "sta_lstm": STALSTMConfig()}
    config = TrainConfig(
        data=DataConfig(
            name="ntu60", train_split=f"{protocol}_train", eval_split=f"{protocol}_test"
        ),
        model=others.get(row) or STAGCNConfig(dropout=0.5, **STAGCN_SYSTEMS.get(row, {})),
        clip=ClipConfig(frames=300, persons=2, pad="replay", person="file"),
        optim=OptimConfig(learning_rate=0.1, milestones=(10.0, 50.0), weight_decay=1e-4),
        batch_size=64,
        epochs=80,
        segments_kept=0 if row in ("sa", *others) else 3,
    )
    config.clip.stream = "joint_motion" if row == "tn" else "joint"
    if row == "sta_lstm":
        config.clip.frames, config.clip.sampling = 100, "resize"
        config.clip.center, config.clip.align, config.clip.scale = "frame", True, "skeleton"
        config.optim = OptimConfig(
            name="adamw", learning_rate=1e-3, schedule="cosine", clip_norm=1.0
        )
    if quick:
        config.model.width, config.clip.frames, config.epochs = 4, 20, 1
    return config
