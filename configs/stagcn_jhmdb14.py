"""STA-GCN and its parts on 14 JHMDB classes, three splits. `:split1` (default) ... `:split3`.

A row of the STA-GCN paper's tables is an argument:
    sn             STA-GCN on joints, the default; begins with the run of `configs/stagcn_pretrain_jhmdb14.py`
    tn             STA-GCN on displacements, to be fused with sn
    sa             SA + ST-GCN: spatial attention; begins as sn does
    ta             TA + ST-GCN: temporal attention; AFM and DCW are `jaxact evaluate --kept 0` and `--kept 2`
    sta_partition  sn on ST-GCN's graph operator in place of Chebyshev polynomials
    stgcn          ST-GCN
Widths, epochs and recipe are the same for all of them. The clips are cut into three segments, but
for sa and stgcn; whole: --config.model.segments=1 --config.model.kept=0 --config.segments_kept=0
Paper: none on this set. Ours: mean of the splits in %, one seed: stgcn 80.45, sa 80.83; ta 66.97
(AFM), 65.08 (DCW); whole clips sn 72.67,
      tn 54.65, both fused 75.14.
Command: jaxact prepare custom --name jhmdb14 --layout jhmdb-15 --raw jhmdb14_pose2d.npz --data-dir
    data
         python scripts/cross_validate.py --config configs/stagcn_jhmdb14.py --row ta --data-dir data
             --arguments split1,split2,split3 --out results/jhmdb_ta
"""

from jaxact.config import (
    STAGCN_SYSTEMS,
    AugmentConfig,
    ClipConfig,
    DataConfig,
    OptimConfig,
    STAGCNConfig,
    STGCNConfig,
    TrainConfig,
    choose,
)

ROWS = ("sn", "tn", "sa", "ta", "sta_partition", "stgcn")


def get_config(arg: str = "") -> TrainConfig:
    """The run of a row; "quick" or "ROW,quick" is a toy of it."""
    split, row, quick = choose(arg, [f"split{number}" for number in range(1, 4)], ROWS)
    model = STGCNConfig() if row == "stgcn" else STAGCNConfig(**STAGCN_SYSTEMS[row])
    model.width, model.dropout, model.init = 16, 0.2, "he_fan_out"
    if isinstance(model, STAGCNConfig) and row != "sa":
        model.segments, model.kept = 3, 2
    config = TrainConfig(
        data=DataConfig(
            name="custom/jhmdb14", train_split=f"{split}_train", eval_split=f"{split}_test"
        ),
        model=model,
        clip=ClipConfig(frames=36, persons=1, sampling="resize", center="first"),
        augment=AugmentConfig(crop=0.85, rotate=0.2, rescale=0.1, mirror=True, drop_joints=0.03),
        optim=OptimConfig(
            name="adamw",
            learning_rate=3e-3,
            schedule="cosine",
            warmup=3.0,
            weight_decay=0.01,
            ema=0.99,
        ),
        batch_size=16,
        epochs=40,
        label_smoothing=0.1,
        segments_kept=2 if row != "sa" else 0,
        eval_every=20.0,
    )
    config.clip.stream = "joint_motion" if row == "tn" else "joint"
    if quick:
        config.model.width, config.clip.frames, config.epochs = 4, 6, 1
    return config
