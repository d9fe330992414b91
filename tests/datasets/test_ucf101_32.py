"""The 32 classes of UCF101: members, and five folds by clip and by recording."""

import collections
import json
import pickle
import re

import numpy as np
import pytest

from jaxact.datasets import dataset_info, records, ucf101_32
from jaxact.datasets.preparation import prepare
from jaxact.datasets.preparation.options import PrepareOptions
from jaxact.errors import UserError
from tests.helpers import videos


def clips(classes=ucf101_32.CLASSES, groups=25, each=6):
    """Ids, class names and groups like those of UCF101, with one class that is not of the 32."""
    rows = [
        (f"v_{name}_g{group:02}_c{clip:02}", name, f"v_{name}_g{group:02}")
        for name in (*classes, "Typing")
        for group in range(1, groups + 1)
        for clip in range(1, each + 1)
    ]
    return tuple(zip(*rows, strict=True))


def subset(**options):
    ids, names, groups = clips(**options)
    selected = ucf101_32.select_clips(ids, names)
    group_of = dict(zip(ids, groups, strict=True))
    return list(selected), list(selected.values()), [group_of[clip] for clip in selected]


def test_the_32_classes_include_the_three_of_the_paper():
    assert len(set(ucf101_32.CLASSES)) == 32 and list(ucf101_32.CLASSES) == sorted(
        ucf101_32.CLASSES, key=str.casefold
    )
    assert {"Bowling", "GolfSwing", "TennisSwing"} <= set(ucf101_32.CLASSES)


def test_every_class_has_125_clips_or_all_and_other_classes_have_none():
    ids, labels, _ = subset()
    assert collections.Counter(labels) == dict.fromkeys(range(32), 125)
    assert all(
        re.match(f"v_{ucf101_32.CLASSES[label]}_", clip)
        for clip, label in zip(ids, labels, strict=True)
    )
    assert collections.Counter(subset(each=4)[1]) == dict.fromkeys(range(32), 100)
    small = [name.replace("Handstand", "HandStand").upper() for name in ucf101_32.CLASSES]
    assert len(subset(classes=small)[0]) == 4000  # spelt otherwise


def test_the_order_of_the_files_does_not_matter():
    ids, names, _ = clips(each=6)
    backwards = ucf101_32.select_clips(ids[::-1], names[::-1])
    assert backwards == ucf101_32.select_clips(ids, names)
    for by in ("clip", "group"):
        ids, labels, groups = subset(each=2)
        forwards = dict(zip(ids, ucf101_32.assign_folds(ids, labels, groups, by), strict=True))
        backwards_splits = ucf101_32.assign_folds(ids[::-1], labels[::-1], groups[::-1], by)
        assert forwards == dict(zip(ids[::-1], backwards_splits, strict=True))


def fold_of(names, prefix):
    """The fold that tests on a clip; checks the names of all five."""
    numbers = [fold for fold in range(1, 6) if f"{prefix}fold{fold}_test" in names]
    rest = {f"{prefix}fold{fold}_train" for fold in range(1, 6) if fold not in numbers}
    assert len(numbers) == 1 and set(names) == rest | {f"{prefix}fold{numbers[0]}_test"}
    return numbers[0]


@pytest.mark.parametrize(("by", "prefix", "spread"), [("clip", "", 1), ("group", "group_", 6)])
def test_each_fold_tests_on_a_fifth_of_every_class(by, prefix, spread):
    ids, labels, groups = subset()
    folds = [fold_of(names, prefix) for names in ucf101_32.assign_folds(ids, labels, groups, by)]
    count = collections.Counter(zip(labels, folds, strict=True))
    for label in range(32):
        sizes = [count[label, fold] for fold in range(1, 6)]
        assert sum(sizes) == 125 and max(sizes) - min(sizes) <= spread
    folds_of_group = collections.defaultdict(set)
    for group, fold in zip(groups, folds, strict=True):
        folds_of_group[group].add(fold)
    leaks = sum(len(folds) > 1 for folds in folds_of_group.values())
    assert leaks == 0 if by == "group" else leaks > 400


