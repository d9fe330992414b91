"""Batches of arrays in memory."""

import numpy as np
import pytest

from jaxact.errors import UserError
from jaxact.pipeline import arrays

COUNT = 11
INPUTS = np.random.default_rng(0).normal(size=(COUNT, 3, 2, 5, 3)).astype(np.float32)
TARGETS = np.arange(COUNT)


def train(steps, **options):
    source = arrays.train_batches_from_arrays(
        INPUTS, TARGETS, **{"batch_size": 4, "seed": 3, **options}
    )
    return [next(source) for _ in range(steps)]


def test_every_epoch_has_every_example_once_with_its_own_target():
    steps = train(COUNT * 3)
    order = np.concatenate([batch["targets"] for batch in steps]).reshape(-1, COUNT)
    assert all(sorted(epoch) == list(range(COUNT)) for epoch in order)
    assert len({tuple(epoch) for epoch in order}) == len(order)
    for batch in steps:
        np.testing.assert_array_equal(batch["inputs"], INPUTS[batch["targets"]])
        assert batch["targets"].dtype == np.int32


@pytest.mark.parametrize("start_step", [1, 2, 3, 40])
def test_starting_at_a_step_equals_running_there(start_step):
    resumed, uninterrupted = train(4, start_step=start_step), train(start_step + 4)[start_step:]
    for first, second in zip(resumed, uninterrupted, strict=True):
        np.testing.assert_array_equal(first["targets"], second["targets"])
        np.testing.assert_array_equal(first["inputs"], second["inputs"])


def test_the_order_depends_on_the_seed():
    assert not np.array_equal(train(1)[0]["targets"], train(1, seed=4)[0]["targets"])


def test_processes_take_parts_of_the_same_batches():
    whole = train(6)
    halves = [train(6, process_index=index, process_count=2) for index in range(2)]
    for batch, first, second in zip(whole, *halves, strict=True):
        np.testing.assert_array_equal(
            batch["targets"], np.concatenate([first["targets"], second["targets"]])
        )


@pytest.mark.parametrize("batch_size", [1, 4, 11, 20])
@pytest.mark.parametrize("processes", [1, 2, 3])
def test_evaluation_counts_every_example_exactly_once(batch_size, processes):
    examples, lengths = [], set()
    for index in range(processes):
        share = {"process_index": index, "process_count": processes}
        part = list(
            arrays.eval_batches_from_arrays(
                INPUTS, TARGETS, batch_size=batch_size * processes, **share
            )
        )
        lengths.add(len(part))
        for batch in part:
            assert batch["inputs"].shape == (batch_size, 1, 3, 2, 5, 3)
            np.testing.assert_array_equal(
                batch["inputs"][batch["mask"], 0], INPUTS[batch["targets"][batch["mask"]]]
            )
            assert not batch["inputs"][~batch["mask"]].any()
            examples += batch["id"][batch["mask"]].tolist()
    assert sorted(examples, key=int) == [str(number) for number in range(COUNT)]
    assert len(lengths) == 1


def test_classes_ids_and_views():
    views = np.stack([INPUTS, INPUTS + 1], axis=1)
    names = [f"clip {number}" for number in range(COUNT)]
    (batch,) = arrays.eval_batches_from_arrays(
        views, TARGETS, batch_size=4, ids=names, classes={2, 7}
    )
    assert batch["id"].tolist() == ["clip 2", "clip 7", "", ""]
    assert batch["mask"].tolist() == [True, True, False, False]
    np.testing.assert_array_equal(batch["inputs"][:2], views[[2, 7]])


def test_arrays_that_do_not_fit_are_refused_before_the_first_batch():
    with pytest.raises(UserError, match="11 inputs were given with 10 targets"):
        arrays.train_batches_from_arrays(INPUTS, TARGETS[:10], batch_size=4, seed=0)
    with pytest.raises(UserError, match="the arrays are empty"):
        arrays.train_batches_from_arrays(INPUTS[:0], TARGETS[:0], batch_size=4, seed=0)
    with pytest.raises(UserError, match="batch_size 4 does not divide over 3 processes"):
        arrays.train_batches_from_arrays(INPUTS, TARGETS, batch_size=4, seed=0, process_count=3)
    with pytest.raises(UserError, match="2 ids were given for 11 examples"):
        arrays.eval_batches_from_arrays(INPUTS, TARGETS, batch_size=4, ids=["a", "b"])
    with pytest.raises(UserError, match=r"none of the 11 examples has a label among \[44\]"):
        arrays.eval_batches_from_arrays(INPUTS, TARGETS, batch_size=4, classes=[44])
