"""Leeds Sports Pose: joints, splits and the joint order of its layout."""

import numpy as np
import pytest
import scipy.io

from jaxact.datasets.lsp import Lsp
from jaxact.errors import UserError
from jaxact.skeletons.pose_body import body_matrix
from tests.helpers.raw_data import write_jpeg


def test_pictures_have_their_joints_and_splits(tmp_path):
    joints = np.random.default_rng(0).uniform(1, 30, (3, 14, 1001))
    joints[2] = np.arange(14)[:, None] % 2
    scipy.io.savemat(tmp_path / "joints.mat", {"joints": joints})
    for number in (1, 1000, 1001):
        write_jpeg(tmp_path / f"images/im{number:04d}.jpg")
    dataset = Lsp.find(tmp_path)
    assert [(raw_clip.id, raw_clip.cell) for raw_clip in dataset.clips] == [
        ("im0001", "train"),
        ("im1000", "train"),
        ("im1001", "test"),
    ]
    (record,) = Lsp.parse(dataset.clips[2])
    np.testing.assert_allclose(
        record["joints"][0, 0, :, :2], joints[:2, :, 1000].T - 0.5, rtol=1e-6
    )
    assert record["joints"][0, 0, :, 2].tolist() == [2, 1] * 7 and (
        record["height"],
        record["width"],
    ) == (30, 40)
    order = body_matrix(dataset.layout).argmax(
        1
    )  # the permutation of the layouts, read the other way round
    assert np.argsort(order).tolist() == [10, 9, 8, 11, 12, 13, 4, 3, 2, 5, 6, 7, 1, 0]
    write_jpeg(tmp_path / "images/im1002.jpg")
    with pytest.raises(
        UserError, match=r"im1002.jpg' has no joints: .*joints.mat' holds those of 1001 pictures"
    ):
        Lsp.find(tmp_path)
    scipy.io.savemat(tmp_path / "joints.mat", {"joints": joints[:2]})
    with pytest.raises(
        UserError, match=r"joints has the shape \(2, 14, 1001\), wanted \(3, 14, pictures\)"
    ):
        Lsp.find(tmp_path)
