"""JHMDB: joints in both coordinate systems, and the three published splits."""

import os
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from jaxact.datasets.jhmdb import Jhmdb
from jaxact.errors import UserError

DATA = os.environ.get("JAXACT_DATA", "")


def write_raw(
    root: Path, flags: dict[str, tuple[int, int, int]], **arrays: np.ndarray | str
) -> Path:
    """Clips "class/clip" with the flags of three splits; `arrays` are in every file."""
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


def test_a_clip_has_world_joints_and_pixels(tmp_path):
    scale = np.array([[1.5, 1.6, 1.7]])
    (raw_clip,) = Jhmdb.find(
        write_raw(tmp_path, {"wave/one": (1, 2, 1)}, scale=scale, viewpoint="NE")
    ).clips
    (record,) = Jhmdb.parse(raw_clip)
    assert record["joints"].shape == (3, 1, 15, 2) and record["label"] == 20
    assert record["joints"][2, 0, 4].tolist() == [4 * 3 + 2, 45 + 4 * 3 + 2]
    np.testing.assert_array_equal(record["pixels"], 100 + record["joints"][:, 0])
    np.testing.assert_allclose(record["scale"], scale[0])
    assert record["viewpoint"] == "NE"


def test_splits_follow_the_lists(tmp_path):
    flags = {"wave/one": (1, 2, 1), "wave/two": (2, 1, 1), "run/three": (1, 1, 0)}
    dataset = Jhmdb.find(write_raw(tmp_path, flags))
    for split in (1, 2, 3):
        for half, expected in (("train", 1), ("test", 2)):
            ids = {s.id for s in dataset.clips if s.cell in dataset.unions[f"split{split}_{half}"]}
            assert ids == {
                clip for clip, numbers in flags.items() if numbers[split - 1] == expected
            }


def test_the_error_names_an_invalid_folder(tmp_path):
    raw = write_raw(tmp_path, {"wave/one": (1, 2, 1)})
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


def test_arrays_of_another_shape_are_an_error(tmp_path):
    (raw_clip,) = Jhmdb.find(
        write_raw(tmp_path, {"wave/one": (1, 2, 1)}, pos_img=np.zeros((2, 15, 5)))
    ).clips
    with pytest.raises(
        UserError, match=r"pos_img has the shape \(2, 15, 5\), wanted \(2, 15, frames\)"
    ):
        next(Jhmdb.parse(raw_clip))


@pytest.mark.skipif(not DATA, reason="JAXACT_DATA names no folder of real data")
def test_a_real_annotation_parses(tmp_path):
    raw = write_raw(tmp_path, {"wave/one": (1, 2, 1)})
    (raw_clip,) = Jhmdb.find(raw).clips
    real = Path(DATA, "skeleton/sample_joint_positions.mat")
    Path(raw_clip.path).write_bytes(real.read_bytes())
    (record,) = Jhmdb.parse(raw_clip)
    assert record["joints"].shape == (40, 1, 15, 2)
    assert record["pixels"][0, 0].tolist() == [286.5, 106.5]
    # pos_world is the pixel seen from the frame's centre over the person's scale.
    ratio = (record["pixels"] - (160, 120)) / record["joints"][:, 0]
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:1, :1, :1], ratio.shape), rtol=1e-4)
