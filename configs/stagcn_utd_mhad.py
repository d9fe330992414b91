"""STA-GCN and its parts on UTD-MHAD, odd subjects train, even subjects test.

A row of the STA-GCN paper's tables is an argument:
    sn             STA-GCN on joints, the default; begins with the run of `configs/stagcn_pretrain_utd_mhad.py`
    tn             STA-GCN on displacements, to be fused with sn
    sa             SA + ST-GCN: spatial attention; begins as sn does
    ta             TA + ST-GCN: temporal attention; AFM and DCW are `jaxact evaluate --kept 0` and `--kept 2`
    sta_partition  sn on ST-GCN's graph operator in place of Chebyshev polynomials
    stgcn          ST-GCN
Widths, epochs and recipe are the same for all of them. The clips are cut into three segments, but
for sa and stgcn; whole: --config.model.segments=1 --config.model.kept=0 --config.segments_kept=0
Paper: none on this set. Ours: top-1 in %, one seed: sa 96.05, stgcn 93.72; whole clips sn 86.05, tn
80.93, both fused 88.14; sn whole with
      --config.model.attended=scores 92.33, in three segments 86.74; ta 80.47 (AFM), 79.07 (DCW).
Command: jaxact prepare utd_mhad --raw UTD-MHAD/Skeleton --data-dir data
         jaxact train --config configs/stagcn_utd_mhad.py:ta --data-dir data --workdir runs/utd_ta
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
    row, quick = choose(arg, ROWS)
    model = STGCNConfig() if row == "stgcn" else STAGCNConfig(**STAGCN_SYSTEMS[row])
    model.width, model.dropout, model.init = 16, 0.2, "he_fan_out"
    if isinstance(model, STAGCNConfig) and row != "sa":
        model.segments, model.kept = 3, 2
    config = TrainConfig(
        data=DataConfig(name="utd_mhad"),
        model=model,
        clip=ClipConfig(
            frames=48, persons=1, sampling="resize", center="first", scale="skeleton", views=5
        ),
        augment=AugmentConfig(crop=0.9, rotate=0.3, rescale=0.15, drop_joints=0.03),
        optim=OptimConfig(
            name="adamw",
            learning_rate=3e-3,
            schedule="cosine",
            warmup=3.0,
            weight_decay=0.01,
            ema=0.99,
        ),
        batch_size=16,
        epochs=60,
        label_smoothing=0.1,
        segments_kept=2 if row != "sa" else 0,
        eval_every=30.0,
    )
    config.clip.stream = "joint_motion" if row == "tn" else "joint"
    if quick:
        config.model.width, config.clip.frames, config.epochs = 4, 12, 1
    return config
