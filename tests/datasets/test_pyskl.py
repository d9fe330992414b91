"""Annotation pickles: both forms of the file, splits by their names, arrays turned to [t, m, v, c]
in shares.
"""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from jaxact.datasets import dataset_info, records
from jaxact.datasets.preparation import prepare
from jaxact.datasets.preparation.options import PrepareOptions
from jaxact.datasets.pyskl import Pyskl
from jaxact.errors import UserError
from jaxact.skeletons import convert, get_layout

DATA = os.environ.get("JAXACT_DATA", "")


def note(
    name: str, label: int = 0, people: int = 2, frames: int = 3, joints: int = 17, **changes
) -> dict:
    rng = np.random.default_rng(sum(map(ord, name)))
    made = {
        "frame_dir": name,
        "label": label,
        "total_frames": frames,
        "img_shape": (240, 320),
        "original_shape": (240, 320),
        "keypoint": rng.uniform(1, 200, (people, frames, joints, 2)).astype(np.float16),
        "keypoint_score": rng.uniform(0.1, 1, (people, frames, joints)).astype(np.float16),
    }
    return {key: value for key, value in {**made, **changes}.items() if value is not None}


def space(name: str, **changes) -> dict:
    """An annotation without pictures."""
    joints = np.random.default_rng(0).normal(size=(2, 4, 25, 3)).astype(np.float16)
    lacking = {"img_shape": None, "original_shape": None, "keypoint_score": None}
    return note(name, **{"frames": 4, "keypoint": joints, **lacking, **changes})


def written(path: Path, content) -> Path:
    path.write_bytes(pickle.dumps(content))
    return path


def both(path: Path, *notes: dict, **split: list[str]) -> Path:
    return written(
        path,
        {
            "split": split or {"train": [one["frame_dir"] for one in notes]},
            "annotations": list(notes),
        },
    )


def parsed(found, index: int = 0) -> dict:
    (record,) = Pyskl.parse(found.clips[index])
    return record


def split_of(found, split: str) -> list[str]:
    return [source.id for source in found.clips if source.cell in found.unions[split]]


def test_a_record_is_the_annotation_with_frames_first_in_shares_of_the_picture(tmp_path):
    found = Pyskl.find(both(tmp_path / "a.pkl", note("one", label=3)))
    record, source = parsed(found), note("one")
    assert found.layout.name == "coco-17" and found.channels == ("x", "y", "score")
    assert record["joints"].shape == (3, 2, 17, 3) and record["joints"].dtype == np.float32
    for m, t, v in np.ndindex(2, 3, 17):
        x, y = source["keypoint"][m, t, v].astype(np.float32)
        np.testing.assert_allclose(record["joints"][t, m, v, :2], (x / 320, y / 240), rtol=1e-6)
        assert record["joints"][t, m, v, 2] == source["keypoint_score"][m, t, v]
    assert (record["id"], record["label"], record["num_frames"]) == ("one", 3, 3)
    assert record["image_size"].tolist() == [240, 320]
    assert found.labels == ("0", "1", "2", "3")


def test_joints_in_space_stay_as_they_are(tmp_path):
    found = Pyskl.find(both(tmp_path / "a.pkl", space("one")))
    assert found.layout.name == "ntu-25" and found.channels == ("x", "y", "z")
    record = parsed(found)
    np.testing.assert_array_equal(
        record["joints"].transpose(1, 0, 2, 3), space("one")["keypoint"].astype(np.float32)
    )
    assert record["image_size"].tolist() == [0, 0]


def test_pixels_without_a_picture_size_stay_pixels(tmp_path):
    record = parsed(Pyskl.find(both(tmp_path / "a.pkl", note("one", img_shape=None))))
    np.testing.assert_array_equal(
        record["joints"][..., :2].transpose(1, 0, 2, 3), note("one")["keypoint"]
    )


def test_splits_keep_their_names_and_a_clip_may_be_in_several_or_none(tmp_path):
    notes = [note(name) for name in "abcd"]
    split = {
        "xsub_train": ["a", "b"],
        "xsub_val": ["c", "gone"],
        "xview_train": ["a", "c"],
        "xview_val": ["b"],
    }
    found = Pyskl.find(both(tmp_path / "a.pkl", *notes, **split))
    assert {name: split_of(found, name) for name in found.unions} == {
        "xsub_train": ["a", "b"],
        "xsub_val": ["c"],
        "xview_train": ["a", "c"],
        "xview_val": ["b"],
    }
    assert len(found.clips) == 4 and found.dropped == {"listed in a split without an annotation": 1}


