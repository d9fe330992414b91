"""Log of a stream: a line of JSON per frame and per event, and the lines of a finished log."""

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxact.errors import UserError
from jaxact.streaming.frame import Frame
from jaxact.streaming.processor import FrameResult, Person


class StreamLog:
    """Writes a line of JSON per frame and per event, flushed at once.

    A frame has `frame`, `time` (seconds), `dropped` (frames so far), `size` ([width, height]) and
    `people`. A person has `id`, `joints` ([x, y, score]; null where missing), `label` and
    `probability` (null where no class is predicted) and `top`, the most probable classes with their
    smoothed probabilities. An event has `event`, `frame`, `time`, and `what`.
    """

    def __init__(self, out: Any, labels: Sequence[str], top: int) -> None:
        """Stores where to write.

        Args:
            out: a text stream; None writes nothing.
            labels: class names.
            top: number of classes per person.
        """
        self._out, self._labels, self._top = out, labels, top

    def frame(self, result: FrameResult, dropped: int) -> None:
        """Writes a frame; `dropped` is the number of dropped frames so far."""
        height, width = result.size
        self._write(
            frame=result.frame.number,
            time=round(result.frame.time, 4),
            dropped=dropped,
            size=[width, height],
            people=[self._person(person) for person in result.people],
        )

    def event(self, kind: str, frame: Frame | None = None, **values: Any) -> None:
        """Writes an event, at a frame or without one."""
        position = {}
        if frame is not None:
            position = {"frame": frame.number, "time": round(frame.time, 4)}
        self._write(event=kind, **position, **values)

    def _person(self, person: Person) -> dict[str, Any]:
        joints = []
        for x, y, score in person.joints.tolist():
            joint = [round(x, 4), round(y, 4), round(score, 4)]
            joints.append(joint if score > 0 else None)
        values: dict[str, Any] = {"id": person.id, "joints": joints}
        values |= {"label": None, "probability": None, "top": []}
        prediction = person.prediction
        if prediction is not None:
            probabilities = [round(float(share), 4) for share in prediction.probabilities]
            if prediction.label is not None:
                values["label"] = self._labels[prediction.label]
                values["probability"] = probabilities[prediction.label]
            order = np.argsort(-prediction.probabilities, kind="stable")[: self._top].tolist()
            values["top"] = [[self._labels[index], probabilities[index]] for index in order]
        return values

    def _write(self, **content: Any) -> None:
        if self._out is not None:
            self._out.write(json.dumps(content, ensure_ascii=False) + "\n")
            self._out.flush()


@contextlib.contextmanager
def open_log(out: str) -> Iterator[Any]:
    """Opens the file of a log, replacing an older one; None for "", standard output for "-".

    Raises:
        UserError: it cannot be written.
    """
    if out == "":
        yield None
        return
    if out == "-":
        yield sys.stdout
        return
    try:
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        file = open(out, "w", encoding="utf-8")  # noqa: SIM115
    except OSError as error:
        raise UserError(f"cannot write {out!r}: {error.strerror}") from error
    with file:
        yield file


def read_log(log: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Reads the event `start` and the frames of a log.

    Raises:
        UserError: no log.
    """
    try:
        lines = Path(log).read_text(encoding="utf-8").splitlines()
        values = [json.loads(line) for line in lines]
    except OSError as error:
        raise UserError(f"cannot read the log {log!r}: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"{log!r} is no log of `jaxact stream --log`: {error}") from error
    start, frames = None, []
    for value in values:
        if not isinstance(value, dict):
            continue
        if start is None and value.get("event") == "start":
            start = value
        if {"frame", "people", "size", "time"} <= set(value):
            frames.append(value)
    if start is None or not {"source", "labels"} <= set(start):
        raise UserError(f"{log!r} is no log of `jaxact stream --log`: it has no event 'start'")
    return start, frames
