"""Evaluation: every example once, the report's numbers, and what is refused."""

import csv
import json

import flax.linen as nn
import numpy as np
import pytest

from jaxact import config
from jaxact.errors import UserError
from jaxact.evaluation import classification, report
from jaxact.pipeline.arrays import eval_batches_from_arrays
from jaxact.runs import sharding, trained_model
from tests.helpers import toys

LOGITS = np.random.default_rng(0).standard_normal((13, 4)).astype(np.float32)
TARGETS = np.random.default_rng(1).integers(0, 4, 13).astype(np.int32)


@pytest.fixture
def scorer():
    """A network that passes its first four numbers on as logits."""

    def apply(weights, inputs, *, train):
        return inputs[:, 0, 0, 0, :]

    return classification.compile_scorer(apply, sharding.make_placement())


def clips() -> np.ndarray:
    return np.tile(LOGITS[:, None, None, None, :], (1, 2, 1, 3, 1))


@pytest.mark.parametrize("batch_size", [4, 8, 16])
def test_every_example_counts_once_at_any_batch_size(scorer, batch_size):
    batches = list(eval_batches_from_arrays(clips(), TARGETS, batch_size=batch_size))
    result = classification.score(scorer, {}, batches)
    np.testing.assert_array_equal(result.logits, LOGITS)
    np.testing.assert_array_equal(result.label, TARGETS)
    assert len(set(result.id.tolist())) == 13
    sums = classification.totals(scorer, {}, batches, classes=4)
    assert sums.count == 13 and np.trace(sums.confusion) == (LOGITS.argmax(1) == TARGETS).sum()


def test_the_report_holds_what_the_number_depends_on(tmp_path, scorer):
    run = config.TrainConfig()
    net = trained_model.TrainedModel(
        model=nn.Dense(4),
        weights={},
        config=run,
        layout=toys.LAYOUT,
        labels=toys.LABELS,
        channels=toys.CHANNELS,
        step=7,
        selection="the last checkpoint of the run",
    )
    result = report.Scores(np.array([f"clip{i}" for i in range(13)], object), LOGITS, TARGETS)
    report.write(
        tmp_path,
        result,
        net.labels,
        classification.provenance(net, split="test", subset=None, workdir="runs/a"),
    )
    written = json.loads((tmp_path / "metrics.json").read_text())
    assert written["top1"] == pytest.approx((LOGITS.argmax(1) == TARGETS).mean())
    assert {"top5", "mean_class", "loss"} <= written.keys() and written["count"] == 13
    assert (written["split"], written["step"], written["step_chosen"]) == (
        "test",
        7,
        "the last checkpoint of the run",
    )
    assert written["preprocessing"]["frames"] == 300 and written["layout"] == "openpose-18"
    with np.load(tmp_path / "scores.npz") as scores:
        np.testing.assert_array_equal(scores["logits"], LOGITS)
        assert scores["id"].tolist() == [f"clip{i}" for i in range(13)]
        assert scores["label"].tolist() == TARGETS.tolist()
    with (tmp_path / "per_class.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert sum(int(row["count"]) for row in rows) == 13
    read = report.read(tmp_path)
    assert read.labels == list(toys.LABELS) and read.confusion.sum() == 13
    assert read.title == f"{run.data.name}, test"
    np.testing.assert_array_equal(read.confusion.sum(axis=1), np.bincount(TARGETS, minlength=4))


def test_an_empty_pass_is_refused(scorer):
    with pytest.raises(UserError, match="no example to evaluate"):
        classification.score(scorer, {}, [])
