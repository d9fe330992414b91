"""Processing of one frame: poses, ids and predicted actions of everybody in it.

    Frame -> pose estimation (or poses of the source) -> tracking -> classification -> smoothing
        -> FrameResult

A person's state is dropped with their track. There are at most `MAX_TRACKS` tracks.
"""

import dataclasses
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence

import numpy as np
from jaxtyping import Float

from jaxact.errors import UserError
from jaxact.skeletons import get_layout
from jaxact.skeletons.tracking import Tracks, update_tracks
from jaxact.streaming.frame import Frame
from jaxact.streaming.online_classifier import OnlineClassifier
from jaxact.streaming.openpose_source import LAYOUTS
from jaxact.streaming.pose_estimator import PoseEstimator
from jaxact.streaming.preprocessing import PosePreprocessor
from jaxact.streaming.smoothing import SmoothedPrediction, smooth

MAX_TRACKS = 64  # tracked people, including those out of sight
MAX_SHARE = 2.0  # coordinates up to here are shares of the image, larger ones are pixels


@dataclasses.dataclass(frozen=True, slots=True)
class Person:
    """A person in a frame.

    Attributes:
        id: id of their track.
        joints: x and y in pixels, or in shares of the image where its size is unknown, and the
            score; zero where missing.
        prediction: smoothed probabilities and class; None without a classifier, or for a person
            who is not classified.
    """

    id: int
    joints: Float[np.ndarray, "v 3"]
    prediction: SmoothedPrediction | None


@dataclasses.dataclass(frozen=True, slots=True)
class FrameResult:
    """Result of a frame.

    Attributes:
        frame: the frame.
        size: height and width of the image that joints are measured in; (1, 1) where unknown.
        people: the people in the frame, by id.
        notes: problems and changes.
    """

    frame: Frame
    size: tuple[int, int]
    people: Sequence[Person]
    notes: Sequence[str]


