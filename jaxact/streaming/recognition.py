"""Recognition of a stream from Python: a source, a pose estimator and a network put together.

for result in jaxact.stream("clip.mp4", pose="mediapipe:pose.task", network="runs/online"):
    for person in result.people: ...
"""

import dataclasses
from collections.abc import Iterator

from jaxact.errors import UserError
from jaxact.runs import trained_model
from jaxact.streaming import online_classifier
from jaxact.streaming.frame_source import FrameSource, open_source
from jaxact.streaming.pose_estimator import PoseEstimator, open_pose_estimator
from jaxact.streaming.preprocessing import PosePreprocessor
from jaxact.streaming.processor import FrameResult, StreamProcessor


@dataclasses.dataclass(frozen=True, slots=True)
class Recognition:
    """Results of the frames of a source; iterate over it once.

    Attributes:
        source: frames of the source.
        processor: tracks people and predicts their actions.
        labels: class names, which `Person.prediction.label` is an index of; empty without a
            network.
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
    network: str | None = None,
    size: tuple[int, int] | None = None,
    persons: int = 8,
    smooth: float = 0.8,
    smooth_joints: bool = True,
    window_seconds: float | None = None,
    pairs: bool | None = None,
    carry: bool = False,
    fps: float = 30.0,
    patience: float = 60.0,
) -> Recognition:
    """Opens a source and loads the networks that process its frames.

    Args:
        source: a file, a folder of images or of OpenPose's JSON files, the number of a camera, a
            URL, or "-" for JSON on standard input.
        pose: pose estimator: the workdir of a pose network's run, "mediapipe:FILE.task" or
            "onnx:FILE.onnx"; not needed for a source of poses.
        network: workdir of a skeleton classifier's run, or "ready:NAME"; None only tracks people.
        size: height and width in pixels of the images that poses of the source were estimated in.
        persons: largest number of classified people: those who move and fill the picture.
        smooth: weight of the running average of probabilities after 1/30 s, from 0 to below 1.
        smooth_joints: whether the joints of images are smoothed over time.
        window_seconds: seconds of the stream that the network reads at once, for a network whose
            clips are resampled; None takes the run's `clip.seconds`, or else `clip.frames` at
            `clip.fps`.
        pairs: whether two people are classified together; None where the network reads two.
        carry: whether a recogniser keeps its state and reads each frame once, instead of reading
            every window again.
        fps: frames per second of images and poses in a folder.
        patience: seconds for which an interrupted camera or URL is reopened.

    Raises:
        UserError: no such source or run, a source of images without `pose`, or a network that does
            not read skeletons of this layout.
    """
    frames = open_source(source, fps=fps, patience=patience)
    if not frames.has_poses and not pose:
        raise UserError(
            "images need a pose estimator, --pose: the --workdir of a run of the model 'pose', "
            "mediapipe:FILE.task or onnx:FILE.onnx"
        )
    net = None
    if network:
        net = load_network(network)
    estimator = None
    if pose and not frames.has_poses:
        estimator = open_pose_estimator(pose, video=True)
    processor = make_processor(
        estimator=estimator,
        net=net,
        persons=persons,
        smooth=smooth,
        smooth_joints=smooth_joints,
        window_seconds=window_seconds,
        pairs=pairs,
        carry=carry,
        size=size,
    )
    labels: tuple[str, ...] = ()
    if net is not None:
        labels = tuple(net.labels)
    return Recognition(frames, processor, labels)


def load_network(run: str) -> trained_model.TrainedModel:
    """Loads a skeleton classifier.

    Raises:
        UserError: no such run, or its network reads no skeletons.
    """
    kind = trained_model.input_kind(run)
    if kind != "skeleton":
        raise UserError(f"--recogniser wants a run that reads skeletons; {run!r} reads {kind}s")
    return trained_model.load(run)


def make_processor(
    *,
    estimator: PoseEstimator | None,
    net: trained_model.TrainedModel | None,
    persons: int = 8,
    smooth: float = 0.8,
    smooth_joints: bool = True,
    window_seconds: float | None = None,
    pairs: bool | None = None,
    carry: bool = False,
    size: tuple[int, int] | None = None,
) -> StreamProcessor:
    """Builds the processor of a stream's frames, and resets the estimator.

    Args:
        estimator: estimates poses in images; None where the source holds poses.
        net: a skeleton classifier; None only tracks people.
        persons, smooth, smooth_joints, window_seconds, pairs, carry, size: see `open_recognition`.

    Raises:
        UserError: the network does not read poses of this layout, or not in a stream.
    """
    preprocessor = classifier = None
    together = False
    if net is not None:
        preprocessor = PosePreprocessor(
            net.layout, net.channels, dataclasses.asdict(net.config.clip)
        )
        preprocessor.check(stateful=online_classifier.is_stateful(net, carry))
        if estimator is not None:
            preprocessor.check_layout(estimator.layout)
        slots = net.config.clip.persons
        together = _classifies_pairs(slots, persons, pairs)
        classifier = online_classifier.build(net, preprocessor, carry=carry, seconds=window_seconds)
    if estimator is not None:
        estimator.reset()
    return StreamProcessor(
        estimator=estimator,
        classifier=classifier,
        preprocessor=preprocessor,
        size=size,
        persons=persons,
        pairs=together,
        keep=smooth,
        smooth_joints=smooth_joints,
    )


def _classifies_pairs(slots: int, persons: int, pairs: bool | None) -> bool:
    """Whether two people are classified together.

    Args:
        slots: people whom the network reads.
        persons: largest number of classified people.
        pairs: what the user wants; None where the network reads two.

    Raises:
        UserError: the network reads one person.
    """
    if pairs and slots < 2:
        raise UserError(
            "--pairs is for networks that read two people, but this one reads clip.persons=1"
        )
    if pairs is None:
        return slots == 2 and persons > 1
    return pairs
