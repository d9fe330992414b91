"""Ready networks: those of the package, and how a name is loaded, listed and refused."""

import json
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest

import jaxact
from jaxact import cli, config
from jaxact.errors import UserError
from jaxact.inference import ready_certificate
from jaxact.runs import ready_networks, safetensors, trained_model
from jaxact.streaming import recognition
from scripts import ready_cards
from tests.helpers import ready

ROOT = Path(__file__).parents[2]
SHIPPED = ready_networks.names()
SECTIONS = ("Use", "Input", "Classes", "Data", "Terms", "Protocol", "Accuracy", "Made by", "Limits")


@pytest.fixture(scope="module")
def packaged(tmp_path_factory):
    """The folder of a ready network `toy`, and the workdir of its run."""
    folder = tmp_path_factory.mktemp("packaged")
    with pytest.MonkeyPatch.context() as patch:
        workdir = ready.package(folder, patch)
    return folder / "ready" / "toy", workdir


@pytest.fixture
def toy(packaged, tmp_path, monkeypatch):
    """The files of `toy`, in a copy that a test may damage."""
    folder = tmp_path / "ready" / "toy"
    shutil.copytree(packaged[0], folder)
    monkeypatch.setattr(ready_networks, "FOLDER", folder.parent)
    return folder


def test_the_package_has_the_ready_networks():
    assert {"synthetic12", "utd27-kinect"} <= set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_network_gives_the_logits_of_its_certificate(name):
    comparison = ready_certificate.verify(name)
    certificate = ready_networks.find(name).certificate
    assert comparison.clips == certificate["clips"] > 0
    assert certificate["max_difference"] == 0.0  # float32 weights: the run's own bits
    assert {"jaxact", "jax", "flax"} <= certificate["versions"].keys() and certificate["date"]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_files_of_a_shipped_network_are_small_and_complete(name):
    network = ready_networks.find(name)
    assert network.size <= ready_networks.MAX_BYTES
    assert network.card.startswith(f"# {name}\n")
    assert all(f"\n## {section}\n" in network.card for section in SECTIONS)
    assert f"scripts/ready_networks.py {name}" in network.card
    assert len(network.values["accuracy"]["top1"]) == len(network.values["accuracy"]["seeds"])
    for path in network.folder.glob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert "/tmp" not in text and "/work" not in text and "/home" not in text


def test_the_wheel_holds_the_files():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert build["targets"]["wheel"] == {"packages": ["jaxact"]}  # every file in it
    assert ready_networks.FOLDER.relative_to(ROOT).parts[0] == "jaxact"
    ignored = (ROOT / ".gitignore").read_text().split()  # whose patterns hatchling leaves out
    assert not {"*.safetensors", "*.json", "*.md", "ready/", "runs/"} & set(ignored)


def test_a_name_loads_what_the_run_gives(toy, packaged):
    run, network = trained_model.load(packaged[1]), trained_model.load("ready:toy")
    clips, logits = ready_networks.find("toy").example()
    np.testing.assert_array_equal(ready_certificate.logits(network, clips), logits)
    np.testing.assert_array_equal(ready_certificate.logits(run, clips), logits)
    assert (network.labels, network.layout, network.step) == (run.labels, run.layout, run.step)
    assert network.selection == "the last checkpoint of the run"
    assert trained_model.input_kind("ready:toy") == "skeleton"
    assert recognition.load_network("ready:toy").labels == run.labels


def test_the_public_functions_take_a_name(toy, tmp_path):
    joints = np.random.default_rng(0).uniform(0.1, 0.9, (8, 1, 18, 3)).astype(np.float32)
    np.save(tmp_path / "clip.npy", joints)
    (prediction,) = jaxact.predict("ready:toy", tmp_path / "clip.npy")
    expected = jaxact.load("ready:toy").predict(joints)
    np.testing.assert_array_equal(prediction.probabilities, expected.probabilities)


