"""ST-GCN on Kinetics-skeleton, as the released code trains it, clips replayed to 300 frames as the paper says.

Paper: Yan, Xiong and Lin, AAAI 2018, Table 2, "ST-GCN": 30.7 % top-1, 52.8 % top-5.
Ours: not run: needs the data set.
Command: jaxact prepare kinetics_skeleton --raw kinetics-skeleton --data-dir data
         jaxact train --config configs/stgcn_kinetics.py --data-dir data --workdir runs/kinetics
Kinetics-Motion (Table 4): jaxact evaluate --checkpoint runs/kinetics --subset kinetics_motion --out results/kmotion
Zero padding, as in the released arrays: --config.clip.pad=zero
"""

from jaxact.config import AugmentConfig, ClipConfig, DataConfig, OptimConfig, STGCNConfig, TrainConfig


def get_config(arg: str = "") -> TrainConfig:
    """The run; "quick" is a toy of it."""
    config = TrainConfig(
        data=DataConfig(name="kinetics_skeleton", train_split="train", eval_split="val"),
        model=STGCNConfig(dropout=0.0),
        clip=ClipConfig(frames=300, persons=2, pad="replay", person="frame_score"),
        augment=AugmentConfig(window=150, move=True),
        optim=OptimConfig(learning_rate=0.1, milestones=(20.0, 30.0, 40.0, 50.0), weight_decay=1e-4),
        batch_size=256,
        epochs=50,
    )
    if arg == "quick":
        config.model.width, config.clip.frames, config.augment.window, config.epochs = 4, 16, 8, 1
    return config
