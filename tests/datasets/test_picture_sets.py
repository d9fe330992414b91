"""COCO keypoints, JHMDB's frames, LSP, MPII and drawn people: names, splits, joints, places to
ignore.
"""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from PIL import Image

from jaxact import datasets
from jaxact.datasets import dataset_info, stick_figures
from jaxact.datasets import records as read
from jaxact.datasets.coco_keypoints import CocoKeypoints
from jaxact.datasets.jhmdb_pose import JhmdbPose
from jaxact.datasets.lsp import Lsp
from jaxact.datasets.mpii import Mpii
from jaxact.datasets.preparation import picture_builder, prepare
from jaxact.datasets.preparation.options import PrepareOptions
from jaxact.datasets.stick_figures import StickFigures
from jaxact.datasets.synthetic import clips, drawing
from jaxact.errors import UserError
from jaxact.pipeline import pose_picture
from jaxact.skeletons.pose_body import body_matrix
from tests.helpers import videos


def write_jpeg(path: Path, height: int = 30, width: int = 40, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((height, width, 3), 90, np.uint8)).save(path, "JPEG", **options)
    return path


def test_a_jpegs_size_is_read_off_its_header(tmp_path):
    for number, options in enumerate(({}, {"progressive": True}, {"comment": b"x" * 300})):
        data = write_jpeg(tmp_path / f"{number}.jpg", 17, 300, **options).read_bytes()
        assert picture_builder.jpeg_size(data, "") == (17, 300)
    for broken in (b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n" + bytes(40), data[:20]):
        with pytest.raises(UserError, match=r"'here.jpg' is not a JPEG picture"):
            picture_builder.jpeg_size(broken, "here.jpg")


def test_a_polygon_is_the_pixels_whose_middle_lies_inside():
    corners = np.array([(3.2, 1.1), (17.7, 4.4), (12.3, 13.9), (-4.0, 9.0)])
    y, x = np.mgrid[:12, :20] + 0.5
    wanted = np.ones((12, 20), bool)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        wanted &= (bx - ax) * (y - ay) - (by - ay) * (
            x - ax
        ) > 0  # convex: on one side of every edge
    assert 40 < wanted.sum() < 150
    for points in (corners, corners[::-1]):
        np.testing.assert_array_equal(
            picture_builder.segmentation_mask([points.ravel().tolist()], (12, 20)), wanted
        )
    both = [corners.ravel().tolist(), [0, 0, 2, 0, 2, 2, 0, 2]]
    assert picture_builder.segmentation_mask(both, (12, 20)).sum() == wanted.sum() + 4


def test_run_lengths_go_down_the_columns():
    found = picture_builder.segmentation_mask({"counts": [1, 2, 3], "size": [2, 3]}, (2, 3))
    assert found.tolist() == [[False, True, False], [True, False, False]]
    for odd in ({"counts": [1, 2]}, {"counts": "compressed"}, [[1, 2, 3]], None):
        with pytest.raises(UserError, match=r"a segmentation of a picture of 3 x 2 cannot be read"):
            picture_builder.segmentation_mask(odd, (2, 3))


def coco(root: Path, **changes) -> Path:
    """A picture of three: somebody, somebody without marks, a crowd; one without people; one for
    testing.
    """
    for name in ("train2017/1.jpg", "train2017/2.jpg", "val2017/3.jpg"):
        write_jpeg(root / name)
    marks = [0] * 51
    marks[:6], marks[15:18] = [5, 6, 2, 7, 8, 1], [20, 10, 2]
    somebody = {
        "image_id": 1,
        "iscrowd": 0,
        "area": 90.5,
        "bbox": [1, 2, 30, 20],
        "keypoints": marks,
        "id": 1,
    }
    somebody |= {"segmentation": [[0, 0, 39, 0, 39, 29]]} | changes
    unmarked = somebody | {
        "keypoints": [0] * 51,
        "segmentation": [[10, 10, 14, 10, 14, 14, 10, 14]],
        "id": 2,
    }
    crowd = unmarked | {
        "iscrowd": 1,
        "segmentation": {"counts": [0, 30, 1170], "size": [30, 40]},
        "id": 3,
    }
    images = [
        {"id": key, "file_name": f"{key}.jpg", "height": 30, "width": 40} for key in (1, 2, 3)
    ]
    files = {
        "train2017": (images[:2], [somebody, unmarked, crowd]),
        "val2017": (images[2:], [somebody | {"image_id": 3}]),
    }
    for split, (held, people) in files.items():
        (root / f"person_keypoints_{split}.json").write_text(
            json.dumps({"images": held, "annotations": people})
        )
    return root


def test_coco_people_crowds_and_ignored_places(tmp_path):
    found = CocoKeypoints.find(coco(tmp_path))
    assert [source.id for source in found.clips] == ["train2017/1", "val2017/3"]
    train, test = ("train2017",), ("val2017",)
    assert found.unions == {"train2017": train, "train": train, "val2017": test, "test": test}
    (record,) = CocoKeypoints.parse(found.clips[0])
    assert record["joints"].shape == (1, 3, 17, 3) and record["num_frames"] == 1
    assert record["joints"][0, 0, [0, 1, 5]].tolist() == [[5, 6, 2], [7, 8, 1], [20, 10, 2]]
    assert not record["joints"][0, 1:].any() and not record["joints"][0, 0, 2:5].any()
    wanted = np.zeros((30, 40), np.uint8)
    wanted[10:14, 10:14] = wanted[:, 0] = 1
    np.testing.assert_array_equal(record["ignored"], wanted)
    assert record["areas"].tolist() == [90.5] * 3 and record["crowd"].tolist() == [0, 0, 1]
    assert record["boxes"].tolist() == [[1, 2, 30, 20]] * 3
    assert record["image"] == (tmp_path / "train2017/1.jpg").read_bytes()


def test_coco_files_that_do_not_fit_are_told(tmp_path):
    with pytest.raises(
        UserError, match=r"no file 'person_keypoints_\*.json' under .*; expected annotations"
    ):
        CocoKeypoints.find(tmp_path)
    root = coco(tmp_path, keypoints=[0] * 3)
    with pytest.raises(
        UserError, match=r"is not a file of COCO keypoints: it lacks .*51 keypoint numbers"
    ):
        CocoKeypoints.find(root)
    root = coco(tmp_path)
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


def jhmdb(root: Path) -> tuple[Path, np.ndarray]:
    """Three clips of four frames: joints of the first in an .npz file, of the second in its own, of
    the third none.
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


def test_jhmdb_frames_have_the_joints_of_either_file(tmp_path):
    root, joints = jhmdb(tmp_path)
    found = JhmdbPose.find(root)
    assert [source.id for source in found.clips] == ["catch/A_catch_0", "catch/A_catch_1"]
    assert found.dropped == {"clips without joints": 1} and found.layout.name == "jhmdb-15"
    assert len(found.unions["official1_train"]) == len({source.cell for source in found.clips})
    records = list(JhmdbPose.parse(found.clips[0]))
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
    records = list(JhmdbPose.parse(found.clips[1]))
    np.testing.assert_allclose(
        np.stack([each["joints"][0, 0, :, :2] for each in records]), joints[3:7], atol=1e-3
    )


def test_jhmdb_files_that_do_not_fit_are_told(tmp_path):
    root, joints = jhmdb(tmp_path)
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


def test_lsp_pictures_joints_and_halves(tmp_path):
    joints = np.random.default_rng(0).uniform(1, 30, (3, 14, 1001))
    joints[2] = np.arange(14)[:, None] % 2
    scipy.io.savemat(tmp_path / "joints.mat", {"joints": joints})
    for number in (1, 1000, 1001):
        write_jpeg(tmp_path / f"images/im{number:04d}.jpg")
    found = Lsp.find(tmp_path)
    assert [(source.id, source.cell) for source in found.clips] == [
        ("im0001", "train"),
        ("im1000", "train"),
        ("im1001", "test"),
    ]
    (record,) = Lsp.parse(found.clips[2])
    np.testing.assert_allclose(
        record["joints"][0, 0, :, :2], joints[:2, :, 1000].T - 0.5, rtol=1e-6
    )
    assert record["joints"][0, 0, :, 2].tolist() == [2, 1] * 7 and (
        record["height"],
        record["width"],
    ) == (30, 40)
    order = body_matrix(found.layout).argmax(
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


def test_mpii_people_are_gathered_by_picture(tmp_path):
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
    found = Mpii.find(tmp_path)
    assert [source.id for source in found.clips] == ["valid/a", "valid/b"]
    assert found.unions == {"valid": ("valid",), "test": ("valid",)}
    (record,) = Mpii.parse(found.clips[0])
    assert record["joints"].shape == (1, 2, 16, 3) and not record["joints"][0, :, 0].any()
    np.testing.assert_allclose(
        record["joints"][0, 1, 1:, :2], np.array(people[2]["joints"])[1:] - 0.5, rtol=1e-6
    )
    assert (record["joints"][0, :, 1:, 2] == 2).all()
    assert body_matrix(found.layout).argmax(1).tolist() == [
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


def test_coordinates_that_are_no_numbers_are_refused_where_a_joint_is_marked():
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


def test_a_stroke_colours_what_is_within_its_radius():
    picture = np.zeros((20, 30, 3))
    start, end, radius = np.array([5.0, 4.0]), np.array([22.0, 13.0]), 3.0
    drawing.draw_limb(picture, start, end, radius, np.full(3, 100.0))
    y, x = np.mgrid[:20, :30] + 0.5
    line = np.linspace(0, 1, 2001)[:, None, None]
    distance = np.hypot(
        x - start[0] - line * (end - start)[0], y - start[1] - line * (end - start)[1]
    ).min(0)
    np.testing.assert_allclose(
        picture[..., 1], 100 * (radius - distance + 0.5).clip(0, 1), atol=0.1
    )
    drawing.draw_limb(
        picture, start - 100, end - 200, radius, np.full(3, 7.0)
    )  # beyond the picture
    assert picture.max() == 100


def test_drawn_pictures_depend_on_their_names_alone_and_survive_their_files():
    first, people = stick_figures.scene(3, "wave", 1, 0)
    again, same = stick_figures.scene(3, "wave", 1, 0)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(people, same)
    assert not np.array_equal(first, stick_figures.scene(3, "wave", 1, 1)[0])
    np.testing.assert_array_equal(
        np.array(Image.open(io.BytesIO(drawing.encode_png(first)))), first
    )


def test_joints_lie_on_the_bodies_that_are_drawn(monkeypatch):
    """The same scene with bodies left out: pixels at joints in sight change, those far from all do
    not.
    """
    drawn, people = stick_figures.scene(5, "kick", 0, 0)
    monkeypatch.setattr(drawing, "draw_limb", lambda *_: None)
    bare, _ = stick_figures.scene(5, "kick", 0, 0)
    seen = people[people[..., 2] == 2]
    change = np.abs(drawn.astype(float) - bare).sum(-1)
    at = change[seen[:, 1].astype(int).clip(0, 119), seen[:, 0].astype(int).clip(0, 159)]
    assert len(seen) >= 20 and (at > 30).mean() > 0.9


def test_who_is_drawn_for_testing_is_in_no_picture_for_training(monkeypatch):
    found, asked = StickFigures.find(), []
    halves = {half: set(cells) for half, cells in found.unions.items()}
    assert (
        not halves["train"] & halves["test"]
        and len(halves["train"]) == 16
        and len(halves["test"]) == 8
    )
    original = clips.generate_clip
    monkeypatch.setattr(
        clips,
        "generate_clip",
        lambda subject, *rest: asked.append(subject) or original(subject, *rest),
    )
    for subject, held in ((1, clips.TRAIN_SUBJECTS), (3, clips.TEST_SUBJECTS)):
        asked.clear()
        for moment in range(4):
            stick_figures.scene(subject, "sit_down", 0, moment)
        assert set(asked) <= set(held) and len(set(asked)) > 1


def test_drawn_pictures_are_prepared_read_and_made_into_examples(tmp_path, monkeypatch):
    few = StickFigures.find()
    few.clips = [
        source
        for source in few.clips
        if source.id.startswith("wave_") and source.id.endswith("_r0")
    ][:3]
    monkeypatch.setattr(StickFigures, "find", classmethod(lambda cls, raw, *, layout=None: few))
    monkeypatch.setitem(datasets.DATASETS, "stick_figures", StickFigures)
    summary = prepare.prepare("stick_figures", data_dir=tmp_path, options=PrepareOptions(workers=1))
    assert summary.clips == 6 and summary.splits["train"] + summary.splits["test"] == 6
    info = dataset_info.load("stick_figures", tmp_path)
    assert (
        info.kind == "pose" and info.channels == ("x", "y", "seen") and info.layout.name == "ntu-25"
    )
    clip = {"height": 64, "width": 64, "sigma": 7.0, "thickness": 1.0, "persons": 4}
    for record in read.records(info, "all", fields=pose_picture.FIELDS).take(1):
        drawn, people = stick_figures.scene(*_names(record["id"].numpy().decode()))
        np.testing.assert_allclose(record["joints"][0], people * (people[..., 2:] > 0), rtol=1e-5)
        found = pose_picture.evaluate(record, layout=info.layout, **clip)
        wanted = (
            np.array(Image.fromarray(drawn).resize((64, 48), Image.Resampling.BOX), float) / 127.5
            - 1
        )
        assert np.abs(found["inputs"][0, 8:56] - wanted).mean() < 0.08
        assert found["targets"]["joints"].numpy().max() > 0.5
        count = int((found["targets"]["people"].numpy()[..., 2] > 0).any(1).sum())
        assert 1 <= count <= len(people)


def _names(name: str) -> tuple[int, str, int, int]:
    action, subject, repetition, moment = name.rsplit("_", 3)
    return int(subject[1:]), action, int(repetition[1:]), int(moment[1:])
