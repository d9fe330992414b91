"""JHMDB's frames: joints of either file format, clips without joints."""

import io
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from PIL import Image

from jaxact.datasets.jhmdb_pose import JhmdbPose
from jaxact.errors import UserError
from tests.helpers import videos


def write_raw(root: Path) -> tuple[Path, np.ndarray]:
    """Three clips of four frames.

    The joints of the first are in an .npz file, those of the second in a .mat file; the third has
    none.
    """
    for clip in ("A_catch_0", "A_catch_1", "B_catch_0"):
        videos.write(root / f"clips/catch/{clip}.mp4", videos.frames(4, 240, 320))
    lines = ["A_catch_0.avi 1", "A_catch_1.avi 1", "B_catch_0.avi 2"]
    for split in (1, 2, 3):
        (root / f"catch_test_split{split}.txt").write_text("\n".join(lines))
    joints = np.random.default_rng(0).uniform(0, 240, (7, 15, 2)).astype(np.float32)
    joints[1, 3] = (-5, 20)
    np.savez(
        root / "joints.npz", joints_px=joints, offset=[0, 3, 7], clip=["A_catch_0", "elsewhere"]
    )
    folder = root / "joint_positions/catch/A_catch_1"
    folder.mkdir(parents=True)
    scipy.io.savemat(
        folder / "joint_positions.mat", {"pos_img": joints[3:7].transpose(2, 1, 0) + 0.5}
    )
    return root, joints


def test_frames_have_the_joints_of_either_file_format(tmp_path):
    root, joints = write_raw(tmp_path)
    dataset = JhmdbPose.find(root)
    assert [raw_clip.id for raw_clip in dataset.clips] == ["catch/A_catch_0", "catch/A_catch_1"]
    assert dataset.dropped == {"clips without joints": 1} and dataset.layout.name == "jhmdb-15"
    assert len(dataset.unions["official1_train"]) == len(
        {raw_clip.cell for raw_clip in dataset.clips}
    )
    records = list(JhmdbPose.parse(dataset.clips[0]))
    assert [record["id"] for record in records] == [
        f"catch/A_catch_0/00{number}" for number in range(3)
    ]
    assert (
        records[1]["joints"][0, 0, 3].tolist() == [-5, 20, 1]
        and records[1]["joints"][0, 0, 4, 2] == 2
    )
    np.testing.assert_allclose(
        np.stack([record["joints"][0, 0, :, :2] for record in records]), joints[:3]
    )
    assert (
        Image.open(io.BytesIO(records[0]["image"])).size == (320, 240)
        and not records[0]["ignored"].any()
    )
    records = list(JhmdbPose.parse(dataset.clips[1]))
    np.testing.assert_allclose(
        np.stack([each["joints"][0, 0, :, :2] for each in records]), joints[3:7], atol=1e-3
    )


def test_the_error_states_which_files_do_not_fit(tmp_path):
    root, joints = write_raw(tmp_path)
    videos.write(root / "clips/catch/A_catch_0.mp4", videos.frames(4, 120, 160))
    with pytest.raises(
        UserError, match=r"A_catch_0.mp4' is 160 x 120, but the joints are pixels of 320 x 240"
    ):
        list(JhmdbPose.parse(JhmdbPose.find(root).clips[0]))
    videos.write(root / "clips/catch/A_catch_0.mp4", videos.frames(2, 240, 320))
    with pytest.raises(UserError, match=r"A_catch_0.mp4' has 2 frames, but joints for 3"):
        list(JhmdbPose.parse(JhmdbPose.find(root).clips[0]))
    np.savez(
        root / "joints.npz", joints_px=joints, offset=[0, 3, 6], clip=["A_catch_0", "elsewhere"]
    )
    with pytest.raises(
        UserError, match=r"holds joints \(7, 15, 2\) of 2 clips that end at row 6; wanted joints_px"
    ):
        JhmdbPose.find(root)
    (root / "joints.npz").unlink()
    (root / "joint_positions/catch/A_catch_1/joint_positions.mat").unlink()
    with pytest.raises(UserError, match=r"no clip under .* has joints; expected the clips"):
        JhmdbPose.find(root)
