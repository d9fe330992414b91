"""Processing of one frame: poses, ids and predicted actions of everybody in it.

    Frame -> pose estimation (or poses of the source) -> tracking -> classification of those who
        move and fill the picture -> smoothing -> FrameResult

A person's state is dropped with their track.
"""

import dataclasses
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from jaxact.errors import UserError
from jaxact.skeletons import get_layout
from jaxact.streaming.frame import Frame
from jaxact.streaming.online_classifier import Group, OnlineClassifier
from jaxact.streaming.openpose_source import LAYOUTS
from jaxact.streaming.person_tracker import PersonTracker
from jaxact.streaming.pose_estimator import PoseEstimator
from jaxact.streaming.preprocessing import PosePreprocessor
from jaxact.streaming.smoothing import SmoothedPrediction, smooth

SMOOTHING_FPS = 30.0  # frame rate at which the average of probabilities decays by `keep`
PATIENCE = 1.0  # seconds for which a person out of sight is tracked
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
        ranked: ids of the classified people, including those out of sight: those who move and fill
            the picture come first.
    """

    frame: Frame
    size: tuple[int, int]
    people: Sequence[Person]
    notes: Sequence[str]
    ranked: Sequence[int] = ()


@dataclasses.dataclass(kw_only=True)
class StreamProcessor:
    """Tracks people through frames and predicts their actions.

    Attributes:
        estimator: estimates poses in images; None where the source holds poses.
        classifier: predicts actions; None for tracking only.
        preprocessor: computes the classifier's input.
        size: height and width of the image that poses of the source were estimated in, if known.
        persons: most people who are classified; those who move and fill the picture.
        pairs: whether the two first of them are classified together.
        keep: weight of the running average of probabilities after 1/30 s; see `smooth`.
        smooth_joints: whether the estimator's joints are smoothed over time.
        patience: seconds for which a person out of sight is tracked.
        clock: seconds.
        layout: layout of the joints; "" until poses of the source have been read.
        seconds: total time of each stage.
    """

    estimator: PoseEstimator | None = None
    classifier: OnlineClassifier | None = None
    preprocessor: PosePreprocessor | None = None
    size: tuple[int, int] | None = None
    persons: int = 8
    pairs: bool = False
    keep: float = 0.8
    smooth_joints: bool = True
    patience: float = PATIENCE
    clock: Callable[[], float] = time.perf_counter

    def __post_init__(self) -> None:
        self.layout = "" if self.estimator is None else self.estimator.layout
        self.seconds: dict[str, float] = defaultdict(float)
        smooth_joints = self.smooth_joints and self.estimator is not None
        self._tracker = PersonTracker(patience=self.patience, smooth=smooth_joints)
        self._predictions: dict[int, SmoothedPrediction] = {}
        self._predicted_at: dict[int, float] = {}
        self._time: float | None = None  # of the last frame
        self._crowded = False

    @property
    def people_count(self) -> int:
        """Number of different people so far."""
        return self._tracker.people_count

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
        time = self._advance(frame.time)
        people = self._tracker.update(poses, time, size[0])
        ranked = self._tracker.order(2 if self.pairs else self.persons)
        classify_start = self.clock()
        self._classify(people, ranked, time, size)
        self._note_crowding(len(self._tracker.ids), len(ranked), notes)
        self.seconds["follow"] += classify_start - start
        self.seconds["recognise"] += self.clock() - classify_start
        persons = [Person(id, people[id], self._predictions.get(id)) for id in sorted(people)]
        return FrameResult(frame, size, persons, notes, tuple(ranked))

    def _advance(self, time: float) -> float:
        """The time of a frame; a time that does not advance is 1/30 s after the one before."""
        if self._time is not None and time <= self._time:
            time = self._time + 1 / SMOOTHING_FPS
        self._time = time
        return time

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
            self._tracker.restart()
            if self.preprocessor is not None:
                self.preprocessor.check_layout(layout)
        if self.size is None and np.abs(poses[..., :2]).max() > MAX_SHARE:
            raise UserError(
                "the poses are in pixels of an image of unknown size; state it, --size WIDTHxHEIGHT"
            )
        return poses.astype(np.float32)

    def _classify(
        self,
        people: Mapping[int, Float[np.ndarray, "v 3"]],
        ranked: Sequence[int],
        time: float,
        size: tuple[int, int],
    ) -> None:
        """Updates the predictions of the people who are followed."""
        self._keep_only(ranked)
        if self.classifier is None or self.preprocessor is None:
            return
        groups: list[Group] = [(person,) for person in ranked]
        if self.pairs and ranked:
            groups = [tuple(sorted(ranked))]  # by age, so that nobody changes their slot
        self.classifier.keep_only(groups)
        frames = self._frames(people, ranked, size)
        visible = []
        for group in groups:
            if any(person in people for person in group):
                visible.append(group)
        for group, probabilities in self.classifier.step(time, frames, visible).items():
            for person in group:
                self._smooth(person, probabilities, time)

    def _frames(
        self,
        people: Mapping[int, Float[np.ndarray, "v 3"]],
        ranked: Sequence[int],
        size: tuple[int, int],
    ) -> dict[int, Float[np.ndarray, "w c"]]:
        """id -> joints as records hold them; zero for those who are out of sight."""
        assert self.preprocessor is not None
        shape = (len(self.preprocessor.layout.joints), len(self.preprocessor.channels))
        frames = dict.fromkeys(ranked, np.zeros(shape, np.float32))
        visible = [person for person in ranked if person in people]
        if visible:
            poses = np.stack([people[person] for person in visible])
            joints = self.preprocessor.convert(poses, self.layout, size)
            frames |= dict(zip(visible, joints, strict=True))
        return frames

    def _smooth(self, person: int, probabilities: Float[np.ndarray, " k"], time: float) -> None:
        """Averages the probabilities of a person over time."""
        previous = self._predictions.get(person)
        keep = 0.0
        if previous is not None:
            keep = self.keep ** ((time - self._predicted_at[person]) * SMOOTHING_FPS)
        self._predictions[person] = smooth(previous, probabilities, keep=keep)
        self._predicted_at[person] = time

    def _keep_only(self, ids: Collection[int]) -> None:
        """Drops the predictions of all other people."""
        for person in list(self._predictions):
            if person not in ids:
                del self._predictions[person], self._predicted_at[person]

    def _note_crowding(self, tracked: int, classified: int, notes: list[str]) -> None:
        """Adds a note when more people are tracked than classified, and when this ends."""
        crowded = self.classifier is not None and tracked > classified
        if crowded and not self._crowded:
            notes.append(f"{tracked} people are tracked, {classified} of them classified")
        elif self._crowded and not crowded:
            notes.append("everybody is classified again")
        self._crowded = crowded
