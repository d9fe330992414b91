"""Arrays of 2s-AGCN: rows one at a time, without padding, with labels from the pickle."""

import os
import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from jaxact.datasets import dataset_info, records
from jaxact.datasets.agcn import Agcn
from jaxact.datasets.preparation import prepare
from jaxact.errors import UserError

DATA = os.environ.get("JAXACT_DATA", "")


def array(seed: int, clips: int, *, joints: int = 25, frames: int = 6) -> np.ndarray:
    """[n, c, t, v, 2], the last two frames and every other second person empty."""
    x = np.random.default_rng(seed).uniform(-1, 1, (clips, 3, frames, joints, 2)).astype(np.float32)
    x[:, :, -2:] = 0
    x[::2, ..., 1] = 0
    return x


def write_raw(root: Path, ending: str = "_data_joint.npy", **splits: np.ndarray) -> Path:
    for split, x in splits.items():
        np.save(root / f"{split}{ending}", x)
        names = [f"{split}{index}" for index in range(len(x))]
        (root / f"{split}_label.pkl").write_bytes(
            pickle.dumps((names, [index % 3 for index in range(len(x))]))
        )
    return root


def parse_one(dataset, index: int = 0) -> dict:
    (record,) = Agcn.parse(dataset.clips[index])
    return record


def test_a_row_is_transposed_without_its_padding(tmp_path):
    x = array(0, 2)
    dataset = Agcn.find(write_raw(tmp_path, train=x))
    record = parse_one(dataset, 1)
    assert (
        record["joints"].shape == (4, 2, 25, 3)
        and dataset.layout.name == "ntu-25"
        and dataset.channels == ("x", "y", "z")
    )
    for c, t, v, m in np.ndindex(3, 4, 25, 2):
        assert record["joints"][t, m, v, c] == x[1, c, t, v, m]
    padded = np.pad(record["joints"], ((0, 2), (0, 0), (0, 0), (0, 0)))
    np.testing.assert_array_equal(padded.transpose(3, 0, 2, 1), x[1])


def test_an_empty_frame_inside_a_clip_stays_and_an_empty_clip_has_one_frame(tmp_path):
    x = array(0, 2)
    x[0, :, 1] = 0
    x[1] = 0
    dataset = Agcn.find(write_raw(tmp_path, train=x))
    assert len(parse_one(dataset, 0)["joints"]) == 4 and len(parse_one(dataset, 1)["joints"]) == 1


def test_names_labels_and_splits_come_from_the_files(tmp_path):
    dataset = Agcn.find(write_raw(tmp_path, train=array(0, 3), val=array(1, 2)))
    assert [(s.id, s.label) for s in dataset.clips] == [
        ("train0", 0),
        ("train1", 1),
        ("train2", 2),
        ("val0", 0),
        ("val1", 1),
    ]
    assert {
        split: [s.id for s in dataset.clips if s.cell in cells]
        for split, cells in dataset.unions.items()
    } == {
        "train": ["train0", "train1", "train2"],
        "val": ["val0", "val1"],
    }
    (tmp_path / "labels.txt").write_text("run\nwalk\nsit\n")
    assert Agcn.find(tmp_path).labels == ("run", "walk", "sit")


def test_2d_poses_get_their_half_back_where_the_score_is_not_zero(tmp_path):
    x = array(0, 2, joints=18)
    x[1, 2, 0, 4, 0] = 0
    dataset = Agcn.find(write_raw(tmp_path, "_data.npy", train=x))
    assert dataset.layout.name == "openpose-18" and dataset.channels == ("x", "y", "score")
    record = parse_one(dataset, 1)
    np.testing.assert_array_equal(record["joints"][0, 0, 4], x[1, :, 0, 4, 0])
    np.testing.assert_array_equal(
        record["joints"][0, 0, 5, :2], x[1, :2, 0, 5, 0] + np.float32(0.5)
    )
    assert record["joints"][0, 0, 5, 2] == x[1, 2, 0, 5, 0]