def test_errors_say_what_is_missing():
    ids, names, _ = clips(classes=ucf101_32.CLASSES[2:], each=1)
    with pytest.raises(
        UserError, match="have none of Archery, BaseballPitch; wanted all 32 classes"
    ):
        ucf101_32.select_clips(ids, names)
    with pytest.raises(
        UserError, match="unknown kind of folds 'groups'; available: clip, group; did you mean"
    ):
        ucf101_32.assign_folds(["a"], [0], ["g"], "groups")
    with pytest.raises(UserError, match="folds by group need the group of every clip"):
        ucf101_32.assign_folds(["a", "b"], [0, 0], ["g", ""], "group")


def write_raw(root, each=1, groups=5):
    """Videos of every class of the subset and of another one, with pose files."""
    names = clips(groups=groups, each=each)[0]
    one = videos.write(root / "one.avi", videos.frames(1, 16, 16))
    content = json.dumps({"people": [{"pose_keypoints_2d": [5.0, 5.0, 0.5] * 18}]})
    for name in names:
        folder = root / "UCF-101" / name.split("_")[1] / name
        folder.mkdir(parents=True)
        folder.with_suffix(".avi").write_bytes(one.read_bytes())
        (folder / "x_0_keypoints.json").write_text(content)
    one.unlink()
    return root


@pytest.mark.slow
def test_videos_become_skeletons_in_five_folds(tmp_path):
    summary = prepare.prepare(
        "ucf101_32",
        raw=write_raw(tmp_path / "raw"),
        data_dir=tmp_path / "data",
        options=PrepareOptions(workers=1),
    )
    info = dataset_info.load("ucf101_32", tmp_path / "data")
    assert (
        info.labels == ucf101_32.CLASSES
        and info.layout.name == "openpose-18"
        and summary.clips == 160
    )
    assert summary.dropped == {"of other classes": 5}
    for prefix in ("", "group_"):
        tested = [
            {
                record["id"]
                for record in records.records(info, f"{prefix}fold{fold}_test").as_numpy_iterator()
            }
            for fold in range(1, 6)
        ]
        assert [len(ids) for ids in tested] == [32] * 5 and len(set.union(*tested)) == 160
        assert all(info.splits[f"{prefix}fold{fold}_train"] == 128 for fold in range(1, 6))
    assert not info.leaks  # every recording has one clip here


def test_a_pickle_of_poses_gives_the_same_folds_as_the_videos(tmp_path):
    names = clips(groups=2, each=1)[0]
    notes = [
        {
            "frame_dir": name,
            "label": 0,
            "img_shape": (48, 64),
            "total_frames": 2,
            "keypoint": np.full((1, 2, 17, 2), 5, np.float16),
            "keypoint_score": np.full((1, 2, 17), 0.5, np.float16),
        }
        for name in names
    ]
    with (tmp_path / "ucf101_2d.pkl").open("wb") as file:
        pickle.dump({"split": {"train1": list(names)}, "annotations": notes}, file)
    dataset = ucf101_32.Ucf101_32.find(tmp_path / "ucf101_2d.pkl")
    assert dataset.layout.name == "coco-17" and len(dataset.clips) == 64 and dataset.single_process
    (record,) = ucf101_32.Ucf101_32.parse(dataset.clips[-1])
    assert record["id"] == dataset.clips[-1].id and record["joints"].shape == (2, 1, 17, 3)
    assert set(ucf101_32.Ucf101_32.features(dataset)) == {"joints", "image_size"}
    raw = write_raw(tmp_path / "raw", groups=2)
    video_dataset = ucf101_32.Ucf101_32.find(raw)
    cells = {raw_clip.id: raw_clip.cell for raw_clip in video_dataset.clips}
    assert {
        raw_clip.id: raw_clip.cell for raw_clip in dataset.clips
    } == cells and dataset.unions == video_dataset.unions
