"""Video files become upright frames with right colours and times; errors name the file."""

import sys
import types

import av
import numpy as np
import pytest
import tensorflow as tf

from jaxact.datasets.formats import video_encoding, video_file
from jaxact.errors import UserError
from tests.helpers import videos


def pictures(clip: video_encoding.EncodedClip) -> np.ndarray:
    return np.stack([tf.io.decode_jpeg(frame).numpy() for frame in clip.frames])


def corners(picture: np.ndarray) -> np.ndarray:
    """The colours at the centres of the four quarters, [2, 2, 3]."""
    height, width = picture.shape[:2]
    return picture[height // 4 :: height // 2][:2, width // 4 :: width // 2][:, :2].astype(int)


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        (".avi", "mjpeg"),
        (".avi", "mpeg4"),
        (".mp4", "libx264"),
        (".mkv", "ffv1"),
        (".webm", "libvpx-vp9"),
        (".mpg", "mpeg2video"),
    ],
)
def test_frames_of_every_container_round_trip(tmp_path, suffix, codec):
    expected = videos.frames(12, 48, 64)
    clip = video_encoding.encode(
        str(videos.write(tmp_path / f"clip{suffix}", expected, codec=codec)), short_side=256
    )
    assert (clip.height, clip.width, len(clip.frames), clip.damaged) == (48, 64, 12, 0)
    assert clip.fps == pytest.approx(25, abs=0.05) and clip.flow == []
    np.testing.assert_allclose(clip.times, np.arange(12) / 25, atol=2e-3)
    for picture, truth in zip(pictures(clip), expected, strict=True):
        assert np.abs(corners(picture) - corners(truth)).max() < 25
        assert np.abs(picture.astype(int) - truth).mean() < 8


def test_larger_frames_shrink_to_the_short_side_and_smaller_ones_stay(tmp_path):
    path = str(videos.write(tmp_path / "clip.avi", videos.frames(3, 48, 80)))
    for short_side, size in ((24, (24, 40)), (17, (17, 28)), (48, (48, 80)), (100, (48, 80))):
        clip = video_encoding.encode(path, short_side=short_side)
        assert (clip.height, clip.width) == size and pictures(clip).shape == (3, *size, 3)
    assert video_encoding.scaled_size(80, 48, 24) == (40, 24)


def test_hd_and_sd_colour_spaces_are_distinguished(tmp_path):
    expected = videos.CORNERS.repeat(32, 0).repeat(32, 1)[None].repeat(3, 0)
    for colorspace in (None, 1):
        path = videos.write(
            tmp_path / f"{colorspace}.mp4", expected, codec="libx264", colorspace=colorspace
        )
        (picture, *_) = pictures(video_encoding.encode(str(path), short_side=64))
        np.testing.assert_allclose(corners(picture), videos.CORNERS, atol=6)


# What a display matrix (a, b, c, d) does to a picture, by hand: (x, y) goes to (a x + c y, b x + d
# y).
TURNS = {
    (1, 0, 0, 1): lambda picture: picture,
    (0, 1, -1, 0): lambda picture: np.rot90(
        picture, -1
    ),  # a phone held upright: a quarter turn clockwise
    (0, -1, 1, 0): lambda picture: np.rot90(picture, 1),
    (-1, 0, 0, -1): lambda picture: np.rot90(picture, 2),
    (-1, 0, 0, 1): lambda picture: picture[:, ::-1],  # a mirror
    (1, 0, 0, -1): lambda picture: picture[::-1],
    (0, 1, 1, 0): lambda picture: picture.transpose(1, 0, 2),
}


@pytest.mark.parametrize("matrix", TURNS)
def test_a_rotated_video_is_made_upright(tmp_path, matrix):
    expected = videos.frames(3, 32, 48)
    clip = video_encoding.encode(
        str(videos.write(tmp_path / "clip.mp4", expected, matrix=matrix)), short_side=256
    )
    for picture, stored in zip(pictures(clip), expected, strict=True):
        truth = TURNS[matrix](stored)
        assert picture.shape == truth.shape == (clip.height, clip.width, 3)
        np.testing.assert_allclose(corners(picture), corners(truth), atol=25)