def test_one_clip_of_a_large_array_takes_the_memory_of_one_clip(tmp_path):
    shape = (400, 3, 300, 25, 2)
    x = np.lib.format.open_memmap(
        tmp_path / "train_data_joint.npy", "w+", np.float32, shape
    )  # sparse on disk: 72 MB
    x[399, :, 0] = 1
    x.flush()
    (tmp_path / "train_label.pkl").write_bytes(
        pickle.dumps(([str(i) for i in range(400)], [0] * 400))
    )
    tracemalloc.start()
    record = parse_one(Agcn.find(tmp_path), 399)
    assert tracemalloc.get_traced_memory()[1] < 4e6
    tracemalloc.stop()
    assert record["joints"].shape == (1, 2, 25, 3)


@pytest.mark.parametrize(
    ("break_it", "problem"),
    [
        (
            lambda raw: (raw / "train_label.pkl").unlink(),
            r"train_data_joint.npy' has no 'train_label.pkl' beside it",
        ),
        (
            lambda raw: (raw / "train_label.pkl").write_bytes(pickle.dumps([1])),
            "holds a list, wanted .names, labels.",
        ),
        (
            lambda raw: (raw / "train_label.pkl").write_bytes(pickle.dumps((["a"], [0]))),
            "has 1 names and 1 labels, but .* 2",
        ),
        (
            lambda raw: (raw / "train_label.pkl").write_bytes(pickle.dumps((["a", "b"], [0, "x"]))),
            "a label is 'x', wanted",
        ),
        (
            lambda raw: (raw / "train_label.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR."),
            "asks for 'os.system'",
        ),
        (
            lambda raw: np.save(raw / "train_data_joint.npy", np.zeros((2, 3))),
            r"is float64 of the shape \(2, 3\), wanted",
        ),
        (
            lambda raw: np.save(raw / "train_data_joint.npy", np.array([{}])),
            "not a readable .npy of plain numbers",
        ),
        (
            lambda raw: os.truncate(raw / "train_data_joint.npy", 500),
            "not a readable .npy of plain numbers",
        ),
        (
            lambda raw: os.truncate(raw / "train_data_joint.npy", 0),
            "not a readable .npy of plain numbers",
        ),
        (
            lambda raw: np.save(raw / "val_data.npy", array(0, 1, joints=18)),
            r"but the one before \(3, 25, 2\) as",
        ),
        (
            lambda raw: np.save(raw / "train_data_joint.npy", array(0, 2, joints=21)),
            "with 21 joints: none",
        ),
        (
            lambda raw: (raw / "train_data_joint.npy").rename(raw / "x.npy"),
            r"ends in _data_joint.npy or _data.npy",
        ),
        (
            lambda raw: (raw / "train_data_joint.npy").unlink(),
            r"no file '\*.npy' under .*; expected a folder of <split>",
        ),
    ],
)
def test_the_error_states_why_an_array_cannot_be_used(tmp_path, break_it, problem):
    break_it(write_raw(tmp_path, train=array(0, 2)))
    with pytest.raises(UserError, match=problem):
        Agcn.find(tmp_path)


def test_arrays_are_prepared_and_read_under_their_name(tmp_path):
    x = array(0, 3)
    (tmp_path / "raw").mkdir()
    prepare.prepare("agcn/x", raw=write_raw(tmp_path / "raw", train=x), data_dir=tmp_path)
    info = dataset_info.load("agcn/x", tmp_path)
    assert info.splits["all"] == 3 and info.layout.name == "ntu-25"
    for record in records.records(info, "train").as_numpy_iterator():
        index = int(record["id"].decode()[-1])
        np.testing.assert_array_equal(record["joints"].transpose(3, 0, 2, 1), x[index][:, :4])


@pytest.mark.skipif(not DATA, reason="JAXACT_DATA names no folder of real data")
def test_a_real_clip_in_array_form_parses(tmp_path):
    clip = np.load(Path(DATA, "npy/ntu_one_clip_CTVM.npy"))
    np.save(tmp_path / "train_data.npy", clip[None])
    (tmp_path / "train_label.pkl").write_bytes(
        pickle.dumps((["S001C001P001R001A007.skeleton"], [6]))
    )
    record = parse_one(Agcn.find(tmp_path))
    length = len(record["joints"])
    assert 20 < length < 300 and not clip[:, length:].any() and clip[:, length - 1].any()
    np.testing.assert_array_equal(record["joints"].transpose(3, 0, 2, 1), clip[:, :length])
