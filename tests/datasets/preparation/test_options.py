"""Options of `prepare` that do not fit the data set, and what every data set expects."""

import pytest

from jaxact.datasets import DATASETS
from jaxact.datasets.preparation import prepare
from jaxact.datasets.preparation.options import PrepareOptions
from jaxact.errors import UserError


@pytest.mark.parametrize(
    ("name", "options", "problem"),
    [
        (
            "utd_mhd",
            {},
            r"unknown dataset 'utd_mhd'; available: agcn, coco_keypoints, .*"
            "did you mean 'utd_mhad'",
        ),
        ("utd_mhad", {}, r"needs its raw data \(--raw DIR\): the skeleton files a<action>"),
        (
            "utd_mhad",
            {"raw": "nowhere"},
            "no raw data at 'nowhere'; 'utd_mhad' expects there the skeleton files a<action>",
        ),
        (
            "utd_mhad",
            {"raw": "."},
            "no file '.*_skeleton.mat' under '.'; expected the skeleton files",
        ),
        ("utd_mhad/x", {"raw": "."}, "dataset 'utd_mhad' has no configurations"),
        (
            "custom",
            {"raw": "."},
            "a set of the kind 'custom' needs a name of lower-case letters, digits and _, "
            "as in 'custom/mine'",
        ),
        ("custom/My Set", {"raw": "."}, "got 'custom/My Set'"),
        ("utd_mhad", {"raw": ".", "workers": 0}, "workers must be 1 or more, got 0"),
    ],
)
def test_requests_that_make_no_sense_say_what_would(tmp_path, monkeypatch, name, options, problem):
    monkeypatch.chdir(tmp_path)
    options = dict(options)
    raw = options.pop("raw", None)
    with pytest.raises(UserError, match=problem):
        prepare.prepare(name, raw=raw, data_dir="data", options=PrepareOptions(**options))
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_every_dataset_says_what_it_expects():
    for name, maker in DATASETS.items():
        assert maker.name == name and maker.EXPECTS and maker.LICENCE
