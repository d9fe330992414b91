"""Scripts: the tables of the ST-GCN paper name configs that exist, and say what they lack."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from jaxact import config

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture(scope="module")
def reproduce():
    spec = importlib.util.spec_from_file_location("reproduce_stgcn", SCRIPTS / "reproduce_stgcn.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(reproduce, monkeypatch, *arguments) -> int:
    monkeypatch.setattr(sys, "argv", ["reproduce_stgcn.py", *map(str, arguments)])
    return reproduce.main()


def test_every_row_has_the_papers_figures_and_a_config_that_loads(reproduce):
    for table, rows in reproduce.TABLES.items():
        for paper, source in rows.values():
            assert len(paper) == len(reproduce.COLUMNS[table])
            if isinstance(source, str):
                views = reproduce.VIEWS if reproduce.COLUMNS[table] == reproduce.VIEWS else ("",)
                for view in views:
                    run = config.load(f"{reproduce.CONFIGS / source}{',' if view else ''}{view},quick")
                    assert run.epochs == 1 and (not view or run.data.eval_split == f"{view}_test")


def test_without_prepared_data_a_table_still_prints_the_papers_figures_and_why(
    reproduce, monkeypatch, tmp_path, capsys
):
    assert run(reproduce, monkeypatch, "--table", 3, "--data-dir", tmp_path / "none", "--out", tmp_path) == 0
    printed = capsys.readouterr().out
    assert "| ST-GCN | 81.5 | not run: ntu60 is not prepared in" in printed
    assert "| Lie Group (Veeriah et al.) | 50.1 | not a system of ours: the paper's quotation | 52.8 |  |" in printed
    assert (tmp_path / "table3.md").read_text() == printed
    rows = json.loads((tmp_path / "table3.json").read_text())["rows"]
    assert rows[-1]["paper"] == [81.5, 88.3] and rows[-1]["columns"] == ["xsub", "xview"]


def test_the_ensemble_table_adds_scores_from_files(reproduce, monkeypatch, tmp_path, capsys):
    ids, labels = [f"clip{index}" for index in range(4)], np.array([0, 1, 2, 0])
    rgb = np.eye(3)[[0, 1, 0, 1]] * 2.0  # the first two are right
    flow = np.eye(3)[[1, 1, 2, 2]] * 3.0  # the second and the third are right
    for name, scores in (("rgb", rgb), ("flow", flow)):
        np.savez(tmp_path / f"{name}.npz", names=ids, scores=scores, labels=labels)
    files = ["--rgb", tmp_path / "rgb.npz", "--flow", tmp_path / "flow.npz"]
    assert run(reproduce, monkeypatch, "--table", 5, "--data-dir", tmp_path, "--out", tmp_path, *files) == 0
    printed = capsys.readouterr().out
    assert "| RGB | 70.3 | 50.0 |" in printed and "| Flow | 51.0 | 50.0 |" in printed
    assert "| RGB + Flow | 71.1 | 50.0 |" in printed
    assert "| RGB + ST-GCN | 71.2 | not run: kinetics_skeleton is not prepared in" in printed
    assert run(reproduce, monkeypatch, "--table", 5, "--data-dir", tmp_path, "--out", tmp_path, *files[:2]) == 0
    assert "| Flow | 51.0 | not run: needs --flow SCORES |" in capsys.readouterr().out
