"""UTD-MHAD: MATLAB arrays with frames first, and the published split."""

import os
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from jaxact.datasets.utd_mhad import UtdMhad
from jaxact.errors import UserError

DATA = os.environ.get("JAXACT_DATA", "")


def write_raw(root: Path, *names: str, frames: int = 4) -> Path:
    for seed, name in enumerate(names):
        joints = np.random.default_rng(seed).normal(size=(20, 3, frames))
        scipy.io.savemat(root / f"{name}_skeleton.mat", {"d_skel": joints})
    return root


def test_a_clip_is_the_matlab_array_with_frames_first(tmp_path):
    (raw_clip,) = UtdMhad.find(write_raw(tmp_path, "a27_s8_t4")).clips
    (record,) = UtdMhad.parse(raw_clip)
    stored = scipy.io.loadmat(raw_clip.path)["d_skel"]
    assert record["joints"].shape == (4, 1, 20, 3)
    assert record["joints"][2, 0, 5, 1] == np.float32(stored[5, 1, 2])
    assert (record["id"], record["label"], record["subject"], record["trial"]) == (
        "a27_s8_t4",
        26,
        8,
        4,
    )


def test_odd_subjects_train_and_even_subjects_test(tmp_path):
    dataset = UtdMhad.find(write_raw(tmp_path, *(f"a1_s{s}_t1" for s in range(1, 9))))
    for split, remainder in (("train", 1), ("test", 0)):
        subjects = {s.facts["subject"] for s in dataset.clips if s.cell in dataset.unions[split]}
        assert subjects == {s for s in range(1, 9) if s % 2 == remainder}


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a28_s1_t1", "action 28 is outside the list"),
        ("a1_s9_t1", "subject 9 is outside"),
        ("clip", "is not named a<action>"),
    ],
)
def test_a_name_outside_the_list_is_an_error(tmp_path, name, problem):
    with pytest.raises(UserError, match=problem):
        UtdMhad.find(write_raw(tmp_path, name))


def test_the_error_names_a_matlab_file_that_cannot_be_used(tmp_path):
    (raw_clip,) = UtdMhad.find(write_raw(tmp_path, "a1_s1_t1")).clips
    for content, problem in (
        ({"other": np.zeros((20, 3, 4))}, "has no array 'd_skel'; it has: other"),
        (
            {"d_skel": np.zeros((25, 3, 4))},
            r"d_skel has the shape \(25, 3, 4\), wanted \(20, 3, frames\)",
        ),
        ({"d_skel": "text"}, "'d_skel' is <U4, wanted numbers"),
        ({"d_skel": np.zeros((20, 3, 0))}, "no frames"),
        ({"d_skel": np.full((20, 3, 4), np.nan)}, "240 of its 240 coordinates are not finite"),
    ):
        scipy.io.savemat(raw_clip.path, content)
        with pytest.raises(UserError, match=problem) as caught:
            next(UtdMhad.parse(raw_clip))
        assert "a1_s1_t1_skeleton.mat" in str(caught.value)
    for broken in (b"", b"\x00" * 300, b"MATLAB 5.0 MAT-file" + b"x" * 200):
        Path(raw_clip.path).write_bytes(broken)
        with pytest.raises(
            UserError, match=r"a1_s1_t1_skeleton.mat' is not a readable MATLAB file"
        ):
            next(UtdMhad.parse(raw_clip))


def test_single_nan_coordinates_stay_in_the_record(tmp_path):
    (raw_clip,) = UtdMhad.find(write_raw(tmp_path, "a1_s1_t1")).clips
    joints = np.ones((20, 3, 4))
    joints[3, 1, 2] = np.nan
    scipy.io.savemat(raw_clip.path, {"d_skel": joints})
    (record,) = UtdMhad.parse(raw_clip)
    assert np.argwhere(np.isnan(record["joints"])).tolist() == [[2, 0, 3, 1]]


@pytest.mark.skipif(not DATA, reason="JAXACT_DATA names no folder of real data")
def test_the_real_files_split_as_published():
    dataset = UtdMhad.find(Path(DATA, "skeleton/utd-mhad"))
    sizes = {
        split: sum(s.cell in cells for s in dataset.clips)
        for split, cells in dataset.unions.items()
    }
    assert sizes == {"train": 431, "test": 430}