def test_a_variable_rate_keeps_every_frame_and_its_time(tmp_path):
    times = [0.0, 0.04, 0.08, 0.5, 0.52, 2.0]
    clip = video_encoding.encode(
        str(videos.write(tmp_path / "clip.mkv", videos.frames(6), times=times)), short_side=256
    )
    np.testing.assert_allclose(clip.times, times, atol=1e-3)
    assert clip.fps == pytest.approx(2.5) and len(clip.frames) == 6


def test_a_long_last_frame_does_not_count_as_cut_off(tmp_path):
    path = videos.write(
        tmp_path / "clip.mp4", videos.frames(6), times=[0.0, 0.1, 0.2, 0.3, 0.4, 0.5], last=4.0
    )
    with av.open(str(path)) as container:
        assert container.duration == pytest.approx(4.5e6, rel=0.01)
    clip = video_encoding.encode(str(path), short_side=256)
    assert len(clip.frames) == 6 and clip.times[-1] == pytest.approx(0.5, abs=1e-3)


def test_missing_or_decreasing_times_become_evenly_spaced():
    for times in ([0.0, None, 0.08], [0.0, 0.04, 0.04], [0.1, 0.05, 0.2]):
        seconds, fps = video_file.frame_times(times, 50.0)
        np.testing.assert_allclose(seconds, [0.0, 0.02, 0.04], atol=1e-6)
        assert fps == pytest.approx(50)
    assert video_file.frame_times([None, None], 0.0)[1] == pytest.approx(25)
    seconds, fps = video_file.frame_times([3.0, 3.5, 4.5], 25.0)
    assert seconds.tolist() == [0.0, 0.5, 1.5] and fps == pytest.approx(2 / 1.5)
    assert video_file.frame_times([7.0], 25.0)[1] == 25 and video_file.frame_times([7.0], 25.0)[
        0
    ].tolist() == [0.0]


def test_a_video_of_one_frame_is_a_clip(tmp_path):
    clip = video_encoding.encode(
        str(videos.write(tmp_path / "clip.mp4", videos.frames(1))), short_side=256
    )
    assert len(clip.frames) == 1 and clip.times.tolist() == [0.0]


def test_one_file_gives_the_same_bytes_every_time(tmp_path):
    path = str(videos.write(tmp_path / "clip.mp4", videos.frames(5), codec="libx264"))
    first, second = (video_encoding.encode(path, short_side=16).frames for _ in range(2))
    assert first == second


def cut(path, share: float):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


@pytest.mark.parametrize(
    ("name", "codec", "options", "share"),
    [
        ("clip.mp4", "mpeg4", {}, 0.5),
        ("clip.mp4", "mpeg4", {"movflags": "faststart"}, 0.6),
        ("clip.avi", "mpeg4", {}, 0.5),
        ("clip.avi", "mpeg4", {}, 0.85),
        ("clip.mkv", "libx264", {}, 0.5),
        ("clip.mkv", "libx264", {}, 0.8),
    ],
)
def test_a_file_that_is_cut_off_is_an_error(tmp_path, name, codec, options, share):
    pictures = np.random.default_rng(0).integers(0, 255, (50, 32, 32, 3), np.uint8)
    path = cut(videos.write(tmp_path / name, pictures, codec=codec, options=options), share)
    with pytest.raises(
        UserError,
        match=rf"{name}' (is cut off: its header states|cannot be read as a video|is damaged)",
    ):
        video_encoding.encode(str(path), short_side=256)


