"""STA-GCN's spatial attention network alone learns displacements on
NTU RGB+D 60. `:xsub` (default) or `:xview`.

The first stage of `configs/stagcn_ntu60.py`; it uses no label, and of the clips only the training
part. The paper trains it on optical flow and gives neither a loss nor a number of epochs. Paper: no
figure. Ours: not run: needs the data set. Command: jaxact prepare ntu60 --raw nturgb+d_skeletons
--data-dir data
         jaxact train --config configs/stagcn_pretrain_ntu60.py --data-dir data --workdir runs/ntu60_pretrain
         jaxact train --config configs/stagcn_ntu60.py:sn --data-dir data --workdir runs/ntu60_sn
             --config.init_from=runs/ntu60_pretrain
"""

from jaxact.config import (
    ClipConfig,
    DataConfig,
    DisplacementConfig,
    OptimConfig,
    TrainConfig,
    choose,
)


def get_config(arg: str = "") -> TrainConfig:
    """The run; "quick" is a toy of it."""
    protocol, quick = choose(arg, ("xsub", "xview"))
    config = TrainConfig(
        data=DataConfig(
            name="ntu60", train_split=f"{protocol}_train", eval_split=f"{protocol}_test"
        ),
        model=DisplacementConfig(),
        clip=ClipConfig(frames=300, persons=2, pad="replay", person="file"),
        optim=OptimConfig(
            name="adamw", learning_rate=1e-3, schedule="cosine", warmup=0.5, weight_decay=0.01
        ),
        batch_size=64,
        epochs=10,
    )
    if quick:
        config.model.width, config.clip.frames, config.epochs = 4, 20, 1
    return config
