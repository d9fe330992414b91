"""Arrays of 2s-AGCN and archives of CTR-GCN: rows one at a time, padding taken off, labels from
beside.
"""

import os
import pickle
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from jaxact.datasets import dataset_info, records
from jaxact.datasets.agcn import Agcn
from jaxact.datasets.ctr import Ctr
from jaxact.datasets.formats.npz_rows import Rows
from jaxact.datasets.preparation import prepare
from jaxact.datasets.preparation.options import PrepareOptions
from jaxact.errors import UserError

DATA = os.environ.get("JAXACT_DATA", "")


def array(seed: int, clips: int, *, joints: int = 25, frames: int = 6) -> np.ndarray:
    """[n, c, t, v, 2], the last two frames and every other second person empty."""
    made = (
        np.random.default_rng(seed).uniform(-1, 1, (clips, 3, frames, joints, 2)).astype(np.float32)
    )
    made[:, :, -2:] = 0
    made[::2, ..., 1] = 0
    return made


def agcn(root: Path, ending: str = "_data_joint.npy", **splits: np.ndarray) -> Path:
    for split, x in splits.items():
        np.save(root / f"{split}{ending}", x)
        names = [f"{split}{index}" for index in range(len(x))]
        (root / f"{split}_label.pkl").write_bytes(
            pickle.dumps((names, [index % 3 for index in range(len(x))]))
        )
    return root


def ctr(path: Path, save=np.savez, **changes) -> Path:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 4, 150)).astype(np.float32)
    x[:, 3] = 0
    content = {
        "x_train": x[:3],
        "y_train": np.eye(4, dtype=np.float32)[[1, 0, 3]],
        "x_test": x[3:],
        "y_test": np.eye(4, dtype=np.float32)[[2, 2]],
    }
    save(path, **{key: value for key, value in {**content, **changes}.items() if value is not None})
    return path


def parsed(maker, found, index: int = 0) -> dict:
    (record,) = maker.parse(found.clips[index])
    return record


def test_a_row_is_turned_and_its_padding_taken_off(tmp_path):
    x = array(0, 2)
    found = Agcn.find(agcn(tmp_path, train=x))
    record = parsed(Agcn, found, 1)
    assert (
        record["joints"].shape == (4, 2, 25, 3)
        and found.layout.name == "ntu-25"
        and found.channels == ("x", "y", "z")
    )
    for c, t, v, m in np.ndindex(3, 4, 25, 2):
        assert record["joints"][t, m, v, c] == x[1, c, t, v, m]
    padded = np.pad(record["joints"], ((0, 2), (0, 0), (0, 0), (0, 0)))
    np.testing.assert_array_equal(padded.transpose(3, 0, 2, 1), x[1])


def test_an_empty_frame_amid_a_clip_is_no_padding_and_an_empty_clip_is_one_frame(tmp_path):
    x = array(0, 2)
    x[0, :, 1] = 0
    x[1] = 0
    found = Agcn.find(agcn(tmp_path, train=x))
    assert len(parsed(Agcn, found, 0)["joints"]) == 4 and len(parsed(Agcn, found, 1)["joints"]) == 1


def test_names_labels_and_splits_come_from_the_files(tmp_path):
    found = Agcn.find(agcn(tmp_path, train=array(0, 3), val=array(1, 2)))
    assert [(s.id, s.label) for s in found.clips] == [
        ("train0", 0),
        ("train1", 1),
        ("train2", 2),
        ("val0", 0),
        ("val1", 1),
    ]
    assert {
        split: [s.id for s in found.clips if s.cell in cells]
        for split, cells in found.unions.items()
    } == {
        "train": ["train0", "train1", "train2"],
        "val": ["val0", "val1"],
    }
    (tmp_path / "labels.txt").write_text("run\nwalk\nsit\n")
    assert Agcn.find(tmp_path).labels == ("run", "walk", "sit")


def test_poses_from_pictures_get_their_half_back_where_they_are_scored(tmp_path):
    x = array(0, 2, joints=18)
    x[1, 2, 0, 4, 0] = 0
    found = Agcn.find(agcn(tmp_path, "_data.npy", train=x))
    assert found.layout.name == "openpose-18" and found.channels == ("x", "y", "score")
    record = parsed(Agcn, found, 1)
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
    record = parsed(Agcn, Agcn.find(tmp_path), 399)
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
def test_arrays_that_do_not_fit_say_why(tmp_path, break_it, problem):
    break_it(agcn(tmp_path, train=array(0, 2)))
    with pytest.raises(UserError, match=problem):
        Agcn.find(tmp_path)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_archive_gives_every_row_stored_or_compressed(tmp_path, save):
    raw = ctr(tmp_path / "a.npz", save)
    found = Ctr.find(raw)
    assert found.single_process == (save is np.savez_compressed)
    assert [source.label for source in found.clips] == [1, 0, 3, 2, 2] and found.labels == (
        "0",
        "1",
        "2",
        "3",
    )
    with np.load(raw) as content:
        x = np.concatenate([content["x_train"], content["x_test"]])
    for index in (0, 1, 4, 2, 0, 3):  # forwards, and back again
        joints = parsed(Ctr, found, index)["joints"]
        assert joints.shape == (3, 2, 25, 3)
        for t, m, v, c in np.ndindex(joints.shape):
            assert joints[t, m, v, c] == x[index, t, 75 * m + 3 * v + c]


