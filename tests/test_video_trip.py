"""From files of video to a report: a prepared folder, a run with frozen blocks, its evaluation and
artifact.
"""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

from jaxact import cli, config, export
from jaxact.errors import UserError
from jaxact.evaluation import classification
from jaxact.inference import predictor
from jaxact.interop import keras
from jaxact.runs import state, trained_model
from jaxact.serve import predictions
from jaxact.training import initialisation, loop
from tests.helpers import videos

pytestmark = pytest.mark.slow

CONFIG = """
from jaxact.config import *

def get_config(arg=""):
    return TrainConfig(
        data=DataConfig(
            name="video_folder", train_split="random_3to1_train", eval_split="random_3to1_test"
        ),
        model=TSNConfig(
            backbone="xception", width=1 / 32, depth=0.0, dropout=0.0, skip=("block3", "block4")
        ),
        clip=VideoClipConfig(frames=2, height=32, width=32),
        augment=VideoAugmentConfig(crop=0.9),
        optim=OptimConfig(name="adamw", learning_rate=1e-2, schedule="constant", weight_decay=0.0),
        batch_size=8, epochs=16, eval_every=0.0, log_every=4, devices=1,
    )
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sixteen clips of two classes, which colours tell apart, and a config."""
    root = tmp_path_factory.mktemp("videos")
    for number in range(16):
        pictures = videos.frames(5, seed=number)
        name = f"{('day', 'night')[number % 2]}/clip{number:02}.avi"
        videos.write(root / "raw" / name, pictures if number % 2 else 255 - pictures)
    assert (
        cli.main(["prepare", "video_folder", "--raw", f"{root}/raw", "--data-dir", f"{root}/data"])
        == 0
    )
    (root / "tiny.py").write_text(CONFIG)
    return root


def run_of(folder, *overrides: str) -> config.TrainConfig:
    run = config.load(str(folder / "tiny.py"), overrides)
    run.data.data_dir = str(folder / "data")
    return run


@pytest.fixture(scope="module")
def trained_run(folder):
    outcome = loop.run(run_of(folder), folder / "run")
    return folder / "run", outcome


def test_a_folder_of_videos_becomes_a_report_that_tells_the_leak(folder, trained_run, capsys):
    workdir, outcome = trained_run
    seen = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    assert outcome.step == 24 and seen[0]["train_loss"] > 1.5 * seen[-2]["train_loss"]
    assert cli.main(["evaluate", "--checkpoint", str(workdir), "--out", f"{folder}/results"]) == 0
    assert "this split leaks: drawn clip by clip" in capsys.readouterr().out
    report = json.loads((folder / "results/metrics.json").read_text())
    assert (
        report["loss"] == pytest.approx(outcome.metrics["loss"], rel=1e-4) and report["count"] == 4
    )
    assert report["leaks"].startswith("drawn clip by clip")
    assert report["preprocessing"]["height"] == 32 and report["protocol"] == "none"


def test_several_views_of_each_clip_need_segments(folder, trained_run, capsys):
    workdir = str(trained_run[0])
    net = trained_model.with_options(trained_model.load(workdir), {"clip.views": 3})
    assert net.config.clip.views == 3 and trained_model.load(workdir).config.clip.views == 1
    for views, told in (("0", "clip.views is 0, but must be at least 1"), ("2", "views")):
        assert (
            cli.main(
                ["evaluate", "--checkpoint", workdir, "--views", views, "--out", f"{folder}/none"]
            )
            == 2
        )
        assert told in capsys.readouterr().err and not (folder / "none").exists()


def test_its_artifact_takes_frames(folder, trained_run):
    meta = export.run(trained_run[0], out=folder / "tiny.jaxact")
    assert meta["input"]["shape"] == ["n", 2, 32, 32, 3] and meta["input"]["axes"][1:4] == [
        "frames",
        "height",
        "width",
    ]
    assert meta["input"]["channels"] == ["red", "green", "blue"]


def test_frozen_blocks_without_given_weights_are_refused(folder, tmp_path):
    with pytest.raises(
        UserError,
        match=r"train_from='last' freezes layers, which would keep their random weights: give",
    ):
        loop.run(run_of(folder, "--config.model.train_from=last"), tmp_path / "none")


def test_frozen_blocks_begin_with_given_weights_and_keep_them_to_the_end(
    folder, trained_run, tmp_path
):
    weights = trained_model.load(trained_run[0]).weights
    given = {kind: weights[kind]["backbone"] for kind in weights}
    keras.save(
        tmp_path / "w.safetensors",
        keras.Pretrained("xception", {"width": 1 / 32, "middle": 0}, given),
    )
    overrides = (
        "--config.model.train_from=last",
        "--config.epochs=2",
        "--config.optim.accumulate=2",
    )
    run = run_of(folder, *overrides, f"--config.init_from={tmp_path}/w.safetensors")
    loop.run(run, tmp_path / "half")
    run.epochs = 3
    outcome = loop.run(run, tmp_path / "half")
    now = trained_model.load(tmp_path / "half").weights
    assert outcome.step == 5
    for kind in ("params", "batch_stats"):
        before, after = (flatten_dict(tree[kind]["backbone"], sep="/") for tree in (weights, now))
        for name, value in after.items():
            frozen = name.split("/")[0] not in ("block13", "block14")
            assert np.array_equal(before[name], value) == frozen, (kind, name)


