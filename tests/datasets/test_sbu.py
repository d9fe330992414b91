"""SBU: two people per row, five folds of pairs."""

import os
from pathlib import Path

import numpy as np
import pytest

from jaxact.datasets.sbu import FOLDS, Sbu, read_rows
from jaxact.errors import UserError

DATA = os.environ.get("JAXACT_DATA", "")


def take(root: Path, name: str, text: str | None = None) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    rows = np.arange(3 * 91, dtype=float).reshape(3, 91)
    rows[:, 0] = (180, 181, 183)
    text = "\n".join(",".join(map(str, row)) for row in rows) if text is None else text
    (folder / "skeleton_pos.txt").write_text(text)
    return root


def test_a_row_holds_the_first_person_then_the_second(tmp_path):
    (raw_clip,) = Sbu.find(take(tmp_path, "s01s02/08/001")).clips
    (record,) = Sbu.parse(raw_clip)
    joints, _ = read_rows(raw_clip.path)
    assert record["joints"].shape == joints.shape == (3, 2, 15, 3)
    assert joints[1, 0, 0].tolist() == [92, 93, 94]
    assert joints[1, 1, 0].tolist() == [92 + 45, 93 + 45, 94 + 45]
    assert record["frame_number"].tolist() == [180, 181, 183]
    assert (record["id"], record["label"], raw_clip.cell) == ("s01s02/08/001", 7, "fold1")


def test_joints_come_in_metres_and_missing_ones_stay_zero(tmp_path):
    """The authors' formulas: X = 1280 - 2560 x, Y = 960 - 1920 y and Z = z * 10000 / 7.8125, read
    as millimetres.
    """
    rows = np.full((1, 91), 0.25)
    rows[0, 1:4] = 0.5, 0.75, 2.0
    rows[0, 4:7] = 0
    (raw_clip,) = Sbu.find(take(tmp_path, "s01s02/08/001", ",".join(map(str, rows[0])))).clips
    (record,) = Sbu.parse(raw_clip)
    np.testing.assert_allclose(record["joints"][0, 0, 0], [0.0, -0.48, 2.56], atol=1e-6)
    assert not record["joints"][0, 0, 1].any()
    np.testing.assert_allclose(record["joints"][0, 1, 14], [0.64, 0.48, 0.32], atol=1e-6)


def test_every_fold_tests_what_the_other_four_train_on(tmp_path):
    for pairs in FOLDS:
        take(tmp_path, f"{pairs[0]}/01/001")
    dataset = Sbu.find(tmp_path)
    for number, pairs in enumerate(FOLDS, 1):
        train, test = (
            {s.id[:6] for s in dataset.clips if s.cell in dataset.unions[f"fold{number}_{half}"]}
            for half in ("train", "test")
        )
        assert test == {pairs[0]} and train == {other[0] for other in FOLDS} - test


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("s01s09/01/001", "'s01s09' is in none of the five folds"),
        ("s01s02/09/001", "class '09' is outside the list"),
    ],
)
def test_a_folder_outside_the_lists_is_an_error(tmp_path, name, problem):
    with pytest.raises(UserError, match=problem):
        Sbu.find(take(tmp_path, name))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "skeleton_pos.txt' is empty"),
        ("1,2,3", "line 1: 3 numbers, wanted 91"),
        (
            ",".join(["1"] * 91) + "\n" + ",".join(["x"] * 91),
            "line 2: could not convert string to float: 'x'",
        ),
    ],
)
def test_the_error_names_an_invalid_row(tmp_path, text, problem):
    (raw_clip,) = Sbu.find(take(tmp_path, "s01s02/08/001", text)).clips
    with pytest.raises(UserError, match=problem):
        next(Sbu.parse(raw_clip))


@pytest.mark.skipif(not DATA, reason="JAXACT_DATA names no folder of real data")
def test_the_real_takes_are_the_published_282():
    dataset = Sbu.find(Path(DATA, "skeleton/sbu"))
    assert len(dataset.clips) == 282
    (record,) = Sbu.parse(dataset.clips[0])
    assert record["joints"].shape[1:] == (2, 15, 3) and record["joints"].all()
    heads, feet = record["joints"][:, :, 0, 1], record["joints"][:, :, 11, 1]
    assert 1.0 < np.mean(heads - feet) < 2.0  # a person, upright, in metres
