"""STA-GCN's spatial attention network alone learns displacements on
Kinetics-skeleton.

The first stage of `configs/stagcn_kinetics.py`; it uses no label, and of the clips only the
training part. The paper trains it on optical flow and gives neither a loss nor a number of epochs.
Paper: no figure. Ours: not run: needs the data set. Command: jaxact prepare kinetics_skeleton --raw
kinetics-skeleton --data-dir data
         jaxact train --config configs/stagcn_pretrain_kinetics.py --data-dir data --workdir runs/kinetics_pretrain
         jaxact train --config configs/stagcn_kinetics.py:sn --data-dir data --workdir runs/kinetics_sn
             --config.init_from=runs/kinetics_pretrain
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
        data=DataConfig(name="kinetics_skeleton", train_split="train", eval_split="val"),
        model=DisplacementConfig(),
        clip=ClipConfig(frames=300, persons=2, pad="replay", person="frame_score"),
        augment=AugmentConfig(move=True),
        optim=OptimConfig(
            name="adamw", learning_rate=1e-3, schedule="cosine", warmup=0.5, weight_decay=0.01
        ),
        batch_size=64,
        epochs=10,
    )
    if quick:
        config.model.width, config.clip.frames, config.epochs = 4, 20, 1
    return config
