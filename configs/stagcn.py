"""STA-GCN, the spatio-temporal attention graph convolutional network, its parts, and the systems
that its paper compares it with.

    configs/stagcn.py:DATASET[,SPLIT][,ROW][,quick]

Rows of the paper's tables; every data set has the first six:
    sn             STA-GCN on joints, the default; starts from the run of row pretrain
    tn             STA-GCN on displacements, to be fused with sn
    sa             SA + ST-GCN: spatial attention; starts as sn does
    ta             TA + ST-GCN: temporal attention; AFM and DCW are options of `jaxact evaluate`
    sta_partition  sn on ST-GCN's graph operator in place of Chebyshev polynomials
    pretrain       the spatial attention network alone learns displacements: the first stage
    stgcn          ST-GCN; of the small data sets (elsewhere a row of `configs/stgcn.py`)
    as_gcn         AS-GCN (Li et al., CVPR 2019); of ntu60 and kinetics_skeleton
    sta_lstm       STA-LSTM (Song et al., AAAI 2017); of ntu60

pretrain uses no label, and only the training split. The paper trains this network on optical flow
and gives neither a loss nor a number of epochs. Its run is given to sn and sa as
--config.init_from=WORKDIR. The figures of its gate are by scripts/gate_correlation.py.

ntu60 (default): NTU RGB+D 60, splits xsub (default) and xview
    Paper: top-1 in %, X-Sub / X-View, the columns of Tables 2 to 4 put in the order of its text:
    sn and tn fused 87.7 / 95.0; sa 86.3 / 93.7; ta 85.3 / 91.4 with its segments averaged (AFM:
    `jaxact evaluate --kept 0`) and 85.1 / 92.6 with the confident ones weighted (DCW: `--kept 3`;
    X-Sub is no better, as the text says); sta_lstm 73.4 / 81.2; as_gcn 86.8 / 94.2; sta_partition
    not printed. ST-GCN's own 81.5 / 88.3 and Res-TCN's (published 74.3 / 83.1) are rows of
    `configs/stgcn.py`. No figure for pretrain.
    Ours: not run: needs the data set.
    The paper names no optimiser: the recipe is ST-GCN's, with clips replayed to 300 frames so that
    no segment is empty.
    Command:
        jaxact prepare ntu60 --raw nturgb+d_skeletons --data-dir data
        jaxact train --config configs/stagcn.py:ntu60,xview,pretrain --data-dir data
            --workdir runs/xview_pretrain
        jaxact train --config configs/stagcn.py:ntu60,xview,sn --data-dir data
            --workdir runs/xview_sn --config.init_from=runs/xview_pretrain
        python scripts/reproduce_stagcn.py --table 3 --data-dir data --out results/stagcn

kinetics_skeleton: Kinetics-skeleton
    Paper: top-1 / top-5 in %, columns as above: sn and tn fused 35.7 / 57.3; sa 33.1 / 54.9; ta
    33.5 / 54.7 (AFM), 34.3 / 55.6 (DCW, `--kept 3`); as_gcn lost / 56.5, which itself prints 34.8 /
    56.5; sta_partition not printed. ST-GCN's own 30.7 / 52.8 and Res-TCN's 20.3 / 40.0 are rows of
    `configs/stgcn.py`. No figure for pretrain.
    Ours: not run: needs the data set.
    The paper names no optimiser: the recipe is ST-GCN's, without its window of 150 frames, because
    the attention matrices are as long as the clip.
    Command:
        jaxact prepare kinetics_skeleton --raw kinetics-skeleton --data-dir data
        jaxact train --config configs/stagcn.py:kinetics_skeleton,pretrain --data-dir data
            --workdir runs/kinetics_pretrain
        jaxact train --config configs/stagcn.py:kinetics_skeleton,sn --data-dir data
            --workdir runs/kinetics_sn --config.init_from=runs/kinetics_pretrain
        python scripts/reproduce_stagcn.py --table 3 --data-dir data --out results/stagcn

The small data sets, on which the paper has no figures: widths, epochs and recipe are the same for
all rows. Clips are cut into three segments, but for sa and stgcn; whole clips:
--config.model.segments=1 --config.model.kept=0 --config.loss.segments=0. AFM and DCW are
`jaxact evaluate --kept 0` and `--kept 2`.

utd_mhad: UTD-MHAD, odd subjects train, even subjects test
    Paper: none.
    Ours: top-1 in %, one seed: sa 96.05, stgcn 93.72; whole clips sn 86.05, tn 80.93, both fused
    88.14; sn whole with --config.model.attended=scores 92.33, in three segments 86.74; ta 80.47
    (AFM), 79.07 (DCW). Gate after pretrain: rank correlation with the displacement that follows
    0.53 over a clip, 0.40 over the joints of a frame; mean gate 73 % on the tenth that moves most,
    34 % on the half that moves least (430 test clips, one seed).
    Command:
        jaxact prepare utd_mhad --raw UTD-MHAD/Skeleton --data-dir data
        jaxact train --config configs/stagcn.py:utd_mhad,pretrain --data-dir data
            --workdir runs/utd_mhad_pretrain
        jaxact train --config configs/stagcn.py:utd_mhad,sn --data-dir data
            --workdir runs/utd_mhad_sn --config.init_from=runs/utd_mhad_pretrain
        jaxact train --config configs/stagcn.py:utd_mhad,ta --data-dir data --workdir runs/utd_ta

sbu: SBU Kinect Interaction, two persons, five folds: fold1 (default) to fold5
    Paper: none.
    Ours: mean of the folds in %, one seed: sa 83.33, stgcn 78.38; ta 65.36 (AFM), 62.94 (DCW);
    whole clips sn 69.08, with --config.model.attended=scores after 20 epochs of the first stage
    82.33; tn 80.07, sn and tn fused 80.47. Gate after pretrain: rank correlation with the
    displacement that follows 0.18 over a clip, 0.21 over the joints of a frame; mean gate 72 % on
    the tenth that moves most, 64 % on the half that moves least (55 clips of fold 1, one seed).
    Command:
        jaxact prepare sbu --raw SBU --data-dir data
        jaxact train --config configs/stagcn.py:sbu,pretrain --data-dir data
            --workdir runs/sbu_pretrain
        jaxact train --config configs/stagcn.py:sbu,sn --data-dir data --workdir runs/sbu_sn
            --config.init_from=runs/sbu_pretrain
        python scripts/cross_validate.py --config configs/stagcn.py:sbu,ta --data-dir data
            --out results/sbu_ta --arguments fold1,fold2,fold3,fold4,fold5

jhmdb14: 2-D poses of 14 JHMDB classes, three splits: split1 (default) to split3
    Paper: none.
    Ours: mean of the splits in %, one seed: stgcn 80.45, sa 80.83; ta 66.97 (AFM), 65.08 (DCW);
    whole clips sn 72.67, tn 54.65, both fused 75.14. Gate after pretrain: rank correlation with the
    displacement that follows 0.07 over a clip, 0.11 over the joints of a frame; mean gate 64 % on
    the tenth that moves most, 61 % on the half that moves least (176 clips of split 1, one seed).
    Command:
        jaxact prepare custom --name jhmdb14 --layout jhmdb-15 --raw jhmdb14_pose2d.npz
            --data-dir data
        jaxact train --config configs/stagcn.py:jhmdb14,pretrain --data-dir data
            --workdir runs/jhmdb14_pretrain
        jaxact train --config configs/stagcn.py:jhmdb14,sn --data-dir data
            --workdir runs/jhmdb14_sn --config.init_from=runs/jhmdb14_pretrain
        python scripts/cross_validate.py --config configs/stagcn.py:jhmdb14,ta --data-dir data
            --arguments split1,split2,split3 --out results/jhmdb_ta
"""

