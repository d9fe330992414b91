"""Trains and evaluates the rows of a table of the SC-Xception + ConvGRU paper and prints it beside
our figures.

    python scripts/reproduce_convgru.py --table 4 --data-dir data --out results/convgru \
        --xception xception.safetensors
    python scripts/reproduce_convgru.py --table 1 --quick --out quick   # small, from sample videos

Files of ImageNet weights come from `jaxact import keras`; `--config.model.train_from=all` trains
every row from scratch without them. A call that was interrupted resumes; rows that tables share are
trained once.
"""

import sys
from collections.abc import Callable

from scripts.reproduce import NotRun, Ours, Runs, Table, beside, main

UCF, HMDB = "convgru.py:ucf101", "convgru.py:hmdb51"
COLUMN = ("ucf101 top1",)
SETS = ("ucf101", "hmdb51")
INPUTS = {
    "xception": "ImageNet weights of Xception",
    "inception_v3": "of Inception-v3, which TSN begins with too",
    "inception_resnet_v2": "of Inception-ResNet-v2",
}
RANDOM = (
    "Split: random 3 : 1 over clips, as in the paper; clips of one recording lie on both sides."
)
LITERATURE = (
    "Figures of others are of the official splits, the paper's own are of a random 3 : 1 split, "
    "where clips of one recording lie on both sides: they do not compare. Ours beside others' are "
    "of official split 1. LRCN is here an LSTM on Xception, colour alone; two-stream, which the "
    "paper lists twice, is TSN on colour and flow."
)


def weights(runs: Runs, backbone: str) -> list[str]:
    """The override that names a backbone's weights; none at toy size, or where all of it trains."""
    if runs.quick:
        return []
    if path := runs.files.get(backbone):
        return [f"--config.init_from={path}"]
    if "--config.model.train_from=all" in runs.overrides:
        return []
    raise NotRun(f"not run: needs --{backbone} FILE, {INPUTS[backbone]}")


def system(source: str, backbone: str = "xception") -> Callable[[Runs], Ours]:
    """Top-1 of a row of a config."""
    return lambda runs: [100 * runs.report(runs.train(source, *weights(runs, backbone)))["top1"]]


def two_stream(source: str) -> Callable[[Runs], Ours]:
    """Top-1 of the scores of networks on colour and on flow, added."""
    return lambda runs: [
        100 * runs.fused(source, ("rgb", "flow"), *weights(runs, "inception_v3"))["top1"]
    ]


def no_figure(runs: Runs) -> Ours:
    """Of a system that the paper does not have on HMDB51."""
    raise NotRun("no row of the paper")


TABLES = {
    1: Table(COLUMN, {
        "InceptionV3 + ConvGRU": ((85.74,), system(f"{UCF},inception_v3", "inception_v3")),
        "InceptionResNetV2 + ConvGRU": (
            (90.26,), system(f"{UCF},inception_resnet_v2", "inception_resnet_v2"),
        ),
        "Xception + ConvGRU": ((92.76,), system(f"{UCF},xc_convgru")),
    }, RANDOM),
    2: Table(COLUMN, {
        "20 filters": ((94.71,), system(f"{UCF},f20")),
        "30 filters": ((95.13,), system(f"{UCF},f30")),
        "40 filters": ((95.66,), system(f"{UCF},full")),
        "50 filters": ((95.58,), system(f"{UCF},f50")),
    }, RANDOM),
    3: Table(("ucf101 top1", "hmdb51 top1"), {
        "LRCN": ((87.9, None), beside((1, system(f"{UCF},xc_lstm,official1")), (1, no_figure))),
        "Two-stream": ((88.0, 59.4), beside(
            *((1, two_stream(f"tsn.py:{name},official1")) for name in SETS),
        )),
        "STC-ResNet101": ((93.7, 66.8), None),
        "STS": ((93.9, 67.2), None),
        "STAM": ((94.3, 69.1), None),
        "SC-Xception + ConvGRU + MCAM-AFF": ((95.66, 69.82), beside(
            *((1, system(f"{config},full")) for config in (UCF, HMDB)),
        )),
        "the same on official split 1": ((None, None), beside(
            *((1, system(f"{config},full,official1")) for config in (UCF, HMDB)),
        )),
    }, LITERATURE),
    4: Table(COLUMN, {
        "Xception + LSTM": ((88.47,), system(f"{UCF},xc_lstm")),
        "Xception + ConvGRU": ((92.76,), system(f"{UCF},xc_convgru")),
        "SC-Xception + ConvGRU": ((93.58,), system(f"{UCF},sc_convgru")),
        "SC-Xception + ConvGRU + AFF": ((94.71,), system(f"{UCF},sc_convgru_aff")),
        "SC-Xception + ConvGRU + MCAM-AFF": ((95.66,), system(f"{UCF},full")),
    }, RANDOM),
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main(__file__, __doc__ or "", TABLES, INPUTS, SETS))
