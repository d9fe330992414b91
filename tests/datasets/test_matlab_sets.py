"""UTD-MHAD and JHMDB: MATLAB arrays turned to [t, m, v, c], and their published splits."""

import os
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from jaxact.datasets.jhmdb import Jhmdb
from jaxact.datasets.utd_mhad import UtdMhad
from jaxact.errors import UserError

DATA = os.environ.get("JAXACT_DATA", "")


def utd(root: Path, *names: str, frames: int = 4) -> Path:
    for seed, name in enumerate(names):
        joints = np.random.default_rng(seed).normal(size=(20, 3, frames))
        scipy.io.savemat(root / f"{name}_skeleton.mat", {"d_skel": joints})
    return root


def jhmdb(root: Path, flags: dict[str, tuple[int, int, int]], **arrays: np.ndarray | str) -> Path:
    """Clips "class/clip" with their flags in the three splits; `arrays` replace those of every
    file.
    """
    (root / "splits").mkdir()
    for clip, numbers in flags.items():
        action, name = clip.split("/")
        folder = root / "joint_positions" / action / name
        folder.mkdir(parents=True)
        world = np.arange(90.0).reshape(2, 15, 3)
        scipy.io.savemat(
            folder / "joint_positions.mat", {"pos_world": world, "pos_img": 100 + world, **arrays}
        )
        for split, flag in enumerate(numbers, 1):
            with open(root / "splits" / f"{action}_test_split{split}.txt", "a") as file:
                file.write(f"{name}.avi {flag}\n")
    return root


def test_a_utd_clip_is_the_matlab_array_with_frames_first(tmp_path):
    (raw_clip,) = UtdMhad.find(utd(tmp_path, "a27_s8_t4")).clips
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
    dataset = UtdMhad.find(utd(tmp_path, *(f"a1_s{s}_t1" for s in range(1, 9))))
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
def test_a_utd_name_outside_the_list_is_an_error(tmp_path, name, problem):
    with pytest.raises(UserError, match=problem):
        UtdMhad.find(utd(tmp_path, name))


def test_the_error_names_a_matlab_file_that_cannot_be_used(tmp_path):
    (raw_clip,) = UtdMhad.find(utd(tmp_path, "a1_s1_t1")).clips
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
    (raw_clip,) = UtdMhad.find(utd(tmp_path, "a1_s1_t1")).clips
    joints = np.ones((20, 3, 4))
    joints[3, 1, 2] = np.nan
    scipy.io.savemat(raw_clip.path, {"d_skel": joints})
    (record,) = UtdMhad.parse(raw_clip)
    assert np.argwhere(np.isnan(record["joints"])).tolist() == [[2, 0, 3, 1]]


def test_a_jhmdb_clip_has_world_joints_and_pixels(tmp_path):
    scale = np.array([[1.5, 1.6, 1.7]])
    (raw_clip,) = Jhmdb.find(
        jhmdb(tmp_path, {"wave/one": (1, 2, 1)}, scale=scale, viewpoint="NE")
    ).clips
    (record,) = Jhmdb.parse(raw_clip)
    assert record["joints"].shape == (3, 1, 15, 2) and record["label"] == 20
    assert record["joints"][2, 0, 4].tolist() == [4 * 3 + 2, 45 + 4 * 3 + 2]
    np.testing.assert_array_equal(record["pixels"], 100 + record["joints"][:, 0])
    np.testing.assert_allclose(record["scale"], scale[0])
    assert record["viewpoint"] == "NE"


def test_jhmdb_splits_follow_the_lists(tmp_path):
    flags = {"wave/one": (1, 2, 1), "wave/two": (2, 1, 1), "run/three": (1, 1, 0)}
    dataset = Jhmdb.find(jhmdb(tmp_path, flags))
    for split in (1, 2, 3):
        for half, expected in (("train", 1), ("test", 2)):
            ids = {s.id for s in dataset.clips if s.cell in dataset.unions[f"split{split}_{half}"]}
            assert ids == {
                clip for clip, numbers in flags.items() if numbers[split - 1] == expected
            }


def test_the_error_names_an_invalid_jhmdb_folder(tmp_path):
    raw = jhmdb(tmp_path, {"wave/one": (1, 2, 1)})
    (raw / "splits/wave_test_split2.txt").write_text("one.avi train\n")
    with pytest.raises(
        UserError, match=r"wave_test_split2.txt', line 1: wanted '<clip>.avi <1 or 2>'"
    ):
        Jhmdb.find(raw)
    (raw / "splits/wave_test_split2.txt").write_text("one.avi 2\n")
    (raw / "joint_positions/wave/one").rename(raw / "joint_positions/wave/other")
    with pytest.raises(UserError, match="the clip 'other' is in no split list"):
        Jhmdb.find(raw)
    (raw / "joint_positions/wave").rename(raw / "joint_positions/wavve")
    with pytest.raises(UserError, match=r"unknown class folder .* 'wavve'.*did you mean 'wave'"):
        Jhmdb.find(raw)


def test_jhmdb_arrays_of_another_shape_are_an_error(tmp_path):
    (raw_clip,) = Jhmdb.find(
        jhmdb(tmp_path, {"wave/one": (1, 2, 1)}, pos_img=np.zeros((2, 15, 5)))
    ).clips
    with pytest.raises(
        UserError, match=r"pos_img has the shape \(2, 15, 5\), wanted \(2, 15, frames\)"
    ):
        next(Jhmdb.parse(raw_clip))


@pytest.mark.skipif(not DATA, reason="JAXACT_DATA names no folder of real data")
def test_the_real_utd_files_split_as_published():
    dataset = UtdMhad.find(Path(DATA, "skeleton/utd-mhad"))
    sizes = {
        split: sum(s.cell in cells for s in dataset.clips)
        for split, cells in dataset.unions.items()
    }
    assert sizes == {"train": 431, "test": 430}


@pytest.mark.skipif(not DATA, reason="JAXACT_DATA names no folder of real data")
def test_a_real_jhmdb_annotation_parses(tmp_path):
    raw = jhmdb(tmp_path, {"wave/one": (1, 2, 1)})
    (raw_clip,) = Jhmdb.find(raw).clips
    real = Path(DATA, "skeleton/sample_joint_positions.mat")
    Path(raw_clip.path).write_bytes(real.read_bytes())
    (record,) = Jhmdb.parse(raw_clip)
    assert record["joints"].shape == (40, 1, 15, 2)
    assert record["pixels"][0, 0].tolist() == [286.5, 106.5]
    # pos_world is the pixel seen from the frame's centre over the person's scale.
    ratio = (record["pixels"] - (160, 120)) / record["joints"][:, 0]
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:1, :1, :1], ratio.shape), rtol=1e-4)
