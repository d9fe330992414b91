"""ST-GCN (Yan, Xiong and Lin, AAAI 2018) and the systems that its paper compares it with.

    configs/stgcn.py:DATASET[,SPLIT][,ROW][,quick]

ntu60 (default), ntu120: NTU RGB+D, two splits and the rows of the paper's Table 3
    Splits: xsub (default), xview; of ntu120 xsub (default), xset.
    Paper: top-1 in %, X-Sub / X-View of NTU RGB+D 60:
    stgcn      81.5 / 88.3   ST-GCN; the default
    res_tcn    74.3 / 83.1   Temporal Conv: Res-TCN (Kim and Reiter, CVPR workshops 2017)
    deep_lstm  60.7 / 67.3   Deep LSTM (Shahroudy et al., CVPR 2016); its recipe is ours
    tcn        not printed   the baseline TCN of ST-GCN's first release, by that release's recipe
    Ours: not run: needs the data set.
    Res-TCN departs from its release: weight decay in place of an L1 penalty, steps in place of a
    learning rate that falls on a plateau of the loss, the spine and shoulders rotated once per clip
    and not per frame. The paper's own schedule: --config.optim.learning_rate=0.01
        --config.optim.milestones=10,20,30,40 --config.epochs=50
    Command:
        jaxact prepare ntu60 --raw nturgb+d_skeletons --data-dir data
        jaxact train --config configs/stgcn.py:ntu60,xview --data-dir data --workdir runs/xview
        jaxact train --config configs/stgcn.py:ntu60,xview,res_tcn --data-dir data
            --workdir runs/xview_tcn

kinetics_skeleton: the rows of the paper's Tables 1 and 2
    Paper: top-1 / top-5 in %:
    spatial_imp    30.7 / 52.8   ST-GCN + Imp., the paper's system; the default
    spatial        29.9 / 52.2   spatial configuration partitioning, without edge importance
    distance       29.1 / 51.3   distance partitioning
    distance_star  23.9 / 44.9   distance partitioning*, its two weights tied (w0 = -w1)
    uniform        19.3 / 37.4   uni-labeling
    local          22.0 / 43.2   local convolution: no two edges share weights
    tcn            20.3 / 40.0   baseline TCN
    deep_lstm      16.4 / 35.3   Deep LSTM; its recipe is ours, the papers print none
    Ours: not run: needs the data set.
    The recipe is that of the released code, with clips replayed to 300 frames as the paper says.
    Zero padding, as in the released arrays: --config.clip.pad=zero
    Command:
        jaxact prepare kinetics_skeleton --raw kinetics-skeleton --data-dir data
        jaxact train --config configs/stgcn.py:kinetics_skeleton,spatial --data-dir data
            --workdir runs/kinetics
    Table 4, Kinetics-Motion, 72.4 % mean class accuracy on 30 classes, of the default row:
        jaxact evaluate --checkpoint runs/kinetics --subset kinetics_motion --out results/kmotion
    Table 5 adds its scores to those of two frame networks: 71.7 % with RGB (70.3 alone) and optical
    flow (51.0).

utd_mhad: UTD-MHAD, odd subjects train, even subjects test
    Paper: none; for comparison, the published subject-wise accuracy of the data set's authors, who
    fuse depth and inertial data, is 79.1 %.
    Ours: 95.12 % top-1 after the last of 100 epochs, one seed; 32 base channels (half of the
    paper's), about 10 minutes on 2 cores. Joint, bone and their motions (94.88, 93.02, 93.95,
    93.95) fused 96.28 %, with --config.model.width=16 --config.epochs=80
        --config.clip.motion=recorded
    Command:
        jaxact prepare utd_mhad --raw UTD-MHAD/Skeleton --data-dir data
        jaxact train --config configs/stgcn.py:utd_mhad --data-dir data --workdir runs/utd_mhad

sbu: SBU Kinect Interaction, two persons, five folds: fold1 (default) to fold5
    Paper: none.
    Ours: mean of the folds 90.15 % top-1 (89.09, 88.46, 91.07, 94.44, 87.69), last checkpoint, one
    seed, with --config.model.width=16 --config.epochs=40. Without `partner`, folds 1 to 3: 89.09,
    78.85, 80.36. Four streams, each beside `partner`, fused 2 : 2 : 1 : 1: 93.59 (89.09, 94.23,
    98.21, 92.59, 93.85).
    Command:
        jaxact prepare sbu --raw SBU --data-dir data
        python scripts/cross_validate.py --config configs/stgcn.py:sbu --data-dir data
            --out results/sbu --arguments fold1,fold2,fold3,fold4,fold5

jhmdb14: 2-D poses of 14 JHMDB classes, three splits: split1 (default) to split3
    Paper: none.
    Ours: mean of the splits 82.16 % top-1 (83.52, 84.66, 78.29), last checkpoint, one seed, width
    32. Four streams of width 16, 25 epochs, fused 2 : 2 : 1 : 1: 81.21 (85.23, 80.11, 78.29).
    Command:
        jaxact prepare custom --name jhmdb14 --layout jhmdb-15 --raw jhmdb14_pose2d.npz
            --data-dir data
        python scripts/cross_validate.py --config configs/stgcn.py:jhmdb14 --data-dir data
            --out results/jhmdb --arguments split1,split2,split3

jhmdb_detected: 21 JHMDB classes by MediaPipe's joints, splits official1 (default) to official3
    Paper: none.
    Ours: 55.22 % top-1, 82.1 % top-5 on official1, last checkpoint, one seed; the other splits were
    not run. The recipe was the best of ten on clips held out of the training clips of official1,
    whole source videos at a time: 53.3 % of those.
    Command:
        jaxact prepare jhmdb_detected --raw JHMDB --pose mediapipe:pose_landmarker_full.task
            --to-layout body-14 --data-dir data
        python scripts/cross_validate.py --config configs/stgcn.py:jhmdb_detected --data-dir data
            --out results/jhmdb_detected --arguments official1,official2,official3

synthetic_actions: the generated data set, the run of `jaxact quickstart`
    Paper: none; subjects 1-16 train, 17-24 test.
    Ours: 100.0 % top-1 after 8 epochs, one seed, about a minute on 2 cores.
    Command:
        jaxact prepare synthetic_actions --data-dir data
        jaxact train --config configs/stgcn.py:synthetic_actions --data-dir data
            --workdir runs/synthetic
"""

