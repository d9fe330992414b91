"""COCO keypoints: people, crowds and ignored pixels."""

import numpy as np
import pytest

from jaxact.datasets.coco_keypoints import CocoKeypoints
from jaxact.errors import UserError
from tests.helpers.raw_data import write_coco, write_jpeg


def test_people_crowds_and_ignored_pixels_are_stored(tmp_path):
    dataset = CocoKeypoints.find(write_coco(tmp_path))
    assert [raw_clip.id for raw_clip in dataset.clips] == ["train2017/1", "val2017/3"]
    train, test = ("train2017",), ("val2017",)
    assert dataset.unions == {"train2017": train, "train": train, "val2017": test, "test": test}
    (record,) = CocoKeypoints.parse(dataset.clips[0])
    assert record["joints"].shape == (1, 3, 17, 3) and record["num_frames"] == 1
    assert record["joints"][0, 0, [0, 1, 5]].tolist() == [[5, 6, 2], [7, 8, 1], [20, 10, 2]]
    assert not record["joints"][0, 1:].any() and not record["joints"][0, 0, 2:5].any()
    expected = np.zeros((30, 40), np.uint8)
    expected[10:14, 10:14] = expected[:, 0] = 1
    np.testing.assert_array_equal(record["ignored"], expected)
    assert record["areas"].tolist() == [90.5] * 3 and record["crowd"].tolist() == [0, 0, 1]
    assert record["boxes"].tolist() == [[1, 2, 30, 20]] * 3
    assert record["image"] == (tmp_path / "train2017/1.jpg").read_bytes()


def test_the_error_states_what_does_not_fit(tmp_path):
    with pytest.raises(
        UserError, match=r"no file 'person_keypoints_\*.json' under .*; expected annotations"
    ):
        CocoKeypoints.find(tmp_path)
    root = write_coco(tmp_path, keypoints=[0] * 3)
    with pytest.raises(
        UserError, match=r"is not a file of COCO keypoints: it lacks .*51 keypoint numbers"
    ):
        CocoKeypoints.find(root)
    root = write_coco(tmp_path)
    write_jpeg(root / "train2017/1.jpg", 30, 41)
    with pytest.raises(
        UserError, match=r"1.jpg' is of another size than the 40 x 30 of its annotations"
    ):
        list(CocoKeypoints.parse(CocoKeypoints.find(root).clips[0]))
    (root / "train2017/1.jpg").unlink()
    with pytest.raises(
        UserError, match=r"names 1 pictures that are not under .*; the first: '1.jpg'"
    ):
        CocoKeypoints.find(root)
