"""MPII: people of a picture, splits and the joint order of its layout."""

import json

import numpy as np
import pytest

from jaxact.datasets.mpii import Mpii
from jaxact.errors import UserError
from jaxact.skeletons.pose_body import body_matrix
from tests.helpers.raw_data import write_jpeg


def test_people_are_grouped_by_picture(tmp_path):
    random = np.random.default_rng(0)
    people = [
        {
            "image": name,
            "joints": random.uniform(1, 30, (16, 2)).tolist(),
            "joints_vis": [0, *[1] * 15],
            "scale": 1.0,
        }
        for name in ("a.jpg", "b.jpg", "a.jpg")
    ]
    write_jpeg(tmp_path / "images/a.jpg")
    write_jpeg(tmp_path / "images/b.jpg")
    (tmp_path / "valid.json").write_text(json.dumps(people))
    dataset = Mpii.find(tmp_path)
    assert [raw_clip.id for raw_clip in dataset.clips] == ["valid/a", "valid/b"]
    assert dataset.unions == {"valid": ("valid",), "test": ("valid",)}
    (record,) = Mpii.parse(dataset.clips[0])
    assert record["joints"].shape == (1, 2, 16, 3) and not record["joints"][0, :, 0].any()
    np.testing.assert_allclose(
        record["joints"][0, 1, 1:, :2], np.array(people[2]["joints"])[1:] - 0.5, rtol=1e-6
    )
    assert (record["joints"][0, :, 1:, 2] == 2).all()
    assert body_matrix(dataset.layout).argmax(1).tolist() == [
        9,
        8,
        12,
        11,
        10,
        13,
        14,
        15,
        2,
        1,
        0,
        3,
        4,
        5,
    ]
    for broken, problem in (
        (
            [people[0], {"image": "a.jpg"}],
            r"entry 1: wanted an object with image, joints, joints_vis",
        ),
        ({"images": []}, r"entry 0: wanted an object with image"),
        (
            [people[0] | {"joints_vis": [1]}],
            r"entry 0: joints are \(16, 2\) and \(1,\); wanted 16 of each",
        ),
    ):
        (tmp_path / "valid.json").write_text(json.dumps(broken))
        with pytest.raises(UserError, match=problem):
            Mpii.find(tmp_path)
