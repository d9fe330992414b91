"""CTR-GCN on NTU RGB+D 60 joints, close to pyskl's recipe. `:xsub` (default) or `:xview`.

Paper: Chen, Zhang, Yuan, Li, Deng and Hu, ICCV 2021: 89.6 % X-Sub, 95.6 % X-View top-1 from joints
(pyskl's model zoo). Ours: not run yet: needs the data set. Clips are resampled to 100 frames where
pyskl draws one frame of each hundredth, and centred and turned upright by their first frame.
Command: jaxact prepare ntu60 --raw nturgb+d_skeletons --data-dir data
         jaxact train --config configs/ctrgcn_ntu60.py:xview --data-dir data --workdir runs/ctrgcn_ntu60_xview
NTU RGB+D 120 by the same recipe: --config.data.name=ntu120 (its own X-Set:
--config.data.train_split=xset_train --config.data.eval_split=xset_test)
"""

from jaxact.config import ClipConfig, CTRGCNConfig, DataConfig, OptimConfig, TrainConfig


def get_config(arg: str = "") -> TrainConfig:
    """The run on a protocol's splits; "quick" is a toy of it."""
    protocol = arg if arg in ("xsub", "xview") else "xsub"
    config = TrainConfig(
        data=DataConfig(
            name="ntu60", train_split=f"{protocol}_train", eval_split=f"{protocol}_test"
        ),
        model=CTRGCNConfig(),
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
