"""The metadata of a checkpoint: written, read back, and read from older checkpoints."""

import json

import pytest

from jaxact import config
from jaxact.errors import UserError
from jaxact.runs.trained_model import RunMetadata
from jaxact.skeletons import get_layout


def metadata(**fields) -> RunMetadata:
    run = config.TrainConfig(model=config.STGCNConfig(width=2))
    layout = get_layout("body-14")
    return RunMetadata(run, layout, ("kick", "wave"), ("x", "y", "score"), **fields)


@pytest.mark.parametrize(
    "fields", [{}, {"radii": (0.5,) * 14, "size": 40, "version": "1.0.0"}], ids=["bare", "full"]
)
def test_metadata_survives_json(fields):
    original = metadata(**fields)
    assert RunMetadata.from_dict(json.loads(json.dumps(original.to_dict()))) == original


def test_a_checkpoint_stores_the_documented_fields():
    values = metadata(size=40, version="1.0.0").to_dict()
    assert list(values) == ["config", "protocol", "layout", "labels", "channels", "radii", "data"]
    assert values["data"] == {"size": 40, "version": "1.0.0"} and values["radii"] is None


def test_fields_that_an_older_checkpoint_lacks_have_their_defaults():
    values = json.loads(json.dumps(metadata().to_dict()))
    del values["protocol"], values["radii"], values["config"]["seed"]
    values["data"] = {"size": 40}
    older = RunMetadata.from_dict(values)
    assert older.radii is None and (older.size, older.version) == (40, "")
    assert older.config.seed == config.TrainConfig().seed


def test_an_option_of_another_version_is_named():
    values = metadata().to_dict()
    values["config"]["model"]["colour"] = "red"
    with pytest.raises(UserError, match=r"unknown option config.model.colour='red'"):
        RunMetadata.from_dict(values)
