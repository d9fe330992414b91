"""NTU RGB+D: which clip is in which protocol's split, and which are left out."""

import os
from pathlib import Path

import numpy as np
import pytest

from jaxact.datasets.ntu import TRAIN_SUBJECTS_120, Ntu60, Ntu120, class_names, missing_skeletons
from jaxact.errors import UserError

DATA = os.environ.get("JAXACT_DATA", "")


def name(setup=1, camera=1, subject=1, replication=1, action=1) -> str:
    return f"S{setup:03d}C{camera:03d}P{subject:03d}R{replication:03d}A{action:03d}"


def folder(root: Path, names: list[str]) -> Path:
    for clip in names:
        (root / f"{clip}.skeleton").touch()
    return root


def in_split(dataset, split: str) -> set[str]:
    return {raw_clip.id for raw_clip in dataset.clips if raw_clip.cell in dataset.unions[split]}


def test_the_missing_lists_have_the_published_lengths():
    assert len(missing_skeletons()) == 535
    assert sum(int(clip[1:4]) <= Ntu60.SETUPS for clip in missing_skeletons()) == 302
    assert len(set(class_names())) == 120
    assert (class_names()[0], class_names()[59]) == ("drink water", "walking apart from each other")


def test_the_missing_clips_make_the_published_difference_of_every_split(tmp_path):
    """Captured minus usable clips: 40 320 - 40 091, 16 560 - 16 487, 37 920 - 37 646 and 18 960 -
    18 932.
    """
    dataset = Ntu60.find(
        folder(tmp_path, [clip for clip in missing_skeletons() if int(clip[1:4]) <= 17])
    )
    counts = {split: len(in_split(dataset, split)) for split in dataset.unions}
    assert {
        split: counts[split] for split in counts if not split.endswith("_all")
    } == dict.fromkeys(("xsub_train", "xsub_test", "xview_train", "xview_test"), 0)
    assert counts["xsub_train_all"] == 229 and counts["xsub_test_all"] == 73
    assert counts["xview_train_all"] == 274 and counts["xview_test_all"] == 28


def test_subjects_cameras_and_setups_decide_the_splits(tmp_path):
    assert len(TRAIN_SUBJECTS_120) == 53
    clips = {
        "train subject, camera 1": name(subject=1, camera=1),
        "test subject, camera 2": name(subject=3, camera=2),
        "train subject, even setup": name(subject=103, setup=32, action=120),
        "test subject, odd setup": name(subject=106, setup=31, action=61),
    }
    raw = folder(tmp_path, list(clips.values()))
    small, large = Ntu60.find(raw), Ntu120.find(raw)
    assert (
        in_split(small, "xsub_train")
        == in_split(small, "xview_test")
        == {clips["train subject, camera 1"]}
    )
    assert (
        in_split(small, "xsub_test")
        == in_split(small, "xview_train")
        == {clips["test subject, camera 2"]}
    )
    assert in_split(large, "xset_train") == {clips["train subject, even setup"]}
    assert in_split(large, "xsub_train") == {
        clips["train subject, camera 1"],
        clips["train subject, even setup"],
    }
    assert {raw_clip.label for raw_clip in large.clips} == {0, 60, 119}


def test_the_splits_of_a_protocol_cover_every_cell_once():
    for maker, protocols in ((Ntu60, ("xsub", "xview")), (Ntu120, ("xsub", "xset"))):
        unions = maker.protocols()
        for protocol in protocols:
            both = [*unions[f"{protocol}_train_all"], *unions[f"{protocol}_test_all"]]
            assert (
                len(both)
                == len(set(both))
                == len({cell for cells in unions.values() for cell in cells})
            )


@pytest.mark.parametrize(
    ("clip", "problem"),
    [
        (name(action=121), "action 121 is outside the list; NTU RGB\\+D has A001 to A120"),
        ("S001C001", "is not named SsssCcccPpppRrrrAaaa.skeleton"),
        (name(setup=18, action=61), "belongs to ntu60, which has setups 1 to 17"),
    ],
)
def test_a_name_that_does_not_belong_is_an_error(tmp_path, clip, problem):
    with pytest.raises(UserError, match=problem):
        Ntu60.find(folder(tmp_path, [clip]))


def test_an_empty_folder_says_what_is_expected(tmp_path):
    with pytest.raises(
        UserError, match=r"expected the skeleton files SsssCcccPpppRrrrAaaa.skeleton"
    ):
        Ntu60.find(tmp_path)


@pytest.mark.skipif(not DATA, reason="JAXACT_DATA names no folder of real data")
def test_real_files_have_the_limb_lengths_of_a_trained_networks_input():
    fed = np.load(f"{DATA}/weights/stgcn16_ntu60_xsub_joint_expected.npz")
    for file, clip, label in zip(fed["files"], fed["x_nctvm"], fed["labels"], strict=True):
        raw_clip = next(
            s for s in Ntu60.find(Path(DATA, "ntu/raw")).clips if f"{s.id}.skeleton" == file
        )
        (record,) = Ntu60.parse(raw_clip)
        assert record["label"] == label
        reference, ours = clip[:, 0, :, 0], record["joints"][0, :, :, :]

        def spine(joints: np.ndarray) -> float:
            return float(np.linalg.norm(joints[1] - joints[0]))

        # The fed clip was moved and turned and its people ordered; lengths are what such a change
        # leaves alone.
        assert any(abs(spine(reference.T) - spine(person)) < 1e-5 for person in ours)
