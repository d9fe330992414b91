"""Annotation pickles: both versions of the file, splits, joints in 0..1 of the picture."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from jaxact.datasets.pyskl import Pyskl
from jaxact.errors import UserError
from tests.helpers.pyskl_files import annotation, annotation_3d, write_annotations, write_pickle

DATA = os.environ.get("JAXACT_DATA", "")


def parse_one(dataset, index: int = 0) -> dict:
    (record,) = Pyskl.parse(dataset.clips[index])
    return record


def split_of(dataset, split: str) -> list[str]:
    return [source.id for source in dataset.clips if source.cell in dataset.unions[split]]


def test_a_record_is_the_annotation_with_frames_first_in_0_to_1_of_the_picture(tmp_path):
    dataset = Pyskl.find(write_annotations(tmp_path / "a.pkl", annotation("one", label=3)))
    record, source = parse_one(dataset), annotation("one")
    assert dataset.layout.name == "coco-17" and dataset.channels == ("x", "y", "score")
    assert record["joints"].shape == (3, 2, 17, 3) and record["joints"].dtype == np.float32
    for m, t, v in np.ndindex(2, 3, 17):
        x, y = source["keypoint"][m, t, v].astype(np.float32)
        np.testing.assert_allclose(record["joints"][t, m, v, :2], (x / 320, y / 240), rtol=1e-6)
        assert record["joints"][t, m, v, 2] == source["keypoint_score"][m, t, v]
    assert (record["id"], record["label"], record["num_frames"]) == ("one", 3, 3)
    assert record["image_size"].tolist() == [240, 320]
    assert dataset.labels == ("0", "1", "2", "3")


def test_3d_joints_are_stored_unchanged(tmp_path):
    dataset = Pyskl.find(write_annotations(tmp_path / "a.pkl", annotation_3d("one")))
    assert dataset.layout.name == "ntu-25" and dataset.channels == ("x", "y", "z")
    record = parse_one(dataset)
    np.testing.assert_array_equal(
        record["joints"].transpose(1, 0, 2, 3), annotation_3d("one")["keypoint"].astype(np.float32)
    )
    assert record["image_size"].tolist() == [0, 0]


def test_pixels_without_a_picture_size_stay_pixels(tmp_path):
    record = parse_one(
        Pyskl.find(write_annotations(tmp_path / "a.pkl", annotation("one", img_shape=None)))
    )
    np.testing.assert_array_equal(
        record["joints"][..., :2].transpose(1, 0, 2, 3), annotation("one")["keypoint"]
    )


def test_splits_keep_their_names_and_a_clip_may_be_in_several_or_none(tmp_path):
    annotations = [annotation(name) for name in "abcd"]
    split = {
        "xsub_train": ["a", "b"],
        "xsub_val": ["c", "gone"],
        "xview_train": ["a", "c"],
        "xview_val": ["b"],
    }
    dataset = Pyskl.find(write_annotations(tmp_path / "a.pkl", *annotations, **split))
    assert {name: split_of(dataset, name) for name in dataset.unions} == {
        "xsub_train": ["a", "b"],
        "xsub_val": ["c"],
        "xview_train": ["a", "c"],
        "xview_val": ["b"],
    }
    assert len(dataset.clips) == 4 and dataset.dropped == {
        "listed in a split without an annotation": 1
    }


def test_a_bare_list_is_one_split_with_the_name_of_its_file(tmp_path):
    write_pickle(tmp_path / "ntu60_xsub_train.pkl", [annotation("a"), annotation("b")])
    write_pickle(tmp_path / "ntu60-xsub-val.pkl", [annotation("c", label=1)])
    dataset = Pyskl.find(tmp_path)
    assert split_of(dataset, "ntu60_xsub_train") == ["a", "b"] and split_of(
        dataset, "ntu60_xsub_val"
    ) == ["c"]
    assert [parse_one(dataset, index)["id"] for index in range(3)] == ["c", "a", "b"]
    single_file = Pyskl.find(tmp_path / "ntu60_xsub_train.pkl")
    assert list(single_file.unions) == ["ntu60_xsub_train"]


def test_the_older_key_of_the_name_is_read(tmp_path):
    dataset = Pyskl.find(
        write_pickle(tmp_path / "a.pkl", [annotation("x", frame_dir=None, filename="clip")])
    )
    assert dataset.clips[0].id == "clip"


def test_class_names_come_from_a_file_beside_the_pickle(tmp_path):
    raw = write_annotations(tmp_path / "a.pkl", annotation("one", label=1))
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
    dataset = Pyskl.find(
        write_annotations(tmp_path / "a.pkl", annotation("full"), annotation("empty", people=0))
    )
    record = parse_one(dataset, 1)
    assert record["joints"].shape == (3, 1, 17, 3) and not record["joints"].any()


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (
            annotation("bad", keypoint=None),
            r"'bad': keypoint is a NoneType, wanted \[m, t, v, 2 or 3\]",
        ),
        (
            annotation("bad", keypoint=None, raw_file="k400.pkl"),
            "its keypoints are in 'k400.pkl'; files that refer to other files",
        ),
        (
            annotation("bad", keypoint=np.zeros((3, 17, 2))),
            r"keypoint has the shape \(3, 17, 2\), wanted",
        ),
        (annotation("bad", frames=0), "no frames"),
        (annotation("bad", total_frames=7), "total_frames is 7, but keypoint has 3 frames"),
        (
            annotation("bad", keypoint_score=None),
            "keypoint_score or img_shape is present in some annotations but not in others",
        ),
        (annotation("bad", img_shape=None), "keypoint_score or img_shape is present in some"),
        (
            annotation("bad", img_shape=(0, 320)),
            r"img_shape is \(0, 320\), wanted \(height, width\)",
        ),
        (
            annotation("bad", keypoint_score=np.ones((2, 3, 5))),
            r"keypoint_score has the shape \(2, 3, 5\), wanted \(2, 3, 17\)",
        ),
        (
            annotation("bad", joints=18),
            "18 joints of 3 channels, wanted 17 of 3 as in the first annotation",
        ),
        (
            annotation("bad", keypoint=np.full((2, 3, 17, 2), np.nan)),
            "204 of its 306 coordinates are not finite",
        ),
    ],
)
def test_the_error_names_an_invalid_annotation_and_the_others_are_read(tmp_path, bad, problem):
    dataset = Pyskl.find(write_annotations(tmp_path / "a.pkl", annotation("good"), bad))
    assert parse_one(dataset, 0)["id"] == "good"
    with pytest.raises(UserError, match=problem):
        parse_one(dataset, 1)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            {"annotations": [annotation("a")]},
            "a.pkl': split is a NoneType, wanted lists of clips by name",
        ),
        (
            {"split": {"train": []}, "data": []},
            r"a.pkl' holds the keys \['data', 'split'\]; wanted split and annotations",
        ),
        ([], "a.pkl' holds a list; wanted split and annotations, or a list of annotations"),
        ([1, 2], "holds a list"),
        (7, "holds a int"),
        (
            [annotation("a", frame_dir=None)],
            "annotation 0: no frame_dir; it has label, total_frames",
        ),
        ([annotation("a", label=None)], "'a': label is None, wanted a number from 0"),
        ([annotation("a", label=-1)], "'a': label is -1"),
        ([annotation("a", joints=21)], r"needs its joint layout .* with 21 joints: none"),
        ({"split": {"all": ["a"]}, "annotations": [annotation("a")]}, "'all' cannot name a split"),
        (
            [annotation("a", img_shape=Path("x"))],
            r"asks for 'pathlib[\w.]*', which is not part of an array",
        ),
    ],
)
def test_the_error_states_why_a_file_is_not_a_set(tmp_path, content, problem):
    with pytest.raises(UserError, match=problem):
        Pyskl.find(write_pickle(tmp_path / "a.pkl", content))


def test_the_error_names_a_file_that_is_not_a_pickle(tmp_path):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([annotation("a")])[:300])
    with pytest.raises(UserError, match=r"a.pkl' is not a readable pickle"):
        Pyskl.find(tmp_path / "a.pkl")
    (tmp_path / "a.txt").touch()
    with pytest.raises(
        UserError, match=r"a.txt' is not a .pkl file; expected one .pkl of {split, annotations}"
    ):
        Pyskl.find(tmp_path / "a.txt")


@pytest.mark.skipif(not DATA, reason="JAXACT_DATA names no folder of real data")
def test_a_real_annotation_parses(tmp_path):
    real = pickle.loads(Path(DATA, "pyskl/ucf101_one_clip.pkl").read_bytes())
    dataset = Pyskl.find(write_pickle(tmp_path / "a.pkl", [real]))
    record = parse_one(dataset)
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
def test_the_restricted_reader_reads_the_real_file():
    from jaxact.datasets.formats import safe_pickle

    path = Path(DATA, "pyskl/ucf101_one_clip.pkl")
    content, trusted = safe_pickle.load(str(path)), pickle.loads(path.read_bytes())
    assert list(content) == list(trusted)
    np.testing.assert_array_equal(content["keypoint"], trusted["keypoint"])