@dataclasses.dataclass(kw_only=True)
class StreamProcessor:
    """Tracks people through frames and predicts their actions.

    Attributes:
        estimator: estimates poses in images; None where the source holds poses.
        classifier: predicts actions; None for tracking only.
        preprocessor: computes the classifier's input.
        size: height and width of the image that poses of the source were estimated in, if known.
        persons: most people who are classified; those with the oldest tracks.
        keep: see `smooth`.
        patience: frames for which a person out of sight is tracked.
        clock: seconds.
        layout: layout of the joints; "" until poses of the source have been read.
        seconds: total time of each stage.
    """

    estimator: PoseEstimator | None = None
    classifier: OnlineClassifier | None = None
    preprocessor: PosePreprocessor | None = None
    size: tuple[int, int] | None = None
    persons: int = 8
    keep: float = 0.8
    patience: int = 30
    clock: Callable[[], float] = time.perf_counter

    def __post_init__(self) -> None:
        self.layout = "" if self.estimator is None else self.estimator.layout
        self.seconds: dict[str, float] = defaultdict(float)
        self._tracks = Tracks()
        self._predictions: dict[int, SmoothedPrediction] = {}
        self._crowded = False

    @property
    def people_count(self) -> int:
        """Number of different people so far."""
        return self._tracks.next_id

    @property
    def predicted_ids(self) -> Collection[int]:
        """Ids of the people who have a prediction."""
        return self._predictions.keys()

    def process(self, frame: Frame) -> FrameResult:
        """Processes the next frame.

        Raises:
            UserError: poses in pixels of an image of unknown size, or in a layout that does not
                convert to the classifier's.
        """
        notes = [frame.note] if frame.note else []
        poses = self._poses(frame, notes)
        size = self.size or (1, 1)
        if poses is None:
            return FrameResult(frame, size, (), notes)
        start = self.clock()
        people = self._track(poses, size)
        classify_start = self.clock()
        self._classify(people, size, notes)
        self.seconds["follow"] += classify_start - start
        self.seconds["recognise"] += self.clock() - classify_start
        persons = [Person(id, people[id], self._predictions.get(id)) for id in sorted(people)]
        return FrameResult(frame, size, persons, notes)

    def _poses(self, frame: Frame, notes: list[str]) -> Float[np.ndarray, "n v 3"] | None:
        """Returns x, y in pixels and score of the frame's people; None for a lost frame."""
        if frame.image is not None and self.estimator is not None:
            size = frame.image.shape[:2]
            if self.size is not None and size != self.size:
                old_height, old_width = self.size
                notes.append(
                    f"the image size changed from {old_width} x {old_height} "
                    f"to {size[1]} x {size[0]}"
                )
            self.size = size
            return self.estimator(frame.image)
        if frame.poses is None:
            return None
        return self._source_poses(frame.poses, notes)

    def _source_poses(
        self, poses: Float[np.ndarray, "n v 3"], notes: list[str]
    ) -> Float[np.ndarray, "n w 3"] | None:
        """Checks the poses of a source; None where their layout is another than before.

        A frame without people has the number of joints of the frames before it.
        """
        count, joints = poses.shape[:2]
        if not count:
            layout = get_layout(self.layout or LAYOUTS[18])
            return np.zeros((0, len(layout.joints), 3), np.float32)
        layout = LAYOUTS.get(joints, "")
        if not layout or (self.layout and layout != self.layout):
            expected = f"those of {self.layout!r}" if self.layout else ", ".join(map(str, LAYOUTS))
            notes.append(f"people of {joints} joints; wanted {expected}")
            return None
        if not self.layout:
            self.layout = layout
            self._tracks = Tracks(next_id=self._tracks.next_id)
            if self.preprocessor is not None:
                self.preprocessor.check_layout(layout)
        if self.size is None and np.abs(poses[..., :2]).max() > MAX_SHARE:
            raise UserError(
                "the poses are in pixels of an image of unknown size; state it, --size WIDTHxHEIGHT"
            )
        return poses.astype(np.float32)

    def _track(
        self, poses: Float[np.ndarray, "n v 3"], size: tuple[int, int]
    ) -> dict[int, Float[np.ndarray, "v 3"]]:
        """Updates the tracks and returns id -> pose of this frame."""
        # In units of the image's height, so that tracks continue when the image size changes.
        scaled = poses / (size[0], size[0], 1)
        tracks, ids = update_tracks(self._tracks, scaled, patience=self.patience, score=True)
        newest = sorted(tracks.held, key=lambda track: (track.missed, track.id))[:MAX_TRACKS]
        held = tuple(sorted(newest, key=lambda track: track.id))
        self._tracks = tracks._replace(held=held)
        people = dict(zip(ids.tolist(), poses, strict=True))
        people.pop(-1, None)
        return people

    def _classify(
        self, people: dict[int, np.ndarray], size: tuple[int, int], notes: list[str]
    ) -> None:
        """Updates the predictions of the people with the oldest tracks."""
        tracked = [track.id for track in self._tracks.held]
        classified = set(tracked[: self.persons])
        self._note_crowding(len(tracked), notes)
        self._predictions = {
            id: prediction for id, prediction in self._predictions.items() if id in classified
        }
        if self.classifier is None or self.preprocessor is None:
            return
        self.classifier.keep_only(classified)
        frames = {}
        if self.preprocessor.clip["empty"] == "keep":
            shape = (len(self.preprocessor.layout.joints), len(self.preprocessor.channels))
            frames = dict.fromkeys(self._predictions, np.zeros(shape, np.float32))
        visible = sorted(id for id in people if id in classified)
        if visible:
            poses = np.stack([people[id] for id in visible])
            joints = self.preprocessor.convert(poses, self.layout, size)
            frames |= dict(zip(visible, joints, strict=True))
        for id, probabilities in self.classifier.step(frames, visible).items():
            previous = self._predictions.get(id)
            self._predictions[id] = smooth(previous, probabilities, keep=self.keep)

    def _note_crowding(self, tracked: int, notes: list[str]) -> None:
        """Adds a note when more people are tracked than classified, and when this ends."""
        crowded = self.classifier is not None and tracked > self.persons
        if crowded and not self._crowded:
            notes.append(f"{tracked} people are tracked, {self.persons} of them classified")
        elif self._crowded and not crowded:
            notes.append("everybody is classified again")
        self._crowded = crowded
