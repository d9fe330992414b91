"""A streaming session: frames from a source to a log, a video, a window and a summary."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from jaxact.streaming.frame import Frame
from jaxact.streaming.processor import FrameResult, StreamProcessor
from jaxact.streaming.rendering import DisplayWindow, Renderer, VideoWriter
from jaxact.streaming.stream_log import StreamLog

SOURCE_ENDED = "the source ended"
# Stage -> the count of frames that its rate is measured in.
_STAGES = {
    "read": "frames",
    "pose": "looked_at",
    "decode": "looked_at",
    "follow": "looked_at",
    "recognise": "looked_at",
    "draw": "frames",
}


def run(
    frames: Iterable[Frame],
    processor: StreamProcessor,
    *,
    labels: Sequence[str] = (),
    log: StreamLog,
    video: VideoWriter | None = None,
    window: DisplayWindow | None = None,
    every: int = 1,
    report: Callable[[str], object] = lambda line: None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """Processes frames until the source ends, Ctrl-C is pressed, or the window is closed.

    Args:
        frames: frames of the source; its attribute `dropped`, if any, counts dropped frames.
        processor: processes each frame.
        labels: class names.
        log, video, window: outputs.
        every: frames between two that are processed; the others are drawn with the last result.
        report: is called with a line for each new prediction and each note.
        clock: seconds.

    Returns:
        The summary: `frames`, `looked_at` (processed frames), `dropped`, `notes`, `people`,
        `seconds`, `per_second` of all and of every stage, `anew` (what the network computes at
        every frame) and `ended` (why).
    """
    session = _Session(frames, processor, labels, log, report)
    renderer = Renderer(labels) if video or window else None
    start_time, ended, iterator = clock(), SOURCE_ENDED, iter(frames)
    try:
        while True:
            start = clock()
            frame = next(iterator, None)
            if frame is None:
                break
            session.seconds["read"] += clock() - start
            has_content = frame.image is not None or frame.poses is not None
            result = session.process(frame, has_content, every)
            session.counts["frames"] += has_content
            start = clock()
            if renderer is not None and has_content:
                image = renderer(frame.image, result, processor.layout)
                if video is not None:
                    video.add(image, frame.time)
                if window is not None and not window.show(image):
                    ended = "the window was closed"
                    break
            session.seconds["draw"] += clock() - start
    except KeyboardInterrupt:
        ended = "Ctrl-C"
    finally:
        if hasattr(iterator, "close"):
            iterator.close()  # pyright: ignore[reportAttributeAccessIssue]
    summary = session.summary(clock() - start_time) | {"ended": ended}
    log.event("end", None, **summary)
    return summary


class _Session:
    """Counts, timings and the last result of a session."""

    def __init__(
        self,
        frames: Iterable[Frame],
        processor: StreamProcessor,
        labels: Sequence[str],
        log: StreamLog,
        report: Callable[[str], object],
    ) -> None:
        self.counts: dict[str, int] = defaultdict(int)
        self.seconds: dict[str, float] = defaultdict(float)
        self._frames, self._processor, self._labels = frames, processor, labels
        self._log, self._report = log, report
        self._last_result: FrameResult | None = None
        self._reported: dict[int, int] = {}  # id -> the label that was reported last

    @property
    def _dropped(self) -> int:
        return getattr(self._frames, "dropped", 0)

    def process(self, frame: Frame, has_content: bool, every: int) -> FrameResult:
        """Processes and logs a frame, or returns the last result for a frame in between."""
        skip = self.counts["frames"] % every and has_content and not frame.note
        if self._last_result is not None and skip:
            return self._last_result
        result = self._processor.process(frame)
        self.counts["notes"] += len(result.notes)
        for note in result.notes:
            self._log.event("note", frame, what=note)
            self._report(f"{frame.time:8.2f} s  {note}")
        if has_content:
            self._last_result = result
            self.counts["looked_at"] += 1
            self._log.frame(result, self._dropped)
            self._report_predictions(result)
        return result

    def _report_predictions(self, result: FrameResult) -> None:
        """Reports the people whose predicted class changed."""
        active = self._processor.predicted_ids
        self._reported = {id: label for id, label in self._reported.items() if id in active}
        for person in result.people:
            prediction = person.prediction
            if prediction is None or prediction.label is None:
                continue
            label = prediction.label
            if self._reported.get(person.id) != label:
                self._reported[person.id] = label
                self._report(
                    f"{result.frame.time:8.2f} s  person {person.id}: {self._labels[label]}, "
                    f"{prediction.probabilities[label]:.2f}"
                )

    def summary(self, seconds: float) -> dict[str, Any]:
        """Returns the summary of `run`, without `ended`."""
        processor, counts = self._processor, self.counts
        counts["dropped"] = self._dropped
        stages = {**self.seconds, **processor.seconds}
        if processor.estimator is not None:
            stages |= processor.estimator.seconds
        rates = {"all": round(counts["frames"] / seconds, 1)}
        for stage, count in _STAGES.items():
            if stages.get(stage):
                rates[stage] = round(counts[count] / stages[stage], 1)
        classifier = processor.classifier
        return {
            **{name: counts[name] for name in ("frames", "looked_at", "dropped", "notes")},
            "people": processor.people_count,
            "seconds": round(seconds, 2),
            "per_second": rates,
            "anew": "" if classifier is None else classifier.work_per_frame,
        }


def summary_line(summary: Mapping[str, Any]) -> str:
    """Formats the summary of `run` as one line."""
    rates = dict(summary["per_second"])
    overall = rates.pop("all")
    stages = ", ".join(f"{stage} {rate:g}" for stage, rate in rates.items())
    people = f"{summary['people']} people" if summary["people"] else "nobody found"
    line = (
        f"{summary['frames']} frames ({summary['dropped']} dropped, "
        f"{summary['looked_at']} processed), {people} "
        f"in {summary['seconds']:g} s: {overall:g} frames/s ({stages})"
    )
    if summary["anew"]:
        line += f"; computed per frame: {summary['anew']}"
    return line
