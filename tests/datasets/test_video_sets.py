"""UCF101, HMDB51, JHMDB's clips and folders of videos: names, lists, splits, groups, and records as
prepared.
"""

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
from jaxact.datasets.hmdb51 import Hmdb51, group_of
from jaxact.datasets.jhmdb_video import JhmdbVideo
from jaxact.datasets.preparation import prepare
from jaxact.datasets.preparation.options import PrepareOptions
from jaxact.datasets.preparation.video_builder import VideoBuilder
from jaxact.datasets.ucf101 import Ucf101
from jaxact.datasets.video_folder import VideoFolder
from jaxact.errors import UserError
from tests.helpers import videos


def split_of(found, split: str) -> set[str]:
    return {source.id for source in found.clips if source.cell in found.unions[split]}


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def ucf(root: Path, *, folder: str = "HandstandPushups", file: str = "HandStandPushups") -> Path:
    """Two classes of three groups; group 3 tests in the first split, 2 in the second, 1 in the
    third.
    """
    clips = {"Archery": "Archery", folder: file}
    touch(
        root,
        *(
            f"UCF-101/{a}/v_{b}_g0{g}_c0{c}.avi"
            for a, b in clips.items()
            for g in (1, 2, 3)
            for c in (1, 2)
        ),
    )
    lists = root / "ucfTrainTestlist"
    lists.mkdir()
    (lists / "classInd.txt").write_text("1 Archery\n2 HandstandPushups\n\n")
    listed = [("Archery", "Archery", 1), ("HandstandPushups", "HandStandPushups", 2)]
    for split in (1, 2, 3):
        rows = [
            (f"{a}/v_{b}_g0{g}_c0{c}.avi", n, g)
            for a, b, n in listed
            for g in (1, 2, 3)
            for c in (1, 2)
        ]
        train = [f"{path} {number}\r\n" for path, number, group in rows if group != 4 - split]
        (lists / f"trainlist0{split}.txt").write_text("".join(train))
        (lists / f"testlist0{split}.txt").write_text(
            "".join(f"{path}\n" for path, _, group in rows if group == 4 - split)
        )
    return root


@pytest.mark.parametrize(
    "spelling", [{}, {"file": "HandstandPushups"}, {"folder": "handstandpushups"}]
)
def test_ucf_clips_are_matched_to_the_lists_without_regard_to_case(tmp_path, spelling):
    found = Ucf101.find(ucf(tmp_path, **spelling))
    assert (
        found.labels == ("Archery", "HandstandPushups")
        and len(found.clips) == 12
        and not found.dropped
    )
    assert {source.label for source in found.clips if "HandStandPushups" in source.id} == {1}
    for split in (1, 2, 3):
        test = split_of(found, f"official{split}_test")
        assert test == {
            f"v_{a}_g0{4 - split}_c0{c}" for a in ("Archery", "HandStandPushups") for c in (1, 2)
        }
        assert (
            split_of(found, f"official{split}_train")
            == {source.id for source in found.clips} - test
        )
    assert {source.facts["group"] for source in found.clips if "_g01_" in source.id} == {
        "v_Archery_g01",
        "v_HandStandPushups_g01",
    }


def test_the_set_of_this_name_that_tfds_has_can_be_used_beside_ours():
    code = "import jaxact.datasets, tensorflow_datasets as tfds; print(tfds.video.Ucf101.name)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "ucf101", done.stderr


def test_the_official_splits_do_not_leak_and_the_random_one_says_so(tmp_path):
    found = Ucf101.find(ucf(tmp_path))
    assert len(split_of(found, "random_3to1_test")) == 3 and len(split_of(found, "group_test")) == 4
    groups = {source.id: source.facts["group"] for source in found.clips}
    train = {groups[clip] for clip in split_of(found, "random_3to1_train")}
    leaked = sum(groups[clip] in train for clip in split_of(found, "random_3to1_test"))
    assert found.leaks == {"random_3to1_test": leaked} and leaked


def test_a_ucf_folder_that_does_not_fit_its_lists_is_told(tmp_path):
    root = ucf(tmp_path)
    (root / "UCF-101/Archery/v_Archery_g01_c01.avi").unlink()
    assert Ucf101.find(root).dropped == {"listed, but without a file": 1}
    touch(root, "UCF-101/Archery/v_Archery_g09_c01.avi")
    with pytest.raises(UserError, match=r"v_Archery_g09_c01.avi': the clip is on no list"):
        Ucf101.find(root)
    (root / "UCF-101/Archery/v_Archery_g09_c01.avi").rename(root / "v_Archry_g01_c01.avi")
    with pytest.raises(
        UserError,
        match=r"unknown class of .* 'Archry'; available: Archery, .*did you mean 'Archery'",
    ):
        Ucf101.find(root)
    (root / "v_Archry_g01_c01.avi").rename(root / "holiday.avi")
    with pytest.raises(UserError, match=r"holiday.avi' is not named v_<class>_g<group>_c<clip>"):
        Ucf101.find(root)
    (root / "holiday.avi").unlink()
    (root / "ucfTrainTestlist/classInd.txt").write_text("1 Archery\n3 HandstandPushups\n")
    with pytest.raises(
        UserError, match=r"classInd.txt', line 2: wanted '2 <class>', found '3 HandstandPushups'"
    ):
        Ucf101.find(root)
    (root / "ucfTrainTestlist/testlist02.txt").unlink()
    with pytest.raises(
        UserError, match=r"no file 'testlist02.txt' under .*; expected the clips v_<class>"
    ):
        (root / "ucfTrainTestlist/classInd.txt").write_text("1 Archery\n2 HandstandPushups\n")
        Ucf101.find(root)


