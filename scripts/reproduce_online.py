"""Trains and evaluates what a figure of the online recognition paper shows and prints it with our
figures beside.

    python scripts/reproduce_online.py --figure 6 --data-dir data --out results/online
    python scripts/reproduce_online.py --figure 7 --quick --out quick   # small, one fold, samples

The paper prints no table; its text names the accuracies that the curves of Figure 6 end at, and
Figure 7 compares training with and without attention. Ours are means of five folds of `ucf101_32`,
at the last checkpoint. The curves are `jaxact plot curves RUN ... --panels accuracy` of the runs
beside the table, Figure 5 is `jaxact plot recognised`, Figure 8 `jaxact plot attention`. A call
that was interrupted resumes.
"""

import statistics
import sys
from collections.abc import Callable

from scripts.reproduce import Ours, Runs, Table, main

CONFIG = "recogniser.py:ucf101_32"
COLUMNS = ("training top1", "test top1")
SETS = ("ucf101_32",)
FOLDS = 5
NOTE = (
    "Which 32 classes, which clips and which split the paper took is not known. Folds by clip have "
    "clips of one recording on both sides, as any random split of UCF101 has."
)


def system(row: str, by: str = "") -> Callable[[Runs], Ours]:
    """Top-1 of a row on the training clips and on the test clips, the mean over the folds."""

    def figures(runs: Runs) -> Ours:
        training, test = [], []
        for number in range(1, 2 if runs.quick else FOLDS + 1):
            fold = f"{by}fold{number}"
            workdir = runs.train(f"{CONFIG},{row},{fold}")
            report = runs.report(workdir, "--split", f"{fold}_train", name="training")
            training.append(100 * report["top1"])
            test.append(100 * runs.report(workdir)["top1"])
        return [statistics.mean(training), statistics.mean(test)]

    return figures


TABLES = {
    6: Table(COLUMNS, {
        "LSTM + attention, p = 0.5": ((98.0, 97.0), system("full")),
        "the same, folds by recording": ((None, None), system("full", "group_")),
    }, NOTE),
    7: Table(COLUMNS, {
        "with attention, p = 0.5": ((98.0, 97.0), system("full")),
        "without attention": ((None, None), system("no_attention")),
        "p = 0, no weight shared": ((None, None), system("p0")),
        "p = 0.25": ((None, None), system("p25")),
        "p = 0.75": ((None, None), system("p75")),
        "p = 1, all weights shared": ((None, None), system("p100")),
        "batch normalisation": ((None, None), system("batch_norm")),
        "LSTMs of tanh": ((None, None), system("tanh")),
        "17 joints of COCO, no directions": ((None, None), system("coco17")),
    }, NOTE),
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main(__file__, __doc__ or "", TABLES, sets=SETS, what="figure"))
