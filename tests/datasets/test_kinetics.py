"""Kinetics-Skeleton: detections in their frame and slot, and errors that name file and key."""

import json
from pathlib import Path

import numpy as np
import pytest

from jaxact.datasets.kinetics import MOTION, KineticsSkeleton, class_names, read_frames
from jaxact.errors import UserError


def person(seed: int) -> dict:
    numbers = np.random.default_rng(seed).random((18, 3)).round(3)
    return {"pose": numbers[:, :2].reshape(-1).tolist(), "score": numbers[:, 2].tolist()}


def joints_of(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((18, 3)).round(3).astype(np.float32)


def frame(index: int, *seeds: int) -> dict:
    return {"frame_index": index, "skeleton": [person(seed) for seed in seeds]}


def raw_folder(
    root: Path, clips: dict[str, dict], half: str = "train", **label_entries: dict
) -> Path:
    """`clips` become files listed with a skeleton; `label_entries` are in the label file only."""
    (root / f"kinetics_{half}").mkdir()
    labels = {
        clip: {"has_skeleton": True, "label": "abseiling", "label_index": 0} for clip in clips
    } | label_entries
    (root / f"kinetics_{half}_label.json").write_text(json.dumps(labels))
    for clip, content in clips.items():
        (root / f"kinetics_{half}" / f"{clip}.json").write_text(json.dumps(content))
    return root


def test_the_lists_are_the_published_ones():
    names = class_names()
    assert len(set(names)) == 400
    assert len(set(MOTION)) == 30
    assert [names[i] for i in (6, 18, 161, 393)] == [
        "arm wrestling",
        "belly dancing",
        "hurling (sport)",
        "windsurfing",
    ]


@pytest.mark.parametrize("first", [0, 1])
def test_frames_count_from_the_first_index_of_the_file(first):
    joints = read_frames(
        [frame(first, 1), frame(first + 1, 2, 3), frame(first + 4, 4)], "clip.json"
    )
    assert joints.shape == (5, 2, 18, 3)
    np.testing.assert_array_equal(joints[0, 0], joints_of(1))
    np.testing.assert_array_equal(joints[1], [joints_of(2), joints_of(3)])
    np.testing.assert_array_equal(joints[4, 0], joints_of(4))
    assert not joints[2:4].any() and not joints[0, 1].any()


def test_clips_without_detections_have_one_empty_frame_at_least():
    assert read_frames([], "clip.json").shape == (1, 1, 18, 3)
    assert read_frames([frame(0), frame(1), frame(2)], "clip.json").shape == (3, 1, 18, 3)


def test_clips_listed_without_a_skeleton_are_dropped_and_counted(tmp_path):
    raw = raw_folder(
        tmp_path,
        {"seen": {"data": []}},
        unseen={"has_skeleton": False, "label": "zumba", "label_index": 399},
    )
    dataset = KineticsSkeleton.find(raw)
    assert [raw_clip.id for raw_clip in dataset.clips] == ["seen"]
    assert dataset.dropped == {"has_skeleton is false": 1}
    assert dataset.unions == {"test": ("val",)} and dataset.subsets["kinetics_motion"] == MOTION


def test_both_splits_are_listed(tmp_path):
    raw_folder(tmp_path, {"a": {"data": []}})
    raw_folder(tmp_path, {"b": {"data": []}}, half="val")
    assert [(s.id, s.cell) for s in KineticsSkeleton.find(tmp_path).clips] == [
        ("a", "train"),
        ("b", "val"),
    ]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (None, "data is missing, wanted a list"),
        ({}, "data is a dict, wanted a list"),
        ([3], r"data\[0\] is a int, wanted an object"),
        ([frame(0), {"skeleton": []}], r"data\[1\].frame_index is None"),
        ([frame(-1)], r"data\[0\].frame_index is -1, wanted a number from 0"),
        ([frame(10**9)], r"data\[0\].frame_index is 1000000000"),
        ([frame(2), frame(2)], r"data\[1\].frame_index 2 occurs twice"),
        ([{"frame_index": 0}], r"data\[0\].skeleton is missing"),
        (
            [{"frame_index": 0, "skeleton": [{"pose": [0.1] * 30, "score": [1] * 18}]}],
            r"skeleton\[0\].pose has 30 numbers",
        ),
        (
            [{"frame_index": 0, "skeleton": [{"pose": [0.1] * 36, "score": ["a"] * 18}]}],
            r"score holds something that is",
        ),
    ],
)
def test_the_error_of_invalid_json_names_the_file_and_the_key(data, problem):
    with pytest.raises(UserError, match=problem) as caught:
        read_frames(data, "folder/clip.json")
    assert str(caught.value).startswith("'folder/clip.json': ")


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"label_index": 400}, "'bad': label_index 400 is outside the list; Kinetics has 0 to 399"),
        ({"label": "abseilling"}, "unknown label .* 'abseilling'.*did you mean 'abseiling'"),
        ({"label": "zumba", "label_index": 3}, "'zumba' is not the name of label_index 3"),
        ("zumba", "'bad' is a str, wanted an object"),
    ],
)
def test_a_label_outside_the_list_is_an_error(tmp_path, entry, problem):
    with pytest.raises(UserError, match=problem):
        KineticsSkeleton.find(raw_folder(tmp_path, {}, bad=entry))


def test_broken_json_names_the_line(tmp_path):
    raw = raw_folder(tmp_path, {"clip": {"data": []}})
    raw_clip = KineticsSkeleton.find(raw).clips[0]
    Path(raw_clip.path).write_text('{"data":\n [}')
    with pytest.raises(UserError, match=r"clip.json', line 2: not JSON"):
        next(KineticsSkeleton.parse(raw_clip))


def test_a_clip_that_contradicts_the_label_file_is_an_error(tmp_path):
    raw = raw_folder(
        tmp_path, {"clip": {"data": [frame(0, 1)], "label": "zumba", "label_index": 399}}
    )
    with pytest.raises(UserError, match="label_index is 399, but the label file says 0"):
        next(KineticsSkeleton.parse(KineticsSkeleton.find(raw).clips[0]))


def test_a_folder_without_lists_says_what_is_expected(tmp_path):
    with pytest.raises(
        UserError, match=r"expected kinetics_train/<id>.json with kinetics_train_label.json"
    ):
        KineticsSkeleton.find(tmp_path)
