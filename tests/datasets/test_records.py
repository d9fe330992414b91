"""Reading a prepared set: its info, a fixed or seeded order, and the fields that are decoded."""

from pathlib import Path

import numpy as np
import pytest

from jaxact.datasets import dataset_info, records
from jaxact.datasets.preparation import prepare
from jaxact.datasets.preparation.options import PrepareOptions
from jaxact.errors import UserError
from jaxact.skeletons import get_layout

CLIPS = 24


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A custom set of eight cells."""
    root = tmp_path_factory.mktemp("data")
    rows = [f"clip{i},{i % 3},{'train' if i % 4 else 'test'};part{i % 8}" for i in range(CLIPS)]
    (root / "raw").mkdir()
    (root / "raw/labels.csv").write_text("id,label,split\n" + "\n".join(rows))
    for i in range(CLIPS):
        np.save(root / f"raw/clip{i}.npy", np.full((2 + i, 1 + i % 2, 17, 3), i + 1, np.float32))
    prepare.prepare(
        "custom/mine",
        raw=root / "raw",
        data_dir=root,
        options=PrepareOptions(layout="coco-17", workers=1),
    )
    return root


@pytest.fixture
def info(data) -> dataset_info.DatasetInfo:
    return dataset_info.load("custom/mine", data)


def ids(dataset) -> list[str]:
    return [record["id"].decode() for record in dataset.as_numpy_iterator()]


def test_a_set_describes_itself(info):
    assert info.name == "custom/mine" and info.layout == get_layout("coco-17")
    assert info.labels == ("0", "1", "2") and info.channels == ("x", "y", "score")
    assert (
        info.splits["train"],
        info.splits["test"],
        info.splits["part3"],
        info.splits["all"],
    ) == (18, 6, 3, CLIPS)
    assert sum(shard.records for shard in records.shards(info, "train")) == 18
    assert (
        info.summary["frames"] == sum(2 + i for i in range(CLIPS)) and info.summary["persons"] == 2
    )


def test_only_the_requested_fields_are_decoded(info):
    first = next(records.records(info, "all").as_numpy_iterator())
    assert set(first) == {"id", "joints", "label"}
    labels_only = records.records(info, "all", fields=("label",))
    assert set(next(labels_only.as_numpy_iterator())) == {"label"}
    assert set(next(records.records(info, "all", fields=None).as_numpy_iterator())) == {
        "id",
        "joints",
        "label",
        "num_frames",
    }


def test_records_keep_their_own_length_and_people(info):
    for record in records.records(info, "all").as_numpy_iterator():
        number = int(record["id"].decode().removeprefix("clip"))
        assert record["joints"].shape == (2 + number, 1 + number % 2, 17, 3)
        assert (record["joints"] == number + 1).all() and record["label"] == number % 3


def test_the_order_is_fixed_and_every_record_comes_once(info):
    order = ids(records.records(info, "train"))
    assert order == ids(records.records(info, "train"))
    assert sorted(order) == sorted(f"clip{i}" for i in range(CLIPS) if i % 4)


def test_a_seed_gives_another_order_of_the_same_records(info):
    fixed, one, two = (
        ids(records.records(info, "all", shuffle_seed=seed)) for seed in (None, (3, 0), (3, 1))
    )
    assert one == ids(records.records(info, "all", shuffle_seed=(3, 0)))
    assert (
        sorted(one) == sorted(two) == sorted(fixed)
        and len({tuple(fixed), tuple(one), tuple(two)}) == 3
    )


def test_names_that_do_not_exist_list_those_that_do(info, data, monkeypatch):
    with pytest.raises(
        UserError,
        match=r"unknown split of 'custom/mine' 'trian'; available: all, .*did you mean 'train'",
    ):
        records.records(info, "trian")
    with pytest.raises(
        UserError, match=r"unknown field of 'custom/mine' 'joint'; available: id, joints"
    ):
        records.records(info, "train", fields=("joint",))
    with pytest.raises(
        UserError, match=r"unknown dataset 'utd'; available: .*ctr, custom, custom/mine, "
    ):
        dataset_info.load("utd", data)
    with pytest.raises(
        UserError,
        match=r"'ntu60' is not prepared in .* \(prepared there: custom/mine\); "
        r"prepare it with 'jaxact prepare ntu60",
    ):
        dataset_info.load("ntu60", data)
    with pytest.raises(UserError, match=r"jaxact prepare custom --name other --raw DIR"):
        dataset_info.load("custom/other", data)
    monkeypatch.setenv("TFDS_DATA_DIR", str(data))
    assert dataset_info.load("custom/mine").path == info.path


def test_a_folder_that_jaxact_did_not_write_is_an_error(tmp_path):
    folder = tmp_path / "utd_mhad/1.0.0"
    folder.mkdir(parents=True)
    (folder / "metadata.json").write_text("{}")
    with pytest.raises(UserError, match=r"1.0.0' is not a set that jaxact prepared"):
        dataset_info.load("utd_mhad", tmp_path)


def test_the_parts_of_a_split_are_disjoint_and_together_the_whole(info):
    first, last = (ids(records.records(info, f"train[{part}]")) for part in (":60%", "60%:"))
    assert len(first) == records.count(info, "train[:60%]") and len(last) == records.count(
        info, "train[60%:]"
    )
    assert first and last and not set(first) & set(last)
    assert sorted(first + last) == sorted(ids(records.records(info, "train")))
    assert sorted(ids(records.records(info, "train[60%:]", shuffle_seed=3))) == sorted(last)


def test_an_empty_part_of_a_split_is_an_error(info):
    with pytest.raises(
        UserError, match=r"'train\[98%:99%\]' of 'custom/mine' is empty: 'train' has 18 records"
    ):
        records.shards(info, "train[98%:99%]")
    with pytest.raises(UserError, match=r"'trian'.*train"):
        records.shards(info, "trian[:50%]")
