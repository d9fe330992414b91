"""Videos in folders or in a table: classes, splits and groups."""

import pytest

from jaxact.datasets.video_folder import VideoFolder
from jaxact.errors import UserError
from tests.helpers.raw_data import split_ids, touch


def test_folders_are_classes_in_sorted_order(tmp_path):
    dataset = VideoFolder.find(
        touch(tmp_path, "wave/a.mp4", "wave/more/b.MKV", "clap/c.avi", "clap/notes.txt")
    )
    assert dataset.labels == ("clap", "wave")
    assert {(raw_clip.id, dataset.labels[raw_clip.label]) for raw_clip in dataset.clips} == {
        ("wave/a", "wave"),
        ("wave/more/b", "wave"),
        ("clap/c", "clap"),
    }
    assert set(dataset.unions) == {"random_3to1_train", "random_3to1_test"} and dataset.leaks == {
        "random_3to1_test": None
    }


def test_folders_of_splits_hold_folders_of_classes(tmp_path):
    dataset = VideoFolder.find(
        touch(tmp_path, "train/wave/a.mp4", "train/clap/b.mp4", "test/wave/a.mp4")
    )
    assert dataset.labels == ("clap", "wave") and split_ids(dataset, "test") == {"test/wave/a"}
    assert split_ids(dataset, "train") == {"train/wave/a", "train/clap/b"}


def test_a_table_names_label_splits_and_groups(tmp_path):
    rows = "x/a.mp4,wave,train,g1\nx/b.mp4,wave,test,g1\ny.mov,clap,train;extra,\nz.mp4,wave,,g2\n"
    (tmp_path / "clips.csv").write_text(f"path,label,split,group\n{rows}")
    for raw in (tmp_path, tmp_path / "clips.csv"):
        dataset = VideoFolder.find(raw)
        assert [raw_clip.path for raw_clip in dataset.clips][:1] == [str(tmp_path / "x/a.mp4")]
        assert split_ids(dataset, "train") == {"x/a", "y"} and split_ids(dataset, "extra") == {"y"}
        assert {raw_clip.id: dataset.labels[raw_clip.label] for raw_clip in dataset.clips}[
            "y"
        ] == "clap"
        assert dataset.leaks["test"] == 1 and "group_train" in dataset.unions


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
def test_the_error_states_why_a_table_cannot_be_used(tmp_path, table, problem):
    (tmp_path / "clips.csv").write_text(table)
    with pytest.raises(UserError, match=problem):
        VideoFolder.find(tmp_path)


def test_the_error_states_why_a_folder_cannot_be_used(tmp_path):
    with pytest.raises(
        UserError, match=r"no video file under .*; expected videos in folders named after"
    ):
        VideoFolder.find(tmp_path)
    with pytest.raises(UserError, match=r"a.mp4' is in no folder of a class"):
        VideoFolder.find(touch(tmp_path, "a.mp4", "wave/b.mp4"))
    touch(tmp_path, "one.csv", "two.csv")
    with pytest.raises(UserError, match=r"2 .csv files in .*; give the one to use as --raw"):
        VideoFolder.find(tmp_path)
