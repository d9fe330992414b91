"""Batches to devices, ahead of their use. Needs neither TensorFlow nor JAX: where they go is the
caller's function.
"""

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, TypeVar

Placed = TypeVar("Placed")


def to_devices(
    batches: Iterable[Mapping[str, Any]], place: Callable[[Any], Placed], prefetch: int = 2
) -> Generator[Placed, None, None]:
    """Places batches on the devices ahead of their use, in a thread of its own.

    An exception of `batches` or `place` is raised where its batch would have come. Closing the
    iterator, or dropping it, ends the thread.

    Args:
      place: from a batch to arrays on devices, e.g. `Placement.shard_train`.
      prefetch: batches on the devices that wait for their use.
    """
    room, ready = threading.Semaphore(prefetch), queue.SimpleQueue()
    closed = threading.Event()

    def work() -> None:
        source = None
        try:
            source = iter(batches)
            while room.acquire() and not closed.is_set():
                ready.put((place(next(source)), None))
        except StopIteration:
            ready.put((None, None))
        except BaseException as error:  # the consumer raises it
            ready.put((None, error))
        finally:
            getattr(source, "close", lambda: None)()

    thread = threading.Thread(target=work, name="to_devices", daemon=True)
    thread.start()
    try:
        while True:
            batch, error = ready.get()
            if error is not None:
                raise error
            if batch is None:
                return
            room.release()
            yield batch
    finally:
        closed.set()
        room.release()
        thread.join()
