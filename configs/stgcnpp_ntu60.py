"""ST-GCN++ on NTU RGB+D 60 joints, close to pyskl's recipe. `:xsub` (default) or `:xview`.

Paper: Duan, Wang, Chen and Lin, ACM MM 2022: 89.3 % X-Sub, 95.6 % X-View top-1 from joints (the
authors' model zoo). Ours: not run yet: needs the data set. Clips are resampled to 100 frames where
pyskl draws one frame of each hundredth, and centred and turned upright by their first frame.
Command: jaxact prepare ntu60 --raw nturgb+d_skeletons --data-dir data
         jaxact train --config configs/stgcnpp_ntu60.py:xview --data-dir data --workdir runs/stgcnpp_ntu60_xview
NTU RGB+D 120 by the same recipe: --config.data.name=ntu120 (its own X-Set:
--config.data.train_split=xset_train --config.data.eval_split=xset_test)
"""

from jaxact.config import ClipConfig, DataConfig, OptimConfig, STGCNPPConfig, TrainConfig


def get_config(arg: str = "") -> TrainConfig:
    """The run on a protocol's splits; "quick" is a toy of it."""
    protocol = arg if arg in ("xsub", "xview") else "xsub"
    config = TrainConfig(
        data=DataConfig(
            name="ntu60", train_split=f"{protocol}_train", eval_split=f"{protocol}_test"
        ),
        model=STGCNPPConfig(),
        clip=ClipConfig(
            frames=100, persons=2, sampling="resize", person="energy", center="first", align=True
        ),
        optim=OptimConfig(learning_rate=0.1, schedule="cosine", weight_decay=5e-4),
        batch_size=128,
        epochs=80,
    )
    if arg == "quick":
        config.model.width, config.clip.frames, config.epochs = 6, 16, 1
    return config