def hmdb(root: Path, actions: tuple[str, ...], suffix: str = ".avi") -> Path:
    """Per class three clips of film A and one of film B; flags of the first split 1 1 2 0, of the
    others 1.
    """
    for action in actions:
        clips = [
            f"{film}_{action}_f_cm_np1_fr_med_{n}"
            for film, n in (("A", 0), ("A", 1), ("A_2", 0), ("B", 0))
        ]
        touch(root, *(f"clips/{action}/{clip}{suffix}" for clip in clips))
        for split, flags in ((1, "1120"), (2, "1111"), (3, "1111")):
            lines = [f"{clip}.avi {flag} \n" for clip, flag in zip(clips, flags, strict=True)]
            touch(root, f"lists/{action}_test_split{split}.txt")
            (root / f"lists/{action}_test_split{split}.txt").write_text("".join(lines))
    return root


@pytest.mark.parametrize(
    ("maker", "actions", "suffix"),
    [(Hmdb51, ("wave", "brush_hair"), ".avi"), (JhmdbVideo, ("wave", "brush_hair"), ".mp4")],
)
def test_flags_make_the_official_splits_and_zero_is_in_neither(tmp_path, maker, actions, suffix):
    found = maker.find(hmdb(tmp_path, actions, suffix))
    ends = {
        "train": ("A_{}_f_cm_np1_fr_med_0", "A_{}_f_cm_np1_fr_med_1"),
        "test": ("A_2_{}_f_cm_np1_fr_med_0",),
    }
    for half, names in ends.items():
        wanted = {f"{action}/{name.format(action)}" for action in actions for name in names}
        assert split_of(found, f"official1_{half}") == wanted
    assert len(split_of(found, "official2_train")) == 8 and "official2_test" not in found.unions
    labels = {source.id.partition("/")[0]: found.labels[source.label] for source in found.clips}
    assert (
        labels == {"wave": "wave", "brush_hair": "brush_hair"} and found.labels[0] == "brush_hair"
    )
    assert {source.facts["group"] for source in found.clips} == {
        f"{a}/{film}" for a in actions for film in ("A", "A_2", "B")
    }


def test_videos_outside_the_class_folders_are_none_of_the_sets(tmp_path):
    root = hmdb(tmp_path, ("wave", "brush_hair"))
    touch(
        root,
        "originals/A_wave_f_cm_np1_fr_med_0.avi",
        "clips/wave/.hidden.avi",
        "clips/wave/notes.txt",
    )
    assert len(Hmdb51.find(root).clips) == 8
    touch(root, "clips/wave/new_wave_f_cm_np1_fr_med_0.avi")
    with pytest.raises(
        UserError, match=r"the clip 'new_wave_f_cm_np1_fr_med_0' is in no split list"
    ):
        Hmdb51.find(root)


@pytest.mark.skipif(
    not os.environ.get("JAXACT_DATA"), reason="JAXACT_DATA names no folder of real data"
)
def test_the_real_jhmdb_clips_have_the_published_splits():
    raw = Path(os.environ["JAXACT_DATA"]) / "video"
    found = JhmdbVideo.find(raw)
    assert (len(found.clips), len(found.labels), found.dropped) == (928, 21, {})
    sizes = [
        [len(split_of(found, f"official{n}_{half}")) for half in ("train", "test")]
        for n in (1, 2, 3)
    ]
    assert sizes == [[660, 268], [658, 270], [663, 265]]
    assert set(found.leaks) == {"random_3to1_test"} and found.leaks["random_3to1_test"] > 100
    joints = {source.id for source in found.clips}
    assert "wave/20060723sfjffbartsinger_wave_f_cm_np1_ba_med_0" in joints
    for path in sorted((raw / "originals").glob("*.avi")):  # as released, with empty frames between
        clip = video_encoding.encode(str(path), short_side=256)
        assert (clip.height, clip.width, clip.damaged) == (240, 320, 0) and 15 <= len(
            clip.frames
        ) <= 40


