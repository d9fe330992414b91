"""Archives of CTR-GCN: rows one at a time, without padding, with one-hot labels."""

from pathlib import Path

import numpy as np
import pytest

from jaxact.datasets import dataset_info
from jaxact.datasets.ctr import Ctr
from jaxact.datasets.preparation import prepare
from jaxact.datasets.preparation.options import PrepareOptions
from jaxact.errors import UserError


def write_raw(path: Path, save=np.savez, **changes) -> Path:
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


def parse_one(dataset, index: int = 0) -> dict:
    (record,) = Ctr.parse(dataset.clips[index])
    return record


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_archive_gives_every_row_stored_or_compressed(tmp_path, save):
    raw = write_raw(tmp_path / "a.npz", save)
    dataset = Ctr.find(raw)
    assert dataset.single_process == (save is np.savez_compressed)
    assert [raw_clip.label for raw_clip in dataset.clips] == [1, 0, 3, 2, 2] and dataset.labels == (
        "0",
        "1",
        "2",
        "3",
    )
    with np.load(raw) as content:
        x = np.concatenate([content["x_train"], content["x_test"]])
    for index in (0, 1, 4, 2, 0, 3):  # forwards, and back again
        joints = parse_one(dataset, index)["joints"]
        assert joints.shape == (3, 2, 25, 3)
        for t, m, v, c in np.ndindex(joints.shape):
            assert joints[t, m, v, c] == x[index, t, 75 * m + 3 * v + c]


def test_an_archive_of_another_skeleton_needs_its_name(tmp_path):
    x = np.ones((1, 2, 60), np.float32)
    raw = write_raw(
        tmp_path / "a.npz", x_train=x, x_test=x, y_train=np.eye(4)[:1], y_test=np.eye(4)[:1]
    )
    assert parse_one(Ctr.find(raw, layout="kinect-20-hip"))["joints"].shape == (2, 1, 20, 3)
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
def test_the_error_states_why_an_archive_cannot_be_used(tmp_path, changes, problem, save):
    with pytest.raises(UserError, match=problem):
        Ctr.find(write_raw(tmp_path / "a.npz", save, **changes))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_the_error_names_a_broken_archive(tmp_path, save):
    raw = write_raw(tmp_path / "a.npz", save)
    content_bytes = raw.read_bytes()
    for content in (b"", b"PK\x03\x04", content_bytes[: len(content_bytes) // 2], b"\x93NUMPY"):
        raw.write_bytes(content)
        with pytest.raises(UserError, match=r"a.npz' is not a readable .npz of plain arrays: "):
            Ctr.find(raw)


def test_a_compressed_archive_is_prepared_and_read_under_its_name(tmp_path):
    prepare.prepare(
        "ctr/x",
        raw=write_raw(tmp_path / "a.npz", np.savez_compressed),
        data_dir=tmp_path,
        options=PrepareOptions(workers=3),
    )
    info = dataset_info.load("ctr/x", tmp_path)
    assert info.splits["all"] == 5 and info.layout.name == "ntu-25"