def test_flow_begins_with_the_mean_of_the_colours(folder, trained_run):
    del folder
    net = trained_model.load(trained_run[0])
    given = {kind: dict(net.weights[kind]["backbone"]) for kind in net.weights}
    kernel = np.asarray(given["params"]["block1"]["conv1"]["kernel"])
    run = config.from_dict(config.to_dict(net.config))
    run.clip.stream = "flow"
    meta = trained_model.RunMetadata(run, net.layout, net.labels, net.channels)
    assert trained_model.example_input(meta).shape == (1, 2, 32, 32, 2)
    flow = {
        "params": {
            "backbone": {
                "block1": {"conv1": {"kernel": np.zeros((3, 3, 2, kernel.shape[3]), np.float32)}}
            }
        }
    }
    weights = keras.Pretrained(
        "xception", {}, {"params": {"block1": {"conv1": {"kernel": kernel}}}}
    )
    found = keras.insert_backbone(flow, weights)["params"]["backbone"]["block1"]["conv1"]["kernel"]
    np.testing.assert_allclose(found, np.repeat(kernel.mean(2, keepdims=True), 2, 2), rtol=1e-6)


def test_a_network_of_flow_is_asked_about_no_file_and_not_served(trained_run):
    net = trained_model.load(trained_run[0])
    run = config.from_dict(config.to_dict(net.config))
    run.clip.stream = "flow"
    asked = predictor.Predictor(dataclasses.replace(net, config=run))
    with pytest.raises(
        UserError, match="reads optical flow, which only prepared records hold; see jaxact evaluate"
    ):
        asked.open_video("any.mp4")
    with pytest.raises(UserError, match="reads optical flow"):
        predictions.warm_up(asked)


def test_a_recurrent_network_begins_with_the_backbone_of_single_frames_and_its_own_excitation(
    trained_run, capsys
):
    net = trained_model.load(trained_run[0])
    run = config.from_dict(config.to_dict(net.config))
    run.model = config.SCXceptionConfig(
        width=1 / 32, depth=0.0, skip=run.model.skip, train_from="all", filters=2, hidden=4
    )
    meta = trained_model.RunMetadata(run, net.layout, net.labels, net.channels)
    shapes = jax.eval_shape(
        trained_model.build(meta).init,
        jax.random.key(0),
        jnp.zeros(trained_model.example_input(meta).shape),
    )
    own = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape), shapes)
    begun = state.TrainState(
        step=0, params=own["params"], batch_stats=own["batch_stats"], opt_state=()
    )
    moved = initialisation.transfer(begun, net, "runs/tsn")
    assert (
        "'backbone/block13/excitation/ce/conv' is initialised anew: the network in 'runs/tsn'"
        in capsys.readouterr().err
    )
    assert jax.tree.structure(moved.params) == jax.tree.structure(begun.params)
    found, wanted = (
        flatten_dict(tree["backbone"]) for tree in (moved.params, net.weights["params"])
    )
    for path, value in found.items():
        np.testing.assert_array_equal(value, wanted.get(path, 0))
    assert not any(value.any() for value in jax.tree.leaves(moved.params["convgru"]))
    theirs = dataclasses.replace(net, weights=own)
    with pytest.raises(
        UserError, match=r"module 'backbone' of the network in 'runs/sc' has other shapes"
    ):
        initialisation.transfer(begun.replace(params=net.weights["params"]), theirs, "runs/sc")


def test_data_and_network_of_different_kinds_are_one_sentence(folder, tmp_path):
    run = config.TrainConfig()
    run.data = run_of(folder).data
    message = (
        "the model 'stgcn' reads records of the kind 'skeleton', "
        "those of 'video_folder' are of the kind 'video'"
    )
    with pytest.raises(UserError, match=message):
        loop.run(run, tmp_path / "run")
    assert not list(tmp_path.glob("run/checkpoints/*"))


def test_flow_that_was_not_stored_is_one_sentence(folder, tmp_path):
    with pytest.raises(
        UserError, match=r"clip.stream='flow' needs stored flow; prepare 'video_folder' again with"
    ):
        loop.run(run_of(folder, "--config.clip.stream=flow"), tmp_path / "run")


def test_the_evaluator_counts_every_clip_once(folder, trained_run, tmp_path):
    report = classification.run(trained_run[0], out=tmp_path, split="all", batch_size=8)
    assert report["count"] == 16 and "leaks" not in report and folder.exists()