def test_the_commands_take_a_name(toy, tmp_path, capsys):
    out = tmp_path / "toy.safetensors"
    export = ["export", "--checkpoint", "ready:toy", "--format", "safetensors", "--out", str(out)]
    assert cli.main(export) == 0
    exported, _ = safetensors.read(out)
    arrays = ready_networks.find("toy").arrays()
    assert exported.keys() == arrays.keys()
    np.save(tmp_path / "clip.npy", np.full((8, 1, 18, 3), 0.5, np.float32))
    capsys.readouterr()
    assert cli.main(["predict", "--checkpoint", "ready:toy", str(tmp_path / "clip.npy")]) == 0
    assert "%  wave" in capsys.readouterr().out


def test_models_lists_shows_and_verifies(toy, capsys):
    assert cli.main(["models"]) == 0
    row = capsys.readouterr().out.splitlines()[1]
    assert row.startswith("toy") and "openpose-18 (x, y, score), 1 person" in row
    assert "62.5 ± 17.7 % (2 seeds)" in row
    assert cli.main(["models", "toy"]) == 0
    card = capsys.readouterr().out
    assert card == (toy / "README.md").read_text() and "wave (25 %), kick (50 %)" in card
    assert cli.main(["models", "toy", "--verify"]) == 0
    assert "toy: 2 clips, the logits differ" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    [
        ["predict", "--checkpoint", "ready:toi", "clip.npy"],
        ["export", "--checkpoint", "ready:toi", "--out", "toy.jaxact"],
        ["stream", "missing", "--recogniser", "ready:toi"],
        ["models", "toi"],
        ["models", "--verify", "toi"],
    ],
)
def test_an_unknown_name_is_one_sentence(command, toy, tmp_path, capsys):
    (tmp_path / "poses").mkdir()
    (tmp_path / "poses" / "a_000000000000_keypoints.json").write_text('{"people": []}')
    words = [str(tmp_path / "poses") if word == "missing" else word for word in command]
    assert cli.main(words) == 2
    error = capsys.readouterr().err
    assert error == "jaxact: unknown ready network 'toi'; available: toy; did you mean 'toy'?\n"


@pytest.mark.parametrize("file", ["network.json", "weights.safetensors", "certificate.json"])
@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_a_damaged_file_is_one_sentence(file, damage, toy):
    content = (toy / file).read_bytes()
    changed = content.replace(b"1", b"2", 1)
    (toy / file).write_bytes(content[:-9] if damage == "cut" else changed)
    with pytest.raises(UserError, match=r"'toy' is damaged: '.*': .*; install jaxact again"):
        trained_model.load("ready:toy")


def test_a_file_that_is_gone_is_one_sentence(toy):
    (toy / "weights.safetensors").unlink()
    with pytest.raises(
        UserError, match=r"weights.safetensors': No such file or directory; install"
    ):
        jaxact.load("ready:toy")


@pytest.mark.parametrize("options", [{"step": 7}, {"select": "best"}])
def test_another_checkpoint_than_the_one_in_the_package_is_refused(options, toy):
    with pytest.raises(UserError, match=r"'toy' has one checkpoint, of step 0 \(the last"):
        jaxact.load("ready:toy", **options)
    assert jaxact.load("ready:toy", step=0, select="last").net.step == 0


def test_a_certificate_of_other_logits_is_refused(toy):
    path = toy / "certificate.safetensors"
    arrays, _ = safetensors.read(path)
    safetensors.write(path, arrays | {"logits": arrays["logits"] + 1})
    certificate = json.loads((toy / "certificate.json").read_text())
    certificate["sha256"][path.name] = ready_networks.digest(path.read_bytes())
    (toy / "certificate.json").write_text(json.dumps(certificate))
    with pytest.raises(UserError, match=r"gives other logits on this machine"):
        ready_certificate.verify("toy")


@pytest.mark.parametrize("name", ready_cards.RECIPES)
def test_a_recipe_is_a_config_of_its_data_set(name):
    recipe = ready_cards.RECIPES[name]
    run = config.load(str(ROOT / recipe.config), list(recipe.overrides))
    assert run.data.name == recipe.dataset and run.select == "last"
    if name in SHIPPED:
        shipped = trained_model.load(f"ready:{name}").config
        run.data.data_dir, run.seed = "", shipped.seed
        assert config.to_dict(run) == config.to_dict(shipped)
