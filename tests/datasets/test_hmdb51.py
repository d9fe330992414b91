"""HMDB51 and JHMDB's clips: official splits from flags, groups from file names."""

import os
from pathlib import Path

import pytest

from jaxact.datasets.formats import video_encoding
from jaxact.datasets.hmdb51 import Hmdb51, group_of
from jaxact.datasets.jhmdb_video import JhmdbVideo
from jaxact.errors import UserError
from tests.helpers.raw_data import split_ids, touch


def write_raw(root: Path, actions: tuple[str, ...], suffix: str = ".avi") -> Path:
    """Three clips of film A and one of film B per class.

    The flags of the first split are 1 1 2 0, those of the others 1.
    """
    for action in actions:
        clips = [
            f"{film}_{action}_f_cm_np1_fr_med_{n}"
            for film, n in (("A", 0), ("A", 1), ("A_2", 0), ("B", 0))
        ]
        touch(root, *(f"clips/{action}/{clip}{suffix}" for clip in clips))
        for split, flags in ((1, "1120"), (2, "1111"), (3, "1111")):
            lines = [f"{clip}.avi {flag} \n" for clip, flag in zip(clips, flags, strict=True)]
            touch(root, f"lists/{action}_test_split{split}.txt")
            (root / f"lists/{action}_test_split{split}.txt").write_text("".join(lines))
    return root


@pytest.mark.parametrize(
    ("builder", "actions", "suffix"),
    [(Hmdb51, ("wave", "brush_hair"), ".avi"), (JhmdbVideo, ("wave", "brush_hair"), ".mp4")],
)
def test_flags_make_the_official_splits_and_zero_is_in_neither(tmp_path, builder, actions, suffix):
    dataset = builder.find(write_raw(tmp_path, actions, suffix))
    ends = {
        "train": ("A_{}_f_cm_np1_fr_med_0", "A_{}_f_cm_np1_fr_med_1"),
        "test": ("A_2_{}_f_cm_np1_fr_med_0",),
    }
    for half, names in ends.items():
        expected = {f"{action}/{name.format(action)}" for action in actions for name in names}
        assert split_ids(dataset, f"official1_{half}") == expected
    assert (
        len(split_ids(dataset, "official2_train")) == 8 and "official2_test" not in dataset.unions
    )
    labels = {
        raw_clip.id.partition("/")[0]: dataset.labels[raw_clip.label] for raw_clip in dataset.clips
    }
    assert (
        labels == {"wave": "wave", "brush_hair": "brush_hair"} and dataset.labels[0] == "brush_hair"
    )
    assert {raw_clip.facts["group"] for raw_clip in dataset.clips} == {
        f"{a}/{film}" for a in actions for film in ("A", "A_2", "B")
    }


def test_videos_outside_the_class_folders_are_ignored(tmp_path):
    root = write_raw(tmp_path, ("wave", "brush_hair"))
    touch(
        root,
        "originals/A_wave_f_cm_np1_fr_med_0.avi",
        "clips/wave/.hidden.avi",
        "clips/wave/notes.txt",
    )
    assert len(Hmdb51.find(root).clips) == 8
    touch(root, "clips/wave/new_wave_f_cm_np1_fr_med_0.avi")
    with pytest.raises(
        UserError, match=r"the clip 'new_wave_f_cm_np1_fr_med_0' is in no split list"
    ):
        Hmdb51.find(root)


@pytest.mark.skipif(
    not os.environ.get("JAXACT_DATA"), reason="JAXACT_DATA names no folder of real data"
)
def test_the_real_jhmdb_clips_have_the_published_splits():
    raw = Path(os.environ["JAXACT_DATA"]) / "video"
    dataset = JhmdbVideo.find(raw)
    assert (len(dataset.clips), len(dataset.labels), dataset.dropped) == (928, 21, {})
    sizes = [
        [len(split_ids(dataset, f"official{n}_{half}")) for half in ("train", "test")]
        for n in (1, 2, 3)
    ]
    assert sizes == [[660, 268], [658, 270], [663, 265]]
    assert set(dataset.leaks) == {"random_3to1_test"} and dataset.leaks["random_3to1_test"] > 100
    joints = {raw_clip.id for raw_clip in dataset.clips}
    assert "wave/20060723sfjffbartsinger_wave_f_cm_np1_ba_med_0" in joints
    for path in sorted((raw / "originals").glob("*.avi")):  # as released, with empty frames between
        clip = video_encoding.encode(str(path), short_side=256)
        assert (clip.height, clip.width, clip.damaged) == (240, 320, 0) and 15 <= len(
            clip.frames
        ) <= 40


def test_groups_are_the_source_in_the_name():
    assert (
        group_of("climb_stairs", "A_b-(c)_climb_stairs_f_nm_np2_ba_goo_12")
        == "climb_stairs/A_b-(c)"
    )
    assert group_of("wave", "odd name_3") == "wave/odd name_3"
