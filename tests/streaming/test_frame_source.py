"""Where frames come from: files, broken files, folders, pipes, cameras that vanish; and frames that
come too fast.
"""

import io
import json
import threading

import av
import numpy as np
import pytest

from jaxact.errors import UserError
from jaxact.streaming import openpose_source
from jaxact.streaming.frame import Frame
from jaxact.streaming.frame_dropping import LatestFrames, PacedFrames
from jaxact.streaming.frame_source import open_source
from jaxact.streaming.live_source import LiveFrames
from tests.helpers import videos

IMAGE = np.zeros((2, 2, 3), np.uint8)


class Clock:
    """A time that passes where somebody sleeps."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def opened(name, fps=10.0):
    return open_source(str(name), fps=fps, patience=1.0)


def openpose_frame(people=1, joints=25):
    numbers = [float(i) for i in range(1, 3 * joints + 1)]
    return {"version": 1.3, "people": [{"pose_keypoints_2d": numbers}] * people}


def test_a_video_is_every_frame_of_it_at_its_time(tmp_path):
    pictures = videos.frames(6)
    source = opened(videos.write(tmp_path / "a.mp4", pictures, rate=25))
    frames = list(source.frames)
    assert (
        not source.live
        and not source.has_poses
        and [frame.number for frame in frames] == list(range(6))
    )
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(6) / 25, atol=1e-3)
    assert all(
        np.abs(frame.image.astype(int) - expected).mean() < 12
        for frame, expected in zip(frames, pictures, strict=True)
    )


def test_a_damaged_video_gives_what_can_be_decoded_and_says_the_rest(tmp_path):
    path = videos.write(tmp_path / "a.mkv", videos.frames(30, 48, 64), codec="mjpeg")
    content = bytearray(path.read_bytes())
    starts = [at for at in range(len(content)) if content[at : at + 3] == b"\xff\xd8\xff"]
    end = content.index(b"\xff\xd9", starts[10])
    content[starts[10] : end] = bytes(end - starts[10])  # no picture any more
    path.write_bytes(content[: starts[20] + 50])
    frames = list(opened(path).frames)
    assert 18 <= sum(frame.image is not None for frame in frames) < 20
    notes = [frame.note for frame in frames if frame.note]
    assert (
        notes[0].startswith("frame 10 cannot be decoded")
        and "is cut off after 0.8 of 1.2 s" in notes[-1]
    )


def test_what_is_no_source_is_one_sentence(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no video")
    for name, message in (
        ("a.mp4", "cannot be read as a video"),
        ("none", "no source"),
        (".", "neither images nor JSON"),
    ):
        (tmp_path / "a.mp4").rename(
            tmp_path / ("a.mp4" if name == "a.mp4" else "a.txt")
        ) if name != "none" else None
        with pytest.raises(UserError, match=message):
            list(opened(tmp_path / name).frames)
    with pytest.raises(UserError, match="--fps is a number of frames per second above 0"):
        opened("-", fps=0.0)
    with pytest.raises(UserError, match="camera 97' cannot be opened"):
        list(opened("97").frames)


def test_a_folder_of_pictures_may_change_its_size_and_hold_a_broken_one(tmp_path):
    for number, size in enumerate([(24, 32), (24, 32), (40, 20)]):
        encode(tmp_path / f"{number}.jpg", videos.frames(1, *size)[0])
    (tmp_path / "1.jpg").write_bytes(b"broken")
    frames = list(opened(tmp_path).frames)
    assert [None if frame.image is None else frame.image.shape[:2] for frame in frames] == [
        (24, 32),
        None,
        (40, 20),
    ]
    assert [frame.time for frame in frames] == [0, 0.1, 0.2] and frames[1].note.startswith(
        "no image in 1.jpg"
    )


def encode(path, picture):
    from jaxact.datasets.formats.video_encoding import JpegEncoder

    image = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuvj420p")
    path.write_bytes(JpegEncoder(*picture.shape[:2])(image))


def test_a_folder_of_poses_says_which_file_is_none(tmp_path):
    for number, content in enumerate([openpose_frame(0), openpose_frame(2), [], openpose_frame(1)]):
        (tmp_path / f"clip_{number:03d}_keypoints.json").write_text(json.dumps(content))
    source = opened(tmp_path)
    frames = list(source.frames)
    assert source.has_poses and [
        None if frame.poses is None else len(frame.poses) for frame in frames
    ] == [
        0,
        2,
        None,
        1,
    ]
    assert "clip_002_keypoints.json" in frames[2].note
    np.testing.assert_array_equal(frames[3].poses[0, 1], [4, 5, 6])
    encode(tmp_path / "a.jpg", videos.frames(1)[0])
    with pytest.raises(UserError, match="both images and JSON files"):
        opened(tmp_path)


@pytest.mark.parametrize("between", ["\n", "", "\n\n "])
def test_a_pipe_gives_each_frame_as_soon_as_it_is_whole(between):
    class Pipe:
        """Seven bytes at a time, and how many have been read."""

        def __init__(self, content):
            self.stream, self.read_so_far = io.BytesIO(content), 0

        def read1(self, _):
            chunk = self.stream.read(7)
            self.read_so_far += len(chunk)
            return chunk

    texts = [json.dumps(openpose_frame(people)) for people in (1, 0, 2)]
    pipe = Pipe(between.join(texts).encode())
    frames = openpose_source.from_pipe(pipe, 10.0)
    assert len(next(frames).poses) == 1 and pipe.read_so_far < len(texts[0]) + 8
    assert [(frame.number, len(frame.poses)) for frame in frames] == [(1, 0), (2, 2)]


def test_a_line_that_is_no_frame_is_a_note_and_the_next_one_is_read():
    lines = [
        json.dumps(openpose_frame()),
        '{"people": [',
        "7",
        json.dumps({"people": [{}]}),
        json.dumps(openpose_frame(3)),
    ]
    frames = list(openpose_source.from_pipe(io.BytesIO("\n".join(lines).encode()), 10.0))
    assert [None if frame.poses is None else len(frame.poses) for frame in frames] == [
        1,
        None,
        None,
        None,
        3,
    ]
    assert all("frame" in frame.note for frame in frames[1:4]) and "not JSON" in frames[1].note


def test_a_camera_that_vanishes_is_opened_again_and_given_up_in_the_end():
    clock, attempts = Clock(), []

    def connect():
        attempts.append(clock.now)
        if len(attempts) in (1, 4):
            for number in range(2):
                clock.now += 0.1
                yield Frame(number, 0.0, IMAGE)
        raise ConnectionError("unplugged")

    frames = list(
        LiveFrames(connect, name="camera 0", patience=5.0, clock=clock, sleep=clock.sleep)
    )
    notes = [(frame.number, frame.note) for frame in frames if frame.note]
    assert notes[0] == (2, "camera 0 is gone: unplugged") and notes[1][1].startswith(
        "camera 0 is back after"
    )
    assert notes[2:] == [
        (4, "camera 0 is gone: unplugged"),
        (4, "camera 0 did not come back within 5 s"),
    ]
    assert [frame.number for frame in frames if frame.image is not None] == [0, 1, 2, 3]
    assert np.all(np.diff([frame.time for frame in frames]) >= 0) and len(attempts) < 12


def test_a_camera_that_never_was_is_an_error_and_a_stream_with_an_end_ends():
    def nothing():
        raise OSError(2, "No such file or directory")
        yield

    with pytest.raises(UserError, match="'camera 3' cannot be opened: No such file"):
        list(LiveFrames(nothing, name="camera 3", patience=60.0))
    assert (
        len(list(LiveFrames(lambda: iter([Frame(0, 0.0, IMAGE)] * 3), name="film", patience=60.0)))
        == 3
    )


def test_of_frames_that_nobody_was_ready_for_the_newest_is_taken_and_every_note():
    latest = LatestFrames(())
    for number in range(3):
        latest.put(Frame(number, 0.0, IMAGE))
        latest.put(Frame(number, 0.0, note=f"note {number}"))
    received = [latest._next() for _ in range(4)]
    assert [frame.note or frame.number for frame in received] == [
        "note 0",
        "note 1",
        "note 2",
        2,
    ] and latest.dropped == 2
    latest.put(Frame(3, 0.0, IMAGE))
    latest.end()
    assert latest._next().number == 3 and latest._next() is None and latest.dropped == 2


def test_a_source_is_read_on_while_somebody_looks_and_its_error_is_raised_where_it_is_read():
    looked, through = threading.Event(), threading.Event()

    def camera():
        yield Frame(0, 0.0, IMAGE)
        assert looked.wait(10)
        yield from (Frame(number, 0.0, IMAGE) for number in range(1, 5))
        through.set()
        raise ValueError("broken")

    latest, received = LatestFrames(camera()), []
    with pytest.raises(ValueError, match="broken"):
        for frame in latest:
            received.append(frame.number)
            looked.set()
            assert through.wait(10)
    assert received == [0, 4] and latest.dropped == 3


def test_a_file_played_as_a_camera_drops_what_is_late():
    """25 frames a second, and a tenth of a second for each that is looked at."""
    clock = Clock()
    paced = PacedFrames(
        (Frame(n, n / 25, IMAGE) for n in range(25)), clock=clock, sleep=clock.sleep
    )
    received = []
    for frame in paced:
        received.append((frame.number, clock.now))
        clock.now += 0.1
    assert paced.dropped == 25 - len(received) and len(received) in range(9, 13)
    assert all(number / 25 - 1e-9 <= now <= number / 25 + 0.041 for number, now in received)
    quick = PacedFrames(
        (Frame(n, n / 25, IMAGE) for n in range(25)), clock=Clock(), sleep=lambda _: None
    )
    assert len(list(quick)) == 25 and quick.dropped == 0
