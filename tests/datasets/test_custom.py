"""Sets of your own: a folder with a table, or one packed file, and their errors."""

import json
from pathlib import Path

import numpy as np
import pytest

from jaxact.datasets.custom import Custom
from jaxact.errors import UserError
from jaxact.skeletons import get_layout


def clip(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape or (4, 17, 2)).astype(np.float32)


def write_folder(
    root: Path, rows: str, description: dict | None = None, **clips: np.ndarray
) -> Path:
    (root / "labels.csv").write_text("id,label,split\n" + rows)
    for name, joints in clips.items():
        np.save(root / f"{name}.npy", joints)
    if description is not None:
        (root / "dataset.json").write_text(json.dumps(description))
    return root


def write_packed(path: Path, **changes: np.ndarray | None) -> Path:
    """Three clips of 2, 3 and 1 frames."""
    content = {
        "x": clip(0, 6, 1, 15, 2),
        "offset": np.array([0, 2, 5, 6]),
        "label": np.array([1, 0, 1]),
        "class_names": np.array(["run", "walk"]),
        "split": np.array([[1, 2], [2, 1], [1, 0]]),
    }
    np.savez(
        path, **{key: value for key, value in {**content, **changes}.items() if value is not None}
    )
    return path


def split_of(dataset, split: str) -> list[str]:
    return [raw_clip.id for raw_clip in dataset.clips if raw_clip.cell in dataset.unions[split]]


def joints_of(dataset, name: str) -> np.ndarray:
    (record,) = Custom.parse(next(raw_clip for raw_clip in dataset.clips if raw_clip.id == name))
    return record["joints"]


def test_every_file_format_holds_the_same_clip(tmp_path):
    raw = write_folder(
        tmp_path, "a,run,train\nb,run,train\nc,run,train\nd,run,train\ne,run,train\n", a=clip(1)
    )
    np.savez(raw / "b.npz", joints=clip(1), more=np.zeros(3))
    np.savez(raw / "c.npz", anything=clip(1))
    (raw / "d.json").write_text(json.dumps(clip(1).tolist()))
    (raw / "e.json").write_text(json.dumps({"joints": clip(1)[:, None].tolist()}))
    dataset = Custom.find(raw, layout="coco-17")
    for name in "abcde":
        np.testing.assert_array_equal(joints_of(dataset, name), clip(1)[:, None])


def test_a_clip_may_be_in_several_splits(tmp_path):
    rows = (
        "a,run,split1_train;split2_test\n"
        "b,walk,split1_test; split2_train\n"
        "c,run,split1_train;split2_test\n"
    )
    dataset = Custom.find(
        write_folder(tmp_path, rows, a=clip(1), b=clip(2), c=clip(3)), layout="coco-17"
    )
    assert split_of(dataset, "split1_train") == split_of(dataset, "split2_test") == ["a", "c"]
    assert split_of(dataset, "split1_test") == split_of(dataset, "split2_train") == ["b"]
    assert dataset.labels == ("run", "walk") and [raw_clip.label for raw_clip in dataset.clips] == [
        0,
        1,
        0,
    ]


def test_numeric_labels_sort_by_value(tmp_path):
    dataset = Custom.find(
        write_folder(tmp_path, "a,10,train\nb,9,train\n", a=clip(1), b=clip(2)), layout="coco-17"
    )
    assert dataset.labels == ("9", "10")


def test_the_description_names_labels_layout_and_channels(tmp_path):
    description = {
        "labels": ["sit", "run"],
        "layout": {"name": "stick", "joints": ["foot", "hand"], "edges": [[1, 0]], "centre": 0},
        "channels": ["x", "y", "z", "score"],
    }
    dataset = Custom.find(
        write_folder(
            tmp_path,
            "a,run,train\nb,0,train\n",
            description,
            a=clip(1, 5, 3, 2, 4),
            b=clip(2, 5, 2, 4),
        )
    )
    assert [raw_clip.label for raw_clip in dataset.clips] == [1, 0]
    assert dataset.layout.joints == ("foot", "hand") and dataset.channels == (
        "x",
        "y",
        "z",
        "score",
    )
    assert joints_of(dataset, "a").shape == (5, 3, 2, 4) and joints_of(dataset, "b").shape == (
        5,
        1,
        2,
        4,
    )


@pytest.mark.parametrize(
    ("layout", "joints", "channels", "expected"),
    [
        ("coco-17", 17, 2, ("x", "y")),
        ("coco-17", 17, 3, ("x", "y", "score")),
        ("ntu-25", 25, 3, ("x", "y", "z")),
    ],
)
def test_channels_follow_from_the_layout(tmp_path, layout, joints, channels, expected):
    dataset = Custom.find(
        write_folder(tmp_path, "a,run,train\n", a=clip(1, 4, joints, channels)), layout=layout
    )
    assert dataset.channels == expected


