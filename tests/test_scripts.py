"""Scripts: every row of a paper's table names a config that exists, or says why it is not run."""

import dataclasses
import importlib.util
import json
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from jaxact import config
from jaxact.errors import UserError
from jaxact.evaluation import score_fusion
from scripts import reproduce
from scripts.reproduce import SKELETONS, NotRun, Runs, dataset_of

SCRIPTS = Path(__file__).parents[1] / "scripts"


def script(name: str):
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def stgcn():
    return script("reproduce_stgcn")


def run(module, monkeypatch, *arguments) -> int:
    monkeypatch.setattr(sys, "argv", ["reproduce.py", *map(str, arguments)])
    inputs = getattr(module, "SCORES", getattr(module, "INPUTS", None))
    return module.main(
        module.__file__, module.__doc__, module.TABLES, inputs, getattr(module, "SETS", SKELETONS)
    )


@pytest.mark.parametrize(
    "name", ["reproduce_stgcn", "reproduce_stagcn", "reproduce_convgru", "reproduce_online"]
)
def test_every_row_has_the_papers_figures_and_configs_that_load(name, monkeypatch, tmp_path):
    """Each row's configs are loaded in place of training; the report is run_config up."""
    module, sources = script(name), []

    def train(self, source, *more, name=""):
        run_config = config.load(f"{SCRIPTS.parent / 'configs' / source},quick", more)
        assert run_config.epochs == 1
        sources.append((source, run_config))
        return tmp_path / "runs" / source / name

    report = dict.fromkeys(("top1", "top5", "mean_class"), 0.25)
    monkeypatch.setattr(Runs, "train", train)
    monkeypatch.setattr(Runs, "report", lambda *_, **__: report)
    monkeypatch.setattr(
        Runs, "fused", lambda self, source, streams, *more: [train(self, source, *more), report][1]
    )
    monkeypatch.setattr(score_fusion, "run", lambda *_, **__: report)
    runs = Runs(
        configs=SCRIPTS,
        out=tmp_path,
        data_dir="",
        quick=True,
        overrides=(),
        files={"rgb": None, "flow": None},
    )
    for table in module.TABLES.values():
        for paper, ours in table.rows.values():
            assert len(paper) == len(table.columns)
            try:
                cells = ours(runs) if ours else [25.0] * len(table.columns)
            except (module.NotRun, UserError):  # score files that are not given
                continue
            assert len(cells) == len(table.columns)
            assert all(cell in (25.0, "", "no row of the paper") for cell in cells)
    for source, run_config in sources:
        if view := [word for word in ("xsub", "xview") if word in source]:
            assert (
                run_config.data.eval_split == f"{view[0]}_test"
                and run_config.data.train_split.startswith(f"{view[0]}_train")
            )
        assert run_config.data.name == dataset_of(source)
    assert len({source for source, _ in sources}) >= 10


def test_a_figure_is_the_mean_of_five_folds_on_clips_that_were_trained_on_and_others(
    monkeypatch, tmp_path, capsys
):
    module, sources = script("reproduce_online"), []
    monkeypatch.setattr(
        Runs, "train", lambda self, source, *_: sources.append(source) or tmp_path / source
    )

    def report(self, workdir, *options, name="results"):
        fold = int(workdir.name[-1])
        assert options == (
            ("--split", f"{workdir.name.split(',')[2]}_train") if name == "training" else ()
        )
        return {"top1": (fold + (4 if name == "training" else 0)) / 10}

    monkeypatch.setattr(Runs, "report", report)
    monkeypatch.setattr(
        sys, "argv", ["reproduce_online.py", "--figure", "6", "--out", str(tmp_path)]
    )
    assert (
        reproduce.main(
            module.__file__, module.__doc__, module.TABLES, sets=module.SETS, what="figure"
        )
        == 0
    )
    assert sources == [
        f"recogniser.py:ucf101_32,full,{by}fold{fold}"
        for by in ("", "group_")
        for fold in range(1, 6)
    ]
    text = capsys.readouterr().out
    assert (
        "| LSTM + attention, p = 0.5 | 98.0 | 70.0 | 97.0 | 30.0 |" in text
        and "recording on both sides" in text
    )
    assert (tmp_path / "figure6.md").read_text() == text


