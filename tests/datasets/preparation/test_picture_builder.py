"""Picture records: the size of a JPEG, segmentation masks, invalid joints."""

import numpy as np
import pytest

from jaxact.datasets.preparation import picture_builder
from jaxact.errors import UserError
from tests.helpers.raw_data import write_jpeg


def test_the_size_of_a_jpeg_is_read_from_its_header(tmp_path):
    for number, options in enumerate(({}, {"progressive": True}, {"comment": b"x" * 300})):
        data = write_jpeg(tmp_path / f"{number}.jpg", 17, 300, **options).read_bytes()
        assert picture_builder.jpeg_size(data, "") == (17, 300)
    for broken in (b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n" + bytes(40), data[:20]):
        with pytest.raises(UserError, match=r"'here.jpg' is not a JPEG picture"):
            picture_builder.jpeg_size(broken, "here.jpg")


def test_a_polygon_mask_holds_the_pixels_whose_centre_is_inside():
    corners = np.array([(3.2, 1.1), (17.7, 4.4), (12.3, 13.9), (-4.0, 9.0)])
    y, x = np.mgrid[:12, :20] + 0.5
    expected = np.ones((12, 20), bool)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        expected &= (bx - ax) * (y - ay) - (by - ay) * (
            x - ax
        ) > 0  # convex: on one side of every edge
    assert 40 < expected.sum() < 150
    for points in (corners, corners[::-1]):
        np.testing.assert_array_equal(
            picture_builder.segmentation_mask([points.ravel().tolist()], (12, 20)), expected
        )
    both = [corners.ravel().tolist(), [0, 0, 2, 0, 2, 2, 0, 2]]
    assert picture_builder.segmentation_mask(both, (12, 20)).sum() == expected.sum() + 4


def test_run_lengths_are_column_by_column():
    mask = picture_builder.segmentation_mask({"counts": [1, 2, 3], "size": [2, 3]}, (2, 3))
    assert mask.tolist() == [[False, True, False], [True, False, False]]
    for odd in ({"counts": [1, 2]}, {"counts": "compressed"}, [[1, 2, 3]], None):
        with pytest.raises(UserError, match=r"a segmentation of a picture of 3 x 2 cannot be read"):
            picture_builder.segmentation_mask(odd, (2, 3))


def test_an_annotated_joint_without_finite_coordinates_is_an_error():
    joints = np.full((1, 14, 3), np.nan)
    joints[..., 2] = 0
    record = picture_builder.picture_record("one", 0, b"", (4, 5), joints)
    assert not record["joints"].any() and record["ignored"].shape == (4, 5)
    joints[0, 3, 2] = 1
    with pytest.raises(
        UserError,
        match=r"'one': a joint that is marked as there has coordinates that are not finite",
    ):
        picture_builder.picture_record("one", 0, b"", (4, 5), joints)
