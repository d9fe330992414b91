"""Skeletons from videos: poses of a network or of files, tracked so that a slot is one person."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from jaxact import cli, config
from jaxact.check import open_corpus
from jaxact.datasets import dataset_info
from jaxact.datasets import records as read
from jaxact.datasets.formats import recording
from jaxact.datasets.formats.video_poses import MAX_PERSONS, PoseEstimator, track_people
from jaxact.datasets.preparation import prepare
from jaxact.datasets.preparation.options import PrepareOptions
from jaxact.errors import UserError
from tests.helpers import random_runs, videos
from tests.helpers.poses import person

HEIGHT, WIDTH = 48, 64


@pytest.fixture
def clips(tmp_path) -> Path:
    """Two classes of two videos each, four frames long, without pose files."""
    for name in ("run/a", "run/b", "wave/c", "wave/d"):
        videos.write(tmp_path / "clips" / f"{name}.mp4", videos.frames(4, HEIGHT, WIDTH))
    return tmp_path / "clips"


def write_poses(folder: Path, stem: str, frames: list, first: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, people in enumerate(frames, first):
        content = {
            "people": [{"pose_keypoints_2d": np.asarray(each).ravel().tolist()} for each in people]
        }
        (folder / f"{stem}_{number:012d}_keypoints.json").write_text(json.dumps(content))


def poses(x: float, score: float = 0.5) -> np.ndarray:
    """A person of openpose-18 around x in pixels, without the last joint."""
    joints = np.zeros((18, 3))
    joints[:14] = person(x, 4, 36)
    joints[14:] = joints[0]
    joints[:, 2] = score
    joints[17] = 0
    return joints


def records(summary, split: str = "all") -> dict:
    info = dataset_info.read(Path(summary.path))
    examples = read.records(info, split, fields=None).as_numpy_iterator()
    return {record["id"].decode(): record for record in examples}


class FakeEstimator:
    """Two people whose order alternates; counts the pictures and the videos."""

    layout = "body-14"

    def __init__(self, **about):
        self.about = {"from": "test", **about}
        self.seconds = {}
        self.shown = self.videos = self.limit = 0

    def __call__(self, image):
        assert image.shape == (HEIGHT, WIDTH, 3) and image.dtype == np.uint8
        if self.shown == self.limit > 0:
            raise KeyboardInterrupt
        self.shown += 1
        people = [person(15 + self.shown % 4, 4, 36), person(45, 4, 36) * (1, 1, 0.25)]
        return np.array(people[:: 1 if self.shown % 2 else -1], np.float32)

    def reset(self):
        self.videos += 1


def prepare_clips(clips, tmp_path, **options):
    return prepare.prepare(
        "skeletons_from_video/mine",
        raw=clips,
        data_dir=tmp_path / "data",
        options=PrepareOptions(**options),
    )


def test_estimated_people_stay_in_their_slots_in_order_of_score(clips, tmp_path):
    estimator = FakeEstimator(step=7)
    assert isinstance(estimator, PoseEstimator)
    summary = prepare_clips(clips, tmp_path, pose_estimator=estimator, workers=4)
    info = dataset_info.read(Path(summary.path))
    assert (summary.clips, summary.frames, summary.persons, estimator.shown) == (4, 16, 2, 16)
    assert estimator.videos == 4
    assert (
        info.layout.name == "body-14"
        and info.channels == ("x", "y", "score")
        and info.labels == ("run", "wave")
    )
    assert (
        info.stored == {"poses": {"from": "test", "step": 7}} and "random_3to1_test" in info.unions
    )
    for record in records(summary).values():
        joints = record["joints"]
        assert joints.shape == (4, 2, 14, 3) and record["image_size"].tolist() == [HEIGHT, WIDTH]
        assert joints[:, 0, :, 2].tolist() == [[2.0] * 14] * 4 and (joints[:, 1, :, 2] == 0.5).all()
        np.testing.assert_allclose(joints[:, 1, 0, :2], [[45 / WIDTH, 4 / HEIGHT]] * 4, rtol=1e-6)
        assert np.ptp(joints[:, 0, 0, 0]) > 0 and record["fps"] == 25
    assert open_corpus("skeletons_from_video/mine", data_dir=tmp_path / "data") is not None


def test_a_resumed_run_estimates_no_video_twice(clips, tmp_path):
    estimator = FakeEstimator()
    estimator.limit = 9
    with pytest.raises(KeyboardInterrupt):
        prepare_clips(clips, tmp_path, pose_estimator=estimator)
    estimator.limit = 0
    assert prepare_clips(clips, tmp_path, pose_estimator=estimator).clips == 4
    assert estimator.shown == 9 + 8
    again = FakeEstimator(step=8)
    prepare_clips(clips, tmp_path, pose_estimator=again, overwrite=True)
    assert again.shown == 16


def test_a_video_is_read_for_prediction_as_it_is_prepared(clips, tmp_path):
    """The estimator of the tests alternates, so that an order of its own would show."""
    stored = records(prepare_clips(clips, tmp_path, pose_estimator=FakeEstimator()))
    estimator = FakeEstimator()
    for name in ("run/a", "run/b", "wave/c", "wave/d"):
        video = recording.read_video(clips / f"{name}.mp4", estimator)
        np.testing.assert_array_equal(video.joints, stored[name]["joints"])
    assert video.layout == "body-14" and video.channels == ("x", "y", "score")


def test_estimated_joints_are_converted_to_another_layout(clips, tmp_path):
    options = {"pose_estimator": FakeEstimator(), "to_layout": "openpose-18"}
    summary = prepare_clips(clips, tmp_path, **options)
    assert dataset_info.read(Path(summary.path)).layout.name == "openpose-18"
    joints = records(summary)["run/a"]["joints"]
    assert joints.shape == (4, 2, 18, 3) and not joints[:, :, 14:].any()


def test_a_bad_video_is_skipped_by_name_and_the_others_are_stored(clips, tmp_path):
    (clips / "run" / "b.mp4").write_bytes(b"no video at all")
    with pytest.raises(UserError, match=r"b.mp4' cannot be read as a video.*--skip-bad"):
        prepare_clips(clips, tmp_path, pose_estimator=FakeEstimator())
    summary = prepare_clips(clips, tmp_path, pose_estimator=FakeEstimator(), skip_bad=True)
    assert summary.clips == 3 and len(summary.skipped) == 1 and "b.mp4" in str(summary)


def test_pose_files_beside_videos_become_normalised_joints_of_their_frames(clips, tmp_path):
    walk = [[poses(20 + t), poses(50)] for t in range(4)]
    write_poses(clips / "run" / "a", "any", walk)
    write_poses(clips / "run", "b", [walk[0], [], walk[2]])
    write_poses(
        clips / "wave" / "c", "c", [[each / (WIDTH, HEIGHT, 1) for each in one] for one in walk]
    )
    write_poses(clips / "wave" / "d", "d", walk, first=1)
    summary = prepare_clips(clips, tmp_path, workers=1)
    stored = records(summary)
    assert dataset_info.read(Path(summary.path)).layout.name == "openpose-18"
    np.testing.assert_allclose(
        stored["run/a"]["joints"][:, :, 0, 0],
        [[(20 + t) / WIDTH, 50 / WIDTH] for t in range(4)],
        rtol=1e-5,
    )
    for other in ("wave/c", "wave/d"):
        np.testing.assert_allclose(stored[other]["joints"], stored["run/a"]["joints"], rtol=1e-5)
    assert not stored["run/a"]["joints"][:, :, 17].any()
    present = stored["run/b"]["joints"].any(axis=(2, 3))
    assert present.tolist() == [[True, True], [False, False], [True, True], [False, False]]


def test_missing_poses_and_those_of_another_video_are_errors(clips, tmp_path):
    with pytest.raises(
        UserError,
        match=r"none of the 4 videos has poses beside it.*a.mp4' is a video, but .*"
        r"--pose SPEC",
    ):
        prepare_clips(clips, tmp_path)
    write_poses(clips / "run" / "a", "a", [[poses(20)]] * 6)
    write_poses(clips / "run" / "b", "b", [[poses(20)]] * 4)
    write_poses(clips / "wave" / "c", "c", [[poses(200)]] * 4)
    summary = prepare_clips(clips, tmp_path, skip_bad=True, workers=1)
    reasons = {Path(path).name: reason for path, reason in summary.skipped}
    assert summary.clips == 1 and set(reasons) == {"a.mp4", "c.mp4", "d.mp4"}
    assert "has 4 frames, but the poses beside it go up to number 5" in reasons["a.mp4"]
    assert "is 64 x 48 pixels, but the poses beside it reach to x 2" in reasons["c.mp4"]
    assert "d.mp4' is a video, but" in reasons["d.mp4"]


def test_the_people_with_the_highest_scores_stay_and_an_empty_clip_has_one_slot():
    crowd = [person(40 * n, 5, 30) * (1, 1, 1 + n) / (2000, 50, 1) for n in range(MAX_PERSONS + 10)]
    joints = track_people([np.array(crowd, np.float32)] * 2, [(2000, 50)] * 2)
    assert joints.shape == (2, MAX_PERSONS, 14, 3)
    np.testing.assert_allclose(joints[0, :, 0, 2], 2.0 * np.arange(MAX_PERSONS + 10, 10, -1))
    assert not track_people([np.zeros((0, 14, 3), np.float32)] * 3, [(64, 48)] * 3).any()


def test_the_command_takes_a_folder_and_a_run_and_rejects_those_that_do_not_fit(
    clips, tmp_path, capsys
):
    for name in ("b", "d"):
        next(clips.rglob(f"{name}.mp4")).unlink()
    section = config.PoseConfig(width=0.125, filters=4, stages=1)
    run = random_runs.write(tmp_path / "pose", section, height=32, width=32)
    other = random_runs.write(tmp_path / "online", config.RecogniserConfig(width=6), frames=4)
    data = ["--data-dir", str(tmp_path / "data")]
    start = ["prepare", "skeletons_from_video", str(clips)]
    assert cli.main([*start, "--pose", str(run), *data]) == 0
    assert "2 clips, 2 classes, 8 frames" in capsys.readouterr().out
    stored = dataset_info.load("skeletons_from_video", tmp_path / "data").stored["poses"]
    assert stored["run"] == str(run) and len(stored["weights"]) == 16
    shutil.rmtree(tmp_path / "data")
    for arguments, message in (
        (
            [*start, "--pose", str(other)],
            "--pose wants a run of the model 'pose', got one of 'recogniser'",
        ),
        ([*start, "--raw", str(clips)], "the raw data are given twice"),
        (
            ["prepare", "utd_mhad", str(clips), "--pose", str(run)],
            "--pose estimates poses for the sets jhmdb_detected, skel",
        ),
    ):
        assert cli.main([*arguments, *data]) == 2
        assert message in capsys.readouterr().err and not (tmp_path / "data").exists()


def test_clips_of_jhmdb_are_in_its_official_splits(tmp_path):
    for number, half in enumerate(("1", "2", "1"), 1):
        videos.write(tmp_path / f"jhmdb/wave/w{number}.mp4", videos.frames(3, HEIGHT, WIDTH))
        for split in (1, 2, 3):
            with (tmp_path / f"jhmdb/wave_test_split{split}.txt").open("a") as flags:
                flags.write(f"w{number}.avi {half if split == 1 else 1} \n")
    summary = prepare.prepare(
        "jhmdb_detected",
        raw=tmp_path / "jhmdb",
        data_dir=tmp_path / "data",
        options=PrepareOptions(pose_estimator=FakeEstimator()),
    )
    info = dataset_info.read(Path(summary.path))
    assert info.layout.name == "body-14" and len(info.labels) == 21
    assert (
        list(records(summary, "official1_test")) == ["wave/w2"]
        and len(records(summary, "official1_train")) == 2
    )
