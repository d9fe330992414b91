"""A few moments of what was recognised, out of a log of `jaxact stream` and the video that it
watched (Figure 5).
"""

import collections
import json
from pathlib import Path
from typing import Any

import numpy as np

from jaxact.errors import UserError
from jaxact.plots.keyframes import Row
from jaxact.streaming.frame_source import open_source
from jaxact.streaming.openpose_source import LAYOUTS
from jaxact.streaming.processor import Person, Seen
from jaxact.streaming.rendering import Painter
from jaxact.streaming.smoothing import Said


def moments(log: str, *, video: str | None = None, count: int = 4) -> Row:
    """Pictures of a log's video with the skeletons and classes that the log holds, evenly over what
    was recognised.

    Args:
      log: what `--log` wrote.
      video: the pictures; None is the source that the log names.
      count: pictures.

    Raises:
      UserError: no log, nobody in it, or a video without its frames.
    """
    start, frames = _read(log)
    labels = start["labels"]
    there = [frame for frame in frames if frame["people"]]
    named = [frame for frame in there if any(each["label"] for each in frame["people"])] or there
    if not named:
        raise UserError(
            f"the log {log!r} has nobody in its {len(frames)} frames, so that there is nothing to draw"
        )
    places = np.unique(np.linspace(0, len(named) - 1, min(count, len(named))).round().astype(int))
    wanted = {named[place]["frame"]: named[place] for place in places}
    painter, pictures, seconds = Painter(labels), [], []
    for shot in open_source(video or start["source"], fps=25.0, patience=0.0).shots:
        if shot.picture is not None and shot.number in wanted:
            people = [_person(each, labels) for each in wanted[shot.number]["people"]]
            width, height = wanted[shot.number]["size"]
            size = shot.picture.shape[:2] if (height, width) == (1, 1) else (height, width)
            layout = LAYOUTS[len(people[0].joints)]
            pictures.append(painter(shot.picture, Seen(shot, size, people, ()), layout))
            seconds.append(wanted[shot.number]["time"])
        if shot.number >= max(wanted):
            break
    if len(pictures) < len(wanted):
        raise UserError(
            f"{video or start['source']!r} has {len(pictures)} of the {len(wanted)} pictures that the log {log!r} "
            "wants; give the video that was watched, --videos FILE"
        )
    said = collections.Counter(
        each["label"] for frame in named for each in frame["people"] if each["label"]
    )
    return Row(said.most_common(1)[0][0] if said else Path(log).stem, pictures, seconds)


def _read(log: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The event `start` and the frames."""
    try:
        rows = Path(log).read_text(encoding="utf-8").splitlines()
        lines = [json.loads(row) for row in rows]
    except OSError as error:
        raise UserError(f"cannot read the log {log!r}: {error.strerror}") from error
    except ValueError as error:
        raise UserError(f"{log!r} is no log of `jaxact stream --log`: {error}") from error
    known = [line for line in lines if isinstance(line, dict)]
    start = next((line for line in known if line.get("event") == "start"), None)
    if start is None or not {"source", "labels"} <= set(start):
        raise UserError(f"{log!r} is no log of `jaxact stream --log`: it has no event 'start'")
    return start, [line for line in known if {"frame", "people", "size", "time"} <= set(line)]


def _person(about: dict[str, Any], labels: list[str]) -> Person:
    joints = np.array([joint or (0, 0, 0) for joint in about["joints"]], np.float32)
    if about["label"] is None:
        return Person(about["id"], joints, None)
    chances = np.zeros(len(labels))
    chances[labels.index(about["label"])] = about["probability"]
    return Person(about["id"], joints, Said(chances, labels.index(about["label"])))
