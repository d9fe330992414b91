"""UTKinect-Action3D: the action list, splits and joints."""

from pathlib import Path

import pytest

from jaxact.datasets.utkinect import Utkinect
from jaxact.errors import UserError
from tests.helpers.raw_data import split_ids


def write_raw(root: Path, listing: str, **rows: list[int]) -> Path:
    """Recordings with the frame numbers of their rows; joint j of row i of frame f is (f, i, j)."""
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
    dataset = Utkinect.find(
        write_raw(tmp_path, LISTING, s01_e01=[8, 10, 11, 11, 14, 15, 16, 19], s01_e02=[2])
    )
    assert [(s.id, s.label) for s in dataset.clips] == [
        ("s01_e01/walk", 0),
        ("s01_e01/sitDown", 1),
        ("s01_e02/walk", 0),
    ]
    assert dataset.dropped == {"listed without frames": 1}
    (record,) = Utkinect.parse(dataset.clips[0])
    assert record["frame_number"].tolist() == [10, 11, 14]
    assert record["joints"].shape == (3, 1, 20, 3)
    assert record["joints"][1, 0, 7].tolist() == [11, 2, 7], (
        "of a frame that is there twice the first row"
    )
    assert record["joints"][2, 0, 19].tolist() == [14, 4, 19]


def test_every_recording_is_tested_by_what_the_others_train(tmp_path):
    dataset = Utkinect.find(write_raw(tmp_path, LISTING, s01_e01=[10], s01_e02=[2]))
    assert set(dataset.unions) == {"s01_e01_train", "s01_e01_test", "s01_e02_train", "s01_e02_test"}
    assert (
        split_ids(dataset, "s01_e01_test")
        == split_ids(dataset, "s01_e02_train")
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
def test_the_error_names_the_invalid_line_of_a_list(tmp_path, listing, problem):
    with pytest.raises(UserError, match=problem):
        Utkinect.find(write_raw(tmp_path, listing, s01_e01=[1]))


def test_the_error_names_an_invalid_recording(tmp_path):
    dataset = Utkinect.find(write_raw(tmp_path, "s01_e01\nwalk: 1 2\n", s01_e01=[7]))
    for text, problem in (
        (None, "has no frame from 1 to 2, where the list has 's01_e01/walk'"),
        ("", "joints_s01_e01.txt' is empty; wanted rows of 61 numbers"),
        ("1 2 3\n", "line 1: 3 numbers, wanted 61"),
        ("1 " + "x " * 60, "line 1: could not convert string to float: 'x'"),
        ("1 " + "nan " * 60, "60 of its 60 coordinates are not finite"),
    ):
        if text is not None:
            Path(dataset.clips[0].path).write_text(text)
        with pytest.raises(UserError, match=problem):
            next(Utkinect.parse(dataset.clips[0]))