from jaxact.config import (
    STAGCN_SYSTEMS,
    ASGCNConfig,
    ClipConfig,
    DisplacementConfig,
    OptimConfig,
    Selection,
    STAGCNConfig,
    STALSTMConfig,
    STGCNConfig,
    TrainConfig,
    choose,
    recipes,
)

PARTS = ("sn", "tn", "sa", "ta", "sta_partition", "pretrain")
ROWS = {
    "ntu60": (*PARTS, "as_gcn", "sta_lstm"),
    "kinetics_skeleton": (*PARTS, "as_gcn"),
    "utd_mhad": (*PARTS, "stgcn"),
    "sbu": (*PARTS, "stgcn"),
    "jhmdb14": (*PARTS, "stgcn"),
}
EPOCHS = {"utd_mhad": 60, "sbu": 30, "jhmdb14": 40}
PRETRAINING_EPOCHS = {"utd_mhad": 20, "sbu": 60, "jhmdb14": 40}
Model = STAGCNConfig | STGCNConfig | DisplacementConfig | ASGCNConfig | STALSTMConfig
QUICK_FRAMES = {"ntu60": 20, "kinetics_skeleton": 20, "utd_mhad": 12, "sbu": 6, "jhmdb14": 6}
WHOLE_CLIPS = ("sa", "pretrain", "stgcn", "as_gcn", "sta_lstm")  # rows that train on no segments


