"""OpenPose's JSON files: people in the order of the file, one folder per clip or one for all."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from jaxact.datasets.openpose import Openpose
from jaxact.errors import UserError

DATA = os.environ.get("JAXACT_DATA", "")


def person(seed: int, joints: int = 25, key: str = "pose_keypoints_2d") -> dict:
    numbers = np.random.default_rng(seed).uniform(1, 100, 3 * joints).round(3).tolist()
    return {"person_id": [-1], key: numbers, "face_keypoints_2d": []}


def frame(folder: Path, number: int, *people: dict, stem: str = "video") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}_{number:012d}_keypoints.json").write_text(
        json.dumps({"version": 1.3, "people": list(people)})
    )


def table(root: Path, rows: str, description: dict | None = None) -> Path:
    (root / "labels.csv").write_text("id,label,split\n" + rows)
    if description is not None:
        (root / "dataset.json").write_text(json.dumps(description))
    return root


def parse_one(dataset, index: int = 0) -> dict:
    (record,) = Openpose.parse(dataset.clips[index])
    return record


def test_people_stay_in_the_order_of_the_file_and_frames_at_their_numbers(tmp_path):
    frame(tmp_path / "a", 3, person(1), person(2))
    frame(tmp_path / "a", 4)
    frame(tmp_path / "a", 6, person(3))
    dataset = Openpose.find(table(tmp_path, "a,run,train\n"))
    record = parse_one(dataset)
    assert dataset.layout.name == "body-25" and dataset.channels == ("x", "y", "score")
    assert record["joints"].shape == (4, 2, 25, 3)
    for t, m, seed in ((0, 0, 1), (0, 1, 2), (3, 0, 3)):
        expected = np.reshape(person(seed)["pose_keypoints_2d"], (25, 3)).astype(np.float32)
        np.testing.assert_array_equal(record["joints"][t, m], expected)
    assert not record["joints"][1:3].any() and not record["joints"][3, 1].any()


def test_clips_may_share_one_folder(tmp_path):
    frame(tmp_path, 0, person(1), stem="Kick_1")
    frame(tmp_path, 1, person(2), stem="Kick_1")
    frame(tmp_path, 0, person(3), stem="Kick_1_b")
    dataset = Openpose.find(table(tmp_path, "Kick_1,run,train\nKick_1_b,walk,test\n"))
    assert [parse_one(dataset, index)["num_frames"] for index in (0, 1)] == [2, 1]
    assert dataset.labels == ("run", "walk") and set(dataset.unions) == {"train", "test"}


def test_an_image_size_divides_coordinates_but_not_scores(tmp_path):
    frame(tmp_path / "a", 0, person(1))
    plain = parse_one(Openpose.find(table(tmp_path, "a,run,train\n")))["joints"]
    shares = parse_one(Openpose.find(table(tmp_path, "a,run,train\n", {"image_size": [200, 50]})))[
        "joints"
    ]
    np.testing.assert_allclose(shares * (200, 50, 1), plain, rtol=1e-6)


@pytest.mark.parametrize("key", ["pose_keypoints_2d", "pose_keypoints"])
def test_the_older_model_and_the_older_key_are_read(tmp_path, key):
    frame(tmp_path / "a", 0, person(1, 18, key))
    dataset = Openpose.find(table(tmp_path, "a,run,train\n"))
    assert dataset.layout.name == "openpose-18" and parse_one(dataset)["joints"].shape == (
        1,
        1,
        18,
        3,
    )


def test_a_clip_without_people_is_empty(tmp_path):
    frame(tmp_path / "a", 0)
    frame(tmp_path / "b", 0, person(1))
    dataset = Openpose.find(table(tmp_path, "a,run,train\nb,run,train\n"))
    assert parse_one(dataset)["joints"].shape == (1, 1, 25, 3)
    (tmp_path / "b").rename(tmp_path / "c")
    with pytest.raises(
        UserError, match=r"no frame under .* has a person; .*--layout body-25 or openpose-18"
    ):
        Openpose.find(table(tmp_path, "a,run,train\n"))
    assert Openpose.find(tmp_path, layout="body-25").layout.name == "body-25"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "video_000000000001_keypoints.json', line 1: not JSON"),
        ('{"people": [', "line 1: not JSON"),
        ("[]", "has no list of people; wanted a frame of OpenPose"),
        ('{"people": [{}]}', r"people\[0\] has no pose_keypoints_2d"),
        (
            json.dumps({"people": [person(0, 18)]}),
            r"people\[0\] has 54 numbers, wanted 75: x, y, score",
        ),
        (
            json.dumps({"people": [{"pose_keypoints_2d": ["x"] * 75}]}),
            "holds something that is not a number",
        ),
        (
            json.dumps({"people": [{"pose_keypoints_2d": [float("nan")] * 75}]}),
            "75 of its .* coordinates are not finite",
        ),
    ],
)
def test_the_error_names_an_invalid_frame(tmp_path, content, problem):
    frame(tmp_path / "a", 0, person(1)) if "nan" not in content.lower() else frame(
        tmp_path / "a", 0
    )
    (tmp_path / "a/video_000000000001_keypoints.json").write_text(content)
    dataset = Openpose.find(table(tmp_path, "a,run,train\n"), layout="body-25")
    with pytest.raises(UserError, match=problem):
        parse_one(dataset)


@pytest.mark.parametrize(
    ("rows", "description", "problem"),
    [
        (
            "z,run,train\n",
            None,
            r"lists 'z', but .* has no frames z/<name>_<number>_keypoints.json or z_<number>",
        ),
        (
            "a,run,train\n",
            {"image_size": [0, 5]},
            r"image_size is \[0, 5\], wanted \[width, height\] in pixels",
        ),
        (
            "a,run,train\n",
            {"layout": "body-25"},
            r"holds the fields \['layout'\]; wanted an object of labels and image_size",
        ),
        (
            "a,2,train\n",
            {"labels": ["sit", "run"]},
            "unknown label .*'a': '2'; available: run, sit",
        ),
        ("a,run,my split\n", None, "'my split' cannot name a split"),
        (
            "mixed,run,train\n",
            None,
            "has frames of two clips, 'one' and 'two'; wanted a folder for each",
        ),
    ],
)
def test_the_error_states_why_a_folder_cannot_be_used(tmp_path, rows, description, problem):
    frame(tmp_path / "a", 0, person(1))
    frame(tmp_path / "mixed", 0, stem="one")
    frame(tmp_path / "mixed", 0, stem="two")
    with pytest.raises(UserError, match=problem):
        Openpose.find(table(tmp_path, rows, description))


def test_a_layout_that_differs_from_the_files_is_an_error(tmp_path):
    frame(tmp_path / "a", 0, person(1))
    with pytest.raises(
        UserError, match="the clips have 25 joints, but layout 'openpose-18' has 18"
    ):
        Openpose.find(table(tmp_path, "a,run,train\n"), layout="openpose-18")
    with pytest.raises(UserError, match=r"is not a folder; expected a labels.csv"):
        Openpose.find(tmp_path / "labels.csv")


@pytest.mark.skipif(not DATA, reason="JAXACT_DATA names no folder of real data")
def test_real_frames_parse(tmp_path):
    shutil.copytree(Path(DATA, "openpose-json/crowd"), tmp_path / "crowd")
    for file in Path(DATA, "openpose-json/soccer").glob("*.json"):
        shutil.copy(file, tmp_path)
    dataset = Openpose.find(
        table(tmp_path, "crowd,crowd,train\nKick_1,kick,train\nKick_2,kick,test\n")
    )
    crowd, first, second = (parse_one(dataset, index)["joints"] for index in range(3))
    assert crowd.shape == (30, 17, 25, 3) and first.shape[0] == second.shape[0] == 90
    assert [int(frame.any((1, 2)).sum()) for frame in crowd].count(17) >= 1 and crowd[:, :14].any(
        (2, 3)
    ).all()
    neck, hip = crowd[..., 1, :], crowd[..., 8, :]
    visible = (neck[..., 2] > 0) & (hip[..., 2] > 0)
    assert (neck[visible][:, 1] < hip[visible][:, 1]).mean() > 0.95, (
        "y points down: necks stand above hips"
    )
