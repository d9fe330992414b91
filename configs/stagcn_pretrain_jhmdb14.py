"""STA-GCN's spatial attention network alone learns displacements on
the 2-D poses of 14 JHMDB classes, three splits. `:split1` (default) ... `:split3`.

The first stage of `configs/stagcn_jhmdb14.py`; it uses no label, and of the clips only the training
part. Paper: no figure. Ours: rank correlation of the gate with the displacement that follows 0.07
over a clip, 0.11 over the joints of a
      frame; mean gate 64 % on the tenth that moves most, 61 % on the half that moves least (176
      clips of split 1, one seed): scripts/gate_correlation.py.
Command: jaxact prepare custom --name jhmdb14 --layout jhmdb-15 --raw jhmdb14_pose2d.npz --data-dir
    data
         jaxact train --config configs/stagcn_pretrain_jhmdb14.py --data-dir data --workdir runs/jhmdb14_pretrain
         jaxact train --config configs/stagcn_jhmdb14.py:sn --data-dir data --workdir runs/jhmdb14_sn
             --config.init_from=runs/jhmdb14_pretrain
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
    split, quick = choose(arg, [f"split{number}" for number in range(1, 4)])
    config = TrainConfig(
        data=DataConfig(
            name="custom/jhmdb14", train_split=f"{split}_train", eval_split=f"{split}_test"
        ),
        model=DisplacementConfig(width=16, init="he_fan_out"),
        clip=ClipConfig(frames=36, persons=1, sampling="resize", center="first"),
        augment=AugmentConfig(crop=0.85, rotate=0.2, rescale=0.1, mirror=True, drop_joints=0.03),
        optim=OptimConfig(
            name="adamw", learning_rate=3e-3, schedule="cosine", warmup=1.0, weight_decay=0.01
        ),
        batch_size=16,
        epochs=40,
        eval_every=20.0,
    )
    if quick:
        config.model.width, config.clip.frames, config.epochs = 4, 6, 1
    return config
