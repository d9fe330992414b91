"""UCF101: names matched to the lists, official splits, groups and leaks."""

import subprocess
import sys
from pathlib import Path

import pytest

from jaxact.datasets.ucf101 import Ucf101
from jaxact.errors import UserError
from tests.helpers.raw_data import split_ids, touch


def write_raw(
    root: Path, *, folder: str = "HandstandPushups", file: str = "HandStandPushups"
) -> Path:
    """Two classes of three groups; the splits test group 3, 2 and 1."""
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
    classes = [("Archery", "Archery", 1), ("HandstandPushups", "HandStandPushups", 2)]
    for split in (1, 2, 3):
        rows = [
            (f"{a}/v_{b}_g0{g}_c0{c}.avi", n, g)
            for a, b, n in classes
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
def test_clips_match_the_lists_without_case(tmp_path, spelling):
    dataset = Ucf101.find(write_raw(tmp_path, **spelling))
    assert (
        dataset.labels == ("Archery", "HandstandPushups")
        and len(dataset.clips) == 12
        and not dataset.dropped
    )
    assert {raw_clip.label for raw_clip in dataset.clips if "HandStandPushups" in raw_clip.id} == {
        1
    }
    for split in (1, 2, 3):
        test = split_ids(dataset, f"official{split}_test")
        assert test == {
            f"v_{a}_g0{4 - split}_c0{c}" for a in ("Archery", "HandStandPushups") for c in (1, 2)
        }
        assert (
            split_ids(dataset, f"official{split}_train")
            == {raw_clip.id for raw_clip in dataset.clips} - test
        )
    assert {raw_clip.facts["group"] for raw_clip in dataset.clips if "_g01_" in raw_clip.id} == {
        "v_Archery_g01",
        "v_HandStandPushups_g01",
    }


def test_the_tfds_set_of_the_same_name_stays_usable():
    code = "import jaxact.datasets, tensorflow_datasets as tfds; print(tfds.video.Ucf101.name)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "ucf101", done.stderr


def test_only_the_random_split_leaks(tmp_path):
    dataset = Ucf101.find(write_raw(tmp_path))
    assert (
        len(split_ids(dataset, "random_3to1_test")) == 3
        and len(split_ids(dataset, "group_test")) == 4
    )
    groups = {raw_clip.id: raw_clip.facts["group"] for raw_clip in dataset.clips}
    train = {groups[clip] for clip in split_ids(dataset, "random_3to1_train")}
    leaked = sum(groups[clip] in train for clip in split_ids(dataset, "random_3to1_test"))
    assert dataset.leaks == {"random_3to1_test": leaked} and leaked


def test_the_error_states_what_does_not_fit_the_lists(tmp_path):
    root = write_raw(tmp_path)
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