def test_the_bare_list_is_one_split_called_after_its_file(tmp_path):
    written(tmp_path / "ntu60_xsub_train.pkl", [note("a"), note("b")])
    written(tmp_path / "ntu60-xsub-val.pkl", [note("c", label=1)])
    found = Pyskl.find(tmp_path)
    assert split_of(found, "ntu60_xsub_train") == ["a", "b"] and split_of(
        found, "ntu60_xsub_val"
    ) == ["c"]
    assert [parsed(found, index)["id"] for index in range(3)] == ["c", "a", "b"]
    alone = Pyskl.find(tmp_path / "ntu60_xsub_train.pkl")
    assert list(alone.unions) == ["ntu60_xsub_train"]


def test_the_older_name_of_the_name_is_read(tmp_path):
    found = Pyskl.find(written(tmp_path / "a.pkl", [note("x", frame_dir=None, filename="clip")]))
    assert found.clips[0].id == "clip"


def test_class_names_come_from_a_file_beside_the_pickle(tmp_path):
    raw = both(tmp_path / "a.pkl", note("one", label=1))
    (tmp_path / "a.labels.txt").write_text("run\nwalk\nsit\n")
    assert Pyskl.find(raw).labels == ("run", "walk", "sit")
    (tmp_path / "a.labels.txt").write_text("run\n")
    with pytest.raises(
        UserError, match=r"a.labels.txt' names 1 classes, but a clip has the label 1"
    ):
        Pyskl.find(raw)
    (tmp_path / "a.labels.txt").write_text("run\nrun\n")
    with pytest.raises(UserError, match="class names must differ"):
        Pyskl.find(raw)


def test_an_annotation_without_people_is_an_empty_clip(tmp_path):
    found = Pyskl.find(both(tmp_path / "a.pkl", note("full"), note("empty", people=0)))
    record = parsed(found, 1)
    assert record["joints"].shape == (3, 1, 17, 3) and not record["joints"].any()


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (note("bad", keypoint=None), r"'bad': keypoint is a NoneType, wanted \[m, t, v, 2 or 3\]"),
        (
            note("bad", keypoint=None, raw_file="k400.pkl"),
            "its keypoints are in 'k400.pkl'; files that refer to other files",
        ),
        (note("bad", keypoint=np.zeros((3, 17, 2))), r"keypoint is the shape \(3, 17, 2\), wanted"),
        (note("bad", frames=0), "no frames"),
        (note("bad", total_frames=7), "total_frames is 7, but keypoint has 3 frames"),
        (
            note("bad", keypoint_score=None),
            "keypoint_score or img_shape is present in some annotations but not in others",
        ),
        (note("bad", img_shape=None), "keypoint_score or img_shape is present in some"),
        (note("bad", img_shape=(0, 320)), r"img_shape is \(0, 320\), wanted \(height, width\)"),
        (
            note("bad", keypoint_score=np.ones((2, 3, 5))),
            r"keypoint_score has the shape \(2, 3, 5\), wanted \(2, 3, 17\)",
        ),
        (
            note("bad", joints=18),
            "18 joints of 3 channels, wanted 17 of 3 as in the first annotation",
        ),
        (
            note("bad", keypoint=np.full((2, 3, 17, 2), np.nan)),
            "204 of its 306 coordinates are not finite",
        ),
    ],
)
def test_an_annotation_that_does_not_fit_is_named_and_the_others_are_read(tmp_path, bad, problem):
    found = Pyskl.find(both(tmp_path / "a.pkl", note("good"), bad))
    assert parsed(found, 0)["id"] == "good"
    with pytest.raises(UserError, match=problem):
        parsed(found, 1)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            {"annotations": [note("a")]},
            "a.pkl': split is a NoneType, wanted lists of clips by name",
        ),
        (
            {"split": {"train": []}, "data": []},
            r"a.pkl' holds the keys \['data', 'split'\]; wanted split and annotations",
        ),
        ([], "a.pkl' holds a list; wanted split and annotations, or a list of annotations"),
        ([1, 2], "holds a list"),
        (7, "holds a int"),
        ([note("a", frame_dir=None)], "annotation 0: no frame_dir; it has label, total_frames"),
        ([note("a", label=None)], "'a': label is None, wanted a number from 0"),
        ([note("a", label=-1)], "'a': label is -1"),
        ([note("a", joints=21)], r"needs its joint layout .* with 21 joints: none"),
        ({"split": {"all": ["a"]}, "annotations": [note("a")]}, "'all' cannot name a split"),
        (
            [note("a", img_shape=Path("x"))],
            r"asks for 'pathlib[\w.]*', which is no part of an array",
        ),
    ],
)
def test_a_file_that_is_no_set_says_why(tmp_path, content, problem):
    with pytest.raises(UserError, match=problem):
        Pyskl.find(written(tmp_path / "a.pkl", content))


