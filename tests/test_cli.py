"""The command line: its contract, and one sentence and exit code 2 for every mistake of the
user's.
"""

import dataclasses
import errno
import json
import shutil

import numpy as np
import pytest

from jaxact import cli, export, skeletons
from jaxact.datasets import dataset_info
from jaxact.errors import UserError
from jaxact.evaluation import classification, report
from jaxact.runs import trained_model
from jaxact.training import preemption
from tests.helpers import toys

CONFIG = """
from tests.helpers import toys
def get_config(arg=""):
    run = toys.run_config(epochs=1, eval_every=0.0, devices=1)
    run.data.name, run.data.data_dir = "custom/toy", {data_dir!r}
    run.clip.persons, run.clip.frames = 1, 8
    return run
"""


@pytest.fixture(scope="module", autouse=True)
def short():
    with toys.short_networks():
        yield


@pytest.fixture(scope="module")
def world(short, tmp_path_factory):
    """A folder with a prepared set of twelve clips, a config, and a run of it."""
    root = tmp_path_factory.mktemp("world")
    raw = root / "raw"
    raw.mkdir()
    random = np.random.default_rng(0)
    rows = ["id,label,split"]
    for index in range(12):
        label = "wave" if index % 2 else "clap"
        np.save(
            raw / f"c{index}.npy",
            (random.standard_normal((9, 18, 3)) + index % 2).astype(np.float32),
        )
        rows.append(f"c{index},{label},{'test' if index >= 8 else 'train'}")
    (raw / "labels.csv").write_text("\n".join(rows) + "\n")
    data = str(root / "data")
    assert (
        cli.main(
            [
                "prepare",
                "custom",
                "--name",
                "toy",
                "--layout",
                "openpose-18",
                "--raw",
                str(raw),
                "--data-dir",
                data,
            ]
        )
        == 0
    )
    (root / "config.py").write_text(CONFIG.format(data_dir=data))
    assert (
        cli.main(["train", "--config", str(root / "config.py"), "--workdir", str(root / "run")])
        == 0
    )
    return root


def refused(capsys, *arguments: str) -> str:
    """The one line that a refused command prints."""
    capsys.readouterr()
    assert cli.main(list(arguments)) == 2
    captured = capsys.readouterr()
    message = [line for line in captured.err.splitlines() if line.startswith("jaxact: ")]
    assert len(message) == 1 and "Traceback" not in captured.err
    return message[0]


def test_evaluate_export_and_plot_work_on_what_train_leaves(world, tmp_path, capsys):
    run = str(world / "run")
    assert cli.main(["evaluate", "--checkpoint", run, "--out", str(tmp_path / "results")]) == 0
    report = json.loads((tmp_path / "results" / "metrics.json").read_text())
    assert (
        report["count"] == 4
        and {"top1", "top5", "mean_class"} <= report.keys()
        and report["split"] == "test"
    )
    assert (
        cli.main(
            [
                "evaluate",
                "--checkpoint",
                run,
                "--split",
                "train",
                "--subset",
                "wave",
                "--out",
                str(tmp_path / "wave"),
            ]
        )
        == 0
    )
    subset = json.loads((tmp_path / "wave" / "metrics.json").read_text())
    assert subset["count"] == 4 and subset["subset"] == "wave"
    data = ["--data-dir", str(world / "data")]
    assert (
        cli.main(["export", "--checkpoint", run, *data, "--out", str(tmp_path / "net.jaxact")]) == 0
    )
    assert (
        "the same class for 100.0% of inputs: 32 random, 2 random of 4 frames, "
        "2 random of 21 frames, 4 real" in (capsys.readouterr().out)
    )
    for arguments in (
        ["curves", run, "--out", str(tmp_path / "curves.png")],
        ["confusion", str(tmp_path / "results"), "--out", str(tmp_path / "confusion.png")],
        ["classes", str(tmp_path / "results"), "--out", str(tmp_path / "classes.png")],
        ["partition", "openpose-18", "--out", str(tmp_path / "partition.png")],
        ["clip", "custom/toy", *data, "--id", "c9", "--out", str(tmp_path / "clip.gif")],
        ["response", "--checkpoint", run, "--id", "c9", "--out", str(tmp_path / "response.png")],
    ):
        assert cli.main(["plot", *arguments]) == 0, arguments
        assert (tmp_path / arguments[-1].rsplit("/", 1)[1]).stat().st_size > 1000
    assert {p.name for p in tmp_path.iterdir()} == {
        "results", "wave", "net.jaxact",
        "curves.png", "confusion.png", "classes.png", "partition.png", "clip.gif",
        "response.png",
    }  # fmt: skip


