"""NW-UCLA: names, splits and joints."""

import json
from pathlib import Path

import numpy as np
import pytest

from jaxact.datasets.nw_ucla import ACTIONS, NwUcla
from jaxact.errors import UserError
from tests.helpers.raw_data import split_ids


def write_raw(root: Path, *names: str, frames: int = 3) -> Path:
    for seed, name in enumerate(names):
        joints = np.random.default_rng(seed).normal(size=(frames, 20, 3)).round(4)
        (root / f"{name}.json").write_text(
            json.dumps({"file_name": name, "skeletons": joints.tolist()})
        )
    return root


def test_a_clip_holds_the_skeletons_of_its_file(tmp_path):
    dataset = NwUcla.find(write_raw(tmp_path, "a12_s09_e04_v03"))
    (record,) = NwUcla.parse(dataset.clips[0])
    expected = np.random.default_rng(0).normal(size=(3, 20, 3)).round(4).astype(np.float32)
    np.testing.assert_array_equal(record["joints"][:, 0], expected)
    assert (record["label"], record["subject"], record["take"]) == (9, 9, 4) and dataset.labels[
        9
    ] == "carry"
    assert dataset.layout.name == "kinect-20-hip"


def test_cameras_1_and_2_train_and_3_tests(tmp_path):
    dataset = NwUcla.find(
        write_raw(
            tmp_path, *(f"a{action:02d}_s01_e00_v0{v}" for action in ACTIONS for v in (1, 2, 3))
        )
    )
    assert split_ids(dataset, "train") == {
        f"a{action:02d}_s01_e00_v0{v}" for action in ACTIONS for v in (1, 2)
    }
    assert split_ids(dataset, "test") == {f"a{action:02d}_s01_e00_v03" for action in ACTIONS}
    assert {raw_clip.id[:3]: raw_clip.label for raw_clip in dataset.clips}["a08"] == 6


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (
            "a07_s01_e00_v01",
            "action 7 is outside the list; NW-UCLA has 1, 2, 3, 4, 5, 6, 8, 9, 11, 12",
        ),
        ("a01_s01_e00_v04", "camera 4 is outside the list"),
        ("a01_s01_v01", "is not named a<action>_s<subject>"),
    ],
)
def test_a_name_outside_the_lists_is_an_error(tmp_path, name, problem):
    with pytest.raises(UserError, match=problem):
        NwUcla.find(write_raw(tmp_path, name))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "line 1: not JSON"),
        ("[]", "has no list `skeletons`"),
        ('{"skeletons": []}', r"`skeletons` has the shape \(0,\), wanted \(frames, 20, 3\)"),
        ('{"skeletons": [[[1, 2, 3]]]}', r"has the shape \(1, 1, 3\)"),
        ('{"skeletons": [[[1, 2, 3]], []]}', "is not frames of equal shape"),
        (
            json.dumps({"skeletons": np.full((2, 20, 3), np.nan).tolist()}),
            "120 of its 120 coordinates are not finite",
        ),
    ],
)
def test_the_error_names_an_invalid_file(tmp_path, content, problem):
    dataset = NwUcla.find(write_raw(tmp_path, "a01_s01_e00_v01"))
    Path(dataset.clips[0].path).write_text(content)
    with pytest.raises(UserError, match=problem):
        next(NwUcla.parse(dataset.clips[0]))