import dataclasses

from jaxact.config import (
    AugmentConfig,
    ClipConfig,
    LocalConfig,
    LSTMConfig,
    OptimConfig,
    Selection,
    STGCNConfig,
    TCNConfig,
    TrainConfig,
    choose,
    recipes,
)

NTU = {
    "stgcn": STGCNConfig(dropout=0.5),
    "res_tcn": TCNConfig(network="res_tcn"),
    "deep_lstm": LSTMConfig(),
    "tcn": TCNConfig(),
}
KINETICS = {
    "spatial_imp": STGCNConfig(dropout=0.0),
    "spatial": STGCNConfig(dropout=0.0, edge_importance=False),
    "distance": STGCNConfig(dropout=0.0, edge_importance=False, strategy="distance"),
    "distance_star": STGCNConfig(dropout=0.0, edge_importance=False, strategy="distance_star"),
    "uniform": STGCNConfig(dropout=0.0, edge_importance=False, strategy="uniform"),
    "local": LocalConfig(dropout=0.0),
    "tcn": TCNConfig(),
    "deep_lstm": LSTMConfig(),
}
ROWS = {
    "ntu60": NTU,
    "ntu120": NTU,
    "kinetics_skeleton": KINETICS,
    "utd_mhad": (),
    "sbu": (),
    "jhmdb14": (),
    "jhmdb_detected": (),
    "synthetic_actions": (),
}
EPOCHS = {"utd_mhad": 100, "sbu": 80, "jhmdb14": 80}
STREAMS = {"sbu": "joint+bone+joint_motion+partner", "jhmdb14": "joint+bone+joint_motion"}
LSTM_OPTIMISER = OptimConfig(name="adamw", learning_rate=1e-3, schedule="cosine", clip_norm=1.0)


def get_config(arg: str = "") -> TrainConfig:
    """The run of a data set, split and row; "quick" beside them makes a small one of it."""
    selection = choose(arg, ROWS)
    if selection.dataset in ("ntu60", "ntu120"):
        config = ntu(selection)
    elif selection.dataset == "kinetics_skeleton":
        config = kinetics(selection)
    elif selection.dataset == "synthetic_actions":
        config = recipes.synthetic_actions()
    elif selection.dataset == "jhmdb_detected":
        config = detected_joints(selection)
    else:
        config = small_dataset(selection)
    if selection.quick:
        few_frames = 16
        if selection.dataset in ("sbu", "jhmdb14", "jhmdb_detected", "synthetic_actions"):
            few_frames = 8
        config.clip.frames = min(few_frames, config.clip.frames // 2)
        config.augment.window = min(8, config.augment.window)
        config.model.width, config.epochs = 4, 1
    return config


def ntu(selection: Selection) -> TrainConfig:
    """The recipe of ST-GCN's release for NTU RGB+D, and those of the systems beside it."""
    row = selection.row
    config = TrainConfig(
        data=selection.data(),
        model=dataclasses.replace(NTU[row]),
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
        config.optim = dataclasses.replace(LSTM_OPTIMISER)
    return config


def kinetics(selection: Selection) -> TrainConfig:
    """The recipe of ST-GCN's release for Kinetics, and those of the systems beside it."""
    row = selection.row
    config = TrainConfig(
        data=selection.data(),
        model=dataclasses.replace(KINETICS[row]),
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
        config.optim = dataclasses.replace(LSTM_OPTIMISER)
    return config


def small_dataset(selection: Selection) -> TrainConfig:
    """The recipe of the small data sets, evaluated after half of the epochs and at the end."""
    model = STGCNConfig(width=32, dropout=0.2, init="he_fan_out")
    config = recipes.small_dataset(selection, model)
    config.loss.label_smoothing = 0.1
    config.clip.stream = STREAMS.get(selection.dataset, "joint")
    config.epochs = EPOCHS[selection.dataset]
    config.eval_every = config.epochs / 2
    return config


def detected_joints(selection: Selection) -> TrainConfig:
    """The recipe for joints that a pose estimator detected in short videos."""
    model = STGCNConfig(network="stem3", width=16, dropout=0.2, init="he_fan_out")
    config = recipes.small_dataset(selection, model)
    config.loss.label_smoothing = 0.1
    config.clip.stream = "joint+bone+joint_motion"
    config.epochs, config.eval_every = 60, 0
    return config
