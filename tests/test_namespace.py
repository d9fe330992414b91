"""The public functions of `jaxact`: they do what the commands do."""

import dataclasses
import inspect

import numpy as np
import pytest

import jaxact
from jaxact import config
from jaxact.errors import UserError
from jaxact.evaluation import classification, pose
from jaxact.runs import trained_model
from jaxact.training import loop
from tests.helpers import random_runs

NETWORK = config.STGCNConfig(network="stem3", width=2)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return random_runs.write(
        tmp_path_factory.mktemp("run"), NETWORK, layout="openpose-18", frames=8
    )


def test_every_public_function_has_a_docstring_with_arguments_and_errors():
    for name in jaxact.__all__:
        text = inspect.getdoc(getattr(jaxact, name))
        assert "\nArgs:\n" in text and "\nRaises:\n" in text, name


def test_an_array_and_a_file_are_classified_alike(run, tmp_path):
    joints = np.random.default_rng(0).uniform(0.1, 0.9, (8, 1, 18, 3)).astype(np.float32)
    np.save(tmp_path / "clip.npy", joints)
    (of_array,) = jaxact.predict(run, joints)
    (of_file,) = jaxact.predict(run, tmp_path / "clip.npy")
    expected = jaxact.load(run).predict(joints).probabilities
    np.testing.assert_array_equal(of_array.probabilities, expected)
    np.testing.assert_array_equal(of_file.probabilities, expected)


def test_a_config_is_trained_with_its_overrides_and_stays_as_it_was(monkeypatch, tmp_path):
    calls = []
    result = loop.TrainResult(0, False, None)
    monkeypatch.setattr(loop, "run", lambda *arguments: calls.append(arguments) or result)
    file = tmp_path / "small.py"
    file.write_text(
        "from jaxact.config import TrainConfig\n"
        "def get_config(arg=''):\n"
        "    return TrainConfig(batch_size=int(arg or 8))\n"
    )
    jaxact.train(f"{file}:4", tmp_path / "a", overrides={"optim.ema": 0.5}, data_dir=tmp_path)
    original = config.TrainConfig()
    jaxact.train(original, tmp_path / "b", overrides={"epochs": 3})
    (of_file, workdir, source), (of_config, *_) = calls
    assert (of_file.batch_size, of_file.optim.ema, of_file.data.data_dir) == (4, 0.5, str(tmp_path))
    assert workdir == str(tmp_path / "a") and source is None
    assert of_config.epochs == 3 != original.epochs
    assert dataclasses.replace(of_config, epochs=original.epochs) == original


def test_a_run_is_evaluated_by_what_its_network_predicts(monkeypatch, tmp_path):
    calls = []
    for module in (classification, pose):

        def record_call(*arguments, name=module.__name__, **options):
            calls.append((name, arguments, options))
            return {}

        monkeypatch.setattr(module, "run", record_call)
    for kind in ("skeleton", "pose"):
        monkeypatch.setattr(trained_model, "input_kind", lambda workdir, kind=kind: kind)
        jaxact.evaluate(tmp_path, out=tmp_path / "out", select="best", split="test")
    options = {"out": str(tmp_path / "out"), "step": None, "how": "best", "split": "test"}
    expected = ((str(tmp_path),), options)
    assert calls == [(classification.__name__, *expected), (pose.__name__, *expected)]


def test_a_folder_of_poses_is_a_stream_of_results(run, tmp_path):
    for frame in range(10):
        numbers = np.random.default_rng(frame).uniform(0.1, 0.9, 54).tolist()
        content = {"people": [{"pose_keypoints_2d": numbers}]}
        (tmp_path / f"v_{frame:012}_keypoints.json").write_text(str(content).replace("'", '"'))
    recognition = jaxact.stream(str(tmp_path), network=str(run))
    results = list(recognition)
    assert len(results) == 10 and recognition.labels == random_runs.LABELS
    (person,) = results[-1].people
    assert person.prediction.probabilities.shape == (3,)


def test_images_without_a_pose_network_are_refused(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"")
    with pytest.raises(UserError, match="images need a pose estimator"):
        jaxact.stream(str(tmp_path / "clip.mp4"))
