"""Progress of long work: a bar with rate and time left on a terminal, plain log lines elsewhere."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def log(message: str) -> None:
    """One plain line on standard error."""
    print(message, file=sys.stderr, flush=True)


def track(
    items: Iterable[T], *, total: int | None, what: str, unit: str = "it", every: float = 30.0
) -> Iterator[T]:
    """Yields `items` and shows how far along it is.

    Args:
        total: number of items, where known.
        what: what is being done ("parsing"), in the words of a log line.
        unit: what one item is ("clips").
        every: seconds between log lines where standard error is not a terminal; the first comes
          after two seconds.
    """
    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(
            items,
            total=total,
            desc=what,
            unit=f" {unit}",
            delay=2.0,
            dynamic_ncols=True,
            leave=False,
        )
        return
    start = time.monotonic()
    due = start + 2.0
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        if now >= due:
            due = now + every
            rate = done / (now - start)
            left = f", {(total - done) / rate:.0f} s left" if total else ""
            log(f"{what}: {done}{f'/{total}' if total else ''} {unit}, {rate:.1f} {unit}/s{left}")


class Bar:
    """A bar for a loop that is not a plain iteration: a training run that starts at step 1200,
    say.
    """

    def __init__(self, *, total: int, start: int, what: str, unit: str, quiet: bool = False):
        """Opens at `start` of `total`; `quiet` shows and logs nothing (every process but the
        first).
        """
        self._quiet = quiet
        self._bar = None
        if sys.stderr.isatty() and not quiet:
            from tqdm import tqdm

            self._bar = tqdm(
                total=total, initial=start, desc=what, unit=f" {unit}", dynamic_ncols=True
            )

    def advance(self) -> None:
        """One unit done."""
        if self._bar is not None:
            self._bar.update()

    def note(self, message: str) -> None:
        """A line of log that does not tear the bar."""
        if self._bar is not None:
            self._bar.write(message, file=sys.stderr)
        elif not self._quiet:
            log(message)

    def close(self) -> None:
        """Ends the bar; its last state stays on the screen."""
        if self._bar is not None:
            self._bar.close()