def test_what_is_no_pickle_is_named(tmp_path):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([note("a")])[:300])
    with pytest.raises(UserError, match=r"a.pkl' is not a readable pickle"):
        Pyskl.find(tmp_path / "a.pkl")
    (tmp_path / "a.txt").touch()
    with pytest.raises(
        UserError, match=r"a.txt' is not a .pkl file; expected one .pkl of {split, annotations}"
    ):
        Pyskl.find(tmp_path / "a.txt")


def test_a_prepared_set_is_read_under_its_name_and_may_be_converted_on_the_way(tmp_path):
    bad = note("bad", total_frames=9)
    raw = both(
        tmp_path / "a.pkl",
        note("one"),
        note("two", label=1),
        bad,
        train1=["one", "bad"],
        test1=["two"],
    )
    with pytest.raises(UserError, match=r"total_frames is 9.*--skip-bad leaves such files out"):
        prepare.prepare("pyskl/ucf", raw=raw, data_dir=tmp_path)
    plain = prepare.prepare(
        "pyskl/ucf", raw=raw, data_dir=tmp_path, options=PrepareOptions(skip_bad=True, workers=4)
    )
    assert plain.splits == {"test1": 1, "train1": 1, "all": 2} and len(plain.skipped) == 1
    prepare.prepare(
        "pyskl/body",
        raw=raw,
        data_dir=tmp_path,
        options=PrepareOptions(skip_bad=True, to_layout="body-14"),
    )
    found = {}
    for name in ("pyskl/ucf", "pyskl/body"):
        info = dataset_info.load(name, tmp_path)
        (record,) = records.records(info, "train1").as_numpy_iterator()
        found[name] = record["joints"]
    assert info.layout == get_layout("body-14") and info.channels == ("x", "y", "score")
    wanted = convert(found["pyskl/ucf"], "coco-17", "body-14", channels=("x", "y", "score"))
    np.testing.assert_array_equal(found["pyskl/body"], wanted)


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        (
            "pyskl/a",
            {"to_layout": "ntu-25"},
            "layout 'coco-17' does not convert to 'ntu-25'; it does to: openpose-18",
        ),
        ("pyskl/a", {"to_layout": "body14"}, "unknown layout 'body14'"),
        (
            "utd_mhad",
            {"to_layout": "body-14"},
            r"to_layout is for the sets that you name \(agcn, ctr, custom, openpose, pysk",
        ),
        (
            "pyskl/a",
            {"to_layout": "body-14", "layout": "own.json"},
            "layout 'own' is one of your own; only these convert: ",
        ),
    ],
)
def test_a_conversion_that_is_not_there_says_so_before_anything_is_parsed(
    tmp_path, monkeypatch, name, options, problem
):
    raw = both(tmp_path / "a.pkl", note("one"))
    own = {
        "name": "own",
        "joints": list("abcdefghijklmnopq"),
        "edges": [[i, i + 1] for i in range(16)],
        "centre": 0,
    }
    (tmp_path / "own.json").write_text(str(own).replace("'", '"'))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=problem):
        prepare.prepare(
            name, raw=raw, data_dir=tmp_path / "data", options=PrepareOptions(**options)
        )
    assert not (tmp_path / "data").exists()


@pytest.mark.skipif(not DATA, reason="JAXACT_DATA names no folder of real data")
def test_a_real_annotation_parses(tmp_path):
    real = pickle.loads(Path(DATA, "pyskl/ucf101_one_clip.pkl").read_bytes())
    found = Pyskl.find(written(tmp_path / "a.pkl", [real]))
    record = parsed(found)
    assert record["joints"].shape == (163, 2, 17, 3)
    assert (record["joints"][..., :2] > 1).mean() < 0.02, (
        "few joints are guessed outside of the picture"
    )
    height, width = real["img_shape"]
    np.testing.assert_allclose(
        record["joints"][5, 0, :, 0] * width, real["keypoint"][0, 5, :, 0].astype("f4"), rtol=1e-5
    )
    np.testing.assert_allclose(
        record["joints"][5, 0, :, 1] * height, real["keypoint"][0, 5, :, 1].astype("f4"), rtol=1e-5
    )
    assert record["id"] == "v_ApplyEyeMakeup_g01_c01" and record["label"] == real["label"]


@pytest.mark.skipif(not DATA, reason="JAXACT_DATA names no folder of real data")
def test_the_real_file_itself_passes_the_restricted_reader():
    from jaxact.datasets.formats import safe_pickle

    path = Path(DATA, "pyskl/ucf101_one_clip.pkl")
    found, trusted = safe_pickle.load(str(path)), pickle.loads(path.read_bytes())
    assert list(found) == list(trusted)
    np.testing.assert_array_equal(found["keypoint"], trusted["keypoint"])
