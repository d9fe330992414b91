"""Prefetching of batches to devices. Needs neither TensorFlow nor JAX."""

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, TypeVar

Placed = TypeVar("Placed")


def to_devices(
    batches: Iterable[Mapping[str, Any]], place: Callable[[Any], Placed], prefetch: int = 2
) -> Generator[Placed, None, None]:
    """Places batches on the devices before they are needed, in a separate thread.

    An exception of `batches` or `place` is raised in place of its batch. Closing or deleting the
    iterator ends the thread.

    Args:
        batches: batches on the host.
        place: function from a batch to arrays on devices, e.g. `Placement.shard_train`.
        prefetch: number of batches that wait on the devices.
    """
    free_slots = threading.Semaphore(prefetch)
    ready = queue.SimpleQueue()
    closed = threading.Event()

    def work() -> None:
        source = None
        try:
            source = iter(batches)
            while free_slots.acquire() and not closed.is_set():
                ready.put((place(next(source)), None))
        except StopIteration:
            ready.put((None, None))
        except BaseException as error:  # the consumer raises it
            ready.put((None, error))
        finally:
            close = getattr(source, "close", None)
            if close is not None:
                close()

    thread = threading.Thread(target=work, name="to_devices", daemon=True)
    thread.start()
    try:
        while True:
            batch, error = ready.get()
            if error is not None:
                raise error
            if batch is None:
                return
            free_slots.release()
            yield batch
    finally:
        closed.set()
        free_slots.release()
        thread.join()