def get_config(arg: str = "") -> TrainConfig:
    """The run of a data set, split and row; "quick" beside them makes a small one of it."""
    selection = choose(arg, ROWS)
    if selection.dataset in recipes.SMALL_DATASETS:
        config = small_dataset(selection)
    else:
        config = large_dataset(selection)
    if selection.row == "tn":
        config.clip.stream = config.clip.stream.replace("joint", "joint_motion")
    if selection.quick:
        config.model.width, config.epochs = 4, 1
        config.clip.frames = QUICK_FRAMES[selection.dataset]
    return config


def large_dataset(selection: Selection) -> TrainConfig:
    """The recipe of ST-GCN for NTU RGB+D and Kinetics; pretrain and sta_lstm have their own."""
    row = selection.row
    config = TrainConfig(
        data=selection.data(),
        model=large_model(selection),
        clip=ClipConfig(frames=300, persons=2, pad="replay", person="file"),
        optim=OptimConfig(learning_rate=0.1, milestones=(10.0, 50.0), weight_decay=1e-4),
        batch_size=64,
        epochs=80,
    )
    if selection.dataset == "kinetics_skeleton":
        config.clip.person = "frame_score"
        config.augment.move = True
        config.optim.milestones, config.epochs = (20.0, 30.0, 40.0, 50.0), 50
    if row not in WHOLE_CLIPS:
        config.loss.segments = 3
    if row == "pretrain":
        config.epochs = 10
        config.optim = OptimConfig(
            name="adamw", learning_rate=1e-3, schedule="cosine", warmup=0.5, weight_decay=0.01
        )
    if row == "sta_lstm":
        config.clip.frames, config.clip.sampling = 100, "resize"
        config.clip.center, config.clip.align, config.clip.scale = "frame", True, "skeleton"
        config.optim = OptimConfig(
            name="adamw", learning_rate=1e-3, schedule="cosine", clip_norm=1.0
        )
    return config


def large_model(selection: Selection) -> Model:
    """The network of a row at the paper's size."""
    if selection.row == "pretrain":
        return DisplacementConfig()
    if selection.row == "as_gcn":
        return ASGCNConfig()
    if selection.row == "sta_lstm":
        return STALSTMConfig()
    dropout = 0.5 if selection.dataset == "ntu60" else 0.0
    return STAGCNConfig(dropout=dropout, **STAGCN_SYSTEMS[selection.row])


def small_dataset(selection: Selection) -> TrainConfig:
    """The recipe of the small data sets, the same for all rows but pretrain."""
    dataset, row = selection.dataset, selection.row
    config = recipes.small_dataset(selection, small_model(row))
    if dataset == "jhmdb14":
        config.clip.frames = 36
    if dataset == "sbu":
        config.clip.stream = "joint+partner"
    if row == "pretrain":
        config.optim.warmup, config.optim.ema = 1.0, 0.0
        config.epochs = PRETRAINING_EPOCHS[dataset]
        config.eval_every = min(20.0, config.epochs / 2)
        return config
    config.loss.label_smoothing = 0.1
    config.epochs = EPOCHS[dataset]
    config.eval_every = config.epochs / 2
    if row not in WHOLE_CLIPS:
        config.loss.segments = 2
    return config


def small_model(row: str) -> Model:
    """The network of a row at a quarter of the paper's width."""
    if row == "pretrain":
        return DisplacementConfig(width=16, init="he_fan_out")
    if row == "stgcn":
        return STGCNConfig(width=16, dropout=0.2, init="he_fan_out")
    model = STAGCNConfig(width=16, dropout=0.2, init="he_fan_out", **STAGCN_SYSTEMS[row])
    if row != "sa":
        model.segments, model.kept = 3, 2
    return model
