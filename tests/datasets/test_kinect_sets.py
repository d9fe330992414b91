"""NW-UCLA, UTKinect and MSR-Action3D: names, splits, and joints as tiny files of their kind have
them.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from jaxact.datasets.msr_action3d import SETS, MsrAction3d
from jaxact.datasets.nw_ucla import ACTIONS, NwUcla
from jaxact.datasets.utkinect import Utkinect
from jaxact.errors import UserError


def split_of(found, split: str) -> set[str]:
    return {source.id for source in found.clips if source.cell in found.unions[split]}


def ucla(root: Path, *names: str, frames: int = 3) -> Path:
    for seed, name in enumerate(names):
        joints = np.random.default_rng(seed).normal(size=(frames, 20, 3)).round(4)
        (root / f"{name}.json").write_text(
            json.dumps({"file_name": name, "skeletons": joints.tolist()})
        )
    return root


def test_a_ucla_clip_is_its_skeletons(tmp_path):
    found = NwUcla.find(ucla(tmp_path, "a12_s09_e04_v03"))
    (record,) = NwUcla.parse(found.clips[0])
    wanted = np.random.default_rng(0).normal(size=(3, 20, 3)).round(4).astype(np.float32)
    np.testing.assert_array_equal(record["joints"][:, 0], wanted)
    assert (record["label"], record["subject"], record["take"]) == (9, 9, 4) and found.labels[
        9
    ] == "carry"
    assert found.layout.name == "kinect-20-hip"


def test_ucla_cameras_one_and_two_train_and_three_tests(tmp_path):
    found = NwUcla.find(
        ucla(tmp_path, *(f"a{action:02d}_s01_e00_v0{v}" for action in ACTIONS for v in (1, 2, 3)))
    )
    assert split_of(found, "train") == {
        f"a{action:02d}_s01_e00_v0{v}" for action in ACTIONS for v in (1, 2)
    }
    assert split_of(found, "test") == {f"a{action:02d}_s01_e00_v03" for action in ACTIONS}
    assert {source.id[:3]: source.label for source in found.clips}["a08"] == 6


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (
            "a07_s01_e00_v01",
            "action 7 is outside the list; NW-UCLA has 1, 2, 3, 4, 5, 6, 8, 9, 11, 12",
        ),
        ("a01_s01_e00_v04", "camera 4 is outside the list"),
        ("a01_s01_v01", "is not named a<action>_s<subject>"),
    ],
)
def test_a_ucla_name_outside_the_lists_is_an_error(tmp_path, name, problem):
    with pytest.raises(UserError, match=problem):
        NwUcla.find(ucla(tmp_path, name))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "line 1: not JSON"),
        ("[]", "has no list `skeletons`"),
        ('{"skeletons": []}', r"`skeletons` has the shape \(0,\), wanted \(frames, 20, 3\)"),
        ('{"skeletons": [[[1, 2, 3]]]}', r"has the shape \(1, 1, 3\)"),
        ('{"skeletons": [[[1, 2, 3]], []]}', "is not frames of equal shape"),
        (
            json.dumps({"skeletons": np.full((2, 20, 3), np.nan).tolist()}),
            "120 of its 120 coordinates are not finite",
        ),
    ],
)
def test_a_ucla_file_that_is_wrong_is_named(tmp_path, content, problem):
    found = NwUcla.find(ucla(tmp_path, "a01_s01_e00_v01"))
    Path(found.clips[0].path).write_text(content)
    with pytest.raises(UserError, match=problem):
        next(NwUcla.parse(found.clips[0]))


def utkinect(root: Path, listing: str, **rows: list[int]) -> Path:
    """Recordings by name: the frame numbers of their rows; joint j of row i of frame f is (f, i,
    j).
    """
    (root / "actionLabel.txt").write_text(listing)
    (root / "joints").mkdir()
    for name, numbers in rows.items():
        lines = (
            " ".join(map(str, [number, *(x for joint in range(20) for x in (number, row, joint))]))
            for row, number in enumerate(numbers)
        )
        (root / "joints" / f"joints_{name}.txt").write_text("\n".join(lines) + "\n")
    return root


LISTING = "s01_e01\nwalk: 10 14 \nsitDown: 16 18\n s01_e02\r\nwalk: 2 4\ncarry: NaN NaN\n"


def test_an_action_is_the_rows_of_its_frames(tmp_path):
    found = Utkinect.find(
        utkinect(tmp_path, LISTING, s01_e01=[8, 10, 11, 11, 14, 15, 16, 19], s01_e02=[2])
    )
    assert [(s.id, s.label) for s in found.clips] == [
        ("s01_e01/walk", 0),
        ("s01_e01/sitDown", 1),
        ("s01_e02/walk", 0),
    ]
    assert found.dropped == {"listed without frames": 1}
    (record,) = Utkinect.parse(found.clips[0])
    assert record["frame_number"].tolist() == [10, 11, 14]
    assert record["joints"].shape == (3, 1, 20, 3)
    assert record["joints"][1, 0, 7].tolist() == [11, 2, 7], (
        "of a frame that is there twice the first row"
    )
    assert record["joints"][2, 0, 19].tolist() == [14, 4, 19]


def test_every_recording_is_tested_by_what_the_others_train(tmp_path):
    found = Utkinect.find(utkinect(tmp_path, LISTING, s01_e01=[10], s01_e02=[2]))
    assert set(found.unions) == {"s01_e01_train", "s01_e01_test", "s01_e02_train", "s01_e02_test"}
    assert (
        split_of(found, "s01_e01_test")
        == split_of(found, "s01_e02_train")
        == {"s01_e01/walk", "s01_e01/sitDown"}
    )


@pytest.mark.parametrize(
    ("listing", "problem"),
    [
        ("", "actionLabel.txt' lists no actions"),
        ("walk: 1 2\n", "line 1: wanted s01_e01 or 'walk: 252 390', found 'walk: 1 2'"),
        ("s01_e01\nwalk 1 2\n", "line 2: wanted s01_e01"),
        ("s01_e01\nwlak: 1 2\n", r"unknown action in .*line 2: 'wlak'; .*did you mean 'walk'"),
        ("s01_e01\nwalk: 3 2\n", "s01_e01: walk is from 3 to 2, wanted two frames"),
        ("s01_e01\nwalk: 3 x\n", "walk is from 3 to x"),
        ("s09_e01\nwalk: 1 2\n", r"lists 's09_e01', but .* has no joints_s09_e01.txt"),
    ],
)
def test_a_list_that_is_wrong_is_named(tmp_path, listing, problem):
    with pytest.raises(UserError, match=problem):
        Utkinect.find(utkinect(tmp_path, listing, s01_e01=[1]))


def test_recordings_that_are_wrong_are_named(tmp_path):
    found = Utkinect.find(utkinect(tmp_path, "s01_e01\nwalk: 1 2\n", s01_e01=[7]))
    for text, problem in (
        (None, "has no frame from 1 to 2, where the list has 's01_e01/walk'"),
        ("", "joints_s01_e01.txt' is empty; wanted rows of 61 numbers"),
        ("1 2 3\n", "line 1: 3 numbers, wanted 61"),
        ("1 " + "x " * 60, "line 1: could not convert string to float: 'x'"),
        ("1 " + "nan " * 60, "60 of its 60 coordinates are not finite"),
    ):
        if text is not None:
            Path(found.clips[0].path).write_text(text)
        with pytest.raises(UserError, match=problem):
            next(Utkinect.parse(found.clips[0]))


def msr(root: Path, *names: str, text: str | None = None) -> Path:
    rows = "\n".join(
        f"  {frame}.5 {joint} -{joint}e-1  0.{joint}" for frame in range(2) for joint in range(20)
    )
    for name in names:
        (root / f"{name}.txt").write_text(rows if text is None else text)
    return root


def test_an_msr_clip_is_twenty_rows_a_frame_with_confidence(tmp_path):
    found = MsrAction3d.find(msr(tmp_path, "a20_s10_e03_skeleton3D"))
    (record,) = MsrAction3d.parse(found.clips[0])
    assert record["joints"].shape == (2, 1, 20, 4) and found.channels == ("x", "y", "z", "score")
    np.testing.assert_allclose(record["joints"][1, 0, 7], (1.5, 7, -0.7, 0.7), rtol=1e-6)
    assert (record["id"], record["label"], record["subject"], record["take"]) == (
        "a20_s10_e03",
        19,
        10,
        3,
    )
    assert found.layout.name == "kinect-20-msr"


def test_msr_odd_subjects_train_in_all_and_in_each_action_set(tmp_path):
    names = [
        f"a{action:02d}_s{subject:02d}_e01" for action in range(1, 21) for subject in (1, 2, 9, 10)
    ]
    found = MsrAction3d.find(msr(tmp_path, *(f"{name}_skeleton" for name in names)))
    for half, odd in (("train", 1), ("test", 0)):
        assert split_of(found, half) == {name for name in names if int(name[5:7]) % 2 == odd}
        for group, actions in SETS.items():
            wanted = {
                name for name in names if int(name[5:7]) % 2 == odd and int(name[1:3]) in actions
            }
            assert split_of(found, f"{group}_{half}") == wanted and len(wanted) == 16


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["a21_s01_e01_skeleton3D"], "action 21 is outside the list"),
        (["a01_s11_e01_skeleton3D"], "subject 11 is outside the list"),
        (["a01_s01_skeleton3D"], "is not named a<action>_s<subject>_e<take>_skeleton3D.txt"),
        (
            ["a01_s01_e01_skeleton3D", "a01_s01_e01_skeleton"],
            "has files in metres and in pixels; give the folder of one",
        ),
    ],
)
def test_msr_names_that_are_wrong_are_errors(tmp_path, names, problem):
    with pytest.raises(UserError, match=problem):
        MsrAction3d.find(msr(tmp_path, *names))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty; wanted rows of 4 numbers"),
        ("1 2 3 4\n" * 30, "has 30 rows, which are not whole frames of 20 joints"),
        ("1 2 3\n" * 20, "line 1: 3 numbers, wanted 4"),
        ("nan nan nan 1\n" * 20, "60 of its 80 coordinates are not finite"),
        ("\xff", "is not a text file: byte 0xc3"),
    ],
)
def test_an_msr_file_that_is_wrong_is_named(tmp_path, text, problem):
    (source,) = MsrAction3d.find(msr(tmp_path, "a01_s01_e01_skeleton3D", text=text)).clips
    with pytest.raises(UserError, match=problem):
        next(MsrAction3d.parse(source))
