"""The whole way from a source to a log, a film and a summary."""

import contextlib
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxact.errors import UserError
from jaxact.streaming.frame import Shot
from jaxact.streaming.processor import Person, Seen, Watcher
from jaxact.streaming.rendering import Film, Painter, Window


class Log:
    """JSON, a line for each frame and for each event, on the disk as soon as it is written.

    A frame: `frame`, `time` (seconds), `dropped` (frames so far), `size` ([width, height]) and
    `people`, each with `id`, `joints` ([x, y, score]; null where missing), `label` and
    `probability` (null where nothing is said) and `top`, the likeliest classes with their smoothed
    probabilities. An event: `event`, `frame`, `time`, and `what`. Written to a text stream, or
    nowhere.
    """

    def __init__(self, out: Any, labels: Sequence[str], top: int) -> None:
        self._out, self._labels, self._top = out, labels, top

    def frame(self, seen: Seen, dropped: int) -> None:
        """One frame."""
        height, width = seen.size
        self._write(
            frame=seen.shot.number,
            time=round(seen.shot.time, 4),
            dropped=dropped,
            size=[width, height],
            people=[self._person(person) for person in seen.people],
        )

    def event(self, kind: str, shot: Shot | None = None, **more: Any) -> None:
        """Something that happened, at a frame or without one."""
        place = {} if shot is None else {"frame": shot.number, "time": round(shot.time, 4)}
        self._write(event=kind, **place, **more)

    def _person(self, person: Person) -> dict[str, Any]:
        joints = [
            [round(value, 4) for value in joint] if joint[2] > 0 else None
            for joint in person.joints.tolist()
        ]
        about = {"id": person.id, "joints": joints}
        if (said := person.said) is None:
            return about | {"label": None, "probability": None, "top": []}
        likely = np.argsort(-said.probabilities, kind="stable")[: self._top].tolist()
        shares = [round(float(share), 4) for share in said.probabilities]
        return about | {
            "label": None if said.label is None else self._labels[said.label],
            "probability": None if said.label is None else shares[said.label],
            "top": [[self._labels[name], shares[name]] for name in likely],
        }

    def _write(self, **content: Any) -> None:
        if self._out is not None:
            self._out.write(json.dumps(content, ensure_ascii=False) + "\n")
            self._out.flush()


@contextlib.contextmanager
def opened(out: str) -> Iterator[Any]:
    """The file of a log: none for "", standard output for "-"; an older one is begun anew.

    Raises:
      UserError: it cannot be written.
    """
    if out in ("", "-"):
        yield sys.stdout if out else None
        return
    try:
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        file = open(out, "w", encoding="utf-8")  # noqa: SIM115
    except OSError as error:
        raise UserError(f"cannot write {out!r}: {error.strerror}") from error
    with file:
        yield file


def run(
    shots: Iterable[Shot],
    watcher: Watcher,
    *,
    labels: Sequence[str] = (),
    log: Log,
    film: Film | None = None,
    window: Window | None = None,
    every: int = 1,
    tell: Callable[[str], object] = lambda line: None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """Watches until the source ends, Ctrl-C is pressed, or the window is closed.

    Args:
      shots: of the source; `dropped` of it is how many it left out.
      watcher: what is done with a frame.
      labels: names of the classes.
      log, film, window: where it goes.
      every: frames between those that are looked at; the film has the others too, with what was
          seen last.
      tell: is given a line when somebody is said to do something else, and for every note.
      clock: seconds.

    Returns:
      The summary: `frames`, `looked_at`, `dropped`, `notes`, `people`, `seconds`, `per_second` of
      all and of every stage, `anew` (what of the network is computed at every frame) and `ended`
      (why).
    """
    seconds: dict[str, float] = defaultdict(float)
    painter = Painter(labels) if film or window else None
    begun, told, last = clock(), {}, None
    counts: dict[str, int] = defaultdict(int)
    ended, iterator = "the source ended", iter(shots)
    try:
        while True:
            start = clock()
            if (shot := next(iterator, None)) is None:
                break
            seconds["read"] += clock() - start
            whole = shot.picture is not None or shot.people is not None
            if last is not None and whole and counts["frames"] % every and not shot.note:
                seen = last
            else:
                seen = watcher.see(shot)
                counts["notes"] += len(seen.notes)
                for note in seen.notes:
                    log.event("note", shot, what=note)
                    tell(f"{shot.time:8.2f} s  {note}")
                if whole:
                    last = seen
                    counts["looked_at"] += 1
                    log.frame(seen, getattr(shots, "dropped", 0))
                    told = _told(seen, told, watcher.known, labels, tell)
            counts["frames"] += whole
            start = clock()
            if painter is not None and whole:
                picture = painter(shot.picture, seen, watcher.layout)
                if film is not None:
                    film.add(picture, shot.time)
                if window is not None and not window.show(picture):
                    ended = "the window was closed"
                    break
            seconds["draw"] += clock() - start
    except KeyboardInterrupt:
        ended = "Ctrl-C"
    finally:
        getattr(iterator, "close", lambda: None)()
    counts["dropped"] = getattr(shots, "dropped", 0)
    spent = {**seconds, **watcher.seconds, **(watcher.find.seconds if watcher.find else {})}
    summary = _summary(counts, spent, clock() - begun, watcher) | {"ended": ended}
    log.event("end", None, **summary)
    return summary


def _summary(
    counts: Mapping[str, int], spent: Mapping[str, float], seconds: float, watcher: Watcher
) -> dict[str, Any]:
    """What `run` returns, from the seconds spent on each stage."""
    done = {"read": "frames", "pose": "looked_at", "decode": "looked_at", "follow": "looked_at"}
    done |= {"recognise": "looked_at", "draw": "frames"}
    rates = {
        stage: counts[which] / spent[stage] for stage, which in done.items() if spent.get(stage)
    }
    return {
        **{name: counts[name] for name in ("frames", "looked_at", "dropped", "notes")},
        "people": watcher.met,
        "seconds": round(seconds, 2),
        "per_second": {
            name: round(rate, 1)
            for name, rate in {"all": counts["frames"] / seconds, **rates}.items()
        },
        "anew": "" if watcher.network is None else watcher.network.anew,
    }


def sentence(summary: Mapping[str, Any]) -> str:
    """The summary in a line."""
    rates = dict(summary["per_second"])
    overall = rates.pop("all")
    stages = ", ".join(f"{stage} {rate:g}" for stage, rate in rates.items())
    text = (
        f"{summary['frames']} frames ({summary['dropped']} dropped, {summary['looked_at']} looked at), "
        f"{summary['people']} people in {summary['seconds']:g} s: {overall:g} frames/s ({stages})"
    )
    return text + (f"; per frame anew: {summary['anew']}" if summary["anew"] else "")


def _told(
    seen: Seen,
    before: Mapping[int, int],
    known: Collection[int],
    labels: Sequence[str],
    tell: Callable[[str], object],
) -> dict[int, int]:
    """Tells what is new of those who are in the frame; returns what has been told of all who are
    known.
    """
    told = {name: label for name, label in before.items() if name in known}
    for person in seen.people:
        label = None if person.said is None else person.said.label
        if label is not None and person.said is not None and told.get(person.id) != label:
            told[person.id] = label
            tell(
                f"{seen.shot.time:8.2f} s  person {person.id}: {labels[label]}, {person.said.probabilities[label]:.2f}"
            )
    return told
