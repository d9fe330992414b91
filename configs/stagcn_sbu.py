"""STA-GCN and its parts on SBU Kinect Interaction, five folds. `:fold1` (default) ... `:fold5`.

A row of the STA-GCN paper's tables is an argument:
    sn             STA-GCN on joints, the default; begins with the run of `configs/stagcn_pretrain_sbu.py`
    tn             STA-GCN on displacements, to be fused with sn
    sa             SA + ST-GCN: spatial attention; begins as sn does
    ta             TA + ST-GCN: temporal attention; AFM and DCW are `jaxact evaluate --kept 0` and `--kept 2`
    sta_partition  sn on ST-GCN's graph operator in place of Chebyshev polynomials
    stgcn          ST-GCN
Widths, epochs and recipe are the same for all of them. The clips are cut into three segments, but
for sa and stgcn; whole: --config.model.segments=1 --config.model.kept=0 --config.segments_kept=0
Paper: none on this set. Ours: mean of the folds in %, one seed: sa 83.33, stgcn 78.38; ta 65.36
(AFM), 62.94 (DCW); whole clips sn 69.08, with
      --config.model.attended=scores after 20 epochs of the first stage 82.33; tn 80.07, sn and tn
      fused 80.47.
Command: jaxact prepare sbu --raw SBU --data-dir data
         python scripts/cross_validate.py --config configs/stagcn_sbu.py --row ta --data-dir data --out results/sbu_ta
             --arguments fold1,fold2,fold3,fold4,fold5
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
    fold, row, quick = choose(arg, [f"fold{number}" for number in range(1, 6)], ROWS)
    model = STGCNConfig() if row == "stgcn" else STAGCNConfig(**STAGCN_SYSTEMS[row])
    model.width, model.dropout, model.init = 16, 0.2, "he_fan_out"
    if isinstance(model, STAGCNConfig) and row != "sa":
        model.segments, model.kept = 3, 2
    config = TrainConfig(
        data=DataConfig(name="sbu", train_split=f"{fold}_train", eval_split=f"{fold}_test"),
        model=model,
        clip=ClipConfig(frames=24, persons=2, sampling="resize", center="first", views=5),
        augment=AugmentConfig(crop=0.8, rotate=0.1, rescale=0.1, mirror=True, swap=True),
        optim=OptimConfig(
            name="adamw",
            learning_rate=3e-3,
            schedule="cosine",
            warmup=3.0,
            weight_decay=0.01,
            ema=0.99,
        ),
        batch_size=16,
        epochs=30,
        label_smoothing=0.1,
        segments_kept=2 if row != "sa" else 0,
        eval_every=15.0,
    )
    config.clip.stream = "joint_motion+partner" if row == "tn" else "joint+partner"
    if quick:
        config.model.width, config.clip.frames, config.epochs = 4, 6, 1
    return config