def test_groups_are_the_source_in_the_name():
    assert (
        group_of("climb_stairs", "A_b-(c)_climb_stairs_f_nm_np2_ba_goo_12")
        == "climb_stairs/A_b-(c)"
    )
    assert group_of("wave", "odd name_3") == "wave/odd name_3"


def test_folders_are_classes_in_sorted_order(tmp_path):
    found = VideoFolder.find(
        touch(tmp_path, "wave/a.mp4", "wave/more/b.MKV", "clap/c.avi", "clap/notes.txt")
    )
    assert found.labels == ("clap", "wave")
    assert {(source.id, found.labels[source.label]) for source in found.clips} == {
        ("wave/a", "wave"),
        ("wave/more/b", "wave"),
        ("clap/c", "clap"),
    }
    assert set(found.unions) == {"random_3to1_train", "random_3to1_test"} and found.leaks == {
        "random_3to1_test": None
    }


def test_folders_of_splits_hold_folders_of_classes(tmp_path):
    found = VideoFolder.find(
        touch(tmp_path, "train/wave/a.mp4", "train/clap/b.mp4", "test/wave/a.mp4")
    )
    assert found.labels == ("clap", "wave") and split_of(found, "test") == {"test/wave/a"}
    assert split_of(found, "train") == {"train/wave/a", "train/clap/b"}


def test_a_table_names_label_splits_and_groups(tmp_path):
    rows = "x/a.mp4,wave,train,g1\nx/b.mp4,wave,test,g1\ny.mov,clap,train;extra,\nz.mp4,wave,,g2\n"
    (tmp_path / "clips.csv").write_text(f"path,label,split,group\n{rows}")
    for raw in (tmp_path, tmp_path / "clips.csv"):
        found = VideoFolder.find(raw)
        assert [source.path for source in found.clips][:1] == [str(tmp_path / "x/a.mp4")]
        assert split_of(found, "train") == {"x/a", "y"} and split_of(found, "extra") == {"y"}
        assert {source.id: found.labels[source.label] for source in found.clips}["y"] == "clap"
        assert found.leaks["test"] == 1 and "group_train" in found.unions


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (
            "path,class\na.mp4,x\n",
            r"has the columns path, class; wanted path, label, perhaps split and group",
        ),
        ("path,label,splits\na.mp4,x,y\n", "has the columns path, label, splits"),
        ("path,label\na.mp4,\n", "row 2: no label"),
        ("path,label\n", "lists no clips"),
        (
            "path,label,split\na.mp4,x,group_test\n",
            "the split 'group_test' is drawn by `prepare`; give it another name",
        ),
        ("path,label,split\na.mp4,x,a b\n", "'a b' cannot name a split"),
        ('path,label\n"a.mp4,x\n', "is not a CSV table"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(tmp_path, table, problem):
    (tmp_path / "clips.csv").write_text(table)
    with pytest.raises(UserError, match=problem):
        VideoFolder.find(tmp_path)


def test_folders_that_cannot_be_used_say_why(tmp_path):
    with pytest.raises(
        UserError, match=r"no video file under .*; expected videos in folders named after"
    ):
        VideoFolder.find(tmp_path)
    with pytest.raises(UserError, match=r"a.mp4' lies in no folder of a class"):
        VideoFolder.find(touch(tmp_path, "a.mp4", "wave/b.mp4"))
    touch(tmp_path, "one.csv", "two.csv")
    with pytest.raises(UserError, match=r"2 .csv files in .*; give the one that is meant as --raw"):
        VideoFolder.find(tmp_path)


CLIPS = [(action, number) for action in ("clap", "wave") for number in range(5)]


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("videos")
    for action, number in CLIPS:
        pictures = videos.frames(3 + number, 20, 30, seed=number)
        videos.write(root / action / f"{action}{number}.mp4", pictures)
    return root


def run(raw: Path, data: Path, **options):
    prepare_options = PrepareOptions(**{"workers": 1, **options})
    return prepare.prepare("video_folder", raw=raw, data_dir=data, options=prepare_options)


def contents(folder: str) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in Path(folder).iterdir() if "tfrecord" in path.name
    }


