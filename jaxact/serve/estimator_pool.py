"""Pose estimators that cameras and uploads use in turn.

A pose estimator may keep state from frame to frame, so two videos cannot share one at the same
time. Opening one can take seconds, so it is used again after its video.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float, UInt8

from jaxact.datasets.formats import video_file
from jaxact.errors import UserError
from jaxact.inference.predictor import Predictor
from jaxact.pipeline import images
from jaxact.streaming.pose_estimator import PoseEstimator, open_pose_estimator
from jaxact.streaming.recognition import make_processor


class EstimatorPool:
    """Lends pose estimators, and opens another one where all are in use."""

    def __init__(self, open_estimator: Callable[[], PoseEstimator]) -> None:
        """Opens the first estimator.

        Args:
            open_estimator: opens another estimator of the same kind.

        Raises:
            UserError: the estimator cannot be opened.
        """
        self._open = open_estimator
        self._lock = threading.Lock()
        self._free = [open_estimator()]

    def acquire(self) -> PoseEstimator:
        """Returns an estimator without state of earlier frames."""
        with self._lock:
            estimator = self._free.pop() if self._free else None
        if estimator is None:
            return self._open()
        estimator.reset()
        return estimator

    def release(self, estimator: PoseEstimator) -> None:
        """Takes an estimator back."""
        with self._lock:
            self._free.append(estimator)

    @contextlib.contextmanager
    def lend(self) -> Iterator[PoseEstimator]:
        """Lends an estimator for one video; one that failed is dropped."""
        estimator = self.acquire()
        try:
            yield estimator
        except UserError:
            self.release(estimator)
            raise
        self.release(estimator)


class TimedEstimator:
    """A pose estimator that stops after some time, so that a long video frees its thread."""

    def __init__(self, estimator: PoseEstimator, timeout: float) -> None:
        self.layout, self.about = estimator.layout, estimator.about
        self.seconds = estimator.seconds
        self._estimator, self._timeout = estimator, timeout
        self._end = time.monotonic() + timeout

    def __call__(self, image: UInt8[np.ndarray, "h w 3"]) -> Float[np.ndarray, "n v 3"]:
        """See `PoseEstimator`.

        Raises:
            UserError: the time has passed.
        """
        if time.monotonic() > self._end:
            raise UserError(
                f"the poses of the video were not estimated within {self._timeout:g} seconds; "
                "cut it into parts"
            )
        return self._estimator(image)

    def reset(self) -> None:
        """See `PoseEstimator`."""
        self._estimator.reset()


def open_pool(spec: str, predictor: Predictor) -> EstimatorPool:
    """Opens the pose estimators for the videos and cameras of a network that reads joints.

    The programs for one person are compiled, so that the first camera does not wait for them.

    Args:
        spec: see `jaxact.streaming.pose_estimator.open_pose_estimator`.
        predictor: the network.

    Raises:
        UserError: the network reads videos or cannot process a stream, the estimator cannot be
            opened or has other joints than the network, or a package is missing.
    """
    if predictor.kind != "skeleton":
        raise UserError(
            f"--pose is for a network that reads skeletons; this one reads {predictor.kind}s, "
            "so its page accepts videos without --pose"
        )
    video_file.need_av()
    images.need_pillow()
    pool = EstimatorPool(lambda: open_pose_estimator(spec))
    with pool.lend() as estimator:
        _compile(estimator, predictor)
    return pool


def _compile(estimator: PoseEstimator, predictor: Predictor) -> None:
    processor = make_processor(estimator=estimator, net=predictor.net)
    estimator(np.zeros((240, 320, 3), np.uint8))
    classifier, preprocessor = processor.classifier, processor.preprocessor
    assert classifier is not None and preprocessor is not None
    people = range(2 if processor.pairs else 1)
    joints = len(predictor.net.layout.joints), len(predictor.net.channels)
    frame = np.random.default_rng(0).uniform(0.1, 0.9, joints).astype(np.float32)
    classifier.step(0.0, dict.fromkeys(people, frame), [tuple(people)])
