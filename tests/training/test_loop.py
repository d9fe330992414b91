"""The loop: a run can be cut anywhere, moved between devices, and comes to the same end."""

import dataclasses
import json
import os
import shutil

import numpy as np
import pytest

from jaxact import config, files
from jaxact.errors import UserError
from jaxact.runs import trained_model
from jaxact.training import data_source, loop
from tests.helpers import toys
from tests.helpers.toys import lines, same, weights

ONE = {"devices": 1}
STEADY = {"model__dropout": 0.0, "model__init": "he_fan_out", "optim__learning_rate": 0.0001}


def fit(workdir, **overrides):
    run = toys.run_config(**overrides)
    return loop.run(run, workdir, toys.toy_source(run))


def impatient(stops: set):
    """A request to stop at given steps, in place of a signal."""

    class Impatient(loop.StopRequest):
        def requested(self, step):
            return step in stops

    return Impatient


@pytest.fixture(scope="module", autouse=True)
def short():
    with toys.short_networks():
        yield


@pytest.fixture(scope="module")
def whole(short, tmp_path_factory):
    """The uninterrupted run of twelve steps on one device."""
    workdir = tmp_path_factory.mktemp("whole")
    outcome = fit(workdir, **ONE)
    assert (outcome.step, outcome.stopped) == (12, False)
    return workdir


@pytest.fixture(scope="module")
def steady(short, tmp_path_factory):
    """An uninterrupted run on one device in which rounding does not grow."""
    workdir = tmp_path_factory.mktemp("steady")
    fit(workdir, **STEADY, **ONE)
    return workdir


def test_a_run_leaves_metrics_of_every_window_and_evaluation(whole):
    records = lines(whole)
    assert [line["step"] for line in records if "train_loss" in line] == [4, 8, 12]
    assert [line["step"] for line in records if "eval_top1" in line] == [4, 8, 12]
    assert records[-1]["eval_count"] == 13 and 0 <= records[-1]["eval_top1"] <= 1
    assert json.loads((whole / "config.json").read_text())["batch_size"] == 8
    assert list((whole / "tensorboard").iterdir())


@pytest.mark.slow
def test_a_toy_corpus_can_be_overfitted(tmp_path):
    run = toys.run_config(
        epochs=50,
        eval_every=0.0,
        checkpoint_every=100,
        model__dropout=0.0,
        model__init="he_fan_out",
        **ONE,
    )
    inputs, targets = toys.clips(16)
    data = data_source.from_arrays(
        run,
        (inputs, targets),
        (inputs, targets),
        labels=toys.LABELS,
        layout=toys.LAYOUT,
        channels=toys.CHANNELS,
    )
    assert loop.run(run, tmp_path, data).metrics["top1"] == 1.0


def test_a_run_cut_at_a_step_and_resumed_ends_bitwise_where_the_whole_one_does(
    whole, tmp_path, monkeypatch
):
    for at in (3, 10):  # between two checkpoints, and at one
        monkeypatch.setattr(loop, "StopRequest", impatient({at}))
        outcome = fit(tmp_path, **ONE)
        assert (outcome.step, outcome.stopped) == (at, True)
    monkeypatch.setattr(loop, "StopRequest", impatient(set()))
    assert fit(tmp_path, **ONE).step == 12
    assert same(weights(tmp_path), weights(whole))
    assert [line["step"] for line in lines(tmp_path) if "eval_top1" in line] == [4, 8, 12]


@pytest.mark.slow
def test_a_run_moves_between_device_counts_and_between_jit_and_pmap(steady, tmp_path, monkeypatch):
    for stop, where in ((4, ONE), (8, {"devices": 4}), (None, {"devices": 2, "parallel": "pmap"})):
        monkeypatch.setattr(loop, "StopRequest", impatient({stop}))
        fit(tmp_path, **STEADY, **where)
    losses = [
        [line[name] for line in lines(run) for name in ("train_loss", "eval_loss") if name in line]
        for run in (steady, tmp_path)
    ]
    assert len(losses[0]) == 6
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-3)


