"""`jaxact stream` from end to end: videos and poses in, a log, a film and a summary out; and its
errors.
"""

import io
import json
import sys

import av
import numpy as np
import pytest

from jaxact import cli, config
from jaxact.errors import UserError
from jaxact.models import pose_decoding
from jaxact.pipeline import images
from jaxact.runs import trained_model
from jaxact.streaming import pose_net_estimator, rendering, session
from jaxact.streaming.frame import Frame
from jaxact.streaming.processor import StreamProcessor
from jaxact.streaming.stream_log import StreamLog
from tests.helpers import random_runs, videos
from tests.helpers.poses import person


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A pose network and a recogniser that nobody trained, and a video of eight frames."""
    root = tmp_path_factory.mktemp("runs")
    random_runs.write(
        root / "pose", config.PoseConfig(width=0.125, filters=4, stages=1), height=32, width=32
    )
    random_runs.write(root / "online", config.RecogniserConfig(width=6), frames=4)
    random_runs.write(
        root / "space", config.STGCNConfig(width=2), layout="ntu-25", channels=("x", "y", "z")
    )
    videos.write(root / "a.mp4", videos.frames(8, 48, 64), rate=25)
    return root


def ran(capsys, *arguments):
    """Runs a command that succeeds; returns its standard error and standard output."""
    code = cli.main(["stream", *map(str, arguments)])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return captured.err, captured.out


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def standing(picture):
    """What a perfect pose network would find: somebody in the picture's middle."""
    del picture
    return person(30, 4, 40)[None]