def test_export_writes_the_format_and_the_step_that_are_asked_for(capsys, monkeypatch, tmp_path):
    asked = {}

    def run(workdir, **options):
        asked.update(options, workdir=workdir)
        raise UserError("seen")

    monkeypatch.setattr(export, "run", run)
    out = str(tmp_path / "net.safetensors")
    options = ["--format", "safetensors", "--step", "3", "--data-dir", "data", "--out", out]
    assert refused(capsys, "export", "--checkpoint", "run", *options) == "jaxact: seen"
    wanted = {
        "workdir": ["run"],
        "format": "safetensors",
        "step": 3,
        "how": None,
        "data_dir": "data",
        "out": out,
    }
    assert asked == wanted | {"shares": None}


def test_training_again_in_a_finished_folder_says_so_and_changes_nothing(world, capsys):
    before = (world / "run" / "metrics.jsonl").read_text()
    assert (
        cli.main(["train", "--config", str(world / "config.py"), "--workdir", str(world / "run")])
        == 0
    )
    assert "finished 1 steps" in capsys.readouterr().out
    assert (world / "run" / "metrics.jsonl").read_text() == before


@pytest.mark.parametrize("streams", [[], ["--streams", "joint,bone"]])
def test_a_run_that_a_signal_stopped_does_not_count_as_finished(
    streams, world, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(preemption.StopRequest, "requested", lambda self, step: True)
    words = ["train", "--config", str(world / "config.py"), "--workdir", str(tmp_path / "run")]
    assert cli.main([*words, *streams]) == 130
    assert "the same command resumes there" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command", ["quickstart", "prepare", "check", "train", "evaluate", "export", "plot"]
)
def test_help_shows_a_real_example(command, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main([command, "--help"])
    assert end.value.code == 0
    assert f"jaxact {command}" in capsys.readouterr().out.split("example")[-1]


def test_an_unknown_option_is_refused(world, capsys):
    config = str(world / "config.py")
    message = refused(capsys, "train", "--config", config, "--workdir", "x", "--config.optim.lr=3")
    assert (
        "unknown option config.optim.lr: no 'lr'; available: " in message
        and "learning_rate" in message
    )
    assert "unknown argument '--epochs=3'" in refused(
        capsys, "train", "--config", config, "--workdir", "x", "--epochs=3"
    )
    assert "unknown argument '--top'" in refused(
        capsys, "evaluate", "--checkpoint", "x", "--out", "y", "--top"
    )


def test_an_unknown_data_set_lists_those_there_are(capsys, tmp_path):
    message = refused(
        capsys, "prepare", "ntu61", "--raw", str(tmp_path), "--data-dir", str(tmp_path)
    )
    assert (
        "'ntu61'" in message
        and "kinetics_skeleton" in message
        and "did you mean 'ntu60'" in message
    )
    assert not list(tmp_path.iterdir())


def test_an_unknown_layout_lists_those_there_are(capsys, tmp_path, world):
    message = refused(capsys, "plot", "partition", "ntu25", "--out", str(tmp_path / "x.png"))
    assert "'ntu25'" in message and "openpose-18" in message
    where = ["--raw", str(world / "raw"), "--data-dir", str(tmp_path)]
    assert "'coco18'" in refused(
        capsys, "prepare", "custom", "--name", "toy", "--layout", "coco18", *where
    )
    assert not list(tmp_path.iterdir())


def test_a_missing_raw_folder_is_refused(capsys, tmp_path):
    message = refused(
        capsys, "prepare", "ntu60", "--raw", str(tmp_path / "none"), "--data-dir", str(tmp_path)
    )
    assert str(tmp_path / "none") in message and not list(tmp_path.iterdir())


def test_a_data_set_that_is_not_prepared_names_the_command(world, capsys, tmp_path):
    config = str(world / "config.py")
    other = ["--config.data.name=utd_mhad", "--data-dir", str(tmp_path)]
    message = refused(
        capsys, "train", "--config", config, "--workdir", str(tmp_path / "run"), *other
    )
    assert (
        "'utd_mhad' is not prepared" in message and "jaxact prepare utd_mhad --raw DIR" in message
    )
    assert not list(tmp_path.iterdir())


def test_an_unknown_split_or_subset_is_refused(world, capsys, tmp_path):
    out = str(tmp_path / "out")
    run = str(world / "run")
    assert "'val'" in refused(
        capsys, "evaluate", "--checkpoint", run, "--split", "val", "--out", out
    )
    message = refused(capsys, "evaluate", "--checkpoint", run, "--subset", "run", "--out", out)
    assert "no class or subset 'run'" in message and "clap, wave" in message
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_that_is_not_there_is_refused(world, capsys, tmp_path):
    out = str(tmp_path / "out")
    assert "no checkpoints in" in refused(
        capsys, "evaluate", "--checkpoint", str(tmp_path), "--out", out
    )
    assert "no checkpoint of step 77" in refused(
        capsys, "export", "--checkpoint", str(world / "run"), "--step", "77", "--out", out
    )
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_of_another_model_is_refused(world, capsys, tmp_path):
    config = str(world / "config.py")
    message = refused(
        capsys,
        "train",
        "--config",
        config,
        "--workdir",
        str(world / "run"),
        "--config.model.width=8",
    )
    assert "holds a run with other options (model.width 4 -> 8)" in message


def test_another_version_of_the_data_than_the_checkpoints_is_refused(world, capsys, tmp_path):
    shutil.copytree(world / "data/custom/toy/1.0.0", tmp_path / "data/custom/toy/2.0.0")
    given = [
        "--checkpoint",
        str(world / "run"),
        "--data-dir",
        str(tmp_path / "data"),
        "--out",
        str(tmp_path / "out"),
    ]
    assert "trained on version 1.0.0 of 'custom/toy'" in refused(capsys, "evaluate", *given)
    assert not (tmp_path / "out").exists()


def test_data_of_another_layout_than_the_checkpoints_are_refused(world):
    info, net = (
        dataset_info.load("custom/toy", str(world / "data")),
        trained_model.load(world / "run"),
    )
    classification.check_data(info, net)
    with pytest.raises(
        UserError, match="the 2 classes of 'custom/toy' are not the 4 of the checkpoint"
    ):
        classification.check_data(info, dataclasses.replace(net, labels=toys.LABELS))
    with pytest.raises(
        UserError,
        match=r"has the layout 'openpose-18' with channels .*, the checkpoint 'ntu-25' with",
    ):
        classification.check_data(
            info, dataclasses.replace(net, layout=skeletons.get_layout("ntu-25"))
        )


@pytest.mark.slow
def test_streams_train_a_network_each_and_fuse_and_a_second_call_trains_nothing_anew(
    world, tmp_path, capsys
):
    names = ["joint", "joint_motion"]
    command = [
        "train",
        "--config",
        str(world / "config.py"),
        "--workdir",
        str(tmp_path),
        "--streams",
        ",".join(names),
    ]
    assert cli.main(command) == 0
    fused = json.loads((tmp_path / "fused" / "metrics.json").read_text())
    assert fused["count"] == 4 and fused["fusion"]["weights"] == [2.0, 1.0]
    streams = [
        json.loads((tmp_path / name / "results" / "metrics.json").read_text()) for name in names
    ]
    assert [report["preprocessing"]["stream"] for report in streams] == names
    assert fused["fusion"]["top1"] == [report["top1"] for report in streams]
    assert not toys.same(*(toys.weights(tmp_path / name / "run") for name in names))
    saved = sorted((path, path.stat().st_mtime_ns) for path in tmp_path.glob("*/run/checkpoints/*"))
    assert cli.main(command) == 0
    assert (
        sorted((path, path.stat().st_mtime_ns) for path in tmp_path.glob("*/run/checkpoints/*"))
        == saved
    )
    for streams in ("joint", "joint,joint"):
        assert "wanted at least two different ones of joint, bone" in refused(
            capsys, *command[:-1], streams
        )
    for streams, unknown in (("joint,bones", "bones"), ("joint,bone+joints", "joints")):
        assert f"unknown stream '{unknown}'" in refused(capsys, *command[:-1], streams)


def test_a_protocol_for_other_records_is_refused(world, capsys, tmp_path):
    config, where = str(world / "config.py"), str(tmp_path / "run")
    message = refused(
        capsys, "train", "--config", config, "--workdir", where, "--config.protocol=ctr"
    )
    assert (
        "the protocol 'ctr' is for records of x, y, z, but these records hold x, y, score"
        in message
    )
    assert not list(tmp_path.iterdir())


def test_several_processes_need_all_three_arguments(world, capsys):
    config = str(world / "config.py")
    message = refused(
        capsys,
        "train",
        "--config",
        config,
        "--workdir",
        "x",
        "--coordinator",
        "localhost:1",
        "--processes",
        "2",
    )
    assert "need all of --coordinator, --processes and --process" in message


def test_a_missing_package_names_the_extra(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    message = refused(capsys, "prepare", "utd_mhad", "--raw", str(tmp_path))
    assert (
        "needs the package 'tensorflow', which is not installed: pip install 'jaxact[data]'"
        in message
    )


def test_an_error_of_ours_is_not_dressed_up_as_the_users(monkeypatch):
    def broken(folder):
        raise ZeroDivisionError

    monkeypatch.setattr(report, "read", broken)
    with pytest.raises(ZeroDivisionError):
        cli.main(["plot", "confusion", "x", "--out", "y"])


def test_a_full_disk_while_evaluating_leaves_nothing(world, capsys, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    message = refused(
        capsys, "evaluate", "--checkpoint", str(world / "run"), "--out", str(tmp_path / "out")
    )
    assert "No space left on device" in message
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]