def test_an_archive_of_another_skeleton_needs_its_name(tmp_path):
    x = np.ones((1, 2, 60), np.float32)
    raw = ctr(tmp_path / "a.npz", x_train=x, x_test=x, y_train=np.eye(4)[:1], y_test=np.eye(4)[:1])
    assert parsed(Ctr, Ctr.find(raw, layout="kinect-20-hip"))["joints"].shape == (2, 1, 20, 3)
    with pytest.raises(
        UserError, match=r"60 numbers in a frame are not NTU RGB\+D's 150; name the joints"
    ):
        Ctr.find(raw)
    with pytest.raises(
        UserError, match=r"60 numbers in a frame are not x, y and z of 17 joints \(coco-17\)"
    ):
        Ctr.find(raw, layout="coco-17")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"y_test": None}, "has no array 'y_test'; it has: x_train, y_train, x_test"),
        ({"y_test": np.eye(4)[:1]}, r"y_test has the shape \(1, 4\), wanted \[2, classes\]"),
        ({"y_test": np.ones((2, 4))}, "row 0 of y_test is not one-hot"),
        (
            {"x_test": np.ones((2, 4, 75), "f4")},
            r"x_test has the shape \(2, 4, 75\), wanted \[n, t, 150\]",
        ),
        ({"x_test": np.array([{}, {}])}, "'x_test' is object of the shape"),
        ({"x_train": np.asfortranarray(np.ones((3, 4, 150)))}, "wanted rows of numbers in C order"),
    ],
)
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_archives_that_do_not_fit_say_why(tmp_path, changes, problem, save):
    with pytest.raises(UserError, match=problem):
        Ctr.find(ctr(tmp_path / "a.npz", save, **changes))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_broken_archive_is_named(tmp_path, save):
    raw = ctr(tmp_path / "a.npz", save)
    whole = raw.read_bytes()
    for content in (b"", b"PK\x03\x04", whole[: len(whole) // 2], b"\x93NUMPY"):
        raw.write_bytes(content)
        with pytest.raises(UserError, match=r"a.npz' is not a readable .npz of plain arrays: "):
            Ctr.find(raw)


def test_a_compressed_archive_that_breaks_midway_is_named_at_the_clip(tmp_path):
    raw = ctr(
        tmp_path / "a.npz",
        np.savez_compressed,
        x_train=np.random.default_rng(0).normal(size=(3, 400, 150)),
    )
    with zipfile.ZipFile(raw) as archive:
        entry = archive.getinfo("x_train.npy")
    content = bytearray(raw.read_bytes())
    middle = entry.header_offset + entry.compress_size // 2
    content[middle : middle + 2000] = bytes(2000)
    raw.write_bytes(content)
    rows = Rows(str(raw), "x_train")
    assert rows[0].shape == (400, 150)
    with pytest.raises(UserError, match=r"a.npz' is not a readable .npz of plain arrays"):
        for index in range(3):
            rows[index]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_one_row_of_a_large_archive_takes_the_memory_of_one_row(tmp_path, save):
    save(tmp_path / "a.npz", x=np.zeros((200, 300, 150), np.float32))
    tracemalloc.start()
    rows = Rows(str(tmp_path / "a.npz"), "x")
    for index in (0, 100, 199):
        assert rows[index].shape == (300, 150)
    assert tracemalloc.get_traced_memory()[1] < 2e6, "the array is 36 MB"
    tracemalloc.stop()


def test_arrays_and_archives_are_prepared_and_read_under_their_names(tmp_path):
    x = array(0, 3)
    (tmp_path / "raw").mkdir()
    prepare.prepare("agcn/x", raw=agcn(tmp_path / "raw", train=x), data_dir=tmp_path)
    prepare.prepare(
        "ctr/x",
        raw=ctr(tmp_path / "a.npz", np.savez_compressed),
        data_dir=tmp_path,
        options=PrepareOptions(workers=3),
    )
    for name, count in (("agcn/x", 3), ("ctr/x", 5)):
        info = dataset_info.load(name, tmp_path)
        assert info.splits["all"] == count and info.layout.name == "ntu-25"
    for found in records.records(
        dataset_info.load("agcn/x", tmp_path), "train"
    ).as_numpy_iterator():
        index = int(found["id"].decode()[-1])
        np.testing.assert_array_equal(found["joints"].transpose(3, 0, 2, 1), x[index][:, :4])


@pytest.mark.skipif(not DATA, reason="JAXACT_DATA names no folder of real data")
def test_a_real_clip_in_array_form_parses(tmp_path):
    clip = np.load(Path(DATA, "npy/ntu_one_clip_CTVM.npy"))
    np.save(tmp_path / "train_data.npy", clip[None])
    (tmp_path / "train_label.pkl").write_bytes(
        pickle.dumps((["S001C001P001R001A007.skeleton"], [6]))
    )
    record = parsed(Agcn, Agcn.find(tmp_path))
    length = len(record["joints"])
    assert 20 < length < 300 and not clip[:, length:].any() and clip[:, length - 1].any()
    np.testing.assert_array_equal(record["joints"].transpose(3, 0, 2, 1), clip[:, :length])