def test_a_video_becomes_a_log_a_film_and_a_summary(runs, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(
        pose_net_estimator.PoseNetEstimator, "__call__", lambda self, picture: standing(picture)
    )
    out = tmp_path / "new" / "log.jsonl"
    video = ["--video", tmp_path / "seen.mp4", "--log", out, "--smooth", "0", "--top", "2"]
    messages, _ = ran(
        capsys, runs / "a.mp4", "--pose", runs / "pose", "--recogniser", runs / "online", *video
    )
    assert (
        "8 frames (0 dropped, 8 processed), 1 people" in messages
        and "the whole network on each person's last 0.133 s" in messages
    )
    start, *frames, end = lines(out.read_text())
    assert start["event"] == "start" and start["labels"] == ["kick", "rest", "wave"]
    assert end["event"] == "end" and end["frames"] == 8 and end["ended"] == "the source ended"
    assert [frame["frame"] for frame in frames] == list(range(8)) and frames[4]["time"] == 0.16
    (found,) = frames[7]["people"]
    assert found["id"] == 0 and found["joints"][0] == [30, 4, 2] and len(found["joints"]) == 14
    assert len(found["top"]) == 2 and found["top"][0][1] >= found["top"][1][1] > 0
    assert found["label"] in ("kick", "rest", "wave", None) and frames[7]["size"] == [64, 48]
    with av.open(str(tmp_path / "seen.mp4")) as film:
        pictures = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    plain = videos.frames(8, 48, 64)
    assert len(pictures) == 8 and np.abs(pictures[3].astype(int) - plain[3])[:, 20:44].max() > 60
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_real_pose_network_without_a_recogniser_follows_every_other_frame(runs, tmp_path, capsys):
    messages, out = ran(
        capsys, runs / "a.mp4", "--pose", runs / "pose", "--every", "2", "--log", "-"
    )
    start, *frames, end = lines(out)
    assert start["recogniser"] is None and [frame["frame"] for frame in frames] == [0, 2, 4, 6]
    assert (
        end["looked_at"] == 4
        and "8 frames (0 dropped, 4 processed)" in messages
        and "computed per frame" not in messages
    )
    assert all(each["label"] is None for frame in frames for each in frame["people"])


def test_a_file_without_people_ends_with_one_sentence(runs, capsys, monkeypatch):
    nobody = np.zeros((0, 14, 3), np.float32)
    monkeypatch.setattr(
        pose_net_estimator.PoseNetEstimator, "__call__", lambda self, picture: nobody
    )
    video = str(runs / "a.mp4")
    assert cli.main(["stream", video, "--pose", str(runs / "pose")]) == 2
    messages = capsys.readouterr().err
    assert "8 processed), nobody found in" in messages
    assert f"nobody was found in the 8 processed frames of {video!r}" in messages


def test_poses_through_a_pipe_need_no_pose_network(runs, tmp_path, capsys, monkeypatch):
    walk = [person(100 + 4 * t, 50, 300) for t in range(6)]
    texts = [
        json.dumps({"people": [{"pose_keypoints_2d": each.ravel().tolist()}]}) for each in walk
    ]
    texts[2:2] = ["broken", '{"people": []}']
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("\n".join(texts).encode())))
    more = [
        "--size",
        "640x480",
        "--carry",
        "--log",
        "-",
        "--fps",
        "10",
        "--video",
        tmp_path / "poses.mp4",
    ]
    messages, out = ran(capsys, "-", "--recogniser", runs / "online", *more)
    _, *middle, end = lines(out)
    assert middle[2] == {
        "event": "note",
        "frame": 2,
        "time": 0.2,
        "what": "frame 2 is not JSON: Expecting value",
    }
    frames = [line for line in middle if "people" in line]
    assert [[each["id"] for each in frame["people"]] for frame in frames] == [
        [0],
        [0],
        [],
        *[[0]] * 4,
    ]
    assert (
        end["frames"] == 7
        and end["notes"] == 1
        and "one step of each LSTM" in messages
        and "0.20 s  frame 2" in messages
    )
    with av.open(str(tmp_path / "poses.mp4")) as film:
        assert (film.streams.video[0].height, film.streams.video[0].width) == (480, 640)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.mp4"], "images need a pose estimator, --pose"),
        (
            ["a.mp4", "--pose", "online"],
            "--pose wants a run of the model 'pose', got one of 'recogniser'",
        ),
        (
            ["a.mp4", "--pose", "pose", "--recogniser", "pose"],
            "--recogniser wants a run that reads skeletons",
        ),
        (
            ["a.mp4", "--pose", "pose", "--recogniser", "space"],
            "the recogniser reads 3-D joints, x, y, z",
        ),
        (["a.mp4", "--pose", "pose", "--window"], "--window needs"),
        (["a.mp4", "--pose", "pose", "--video", "a.gif"], "the suffix must be .mp4"),
        (["a.mp4", "--pose", "pose", "--every", "0"], "--every is at least 1"),
        (["a.mp4", "--pose", "pose", "--smooth", "1"], "--smooth is a share from 0 to below 1"),
        (["a.mp4", "--pose", "pose", "--size", "640"], "--size is WIDTHxHEIGHT in pixels"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mistakes_are_one_sentence_and_leave_nothing(runs, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(runs)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    before = sorted(path.name for path in runs.iterdir())
    assert cli.main(["stream", *arguments]) == 2
    assert (
        message in capsys.readouterr().err
        and sorted(path.name for path in runs.iterdir()) == before
    )


class Eye:
    """In place of a pose network: one person."""

    layout = "body-14"

    def __init__(self):
        self.seconds, self.about = {}, {}

    def __call__(self, picture):
        return standing(picture)

    def reset(self):
        pass


def test_ctrl_c_leaves_a_whole_film_and_a_failure_none(tmp_path):
    def interrupted(error):
        for number in range(3):
            yield Frame(number, number / 10, np.zeros((40, 60, 3), np.uint8))
        raise error

    for error in (KeyboardInterrupt(), UserError("gone")):
        video, log = rendering.VideoWriter(tmp_path / "a.mp4"), StreamLog(None, (), 1)
        try:
            summary = session.run(
                interrupted(error), StreamProcessor(estimator=Eye()), log=log, video=video
            )
            video.close()
            assert summary["ended"] == "Ctrl-C" and summary["frames"] == 3
            with av.open(str(tmp_path / "a.mp4")) as made:
                times = [frame.time for frame in made.decode(video=0)]
            np.testing.assert_allclose(times, [0, 0.1, 0.2], atol=1e-3)
            (tmp_path / "a.mp4").unlink()
        except UserError:
            video.close(keep=False)
            assert list(tmp_path.iterdir()) == []


def test_a_film_keeps_its_size_when_the_pictures_change_theirs(tmp_path):
    video = rendering.VideoWriter(tmp_path / "a.mp4")
    for number, size in enumerate([(41, 61), (80, 30), (40, 60)]):
        video.add(
            np.full((*size, 3), 90, np.uint8), 0.0 if number == 2 else number / 10
        )  # a time that stands still
    video.close()
    with av.open(str(tmp_path / "a.mp4")) as made:
        assert [(frame.height, frame.width) for frame in made.decode(video=0)] == [(40, 60)] * 3


def test_people_are_found_in_the_pictures_own_pixels_and_not_in_the_grey_around_it(
    runs, monkeypatch
):
    """Where the network reads 32 x 32 pixels: a joint at two corners of the picture, and two
    beyond.
    """
    eye = pose_net_estimator.PoseNetEstimator(trained_model.load(runs / "pose", classifier=False))
    for height, width in ((48, 80), (90, 30), (20, 20)):
        corners = np.array([[1, 1], [width - 1, height - 1], [-8, height / 2], [width / 2, -8]])
        picture = np.full((height, width, 3), 200, np.uint8)
        inputs, zoom, corner = images.letterbox(picture, (32, 32))
        people = np.zeros((1, 2, 14, 3), np.float32)
        people[0, 0, :4] = [(*(place * zoom + corner), 0.5) for place in corners]

        def decode(answers, persons, people=people):
            assert (
                answers["joints"].shape == (1, 1, 4, 4, 14)
                and persons == pose_net_estimator.MAX_PEOPLE
            )
            return people

        monkeypatch.setattr(pose_decoding, "decode", decode)
        (found,) = eye(picture)
        np.testing.assert_allclose(found[:2, :2], corners[:2], atol=1e-3)
        assert not found[2:].any() and set(eye.seconds) == {"pose", "decode"}
        inside = np.abs(inputs[..., 0] - (200 / 127.5 - 1)) < 0.02
        assert abs(inside.sum() - 32 * 32 * min(height, width) / max(height, width)) <= 32
        assert np.all(inputs[~inside] == 0)
