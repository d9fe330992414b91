"""The thread that feeds devices."""

import threading
import time

import pytest

from jaxact.errors import UserError
from jaxact.pipeline.device_prefetch import to_devices


def feeder():
    return [thread for thread in threading.enumerate() if thread.name == "to_devices"]


def test_batches_reach_the_devices_in_order_and_the_thread_ends():
    assert list(to_devices(iter(range(20)), lambda batch: batch * 2)) == list(range(0, 40, 2))
    assert list(to_devices([], lambda batch: batch)) == []
    assert not feeder()


def test_no_more_batches_are_placed_ahead_than_asked_for():
    placed = []
    stream = to_devices(iter(range(100)), lambda batch: placed.append(batch) or batch, prefetch=3)
    for used in range(5):
        assert next(stream) == used
        time.sleep(0.02)
        assert used < len(placed) <= used + 4
    stream.close()
    assert not feeder()


@pytest.mark.parametrize("where", ["source", "place"])
def test_an_error_on_the_way_is_raised_where_its_batch_would_have_come(where):
    def source():
        yield from (0, 1)
        if where == "source":
            raise UserError("record 2 cannot be read")
        yield 2

    def place(batch):
        if batch == 2:
            raise UserError("batch 2 does not fit")
        return batch

    stream = to_devices(source(), place)
    assert [next(stream), next(stream)] == [0, 1]
    with pytest.raises(UserError, match=r"record 2 cannot be read|batch 2 does not fit"):
        next(stream)
    assert not feeder()


def test_closing_or_dropping_the_stream_ends_the_thread_and_closes_the_source():
    ended = []

    def endless():
        try:
            while True:
                yield 0
        finally:
            ended.append(True)

    stream = to_devices(endless(), lambda batch: batch)
    next(stream)
    stream.close()
    assert ended == [True]
    stream = to_devices(endless(), lambda batch: batch)
    next(stream)
    del stream
    assert ended == [True, True]
    assert not feeder()


def test_a_source_that_cannot_be_iterated_is_an_error_and_no_silence():
    with pytest.raises(TypeError):
        next(to_devices(None, lambda batch: batch))