def test_a_prepared_video_set_holds_every_frame_of_every_clip(raw, tmp_path):
    summary = run(raw, tmp_path)
    assert (summary.clips, summary.classes, summary.frames) == (10, 2, 2 * sum(range(3, 8)))
    told = str(summary).splitlines()
    assert (
        told[0] == "10 clips, 2 classes, 50 frames"
        and "random_3to1_test leaks: drawn clip by clip" in told[2]
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
    found = {
        r["id"].decode(): r for r in records.records(info, "all", fields=None).as_numpy_iterator()
    }
    assert set(found) == {f"{action}/{action}{number}" for action, number in CLIPS}
    for name, record in found.items():
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
    alone, together = run(raw, tmp_path / "a"), run(raw, tmp_path / "b", workers=2)
    assert contents(alone.path) == contents(together.path) != {}


def test_short_side_and_flow_are_stored_where_asked(raw, tmp_path):
    run(raw, tmp_path, short_side=16, flow="dis")
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


def test_bad_videos_are_skipped_and_listed_where_asked(raw, tmp_path):
    clips = tmp_path / "clips"
    for action, number in CLIPS:
        (clips / action).mkdir(parents=True, exist_ok=True)
        os.link(raw / action / f"{action}{number}.mp4", clips / action / f"{action}{number}.mp4")
    (clips / "wave/broken.mp4").write_bytes((raw / "wave/wave0.mp4").read_bytes()[:300])
    with pytest.raises(
        UserError,
        match=r"broken.mp4' cannot be read as a video: .*; --skip-bad leaves such files out",
    ):
        run(clips, tmp_path / "data")
    summary = run(clips, tmp_path / "data", skip_bad=True)
    assert summary.clips == 10 and [Path(path).name for path, _ in summary.skipped] == [
        "broken.mp4"
    ]


def planted(folder: Path) -> dict[str, str]:
    """Eleven files that are broken, each in its own way, and the patterns of what is to be said of
    them.
    """
    pictures = np.random.default_rng(0).integers(0, 255, (40, 32, 32, 3), np.uint8)
    whole = {
        suffix: videos.write(folder / f"w.{suffix}", pictures).read_bytes()
        for suffix in ("avi", "mp4", "mkv")
    }
    for suffix in whole:
        (folder / f"w.{suffix}").unlink()
    noise = np.random.default_rng(1)
    torn = bytearray(whole["avi"])
    for place in noise.integers(len(torn) // 4, len(torn) * 9 // 10, 300):
        torn[place] ^= 255
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


def test_eleven_kinds_of_damage_are_each_listed_and_all_that_is_whole_is_stored(raw, tmp_path):
    clips = tmp_path / "clips"
    for action, number in CLIPS:
        (clips / action).mkdir(parents=True, exist_ok=True)
        os.link(raw / action / f"{action}{number}.mp4", clips / action / f"{action}{number}.mp4")
    wanted = planted(clips / "wave")
    summary = run(clips, tmp_path / "data", skip_bad=True, workers=2)
    told = {Path(path).name: why for path, why in summary.skipped}
    assert set(told) == set(wanted) and len(wanted) == 11
    for name, problem in wanted.items():
        assert re.search(rf"wave/{name}' ({problem})", told[name])
    info = dataset_info.load("video_folder", tmp_path / "data")
    stored = {
        record["id"].decode()
        for record in records.records(info, "all", fields=("id",)).as_numpy_iterator()
    }
    assert stored == {f"{action}/{action}{number}" for action, number in CLIPS}


def test_a_killed_run_goes_on_where_it_was(raw, tmp_path):
    """SIGKILL while clips are parsed; the next run reuses the finished chunks and writes the same
    set.
    """
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
    kept = {}

    def look(*arguments):
        kept.update({path.name: path.stat().st_mtime_ns for path in work.glob("[!.]*.chunk")})
        return original(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VideoBuilder, "CHUNK", 1)
        original = prepare.write
        patch.setattr(prepare, "write", look)
        summary = run(raw, tmp_path / "data")
    assert {name: kept[name] for name in finished} == finished and len(kept) == 10
    assert contents(summary.path) == contents(run(raw, tmp_path / "other").path)


def test_chunks_of_another_size_are_not_used_again(raw, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(prepare, "write", stop)
        run(raw, tmp_path)
    assert list((tmp_path / "video_folder/.parsing").glob("*.chunk"))
    run(raw, tmp_path, short_side=16)
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
def test_options_that_make_no_sense_say_so(raw, tmp_path, name, options, problem):
    with pytest.raises(UserError, match=problem):
        prepare.prepare(name, raw=raw, data_dir=tmp_path, options=PrepareOptions(**options))
    assert not list(tmp_path.iterdir())


def test_the_command_prepares_videos_with_a_name_or_without(raw, tmp_path, capsys):
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
    named = ["--raw", str(raw), "--data-dir", str(tmp_path), "--name", "mine"]
    assert cli.main(["prepare", "video_folder", *named]) == 0
    assert dataset_info.prepared_names(tmp_path) == ["video_folder", "video_folder/mine"]
    assert dataset_info.load("video_folder/mine", tmp_path).stored["short_side"] == 256
    with pytest.raises(UserError, match=r"jaxact prepare video_folder --raw DIR --data-dir"):
        dataset_info.load("video_folder", tmp_path / "none")


def test_checking_videos_is_refused():
    with pytest.raises(UserError, match=r"'ucf101' holds videos; wanted skeletons"):
        open_corpus("ucf101")
