"""ST-GCN on NTU RGB+D 60, as the released code trains it. `:xsub` (default) or `:xview`.

Paper: Yan, Xiong and Lin, AAAI 2018, Table 3, "ST-GCN": 81.5 % X-Sub, 88.3 % X-View top-1.
Ours: not run: needs the data set.
Command: jaxact prepare ntu60 --raw nturgb+d_skeletons --data-dir data
         jaxact train --config configs/stgcn_ntu60.py:xview --data-dir data --workdir runs/ntu60_xview
NTU RGB+D 120 by the same recipe: --config.data.name=ntu120 (its own X-Set: --config.data.train_split=xset_train
--config.data.eval_split=xset_test)
The paper's own schedule: --config.optim.learning_rate=0.01 --config.optim.milestones=10,20,30,40 --config.epochs=50
"""

from jaxact.config import ClipConfig, DataConfig, OptimConfig, STGCNConfig, TrainConfig


def get_config(arg: str = "") -> TrainConfig:
    """The run on a protocol's splits; "quick" is a toy of it."""
    protocol = arg if arg in ("xsub", "xview") else "xsub"
    config = TrainConfig(
        data=DataConfig(name="ntu60", train_split=f"{protocol}_train", eval_split=f"{protocol}_test"),
        model=STGCNConfig(dropout=0.5),
        clip=ClipConfig(frames=300, persons=2, pad="zero", person="file"),
        optim=OptimConfig(learning_rate=0.1, milestones=(10.0, 50.0), weight_decay=1e-4),
        batch_size=64,
        epochs=80,
    )
    if arg == "quick":
        config.model.width, config.clip.frames, config.epochs = 4, 16, 1
    return config
