"""A pose network on records: it is trained, and its joints are set beside the marked ones, in
pixels of the files.
"""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxact import cli, config
from jaxact.datasets import dataset_info, records
from jaxact.errors import UserError
from jaxact.evaluation import pose
from jaxact.plots import style
from jaxact.runs import state, trained_model
from jaxact.skeletons.pose_body import BODY
from jaxact.training import loop
from tests.helpers.random_weights import fill
from tests.helpers.raw_data import write_coco

pytestmark = pytest.mark.slow

CONFIG = """
from jaxact.config import *

def get_config(arg=""):
    return TrainConfig(
        data=DataConfig(name="coco_keypoints"),
        model=PoseConfig(width=0.125, filters=4, stages=1),
        clip=PoseClipConfig(height=32, width=32, persons=3),
        augment=PoseAugmentConfig(),
        optim=OptimConfig(name="adamw", learning_rate=1e-3, schedule="constant", weight_decay=0.0),
        batch_size=4, epochs=4, eval_every=0.0, log_every=1, devices=1,
    )
"""


def count(now, batch):
    """In place of a training step, whose gradient takes most of a minute to compile."""
    sums = {"loss": 1.0, "count": float(len(batch["inputs"])), "grad_norm": 1.0}
    return now.replace(step=now.step + 1), {
        name: jnp.asarray(value) for name, value in sums.items()
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """COCO in miniature, prepared, and a run on it whose weights stay random."""
    root = tmp_path_factory.mktemp("poses")
    write_coco(root / "raw")
    assert (
        cli.main(
            ["prepare", "coco_keypoints", "--raw", f"{root}/raw", "--data-dir", f"{root}/data"]
        )
        == 0
    )
    (root / "tiny.py").write_text(CONFIG)
    run = config.load(str(root / "tiny.py"))
    run.data.data_dir = str(root / "data")
    init = state.init
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state, "init", lambda *network: fill(jax.eval_shape(lambda: init(*network))))
        patch.setattr(loop, "_compiled_step", lambda *_: count)
        outcome = loop.run(run, root / "run")
    assert outcome.metrics is not None and set(outcome.metrics) == {"loss", "count"}
    return root


def test_a_pose_network_is_trained_on_records(folder, tmp_path):
    run = config.load(str(folder / "tiny.py"))
    run.data.data_dir = str(folder / "data")
    outcome = loop.run(run, tmp_path)
    assert outcome.metrics is not None and set(outcome.metrics) == {"loss", "count"}
    net, before = (
        trained_model.load(workdir, classifier=False) for workdir in (tmp_path, folder / "run")
    )
    assert jax.tree.structure(net.weights) == jax.tree.structure(before.weights)
    losses = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert all(np.isfinite(line["train_loss"]) for line in losses if "train_loss" in line)


def test_evaluate_tells_pck_and_average_precision_of_a_pose_run(folder, capsys):
    assert trained_model.input_kind(folder / "run") == "pose"
    assert (
        cli.main(["evaluate", "--checkpoint", f"{folder}/run", "--out", f"{folder}/results"]) == 0
    )
    assert "1 pictures" in (said := capsys.readouterr().out) and "PCK@0.2" in said and "AP " in said
    report = json.loads((folder / "results/metrics.json").read_text())
    assert (
        set(report["joints"]) == {"nose", "left_shoulder"} < set(BODY.joints)
        and report["model"]["name"] == "pose"
    )
    assert 0 <= report["AP"] <= 1 and report["split"] == "test"
    with np.load(folder / "results/joints.npz") as held:
        assert held["found"].shape == held["true"].shape == (1, 14, 3) and held["true"][0].any()


def test_perfect_answers_are_found_where_the_file_has_them(folder, monkeypatch):
    net = trained_model.load(folder / "run", classifier=False)
    info = dataset_info.load("coco_keypoints", str(folder / "data"))
    record = next(records.records(info, "test", fields=("joints",)).as_numpy_iterator())["joints"][
        0, 0
    ]

    def answer(clips, persons):
        """A person whose joints lie at the places of the record's first three, in pixels of the
        example.
        """
        del clips
        people = np.zeros((4, persons, 14, 3), np.float32)
        people[:, 0, 0] = (
            *(record[0, :2] * 0.8 + (0, 4)),
            1,
        )  # 40 x 30 pixels in 32 x 32: zoom 0.8, 4 rows above
        return people

    monkeypatch.setattr(pose.pose_decoding, "decode", lambda clips, persons: answer(clips, persons))
    (found,) = pose.predict(net, info, "test", batch_size=4, persons=2)
    np.testing.assert_allclose(found.people[0, 0, :2], record[0, :2], atol=1e-4)
    np.testing.assert_allclose(found.true[0, 0], record[0], atol=1e-4)
    assert found.people.shape == (1, 14, 3) and len(found.true) == 1


