"""The recogniser of the online recognition paper (Li, CSA 14(1), 2024): poses of one person.

    configs/recogniser.py:DATASET[,SPLIT][,ROW][,quick]

Rows of the paper's figures; the first is the default:
    full            LSTMs, batch renormalisation, attention weights shared at random, p = 0.5
    no_attention    without attention (Figure 7)
    p0              p = 0: no weight is shared
    p25             p = 0.25
    p75             p = 0.75
    p100            p = 1: all are
    batch_norm      batch normalisation in place of renormalisation
    tanh            LSTMs of tanh in place of ReLU; of ucf101_32
    coco17          the 17 joints of COCO in place of 14 and six directions; of ucf101_32
    relu            LSTMs of ReLU, the paper by the letter; of JHMDB, whose rows have tanh

Departs from the paper on JHMDB: the state of LSTMs of ReLU grows to 1e12 over a window of these
poses. The network learns, but its running statistics are useless, and its accuracy is about 4 to
7 % on the test clips. Where LSTMs of ReLU fail on UCF101 too, take tanh.

ucf101_32 (default): 32 classes of UCF101, five folds
    Splits: fold1 (default) to fold5, drawn by clip, and group_fold1 to group_fold5, by recording.
    Paper: section 5: up to 98 % of the training clips and 97 % of the test clips (Figure 6).
    Ours: not run: needs UCF101.
    Command:
        jaxact prepare ucf101_32 --raw ucf101_2d.pkl --data-dir data
        (or --raw UCF101 --pose runs/pose: a pose network reads the videos first)
        python scripts/cross_validate.py --config configs/recogniser.py:ucf101_32 --data-dir data
            --out results/ucf32 --arguments fold1,fold2,fold3,fold4,fold5
        one fold: jaxact train --config configs/recogniser.py:ucf101_32,fold1 --data-dir data
            --workdir runs/ucf32

jhmdb14: 2-D poses of 14 JHMDB classes that people have labelled, three splits
    Splits: split1 (default), split2, split3. The joints are in another unit than those of a pose
    network, so that `jaxact stream` does not accept such a run.
    Paper: 97 % on 32 classes of UCF101, which need a pose network's joints.
    Ours: 72.73, 68.18, 68.57 % on splits 1 to 3. Rows on split 1: no_attention 68.75, p0 67.61, p25
    71.59, p75 69.32, p100 69.89, batch_norm 69.32, relu 6.82 %; of 176 clips, so that a clip is
    0.57. Last checkpoint, one seed.
    Command:
        jaxact prepare custom --name jhmdb14 --layout jhmdb-15 --raw jhmdb14_pose2d.npz
            --data-dir data
        jaxact train --config configs/recogniser.py:jhmdb14 --data-dir data
            --workdir runs/recogniser

jhmdb_detected: all 21 classes of JHMDB, joints that a pose network detects in the videos
    Splits: official1 (default), official2, official3.
    Paper: none.
    Ours: 14.55 % on split 1, by the pose network of `configs/pose.py` (PCK@0.2 39 %). Last
    checkpoint, one seed.
    Command:
        jaxact prepare jhmdb_detected --raw JHMDB --pose runs/pose --data-dir data
        jaxact train --config configs/recogniser.py:jhmdb_detected --data-dir data
            --workdir runs/recogniser
"""

from typing import Any

from jaxact.config import (
    AugmentConfig,
    ClipConfig,
    OptimConfig,
    RecogniserConfig,
    TrainConfig,
    choose,
)

SYSTEMS: dict[str, dict[str, Any]] = {
    "full": {},
    "no_attention": {"network": "no_attention"},
    "p0": {"shared": 0.0},
    "p25": {"shared": 0.25},
    "p75": {"shared": 0.75},
    "p100": {"shared": 1.0},
    "batch_norm": {"norm": "batch"},
}
UCF_SYSTEMS = {**SYSTEMS, "tanh": {"activation": "tanh"}, "coco17": {"features": "coco17"}}
JHMDB_SYSTEMS = {
    **{row: {"activation": "tanh", **options} for row, options in SYSTEMS.items()},
    "relu": {"activation": "relu"},
}
ROWS = {"ucf101_32": UCF_SYSTEMS, "jhmdb14": JHMDB_SYSTEMS, "jhmdb_detected": JHMDB_SYSTEMS}


def get_config(arg: str = "") -> TrainConfig:
    """The run of a data set, split and row; "quick" beside them makes a small one of it."""
    selection = choose(arg, ROWS)
    config = TrainConfig(
        data=selection.data(),
        model=RecogniserConfig(**ROWS[selection.dataset][selection.row]),
        clip=ClipConfig(frames=60, persons=1, sampling="resize"),
        augment=AugmentConfig(crop=0.85, rotate=0.2, rescale=0.1, mirror=True),
        # The paper leaves optimiser, learning rate and number of epochs open.
        optim=OptimConfig(
            name="adam", learning_rate=1e-3, weight_decay=0.0, schedule="constant", clip_norm=5.0
        ),
        batch_size=64,
        epochs=100,
        eval_every=5.0,
    )
    if selection.dataset != "ucf101_32":
        config.clip.seconds = 1.0  # of a stream, about the length of the clips
        config.optim.name = "adamw"  # without decay, the same as Adam
        config.eval_every = 20.0
    if selection.quick:
        config.model.width, config.clip.frames, config.epochs = 4, 6, 1
    return config
