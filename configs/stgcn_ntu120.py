"""ST-GCN on NTU RGB+D 120, trained as on NTU RGB+D 60. `:xsub` (default) or `:xset`.

Paper: none of its own; the recipe is that of Yan, Xiong and Lin, AAAI 2018, for NTU RGB+D 60.
Ours: not run: needs the data set.
Command: jaxact prepare ntu120 --raw nturgb+d_skeletons --data-dir data
         jaxact train --config configs/stgcn_ntu120.py:xset --data-dir data --workdir runs/ntu120_xset
"""

from jaxact.config import ClipConfig, DataConfig, OptimConfig, STGCNConfig, TrainConfig


def get_config(arg: str = "") -> TrainConfig:
    """The run on a protocol's splits; "quick" is a toy of it."""
    protocol = arg if arg in ("xsub", "xset") else "xsub"
    config = TrainConfig(
        data=DataConfig(name="ntu120", train_split=f"{protocol}_train", eval_split=f"{protocol}_test"),
        model=STGCNConfig(dropout=0.5),
        clip=ClipConfig(frames=300, persons=2, pad="zero", person="file"),
        optim=OptimConfig(learning_rate=0.1, milestones=(10.0, 50.0), weight_decay=1e-4),
        batch_size=64,
        epochs=80,
    )
    if arg == "quick":
        config.model.width, config.clip.frames, config.epochs = 4, 16, 1
    return config
