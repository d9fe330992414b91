"""Key frames of a stream's log, drawn on the images of its video (Figure 5)."""

import collections
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxact.errors import UserError
from jaxact.plots.keyframes import KeyframeRow
from jaxact.streaming.frame_source import open_source
from jaxact.streaming.openpose_source import LAYOUTS
from jaxact.streaming.processor import FrameResult, Person
from jaxact.streaming.rendering import Renderer
from jaxact.streaming.smoothing import SmoothedPrediction
from jaxact.streaming.stream_log import read_log


def select_keyframes(log: str, *, video: str | None = None, count: int = 4) -> KeyframeRow:
    """Draws key frames of a log, evenly over the frames with a predicted class.

    Args:
        log: the file of `--log`.
        video: the video; None for the source that the log names.
        count: number of key frames.

    Raises:
        UserError: no log, no people in it, or a video without its frames.
    """
    start, logged_frames = read_log(log)
    labels, source = start["labels"], video or start["source"]
    candidates = _candidates(log, logged_frames)
    index = np.linspace(0, len(candidates) - 1, min(count, len(candidates))).round().astype(int)
    keyframes = {candidates[i]["frame"]: candidates[i] for i in np.unique(index)}
    renderer, images, seconds = Renderer(labels), [], []
    for frame in open_source(source, fps=25.0, patience=0.0).frames:
        logged = keyframes.get(frame.number)
        if frame.image is not None and logged is not None:
            people = [_to_person(person, labels) for person in logged["people"]]
            width, height = logged["size"]
            size = (height, width) if (height, width) != (1, 1) else frame.image.shape[:2]
            layout = LAYOUTS[len(people[0].joints)]
            images.append(renderer(frame.image, FrameResult(frame, size, people, ()), layout))
            seconds.append(logged["time"])
        if frame.number >= max(keyframes):
            break
    if len(images) < len(keyframes):
        raise UserError(
            f"{source!r} has {len(images)} of the {len(keyframes)} images that the log {log!r} "
            "needs; give the video that was streamed, --videos FILE"
        )
    title = _most_common_label(candidates) or Path(log).stem
    return KeyframeRow(title, images, seconds)


def _candidates(log: str, frames: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the frames with a predicted class, or else those with people."""
    occupied = [frame for frame in frames if frame["people"]]
    if not occupied:
        raise UserError(f"the log {log!r} has no people in its {len(frames)} frames")
    labelled = []
    for frame in occupied:
        if any(person["label"] for person in frame["people"]):
            labelled.append(frame)
    return labelled or occupied


def _most_common_label(frames: Sequence[Mapping[str, Any]]) -> str | None:
    counts: collections.Counter[str] = collections.Counter()
    for frame in frames:
        for person in frame["people"]:
            if person["label"]:
                counts[person["label"]] += 1
    return counts.most_common(1)[0][0] if counts else None


def _to_person(values: Mapping[str, Any], labels: Sequence[str]) -> Person:
    joints = np.array([joint or (0, 0, 0) for joint in values["joints"]], np.float32)
    if values["label"] is None:
        return Person(values["id"], joints, None)
    label = labels.index(values["label"])
    probabilities = np.zeros(len(labels))
    probabilities[label] = values["probability"]
    return Person(values["id"], joints, SmoothedPrediction(probabilities, label))
