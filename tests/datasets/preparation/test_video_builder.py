"""Prepared videos: every frame of every clip, damaged files, interrupted runs, options."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from jaxact import cli
from jaxact.check import open_corpus
from jaxact.datasets import dataset_info, records
from jaxact.datasets.formats import video_encoding
from jaxact.datasets.preparation import prepare
from jaxact.datasets.preparation.options import PrepareOptions
from jaxact.datasets.preparation.video_builder import VideoBuilder
from jaxact.errors import UserError
from tests.helpers import videos

CLIPS = [(action, number) for action in ("clap", "wave") for number in range(5)]


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("videos")
    for action, number in CLIPS:
        pictures = videos.frames(3 + number, 20, 30, seed=number)
        videos.write(root / action / f"{action}{number}.mp4", pictures)
    return root


def prepare_videos(raw: Path, data: Path, **options):
    prepare_options = PrepareOptions(**{"workers": 1, **options})
    return prepare.prepare("video_folder", raw=raw, data_dir=data, options=prepare_options)


def contents(folder: str) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in Path(folder).iterdir() if "tfrecord" in path.name
    }


def test_a_prepared_video_set_holds_every_frame_of_every_clip(raw, tmp_path):
    summary = prepare_videos(raw, tmp_path)
    assert (summary.clips, summary.classes, summary.frames) == (10, 2, 2 * sum(range(3, 8)))
    lines = str(summary).splitlines()
    assert (
        lines[0] == "10 clips, 2 classes, 50 frames"
        and "random_3to1_test leaks: drawn clip by clip" in lines[2]
    )
    info = dataset_info.load("video_folder", tmp_path)
    assert (info.kind, info.labels, info.layout.name) == ("video", ("clap", "wave"), "picture")
    assert info.leaks == {"random_3to1_test": None}
    assert info.stored == {
        "short_side": 256,
        "jpeg_quantiser": video_encoding.QUANTISER,
        "flow": None,
        "flow_bound": None,
    }
    stored_records = {
        r["id"].decode(): r for r in records.records(info, "all", fields=None).as_numpy_iterator()
    }
    assert set(stored_records) == {f"{action}/{action}{number}" for action, number in CLIPS}
    for name, record in stored_records.items():
        encoded = video_encoding.encode(str(raw / f"{name}.mp4"), short_side=256)
        assert record["frames"].tolist() == encoded.frames and record["num_frames"] == len(
            encoded.frames
        )
        np.testing.assert_array_equal(record["times"], encoded.times)
        assert (record["height"], record["width"], record["damaged"]) == (20, 30, 0)
        assert record["fps"] == pytest.approx(25, abs=0.1) and record["group"] == b""
        assert info.labels[record["label"]] == name.partition("/")[0]


def test_several_processes_write_the_same_bytes(raw, tmp_path, monkeypatch):
    monkeypatch.setattr(VideoBuilder, "CHUNK", 2)
    alone, together = (
        prepare_videos(raw, tmp_path / "a"),
        prepare_videos(raw, tmp_path / "b", workers=2),
    )
    assert contents(alone.path) == contents(together.path) != {}


def test_short_side_and_flow_are_options(raw, tmp_path):
    prepare_videos(raw, tmp_path, short_side=16, flow="dis")
    info = dataset_info.load("video_folder", tmp_path)
    assert (info.stored["short_side"], info.stored["flow"], info.stored["flow_bound"]) == (
        16,
        "dis",
        20,
    )
    record = next(records.records(info, "all", fields=None).as_numpy_iterator())
    assert (record["height"], record["width"]) == (16, 24) and len(record["flow"]) == len(
        record["frames"]
    )
    assert tf.io.decode_jpeg(record["flow"][0], channels=1).shape == (16, 48, 1)
    assert tf.io.decode_jpeg(record["frames"][0]).shape == (16, 24, 3)


def test_skip_bad_skips_and_lists_bad_videos(raw, tmp_path):
    clips = tmp_path / "clips"
    for action, number in CLIPS:
        (clips / action).mkdir(parents=True, exist_ok=True)
        os.link(raw / action / f"{action}{number}.mp4", clips / action / f"{action}{number}.mp4")
    (clips / "wave/broken.mp4").write_bytes((raw / "wave/wave0.mp4").read_bytes()[:300])
    with pytest.raises(
        UserError,
        match=r"broken.mp4' cannot be read as a video: .*; --skip-bad leaves such files out",
    ):
        prepare_videos(clips, tmp_path / "data")
    summary = prepare_videos(clips, tmp_path / "data", skip_bad=True)
    assert summary.clips == 10 and [Path(path).name for path, _ in summary.skipped] == [
        "broken.mp4"
    ]


def write_damaged(folder: Path) -> dict[str, str]:
    """Writes eleven files with different damage; returns the pattern of the error of each."""
    pictures = np.random.default_rng(0).integers(0, 255, (40, 32, 32, 3), np.uint8)
    whole = {
        suffix: videos.write(folder / f"w.{suffix}", pictures).read_bytes()
        for suffix in ("avi", "mp4", "mkv")
    }
    for suffix in whole:
        (folder / f"w.{suffix}").unlink()
    noise = np.random.default_rng(1)
    torn = bytearray(whole["avi"])
    for position in noise.integers(len(torn) // 4, len(torn) * 9 // 10, 300):
        torn[position] ^= 255
    contents = {
        "empty.mp4": b"",
        "text.avi": b"not a video\n" * 100,
        "noise.mkv": noise.bytes(5000),
        "zeros.mp4": bytes(5000),
        "head.mp4": whole["mp4"][:300],
        "half_mp4.mp4": whole["mp4"][: len(whole["mp4"]) // 2],
        "half_avi.avi": whole["avi"][: len(whole["avi"]) // 2],
        "half_mkv.mkv": whole["mkv"][: len(whole["mkv"]) // 2],
        "torn.avi": bytes(torn),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "gone.mp4").symlink_to(folder / "nowhere.mp4")
    (folder / "folder.mp4").mkdir()
    unreadable = dict.fromkeys([*contents, "gone.mp4", "folder.mp4"], "cannot be read as a video")
    cut = "cannot be read as a video|is cut off: its header states|is damaged: "
    return unreadable | {"half_avi.avi": cut, "half_mkv.mkv": cut, "torn.avi": "is damaged: "}


def test_eleven_kinds_of_damage_are_listed_and_every_sound_video_is_stored(raw, tmp_path):
    clips = tmp_path / "clips"
    for action, number in CLIPS:
        (clips / action).mkdir(parents=True, exist_ok=True)
        os.link(raw / action / f"{action}{number}.mp4", clips / action / f"{action}{number}.mp4")
    expected = write_damaged(clips / "wave")
    summary = prepare_videos(clips, tmp_path / "data", skip_bad=True, workers=2)
    reasons = {Path(path).name: why for path, why in summary.skipped}
    assert set(reasons) == set(expected) and len(expected) == 11
    for name, problem in expected.items():
        assert re.search(rf"wave/{name}' ({problem})", reasons[name])
    info = dataset_info.load("video_folder", tmp_path / "data")
    stored = {
        record["id"].decode()
        for record in records.records(info, "all", fields=("id",)).as_numpy_iterator()
    }
    assert stored == {f"{action}/{action}{number}" for action, number in CLIPS}


def test_a_killed_run_continues_where_it_stopped(raw, tmp_path):
    """After SIGKILL during parsing, the next run reuses the finished chunks."""
    code = (
        "import time\n"
        "from jaxact.datasets.formats import video_encoding\n"
        "from jaxact.datasets.preparation import options, prepare, video_builder\n"
        "video_builder.VideoBuilder.CHUNK = 1\n"
        "original = video_encoding.encode\n"
        "def slow(path, **options):\n"
        "    time.sleep(0.3)\n"
        "    return original(path, **options)\n"
        "video_encoding.encode = slow\n"
        f"prepare.prepare('video_folder', raw={str(raw)!r}, data_dir={str(tmp_path / 'data')!r}, "
        "options=options.PrepareOptions(workers=1))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    work = tmp_path / "data/video_folder/.parsing"
    until = time.monotonic() + 120
    while len(list(work.glob("[!.]*.chunk"))) < 3 and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = {path.name: path.stat().st_mtime_ns for path in work.glob("[!.]*.chunk")}
    assert 3 <= len(finished) < 10 and not (tmp_path / "data/video_folder/1.0.0").exists()
    chunk_times = {}

    def record_chunk_times(*arguments):
        chunk_times.update(
            {path.name: path.stat().st_mtime_ns for path in work.glob("[!.]*.chunk")}
        )
        return original(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VideoBuilder, "CHUNK", 1)
        original = prepare.write
        patch.setattr(prepare, "write", record_chunk_times)
        summary = prepare_videos(raw, tmp_path / "data")
    assert {name: chunk_times[name] for name in finished} == finished and len(chunk_times) == 10
    assert contents(summary.path) == contents(prepare_videos(raw, tmp_path / "other").path)


def test_chunks_of_another_size_are_not_used_again(raw, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prepare, "write", stop)
        prepare_videos(raw, tmp_path)
    assert list((tmp_path / "video_folder/.parsing").glob("*.chunk"))
    prepare_videos(raw, tmp_path, short_side=16)
    info = dataset_info.load("video_folder", tmp_path)
    assert {
        record["height"]
        for record in records.records(info, "all", fields=("height",)).as_numpy_iterator()
    } == {16}


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        ("video_folder", {"short_side": 8}, "short_side is 8, but must be at least 16 pixels"),
        ("video_folder", {"flow": "tvl1"}, "unknown flow 'tvl1'; available: dis, farneback"),
        (
            "video_folder",
            {"layout": "coco-17"},
            "layout is for skeleton sets; .* of 'video_folder' are of the kind video",
        ),
        (
            "utd_mhad",
            {"short_side": 64},
            "short_side is for video sets; .* of 'utd_mhad' are of the kind skeleton",
        ),
        ("utd_mhad", {"flow": "dis"}, "flow is for video sets"),
        ("video_folder/My Set", {}, "needs a name of lower-case letters"),
        ("ucf101/x", {}, "dataset 'ucf101' has no configurations"),
    ],
)
def test_options_of_another_kind_of_set_are_errors(raw, tmp_path, name, options, problem):
    with pytest.raises(UserError, match=problem):
        prepare.prepare(name, raw=raw, data_dir=tmp_path, options=PrepareOptions(**options))
    assert not list(tmp_path.iterdir())


def test_the_command_prepares_videos_with_and_without_a_name(raw, tmp_path, capsys):
    assert (
        cli.main(
            [
                "prepare",
                "video_folder",
                "--raw",
                str(raw),
                "--data-dir",
                str(tmp_path),
                "--short-side",
                "16",
            ]
        )
        == 0
    )
    assert "10 clips, 2 classes, 50 frames" in capsys.readouterr().out
    arguments = ["--raw", str(raw), "--data-dir", str(tmp_path), "--name", "mine"]
    assert cli.main(["prepare", "video_folder", *arguments]) == 0
    assert dataset_info.prepared_names(tmp_path) == ["video_folder", "video_folder/mine"]
    assert dataset_info.load("video_folder/mine", tmp_path).stored["short_side"] == 256
    with pytest.raises(UserError, match=r"jaxact prepare video_folder --raw DIR --data-dir"):
        dataset_info.load("video_folder", tmp_path / "none")


def test_checking_videos_is_an_error():
    with pytest.raises(UserError, match=r"'ucf101' holds videos; wanted a data set of skeletons"):
        open_corpus("ucf101")