def test_networks_that_are_fused_with_a_searched_weight_never_see_what_it_is_searched_on(
    monkeypatch, tmp_path
):
    module, trained, scored, fused = script("reproduce_stagcn"), {}, [], {}

    def train(self, source, *more, name=""):
        workdir = tmp_path / f"{source}{name}" / "run"
        trained[workdir] = [word for word in more if "split" in word or "init_from" in word]
        return workdir

    def report(self, workdir, *options, name="results"):
        scored.append((workdir.parent / name, options))
        return {"top1": 0.5}

    monkeypatch.setattr(Runs, "train", train)
    monkeypatch.setattr(Runs, "report", report)
    monkeypatch.setattr(
        module.score_fusion,
        "run",
        lambda paths, **options: fused.update(paths=paths, **options) or {"top1": 0.5},
    )
    runs = Runs(configs=SCRIPTS, out=tmp_path, data_dir="", quick=False, overrides=(), files={})
    assert module.fused("stagcn.py:ntu60,xview", ("top1",))(runs) == [50.0]
    part = "--config.data.train_split=xview_train[:95%]"
    assert len(trained) == 3 and all(
        words[0] == part for words in trained.values()
    )  # SN, TN, and what SN begins with
    init_from = [words[1] for words in trained.values() if len(words) > 1]
    assert init_from == [
        f"--config.init_from={tmp_path / 'stagcn.py:ntu60,xview,pretrainpart' / 'run'}"
    ]
    held_out = {folder for folder, options in scored if options == ("--split", "xview_train[95%:]")}
    assert set(fused["search_on"]) == held_out and len(held_out) == 2
    assert set(fused["paths"]) == {folder for folder, options in scored if not options}


def test_frame_networks_begin_with_weights_that_are_given_or_train_from_scratch_where_it_is_asked(
    tmp_path,
):
    module = script("reproduce_convgru")
    runs = Runs(
        configs=SCRIPTS,
        out=tmp_path,
        data_dir="",
        quick=False,
        overrides=(),
        files={"xception": "x.st"},
    )
    assert module.weights(runs, "xception") == ["--config.init_from=x.st"]
    with pytest.raises(
        NotRun,
        match=r"not run: needs --inception_v3 FILE, of Inception-v3, which TSN begins with too",
    ):
        module.weights(runs, "inception_v3")
    scratch = dataclasses.replace(runs, overrides=("--config.model.train_from=all",))
    assert module.weights(scratch, "inception_v3") == [] and module.weights(scratch, "xception")
    assert (
        module.weights(dataclasses.replace(runs, quick=True), "xception") == []
    )  # whole weights fit no toy


def test_figures_of_others_stand_beside_networks_of_the_official_split(monkeypatch, tmp_path):
    module, sources = script("reproduce_convgru"), []
    monkeypatch.setattr(
        Runs, "train", lambda self, source, *_, **__: sources.append(source) or tmp_path
    )
    monkeypatch.setattr(Runs, "report", lambda *_, **__: {"top1": 0.5})
    monkeypatch.setattr(
        Runs, "fused", lambda self, source, *_: sources.append(source) or {"top1": 0.25}
    )
    runs = Runs(configs=SCRIPTS, out=tmp_path, data_dir="", quick=True, overrides=(), files={})
    rows = {name: ours(runs) for name, (_, ours) in module.TABLES[3].rows.items() if ours}
    assert rows["Two-stream"] == [25.0, 25.0] and rows["LRCN"] == [50.0, "no row of the paper"]
    assert sources[:3] == [
        "convgru.py:ucf101,xc_lstm,official1",
        "tsn.py:ucf101,official1",
        "tsn.py:hmdb51,official1",
    ]
    for source in sources:
        run_config = config.load(f"{SCRIPTS.parent / 'configs' / source},quick")
        assert run_config.data.eval_split == (
            "official1_test" if "official1" in source else "random_3to1_test"
        )
    assert "official split 1" in module.TABLES[3].note