def test_the_latest_and_the_best_checkpoint_are_kept(whole):
    steps = sorted(int(path.name) for path in (whole / "checkpoints").iterdir())
    scores = {line["step"]: line["eval_top1"] for line in lines(whole) if "eval_top1" in line}
    best = trained_model.load(whole, how="best").step
    assert steps[-1] == 12 and scores[best] == max(scores.values()) and set(steps) == {best, 12}
    assert trained_model.load(whole).selection == "the last checkpoint of the run"
    assert "best top-1 on the split 'test'" in trained_model.load(whole, how="best").selection


def test_other_options_in_the_same_folder_are_refused_by_name(whole):
    with pytest.raises(UserError, match=r"holds a run with other options \(seed 0 -> 1\)"):
        fit(whole, seed=1, **ONE)
    with pytest.raises(UserError, match=r"model.width 4 -> 8"):
        fit(whole, model__width=8, **ONE)


def test_other_data_in_the_same_folder_are_refused_by_name(whole):
    run = toys.run_config(**ONE)
    with pytest.raises(UserError, match="holds a run on data with other data"):
        loop.run(run, whole, toys.toy_source(run, train=31))


def test_a_loss_that_is_not_finite_names_the_step_and_keeps_the_last_good_checkpoint(tmp_path):
    run = toys.run_config(checkpoint_every=2, **ONE)
    good = toys.toy_source(run)

    def poisoned(first):
        for step, batch in enumerate(good.train(first), first + 1):
            yield {**batch, "inputs": batch["inputs"] * (np.nan if step == 6 else 1)}

    with pytest.raises(
        UserError, match=r"not finite at step 6; the last good checkpoint is of step 4"
    ):
        loop.run(run, tmp_path, dataclasses.replace(good, train=poisoned))
    assert trained_model.load(tmp_path).step == 4


@pytest.mark.slow
def test_a_disk_without_room_for_a_checkpoint_is_one_sentence_and_the_last_good_one_stays(
    tmp_path, monkeypatch
):
    run = toys.run_config(checkpoint_every=2, eval_every=0.0, **ONE)
    good, usage = toys.toy_source(run), shutil.disk_usage

    def filling(first):
        for step, batch in enumerate(good.train(first), first + 1):
            if step == 8:
                monkeypatch.setattr(
                    shutil, "disk_usage", lambda path: usage(path)._replace(free=1_000_000)
                )
            yield batch

    with pytest.raises(
        UserError, match=r"the disk is full: 1.0 MB are free, 1\.\d MB are needed; earlier"
    ):
        loop.run(run, tmp_path, dataclasses.replace(good, train=filling))
    (step,) = os.listdir(tmp_path / "checkpoints")
    assert trained_model.load(tmp_path).step == int(step)


def test_a_network_that_does_not_fit_the_clips_is_refused_before_a_folder_is_made(tmp_path):
    run = toys.run_config(**ONE)
    run.model, run.loss = config.STAGCNConfig(width=4, segments=3), config.SegmentLossConfig()
    with pytest.raises(UserError, match="cuts clips into 3 segments of equal length"):
        loop.run(run, tmp_path / "run", toys.toy_source(run))
    assert not (tmp_path / "run").exists()


def test_a_batch_that_the_devices_do_not_divide_is_refused(tmp_path):
    with pytest.raises(
        UserError, match="batch_size 6 does not divide over 4 devices; use a multiple of 4"
    ):
        fit(tmp_path, batch_size=6)
    with pytest.raises(
        UserError, match="batch_size 8 does not divide over 4 devices x 4 micro-batches"
    ):
        fit(tmp_path, optim__accumulate=4)
    with pytest.raises(UserError, match="wanted devices=5, but there are 4"):
        fit(tmp_path, devices=5)
    assert not os.listdir(tmp_path)


def test_two_processes_do_not_train_in_one_folder(tmp_path):
    run = toys.run_config(epochs=1, eval_every=0.0, **ONE)
    with files.locked(tmp_path / "run", "held by the test"):
        with pytest.raises(
            UserError, match=r"another process trains in .*; wait for it to end, or give another"
        ):
            loop.run(run, tmp_path / "run", toys.toy_source(run))
        assert [path.name for path in (tmp_path / "run").iterdir()] == [".lock"]
    with files.locked(tmp_path / "run", "the lock ends with its holder"):
        pass
