"""MediaPipe's Pose Landmarker, with a module that stands in for MediaPipe; the real one where it
is installed and `JAXACT_DATA` names the folder of the real data.
"""

import gc
import importlib.metadata
import os
import subprocess
import sys
import types
import zipfile
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from jaxact.errors import UserError
from jaxact.streaming.missing_joints import drop_missing
from jaxact.streaming.native_log import without_routine_messages
from jaxact.streaming.pose_estimator import PoseEstimator, open_pose_estimator

DATA = Path(os.environ.get("JAXACT_DATA", "/nowhere"))
TASK = DATA / "weights" / "pose_landmarker_full.task"
PICTURE = np.zeros((50, 80, 3), np.uint8)


class Landmarker:
    """Detects one person: joint i at i percent of the width, with a visibility of i percent."""

    opened: ClassVar[list["Landmarker"]] = []

    def __init__(self, options):
        self.options, self.times, self.closed = options, [], False
        self.opened.append(self)

    def detect_for_video(self, picture, milliseconds):
        self.times.append(milliseconds)
        return self.detect(picture)

    def detect(self, picture):
        assert picture.data.flags.c_contiguous
        person = [types.SimpleNamespace(x=i / 100, y=0.5, visibility=i / 100) for i in range(33)]
        person[32].x = 1.2
        return types.SimpleNamespace(pose_landmarks=[person])

    def close(self):
        self.closed = True


@pytest.fixture
def task(tmp_path, monkeypatch) -> str:
    """The SPEC of a file with both networks, and a module `mediapipe` that reads it."""
    vision = types.SimpleNamespace(
        RunningMode=types.SimpleNamespace(IMAGE="image", VIDEO="video"),
        PoseLandmarkerOptions=lambda **options: options,
        PoseLandmarker=types.SimpleNamespace(create_from_options=Landmarker),
    )
    module = types.ModuleType("mediapipe")
    module.tasks = types.SimpleNamespace(vision=vision, BaseOptions=lambda **options: options)
    module.ImageFormat = types.SimpleNamespace(SRGB=1)
    module.Image = lambda image_format, data: types.SimpleNamespace(data=data)
    monkeypatch.setitem(sys.modules, "mediapipe", module)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.2.3")
    monkeypatch.setattr(Landmarker, "opened", [])
    path = tmp_path / "a,b.task"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("pose_detector.tflite", b"detector")
        archive.writestr("pose_landmarks_detector.tflite", b"landmarks")
    return f"mediapipe:{path}"


def test_landmarks_become_pixels_and_those_outside_or_invisible_are_missing(task):
    estimator = open_pose_estimator(task)
    assert isinstance(estimator, PoseEstimator) and estimator.layout == "mediapipe-33"
    (person,) = estimator(PICTURE[:, ::-1])
    np.testing.assert_allclose(person[10], [0.1 * 80, 25, 0.1], rtol=1e-6)
    assert not person[:2].any() and person[2:32].all() and not person[32].any()
    assert estimator.about == {
        "from": "mediapipe",
        "file": "a,b.task",
        "sha256": estimator.about["sha256"],
        "mediapipe": "1.2.3",
        "video": True,
        "people": 1,
        "threshold": 0.2,
        "visibility": 0.02,
    }
    assert estimator.seconds["pose"] > 0


def test_every_video_has_a_landmarker_of_its_own_and_times_that_increase(task):
    estimator = open_pose_estimator(f"{task},people=2,threshold=0.4")
    estimator.reset()  # nothing to forget
    for _ in range(4):
        estimator(PICTURE)
    estimator.reset()
    estimator(PICTURE)
    first, second = Landmarker.opened
    assert first.times == [0, 33, 67, 100] and second.times == [0]
    assert first.closed and not second.closed
    assert first.options["num_poses"] == 2 and first.options["running_mode"] == "video"
    assert first.options["min_pose_detection_confidence"] == 0.4
    del estimator
    gc.collect()
    assert second.closed
    pictures = open_pose_estimator(task, video=False)
    pictures(PICTURE)
    assert Landmarker.opened[2].options["running_mode"] == "image"
    assert not Landmarker.opened[2].times and not pictures.about["video"]


