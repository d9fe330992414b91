"""MSR-Action3D: names, splits, action sets and joints."""

from pathlib import Path

import numpy as np
import pytest

from jaxact.datasets.msr_action3d import SETS, MsrAction3d
from jaxact.errors import UserError
from tests.helpers.raw_data import split_ids


def write_raw(root: Path, *names: str, text: str | None = None) -> Path:
    rows = "\n".join(
        f"  {frame}.5 {joint} -{joint}e-1  0.{joint}" for frame in range(2) for joint in range(20)
    )
    for name in names:
        (root / f"{name}.txt").write_text(rows if text is None else text)
    return root


def test_a_frame_is_twenty_rows_with_confidence(tmp_path):
    dataset = MsrAction3d.find(write_raw(tmp_path, "a20_s10_e03_skeleton3D"))
    (record,) = MsrAction3d.parse(dataset.clips[0])
    assert record["joints"].shape == (2, 1, 20, 4) and dataset.channels == ("x", "y", "z", "score")
    np.testing.assert_allclose(record["joints"][1, 0, 7], (1.5, 7, -0.7, 0.7), rtol=1e-6)
    assert (record["id"], record["label"], record["subject"], record["take"]) == (
        "a20_s10_e03",
        19,
        10,
        3,
    )
    assert dataset.layout.name == "kinect-20-msr"


def test_odd_subjects_train_in_every_action_set(tmp_path):
    names = [
        f"a{action:02d}_s{subject:02d}_e01" for action in range(1, 21) for subject in (1, 2, 9, 10)
    ]
    dataset = MsrAction3d.find(write_raw(tmp_path, *(f"{name}_skeleton" for name in names)))
    for half, remainder in (("train", 1), ("test", 0)):
        assert split_ids(dataset, half) == {
            name for name in names if int(name[5:7]) % 2 == remainder
        }
        for group, actions in SETS.items():
            expected = {
                name
                for name in names
                if int(name[5:7]) % 2 == remainder and int(name[1:3]) in actions
            }
            assert split_ids(dataset, f"{group}_{half}") == expected and len(expected) == 16


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
def test_invalid_names_are_errors(tmp_path, names, problem):
    with pytest.raises(UserError, match=problem):
        MsrAction3d.find(write_raw(tmp_path, *names))


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
def test_the_error_names_an_invalid_file(tmp_path, text, problem):
    (raw_clip,) = MsrAction3d.find(write_raw(tmp_path, "a01_s01_e01_skeleton3D", text=text)).clips
    with pytest.raises(UserError, match=problem):
        next(MsrAction3d.parse(raw_clip))
