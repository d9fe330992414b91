"""Stopping a run on a signal, after its current step."""

import os
import signal
import threading
from typing import Any

import jax


class StopRequest:
    """A context in which SIGTERM and SIGINT ask the training loop to save and end.

    With several processes the signal must stop all of them at the same step: JAX's own preemption
    service passes SIGTERM on to the other processes, and SIGINT is turned into SIGTERM.
    """

    def __init__(self):
        self._requested = False
        self._multiprocess = jax.process_count() > 1
        self._previous_handlers: dict[int, Any] = {}

    def requested(self, step: int) -> bool:
        """Whether to stop after `step`; all processes get the same answer."""
        if self._multiprocess:
            from jax.experimental import multihost_utils

            return multihost_utils.reached_preemption_sync_point(step)
        return self._requested

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is not threading.main_thread():
            return self
        if self._multiprocess:
            self._handle(signal.SIGINT, _send_sigterm)
        else:
            self._handle(signal.SIGINT, self._request)
            self._handle(signal.SIGTERM, self._request)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)

    def _handle(self, number: int, handler: Any) -> None:
        self._previous_handlers[number] = signal.signal(number, handler)

    def _request(self, *_: object) -> None:
        self._requested = True


def _send_sigterm(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