def test_a_file_with_overwritten_bytes_is_rejected_or_its_concealed_frames_are_counted(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 255, (40, 64, 64, 3), np.uint8)
    path = videos.write(tmp_path / "clip.avi", pictures)
    content = bytearray(path.read_bytes())
    for position in np.random.default_rng(1).integers(
        len(content) // 4, len(content) * 9 // 10, 200
    ):
        content[position] ^= 255
    path.write_bytes(content)
    with pytest.raises(
        UserError, match=r"clip.avi' is damaged: \d+ of its \d+ frames cannot be decoded completely"
    ):
        video_encoding.encode(str(path), short_side=256)
    few = bytearray(videos.write(path, pictures).read_bytes())
    few[len(few) // 2 : len(few) // 2 + 20] = bytes(20)
    path.write_bytes(few)
    clip = video_encoding.encode(str(path), short_side=256)
    assert 1 <= clip.damaged <= 4 and len(clip.frames) >= 36


def test_a_file_that_is_not_a_video_is_an_error(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.avi").write_text("not a video\n" * 100)
    for name in ("empty.mp4", "text.avi"):
        with pytest.raises(
            UserError, match=rf"{name}' cannot be read as a video: Invalid data found"
        ):
            video_encoding.encode(str(tmp_path / name), short_side=256)
    with pytest.raises(
        UserError, match=r"gone.mp4' cannot be read as a video: No such file or directory"
    ):
        video_encoding.encode(str(tmp_path / "gone.mp4"), short_side=256)


def test_tags_that_are_not_utf_8_do_not_matter(tmp_path):
    path = tmp_path / "clip.avi"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "café"
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 24, "yuvj420p"
        for picture in videos.frames(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    content = path.read_bytes()
    assert content.count("café".encode()) == 1
    path.write_bytes(content.replace("café".encode(), b"caf\xe9 "))
    assert len(video_encoding.encode(str(path), short_side=256).frames) == 3


@pytest.mark.parametrize("strict", [True, False], ids=["as PyAV 18", "as PyAV 19"])
def test_tags_are_replaced_only_by_a_pyav_with_that_option(monkeypatch, strict):
    calls = []

    def opened(path, **options):
        calls.append(options)
        if strict and "metadata_errors" not in options:
            raise UnicodeDecodeError("utf-8", b"\xe9", 0, 1, "invalid continuation byte")
        return "container"

    monkeypatch.setattr(av, "open", opened)
    assert video_file.open_container("clip.avi", timeout=2.0) == "container"
    assert calls == [{"timeout": 2.0}, {"timeout": 2.0, "metadata_errors": "replace"}][: 1 + strict]


def test_a_video_without_frames_is_an_error(tmp_path):
    with av.open(str(tmp_path / "clip.avi"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 32
        container.start_encoding()
    with pytest.raises(UserError, match=r"clip.avi' holds no frames"):
        video_encoding.encode(str(tmp_path / "clip.avi"), short_side=256)


def test_a_file_with_sound_alone_is_an_error(tmp_path):
    with av.open(str(tmp_path / "sound.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 800), np.int16), format="s16", layout="mono"
        )
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(UserError, match=r"sound.wav' holds no video, only audio"):
        video_encoding.encode(str(tmp_path / "sound.wav"), short_side=256)


def test_a_codec_without_a_decoder_is_an_error():
    stream = types.SimpleNamespace(
        type="video", disposition=av.stream.Disposition(0), codec_context=None
    )
    container = types.SimpleNamespace(streams=types.SimpleNamespace(video=[stream]))
    with pytest.raises(
        UserError, match=r"clip.mp4' cannot be read as a video: ffmpeg has no decoder for it"
    ):
        video_file.Video("clip.mp4")._open_stream(container)


def test_a_very_long_file_is_rejected_before_it_fills_the_memory(tmp_path, monkeypatch):
    path = str(videos.write(tmp_path / "clip.mp4", videos.frames(30)))
    size = sum(map(len, video_encoding.encode(path, short_side=256).frames))
    monkeypatch.setattr(video_encoding, "MAX_RECORD_BYTES", size - 1)
    with pytest.raises(
        UserError, match=r"clip.mp4' is too long for one record: its first 30 frames .*cut it into"
    ):
        video_encoding.encode(path, short_side=256)
    monkeypatch.setattr(video_encoding, "MAX_RECORD_BYTES", size)
    assert len(video_encoding.encode(path, short_side=256).frames) == 30


def test_the_error_without_pyav_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(
        UserError,
        match=r"needs the package 'av', which is not installed: pip install 'jaxact\[video\]'",
    ):
        video_encoding.encode(str(tmp_path / "clip.mp4"), short_side=256)