@pytest.mark.parametrize(
    ("rows", "description", "problem"),
    [
        ("a,run,\n", None, "row 2: no split"),
        ("", None, "lists no clips"),
        ("a,run,train\nz,run,train\n", None, r"lists 'z', but .* has no z.npz, .npy or .json"),
        (
            "a,run,train\n",
            {"labels": ["sit", "ran"]},
            "unknown label .*'a': 'run'; available: ran, sit",
        ),
        ("a,2,train\n", {"labels": ["sit", "ran"]}, "unknown label .*'a': '2'"),
        ("a,run,all\n", None, "'all' cannot name a split"),
        ("a,run,my split\n", None, "'my split' cannot name a split"),
        ("a,run,train\n", {"label": ["run"]}, r"dataset.json' holds the fields \['label'\]"),
        ("a,run,train\n", {"channels": ["x"]}, "the clips have 2 channels, but channels names 1"),
        (
            "a,run,train\n",
            {"layout": "ntu-25"},
            "the clips have 17 joints, but layout 'ntu-25' has 25",
        ),
        ("a,run,train\n", {}, r"needs its joint layout .* with 17 joints: coco-17"),
    ],
)
def test_the_error_states_why_a_folder_cannot_be_used(tmp_path, rows, description, problem):
    layout = (
        "coco-17" if description is None or ("layout" not in description and description) else None
    )
    with pytest.raises(UserError, match=problem):
        Custom.find(write_folder(tmp_path, rows, description, a=clip(1)), layout=layout)


def test_a_table_without_its_columns_is_an_error(tmp_path):
    with pytest.raises(UserError, match=r"0 .csv files in .* expected a folder of <id>.npz"):
        Custom.find(tmp_path, layout="coco-17")
    (tmp_path / "labels.csv").write_text("id,class\na,run\n")
    with pytest.raises(UserError, match="has the columns id, class; wanted id, label, split"):
        Custom.find(tmp_path, layout="coco-17")


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        (clip(2, 4, 25, 2), "b.npy': 25 joints of 2 channels, wanted 17 of 2"),
        (
            clip(2, 17, 2),
            r"b.npy': joints have the shape \(17, 2\), wanted \[t, v, c\] or \[t, m, v, c\]",
        ),
        (clip(2, 0, 17, 2), r"b.npy': joints have the shape \(0, 17, 2\)"),
        (np.full((4, 17, 2), "x"), "b.npy': joints are <U1, wanted numbers"),
        (np.full((4, 17, 2), np.nan), "b.npy': 136 of its 136 coordinates are not finite numbers"),
    ],
)
def test_the_error_names_a_clip_that_does_not_fit_the_set(tmp_path, second, problem):
    dataset = Custom.find(
        write_folder(tmp_path, "a,run,train\nb,run,train\n", a=clip(1), b=second), layout="coco-17"
    )
    with pytest.raises(UserError, match=problem):
        joints_of(dataset, "b")


def test_the_error_names_a_file_that_cannot_be_read(tmp_path):
    raw = write_folder(tmp_path, "a,run,train\nb,run,train\nc,run,train\nd,run,train\n", a=clip(1))
    (raw / "b.npy").write_bytes(b"\x00" * 40)
    (raw / "c.npz").write_bytes(b"PK\x03\x04 broken")
    (raw / "d.json").write_text("[[[1, 2], [3]]]")
    dataset = Custom.find(raw, layout="coco-17")
    for name, problem in (
        ("b", "not a readable .npy"),
        ("c", "not a readable .npz"),
        ("d", "not a list of frames"),
    ):
        with pytest.raises(UserError, match=problem):
            joints_of(dataset, name)


def test_a_packed_file_is_cut_at_its_offsets(tmp_path):
    dataset = Custom.find(write_packed(tmp_path / "set.npz"), layout="jhmdb-15")
    np.testing.assert_array_equal(joints_of(dataset, "0001"), clip(0, 6, 1, 15, 2)[2:5])
    assert [raw_clip.label for raw_clip in dataset.clips] == [1, 0, 1] and dataset.labels == (
        "run",
        "walk",
    )
    assert dataset.layout == get_layout("jhmdb-15")
    assert split_of(dataset, "split1_train") == ["0000", "0002"] and split_of(
        dataset, "split1_test"
    ) == ["0001"]
    assert split_of(dataset, "split2_train") == ["0001"] and split_of(dataset, "split2_test") == [
        "0000"
    ]


def test_a_packed_file_may_name_its_splits_and_clips(tmp_path):
    names = {"split": np.array(["train", "test", "train;extra"]), "id": np.array(["a", "b", "c"])}
    dataset = Custom.find(write_packed(tmp_path / "set.npz", **names), layout="jhmdb-15")
    assert split_of(dataset, "train") == ["a", "c"] and split_of(dataset, "extra") == ["c"]
    flags = Custom.find(
        write_packed(tmp_path / "flags.npz", split=np.array([1, 2, 1])), layout="jhmdb-15"
    )
    assert split_of(flags, "train") == ["0000", "0002"] and split_of(flags, "test") == ["0001"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"offset": None}, "lacks offset; a packed set has x, offset"),
        (
            {"offset": np.array([0, 2, 5, 7])},
            "offset must rise from 0 to the 6 frames of x in 4 values",
        ),
        ({"offset": np.array([0, 2, 2, 6])}, "offset must rise from 0"),
        ({"label": np.array([1, 0, 2])}, "unknown label .*clip 2: '2'; available: run, walk"),
        (
            {"split": np.array([[1, 2], [2, 1]])},
            r"split has the shape \(2, 2\), wanted one row for each of 3 clips",
        ),
        (
            {"split": np.array([1, 2, 3])},
            r"clip 2: split is \[3\], wanted 1 \(train\), 2 \(test\) or 0",
        ),
        ({"x": np.array([{}] * 6)}, "not a readable .npz of plain arrays"),
    ],
)
def test_the_error_states_why_a_packed_file_cannot_be_used(tmp_path, changes, problem):
    with pytest.raises(UserError, match=problem):
        Custom.find(write_packed(tmp_path / "set.npz", **changes), layout="jhmdb-15")
