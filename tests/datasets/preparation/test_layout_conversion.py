"""Joint layouts converted while a set is prepared."""

import numpy as np
import pytest

from jaxact.datasets import dataset_info, records
from jaxact.datasets.preparation import prepare
from jaxact.datasets.preparation.options import PrepareOptions
from jaxact.errors import UserError
from jaxact.skeletons import convert, get_layout
from tests.helpers.pyskl_files import annotation, write_annotations


def test_a_prepared_set_is_read_by_name_and_may_be_converted(tmp_path):
    bad = annotation("bad", total_frames=9)
    raw = write_annotations(
        tmp_path / "a.pkl",
        annotation("one"),
        annotation("two", label=1),
        bad,
        train1=["one", "bad"],
        test1=["two"],
    )
    with pytest.raises(UserError, match=r"total_frames is 9.*--skip-bad leaves such files out"):
        prepare.prepare("pyskl/ucf", raw=raw, data_dir=tmp_path)
    plain = prepare.prepare(
        "pyskl/ucf", raw=raw, data_dir=tmp_path, options=PrepareOptions(skip_bad=True, workers=4)
    )
    assert plain.splits == {"test1": 1, "train1": 1, "all": 2} and len(plain.skipped) == 1
    prepare.prepare(
        "pyskl/body",
        raw=raw,
        data_dir=tmp_path,
        options=PrepareOptions(skip_bad=True, to_layout="body-14"),
    )
    joints = {}
    for name in ("pyskl/ucf", "pyskl/body"):
        info = dataset_info.load(name, tmp_path)
        (record,) = records.records(info, "train1").as_numpy_iterator()
        joints[name] = record["joints"]
    assert info.layout == get_layout("body-14") and info.channels == ("x", "y", "score")
    expected = convert(joints["pyskl/ucf"], "coco-17", "body-14", channels=("x", "y", "score"))
    np.testing.assert_array_equal(joints["pyskl/body"], expected)


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        (
            "pyskl/a",
            {"to_layout": "ntu-25"},
            "layout 'coco-17' does not convert to 'ntu-25'; it does to: openpose-18",
        ),
        ("pyskl/a", {"to_layout": "body14"}, "unknown layout 'body14'"),
        (
            "utd_mhad",
            {"to_layout": "body-14"},
            "to_layout is for the sets agcn, ctr, custom, jhmdb_detected, openpose, pysk",
        ),
        (
            "pyskl/a",
            {"to_layout": "body-14", "layout": "own.json"},
            "layout 'own' is one of your own; only these convert: ",
        ),
    ],
)
def test_an_unsupported_conversion_raises_before_parsing(
    tmp_path, monkeypatch, name, options, problem
):
    raw = write_annotations(tmp_path / "a.pkl", annotation("one"))
    own = {
        "name": "own",
        "joints": list("abcdefghijklmnopq"),
        "edges": [[i, i + 1] for i in range(16)],
        "centre": 0,
    }
    (tmp_path / "own.json").write_text(str(own).replace("'", '"'))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=problem):
        prepare.prepare(
            name, raw=raw, data_dir=tmp_path / "data", options=PrepareOptions(**options)
        )
    assert not (tmp_path / "data").exists()
