"""Pose estimation with MediaPipe's Pose Landmarker, a detector and a landmark network.

image [h w 3] -> landmarks [n 33 (x, y in 0..1, visibility)]
    -> poses [n 33 (x, y, visibility)] in pixels of the image

Of consecutive frames, the detector runs only where nobody is tracked.
"""

import ctypes
import hashlib
import importlib.metadata
import sys
import time
import weakref
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from jaxact.errors import UserError, missing_extra
from jaxact.streaming.missing_joints import drop_missing
from jaxact.streaming.native_log import without_routine_messages

WHERE = (
    "MediaPipe publishes pose_landmarker_full.task in its storage 'mediapipe-models', linked from "
    "https://ai.google.dev/edge/mediapipe/solutions/vision/pose_landmarker"
)
NETWORKS = ("pose_detector.tflite", "pose_landmarks_detector.tflite")
THRESHOLD = 0.2  # least score of a detected person
# Least visibility of a joint. On JHMDB, joints of a visibility of 0.02 to 0.05 are still within
# PCK@0.2 in 64 % of the cases, those above 0.8 in 92 %; a limit of 0.2 would lose 3 % of all hits.
VISIBILITY = 0.02
FRAME_TIME = 1000 / 30  # milliseconds between frames, by which MediaPipe smooths its landmarks


class MediapipeEstimator:
    """A `PoseEstimator` with MediaPipe's Pose Landmarker; its stage is `pose`."""

    layout: str = "mediapipe-33"

    def __init__(
        self,
        file: str,
        *,
        video: bool = True,
        people: int | None = None,
        threshold: float | None = None,
    ) -> None:
        """Loads the networks.

        Args:
            file: the .task file.
            video: whether images are consecutive frames of a video.
            people: most people per image; None is 1.
            threshold: least score, 0..1, of a detected person; None is 0.2.

        Raises:
            UserError: no such file, one that is no Pose Landmarker, or MediaPipe is not installed.
        """
        _check_file(file)
        self._mediapipe = _import_mediapipe()
        self._file, self._video = file, video
        self._people, self._threshold = people or 1, threshold or THRESHOLD
        self.seconds: dict[str, float] = defaultdict(float)
        self.about: dict[str, Any] = {
            "from": "mediapipe",
            "file": Path(file).name,
            "sha256": hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16],
            "mediapipe": importlib.metadata.version("mediapipe"),
            "video": video,
            "people": self._people,
            "threshold": self._threshold,
            "visibility": VISIBILITY,
        }
        self._open()

    def __call__(self, image: UInt8[np.ndarray, "h w 3"]) -> Float[np.ndarray, "n 33 3"]:
        """Returns the poses in an image, in pixels of the image."""
        start = time.perf_counter()
        if self._quiet:
            people = self._detect(image)
        else:  # the networks write messages when they first run
            with without_routine_messages():
                people = self._detect(image)
            self._quiet = bool(people)
        poses = np.zeros((len(people), 33, 3), np.float32)
        height, width = image.shape[:2]
        for person, landmarks in zip(poses, people, strict=True):
            for joint, landmark in zip(person, landmarks, strict=True):
                joint[:] = landmark.x * width, landmark.y * height, landmark.visibility
        poses = drop_missing(poses, image.shape, threshold=VISIBILITY)
        self.seconds["pose"] += time.perf_counter() - start
        return poses

    def reset(self) -> None:
        """Forgets the tracked people and the smoothed landmarks."""
        if self._frames:
            self._close()
            self._open()

    def _detect(self, image: UInt8[np.ndarray, "h w 3"]) -> Any:
        """Returns the landmarks of each person."""
        picture = self._mediapipe.Image(
            image_format=self._mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image)
        )
        if not self._video:
            return self._landmarker.detect(picture).pose_landmarks
        milliseconds = round(self._frames * FRAME_TIME)
        self._frames += 1
        return self._landmarker.detect_for_video(picture, milliseconds).pose_landmarks

    def _open(self) -> None:
        tasks = self._mediapipe.tasks
        mode = tasks.vision.RunningMode.IMAGE
        if self._video:
            mode = tasks.vision.RunningMode.VIDEO
        options = tasks.vision.PoseLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_path=self._file),
            running_mode=mode,
            num_poses=self._people,
            min_pose_detection_confidence=self._threshold,
        )
        with without_routine_messages():
            try:
                landmarker = tasks.vision.PoseLandmarker.create_from_options(options)
            except (RuntimeError, ValueError) as error:
                reason = str(error).splitlines()[0]
                raise UserError(
                    f"MediaPipe cannot load {self._file!r} as a Pose Landmarker: {reason}; {WHERE}"
                ) from error
        self._landmarker = landmarker
        self._frames, self._quiet = 0, False
        self._close = weakref.finalize(self, _close, landmarker)


def _import_mediapipe() -> Any:
    """Imports MediaPipe without TensorFlow, which it would import for its documentation alone."""
    absent = "tensorflow" not in sys.modules
    if absent:
        sys.modules["tensorflow"] = None  # pyright: ignore[reportArgumentType]
    try:
        with without_routine_messages():
            import mediapipe
    except ImportError as error:
        if error.name == "mediapipe":
            raise missing_extra("mediapipe", "mediapipe", "--pose mediapipe:FILE") from error
        raise UserError(
            f"MediaPipe cannot be loaded: {error}; a missing libGL.so.1 comes with the package "
            "libgl1 of Debian and Ubuntu"
        ) from error
    finally:
        if absent:
            del sys.modules["tensorflow"]
    return mediapipe


def _close(landmarker: Any) -> None:
    with without_routine_messages():
        try:
            landmarker.close()
        except RuntimeError:
            # The interpreter ends, and the thread of the landmarker has ended. Its __del__ would
            # fail too, so one reference more keeps it from running.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(landmarker))


def _check_file(file: str) -> None:
    """Raises UserError for a file that is no Pose Landmarker."""
    if not Path(file).is_file():
        raise UserError(f"no file {file!r}; wanted MediaPipe's Pose Landmarker, a .task: {WHERE}")
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            damaged = archive.testzip()
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise UserError(
            f"{file!r} is no .task file (a zip archive), or it is cut off ({error}); {WHERE}"
        ) from error
    if damaged is not None:
        raise UserError(f"{file!r} is damaged in {damaged!r}; {WHERE}")
    missing = [name for name in NETWORKS if name not in names]
    if missing:
        raise UserError(
            f"{file!r} is no Pose Landmarker: it lacks {' and '.join(missing)} and has "
            f"{', '.join(names[:6]) or 'no file'}; {WHERE}"
        )
