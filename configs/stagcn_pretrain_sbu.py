"""STA-GCN's spatial attention network alone learns displacements on
SBU Kinect Interaction, five folds. `:fold1` (default) ... `:fold5`.

The first stage of `configs/stagcn_sbu.py`; it uses no label, and of the clips only the training
part. Paper: no figure. Ours: rank correlation of the gate with the displacement that follows 0.18
over a clip, 0.21 over the joints of a
      frame; mean gate 72 % on the tenth that moves most, 64 % on the half that moves least (55
      clips of fold 1, one seed): scripts/gate_correlation.py.
Command: jaxact prepare sbu --raw SBU --data-dir data
         jaxact train --config configs/stagcn_pretrain_sbu.py --data-dir data --workdir runs/sbu_pretrain
         jaxact train --config configs/stagcn_sbu.py:sn --data-dir data --workdir runs/sbu_sn
             --config.init_from=runs/sbu_pretrain
"""

from jaxact.config import (
    AugmentConfig,
    ClipConfig,
    DataConfig,
    DisplacementConfig,
    OptimConfig,
    TrainConfig,
    choose,
)


def get_config(arg: str = "") -> TrainConfig:
    """The run; "quick" is a toy of it."""
    fold, quick = choose(arg, [f"fold{number}" for number in range(1, 6)])
    config = TrainConfig(
        data=DataConfig(name="sbu", train_split=f"{fold}_train", eval_split=f"{fold}_test"),
        model=DisplacementConfig(width=16, init="he_fan_out"),
        clip=ClipConfig(
            frames=24, persons=2, sampling="resize", center="first", views=5, stream="joint+partner"
        ),
        augment=AugmentConfig(crop=0.8, rotate=0.1, rescale=0.1, mirror=True, swap=True),
        optim=OptimConfig(
            name="adamw", learning_rate=3e-3, schedule="cosine", warmup=1.0, weight_decay=0.01
        ),
        batch_size=16,
        epochs=60,
        eval_every=20.0,
    )
    if quick:
        config.model.width, config.clip.frames, config.epochs = 4, 6, 1
    return config