def test_what_a_pose_network_is_not_for_is_one_sentence(folder, capsys, tmp_path):
    arguments = ["evaluate", "--checkpoint", f"{folder}/run", "--out", f"{tmp_path}/results"]
    assert cli.main([*arguments, "--kept", "2"]) == 2
    assert "--kept is for action classifiers" in capsys.readouterr().err
    assert cli.main([*arguments, "--split", "val2"]) == 2
    assert "'val2'" in capsys.readouterr().err and not (tmp_path / "results").exists()
    with pytest.raises(
        UserError, match="gives no classes; `jaxact evaluate` and `jaxact stream --pose` take it"
    ):
        trained_model.load(folder / "run")
    assert jnp.isfinite(jnp.asarray(trained_model.load(folder / "run", classifier=False).step))


@pytest.fixture
def results(folder):
    """An evaluation of the run, its surest person replaced by the marked one with a knee that is
    far off.
    """
    out = folder / "drawn"
    pose.run(folder / "run", out=out)
    with np.load(out / "joints.npz") as held:
        stored = {name: held[name] for name in held.files}
    stored["found"] = np.where(stored["true"][..., 2:] > 0, stored["true"], 0)
    stored["found"][0, BODY.joints.index("nose"), :2] += 30
    np.savez(out / "joints.npz", **stored)
    return out


def test_pictures_of_an_evaluation_come_with_what_was_found_and_marked(folder, results):
    (each,) = pose.examples(results, count=3)
    assert (each.hits.correct.sum(), each.hits.annotated.sum()) == (1, 2)
    assert each.picture.shape == (30, 40, 3) and each.picture.dtype == np.uint8
    info = dataset_info.load("coco_keypoints", str(folder / "data"))
    record = next(records.records(info, "test", fields=("id", "joints")).as_numpy_iterator())
    assert each.id == record["id"].decode()
    np.testing.assert_allclose(each.true[0], record["joints"][0, 0, 0], atol=1e-4)


def test_overlays_draw_marks_where_they_are(results, tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    drawn, save = [], style.save
    monkeypatch.setattr(
        style, "save", lambda drawing, out: (drawn.append(drawing), save(drawing, out))
    )
    assert cli.main(["plot", "poses", str(results), "--out", f"{tmp_path}/poses.png"]) == 0
    (axes,) = drawn[0].axes
    (each,) = pose.examples(results)
    rings = axes.collections[-1].get_offsets()
    np.testing.assert_allclose(rings, each.true[each.true[:, 2] > 0, :2], atol=1e-4)
    assert "1 of 2 joints right" in [text.get_text() for text in axes.texts]
    assert (tmp_path / "poses.png").stat().st_size > 2000


def test_overlays_of_something_else_are_one_sentence(results, tmp_path, capsys):
    assert cli.main(["plot", "poses", str(tmp_path), "--out", f"{tmp_path}/poses.png"]) == 2
    assert "wanted the --out of `jaxact evaluate` of a pose network" in capsys.readouterr().err
    assert (
        cli.main(["plot", "poses", str(results), "--count", "0", "--out", f"{tmp_path}/poses.png"])
        == 2
    )
    assert "--count is at least 1" in capsys.readouterr().err
    assert (
        cli.main(
            [
                "plot",
                "poses",
                str(results),
                "--data-dir",
                f"{tmp_path}",
                "--out",
                f"{tmp_path}/poses.png",
            ]
        )
        == 2
    )
    assert (
        "'coco_keypoints' is not prepared" in capsys.readouterr().err
        and not (tmp_path / "poses.png").exists()
    )


def test_joint_weights_are_one_for_each_map_of_joints():
    run = config.TrainConfig(
        model=config.PoseConfig(), clip=config.PoseClipConfig(), augment=config.PoseAugmentConfig()
    )
    for background in (False, True):
        run.model.background, run.loss.joint_weights = background, (3.0,) * (14 + background)
        loop.check_joint_weights(run)
    run.loss.joint_weights = (3.0, 1.0)
    with pytest.raises(
        UserError, match="has 2 numbers; wanted none, or one for each of the 15 maps of joints"
    ):
        loop.check_joint_weights(run)
    with pytest.raises(
        UserError, match=r"unknown option config\.loss\.joint_weights: no 'joint_weights'"
    ):
        config.override(config.TrainConfig(), "loss.joint_weights", "(1.0, 1.0)")
