"""Stopping a run politely."""

import os
import signal
import threading

import jax


class StopRequest:
    """SIGTERM and SIGINT ask the loop to finish its step, save and end.

    With several processes the signal must stop all of them at the same step: there JAX's own
    preemption service takes SIGTERM to the others, and SIGINT is turned into SIGTERM.
    """

    def __init__(self):
        self._asked, self._before, self._several = False, {}, jax.process_count() > 1

    def asked(self, count: int) -> bool:
        """Whether to stop before the step after `count`; with several processes all of them get the
        same answer.
        """
        if self._several:
            from jax.experimental import multihost_utils

            return multihost_utils.reached_preemption_sync_point(count)
        return self._asked

    def __enter__(self) -> "StopRequest":
        if threading.current_thread() is threading.main_thread():
            if self._several:
                self._before = {
                    signal.SIGINT: signal.signal(
                        signal.SIGINT, lambda *_: os.kill(os.getpid(), signal.SIGTERM)
                    )
                }
            else:
                self._before = {
                    s: signal.signal(s, self._ask) for s in (signal.SIGINT, signal.SIGTERM)
                }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, *_: object) -> None:
        self._asked = True
