"""Recognition of a stream from Python: a source, a pose network and a recogniser put together.

for result in jaxact.stream("clip.mp4", pose="runs/pose", recogniser="runs/online"):
    for person in result.people: ...
"""

import dataclasses
from collections.abc import Iterator
from typing import Any

from jaxact.errors import UserError
from jaxact.runs import trained_model
from jaxact.streaming import online_classifier
from jaxact.streaming.frame_source import FrameSource, open_source
from jaxact.streaming.pose_estimator import PoseNetEstimator
from jaxact.streaming.preprocessing import PosePreprocessor
from jaxact.streaming.processor import FrameResult, StreamProcessor


@dataclasses.dataclass(frozen=True, slots=True)
class Recognition:
    """Results of the frames of a source; iterate over it once.

    Attributes:
        source: frames of the source.
        processor: tracks people and predicts their actions.
        labels: class names, which `Person.prediction.label` is an index of; empty without a
            recogniser.
    """

    source: FrameSource
    processor: StreamProcessor
    labels: tuple[str, ...]

    def __iter__(self) -> Iterator[FrameResult]:
        for frame in self.source.frames:
            yield self.processor.process(frame)


def open_recognition(
    source: str,
    *,
    pose: str | None = None,
    recogniser: str | None = None,
    size: tuple[int, int] | None = None,
    persons: int = 8,
    smooth: float = 0.8,
    carry: bool = False,
    fps: float = 30.0,
    patience: float = 60.0,
) -> Recognition:
    """Opens a source and loads the networks that process its frames.

    Args:
        source: a file, a folder of images or of OpenPose's JSON files, the number of a camera, a
            URL, or "-" for JSON on standard input.
        pose: workdir of a pose network's run; not needed for a source of poses.
        recogniser: workdir of a skeleton classifier's run; None only tracks people.
        size: height and width in pixels of the images that poses of the source were estimated in.
        persons: largest number of classified people.
        smooth: weight of the running average of probabilities, from 0 to below 1.
        carry: whether a recogniser keeps its state and reads each frame once, instead of reading
            every window again.
        fps: frames per second of images and poses in a folder.
        patience: seconds for which an interrupted camera or URL is reopened.

    Raises:
        UserError: no such source or run, a source of images without `pose`, or a recogniser that
            does not read skeletons of this layout.
    """
    frames = open_source(source, fps=fps, patience=patience)
    if not frames.has_poses and not pose:
        raise UserError(
            "images need a pose network: --pose RUN, the --workdir of a run of the model 'pose'"
        )
    preprocessor = classifier = estimator = None
    labels: tuple[str, ...] = ()
    if recogniser:
        net, preprocessor = _load_recogniser(recogniser, carry, has_poses=frames.has_poses)
        classifier = online_classifier.build(net, preprocessor, carry=carry)
        labels = tuple(net.labels)
    if pose and not frames.has_poses:
        estimator = PoseNetEstimator(trained_model.load(pose, classifier=False))
    processor = StreamProcessor(
        estimator=estimator,
        classifier=classifier,
        preprocessor=preprocessor,
        size=size,
        persons=persons,
        keep=smooth,
    )
    return Recognition(frames, processor, labels)


def _load_recogniser(run: str, carry: bool, *, has_poses: bool) -> tuple[Any, PosePreprocessor]:
    """Loads a recogniser and the preprocessor of its input."""
    kind = trained_model.input_kind(run)
    if kind != "skeleton":
        raise UserError(f"--recogniser wants a run that reads skeletons; {run!r} reads {kind}s")
    net = trained_model.load(run)
    preprocessor = PosePreprocessor(net.layout, net.channels, dataclasses.asdict(net.config.clip))
    preprocessor.check(stateful=online_classifier.is_stateful(net, carry))
    if not has_poses:
        preprocessor.check_layout(PoseNetEstimator.layout)
    return net, preprocessor
