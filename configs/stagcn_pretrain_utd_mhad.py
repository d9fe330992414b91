"""STA-GCN's spatial attention network alone learns displacements on
UTD-MHAD, odd subjects train, even subjects test.

The first stage of `configs/stagcn_utd_mhad.py`; it uses no label, and of the clips only the
training part. Paper: no figure. Ours: rank correlation of the gate with the displacement that
follows 0.53 over a clip, 0.40 over the joints of a
      frame; mean gate 73 % on the tenth that moves most, 34 % on the half that moves least (430
      test clips, one seed): scripts/gate_correlation.py.
Command: jaxact prepare utd_mhad --raw UTD-MHAD/Skeleton --data-dir data
         jaxact train --config configs/stagcn_pretrain_utd_mhad.py --data-dir data --workdir runs/utd_mhad_pretrain
         jaxact train --config configs/stagcn_utd_mhad.py:sn --data-dir data --workdir runs/utd_mhad_sn
             --config.init_from=runs/utd_mhad_pretrain
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
    (quick,) = choose(arg)
    config = TrainConfig(
        data=DataConfig(name="utd_mhad"),
        model=DisplacementConfig(width=16, init="he_fan_out"),
        clip=ClipConfig(
            frames=48, persons=1, sampling="resize", center="first", scale="skeleton", views=5
        ),
        augment=AugmentConfig(crop=0.9, rotate=0.3, rescale=0.15, drop_joints=0.03),
        optim=OptimConfig(
            name="adamw", learning_rate=3e-3, schedule="cosine", warmup=1.0, weight_decay=0.01
        ),
        batch_size=16,
        epochs=20,
        eval_every=10.0,
    )
    if quick:
        config.model.width, config.clip.frames, config.epochs = 4, 12, 1
    return config