def test_files_that_are_no_pose_landmarker_are_named_in_one_sentence(task, tmp_path, monkeypatch):
    whole = Path(task.partition(":")[2]).read_bytes()
    (tmp_path / "cut.task").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "damaged.task").write_bytes(whole.replace(b"landmarks", b"landmarkS", 1))
    (tmp_path / "text.task").write_text("no archive")
    with zipfile.ZipFile(tmp_path / "hand.task", "w") as archive:
        archive.writestr("hand_detector.tflite", b"hand")
    for name, message in (
        ("none", r"no file '.*none.task'; .*pose_landmarker_full.task .*ai.google.dev"),
        ("cut", r"'.*cut.task' is no .task file \(a zip archive\), or it is cut off"),
        ("text", r"'.*text.task' is no .task file"),
        ("hand", r"it lacks pose_detector.tflite and pose_landmarks_d.* has hand_detector.tflite;"),
    ):
        with pytest.raises(UserError, match=message):
            open_pose_estimator(f"mediapipe:{tmp_path}/{name}.task")
    with pytest.raises(UserError, match="is no run; write --pose mediapipe:"):
        open_pose_estimator(f"{tmp_path}/none.task")

    def fail(options):
        raise RuntimeError("no model\nat all")

    vision = sys.modules["mediapipe"].tasks.vision
    monkeypatch.setattr(vision.PoseLandmarker, "create_from_options", fail)
    with pytest.raises(
        UserError, match=r"cannot load '.*a,b.task' as a Pose Landmarker: no model;"
    ):
        open_pose_estimator(task)
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(UserError, match=r"'mediapipe', .*pip install 'jaxact\[mediapipe\]'"):
        open_pose_estimator(task)


def test_messages_of_levels_info_and_warning_are_withheld_and_others_written(capfd):
    with without_routine_messages():
        os.write(2, b"I0000 00:00:1.5   1 guard.cc:227] optimized\nINFO: [a.cc:1] b\n")
        os.write(2, b"WARNING: [a.cc:1] b\nE0000 00:00:1.5   1 a.cc:1] an error\nFatal: c\n")
    os.write(2, b"INFO: later\n")
    written = capfd.readouterr().err
    assert written == "E0000 00:00:1.5   1 a.cc:1] an error\nFatal: c\nINFO: later\n"


def test_missing_joints_are_zero_and_empty_people_dropped():
    poses = np.ones((3, 4, 3), np.float32)
    poses[0, :, 2] = 0.0, 0.1, 0.5, 1.0
    poses[0, 3, 0] = 9
    poses[1, :, 1] = -1
    joints = drop_missing(poses, (4, 8, 3), threshold=0.2)
    assert joints.shape == (2, 4, 3) and joints[0, :, 2].tolist() == [0, 0, 0.5, 0]
    assert drop_missing(poses, (4, 8, 3))[0, :, 2] == pytest.approx([0, 0.1, 0.5, 0])


@pytest.mark.skipif(not TASK.is_file(), reason="JAXACT_DATA does not name the real data")
def test_real_people_are_detected_and_nothing_is_written_to_the_terminal():
    """In its own interpreter: what MediaPipe writes at its end would show too."""
    pytest.importorskip("mediapipe")
    clip = DATA / "video/jhmdb/brush_hair/April_09_brush_hair_u_nm_np1_ba_goo_0.mp4"
    code = f"""
import sys
from jaxact.datasets.formats import recording
from jaxact.streaming.pose_estimator import open_pose_estimator
estimator = open_pose_estimator("mediapipe:{TASK}")
first, second = (recording.read_video("{clip}", estimator).joints for _ in range(2))
assert (first == second).all() and first[:, 0].any(axis=(1, 2)).sum() > 30
assert "tensorflow" not in sys.modules
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0 and not run.stderr, run.stderr