def test_two_stream_rows_need_videos_with_flow(monkeypatch, tmp_path):
    runs = Runs(
        configs=SCRIPTS, out=tmp_path, data_dir=str(tmp_path), quick=True, overrides=(), files={}
    )
    with pytest.raises(NotRun, match=r"not run: ucf101 is not prepared in"):
        runs.fused("tsn.py:ucf101,official1", ("rgb", "flow"))
    monkeypatch.setattr(Runs, "data", lambda *_: types.SimpleNamespace(stored={"flow": None}))
    with pytest.raises(NotRun, match=r"not run: the videos are prepared without --flow"):
        runs.fused("tsn.py:ucf101,official1", ("rgb", "flow"))


def test_a_table_of_videos_prepares_its_own_samples_and_ends_with_its_note(
    monkeypatch, tmp_path, capsys
):
    prepared = []
    monkeypatch.setattr(reproduce, "_call", lambda *words: prepared.append(words[1]))
    monkeypatch.setattr(Runs, "train", lambda *_, **__: tmp_path)
    monkeypatch.setattr(Runs, "report", lambda *_, **__: {"top1": 0.5})
    module = script("reproduce_convgru")
    assert run(module, monkeypatch, "--table", 2, "--quick", "--out", tmp_path) == 0
    printed = capsys.readouterr().out
    assert prepared == ["ucf101", "hmdb51"] and "| 40 filters | 95.66 | 50.0 |" in printed
    assert printed.endswith("clips of one recording lie on both sides.\n")
    assert "random 3 : 1" in json.loads((tmp_path / "table2.json").read_text())["note"]


def test_without_prepared_data_a_table_still_prints_the_papers_figures_and_why(
    stgcn, monkeypatch, tmp_path, capsys
):
    assert (
        run(stgcn, monkeypatch, "--table", 3, "--data-dir", tmp_path / "none", "--out", tmp_path)
        == 0
    )
    printed = capsys.readouterr().out
    assert "| ST-GCN | 81.5 | not run: ntu60 is not prepared in" in printed
    quoted = "| Lie Group (Veeriah et al.) | 50.1 | not a system of ours: the paper's quotation |"
    assert f"{quoted} 52.8 |  |" in printed
    assert (tmp_path / "table3.md").read_text() == printed
    table = json.loads((tmp_path / "table3.json").read_text())
    assert table["rows"][-1]["paper"] == [81.5, 88.3] and table["columns"] == ["xsub", "xview"]


def test_the_ensemble_table_adds_scores_from_files(stgcn, monkeypatch, tmp_path, capsys):
    ids, labels = [f"clip{index}" for index in range(4)], np.array([0, 1, 2, 0])
    rgb = np.eye(3)[[0, 1, 0, 1]] * 2.0  # the first two are right
    flow = np.eye(3)[[1, 1, 2, 2]] * 3.0  # the second and the third are right
    for name, scores in (("rgb", rgb), ("flow", flow)):
        np.savez(tmp_path / f"{name}.npz", names=ids, scores=scores, labels=labels)
    files = ["--rgb", tmp_path / "rgb.npz", "--flow", tmp_path / "flow.npz"]
    assert (
        run(stgcn, monkeypatch, "--table", 5, "--data-dir", tmp_path, "--out", tmp_path, *files)
        == 0
    )
    printed = capsys.readouterr().out
    assert "| RGB | 70.3 | 50.0 |" in printed and "| Flow | 51.0 | 50.0 |" in printed
    assert "| RGB + Flow | 71.1 | 50.0 |" in printed
    assert "| RGB + ST-GCN | 71.2 | not run: kinetics_skeleton is not prepared in" in printed
    assert (
        run(stgcn, monkeypatch, "--table", 5, "--data-dir", tmp_path, "--out", tmp_path, *files[:2])
        == 0
    )
    assert "| Flow | 51.0 | not run: needs --flow SCORES |" in capsys.readouterr().out
