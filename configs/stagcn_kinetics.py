"""STA-GCN on Kinetics-skeleton and the systems it is made of and compared with: a row is an
argument.

Paper: STA-GCN (spatio-temporal attention graph convolutional network), top-1 / top-5 in %, the
columns of its Tables 2 to 4 put in the order that its text has:
    sn             35.7 / 57.3   the two networks of STA-GCN, on joints (the default) and
    tn             ...           on displacements, fused
    sa             33.1 / 54.9   SA + ST-GCN: spatial attention
    ta             33.5 / 54.7   TA + ST-GCN: temporal attention, segments averaged (AFM: `jaxact evaluate --kept 0`)
                   34.3 / 55.6   ... the confident ones weighted (DCW: `--kept 3`)
    as_gcn         lost / 56.5   AS-GCN (Li et al., CVPR 2019), which itself prints 34.8 / 56.5
    sta_partition  not printed   sn on ST-GCN's graph operator in place of Chebyshev polynomials
ST-GCN's own 30.7 / 52.8 and Res-TCN's 20.3 / 40.0 are rows of `configs/stgcn_kinetics.py`.
Ours: not run: needs the data set.
Command: jaxact prepare kinetics_skeleton --raw kinetics-skeleton --data-dir data
         jaxact train --config configs/stagcn_pretrain_kinetics.py --data-dir data --workdir runs/kinetics_pretrain
         jaxact train --config configs/stagcn_kinetics.py:sn --data-dir data --workdir runs/kinetics_sn
             --config.init_from=runs/kinetics_pretrain
         python scripts/reproduce_stagcn.py --table 3 --data-dir data --out results/stagcn
The paper names no optimiser: the recipe is ST-GCN's, without its window of 150 frames, for the
attention matrices are as long as the clip.
"""

from jaxact.config import (
    STAGCN_SYSTEMS,
    ASGCNConfig,
    AugmentConfig,
    ClipConfig,
    DataConfig,
    OptimConfig,
    STAGCNConfig,
    TrainConfig,
    choose,
)

ROWS = ("sn", "tn", "sa", "ta", "sta_partition", "as_gcn")


def get_config(arg: str = "") -> TrainConfig:
    """The run of a row; "quick" or "ROW,quick" is a toy of it."""
    row, quick = choose(arg, ROWS)
    system = STAGCN_SYSTEMS.get(row, {})
    config = TrainConfig(
        data=DataConfig(name="kinetics_skeleton", train_split="train", eval_split="val"),
        model=ASGCNConfig() if row == "as_gcn" else STAGCNConfig(dropout=0.0, **system),
        clip=ClipConfig(frames=300, persons=2, pad="replay", person="frame_score"),
        augment=AugmentConfig(move=True),
        optim=OptimConfig(
            learning_rate=0.1, milestones=(20.0, 30.0, 40.0, 50.0), weight_decay=1e-4
        ),
        batch_size=64,
        epochs=50,
        segments_kept=0 if row in ("sa", "as_gcn") else 3,
    )
    config.clip.stream = "joint_motion" if row == "tn" else "joint"
    if quick:
        config.model.width, config.clip.frames, config.epochs = 4, 20, 1
    return config
