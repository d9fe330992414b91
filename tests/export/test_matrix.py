"""The page of all exports begins with its versions, and takes over those of a page made with
others.
"""

import importlib.util
import platform
from pathlib import Path

import jax
import pytest

PATH = Path(__file__).parents[2] / "scripts" / "export_matrix.py"


@pytest.fixture(scope="module")
def matrix():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("export_matrix", PATH)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def described(difference):
    """The description of an artifact that differs from its network by this share."""
    proof = {
        "logit_range": 2.0,
        "max_difference": 1e-6,
        "max_relative_difference": difference,
        "top1_agreement": 1.0,
    }
    return {"input": {"symbolic": ["n"]}, "parity": proof}


def test_the_summary_names_versions_and_counts_exports_and_refusals(matrix):
    row = matrix.summary_row(
        [described(2e-7), "not exported: it gives no classes", described(3e-5)]
    )
    assert row.startswith(f"| {platform.python_version()} | {jax.__version__} | ")
    assert row.endswith(" | 2 | 1 | 3.0e-05 |")
    assert (
        row.count("|")
        == matrix.SUMMARY.splitlines()[0].count("|")
        == matrix.SUMMARY.splitlines()[1].count("|")
    )


def test_a_page_takes_over_the_summary_of_another(matrix, tmp_path, monkeypatch):
    page, other = tmp_path / "page.md", tmp_path / "other.md"
    results = iter([described(3e-5), described(2e-7), "refused"])
    monkeypatch.setattr(matrix, "exported", lambda name, format: next(results))
    options = ["export_matrix.py", "--models", "stgcn", "--formats"]
    monkeypatch.setattr("sys.argv", [*options, "onnx", "--out", str(other)])
    matrix.main()
    monkeypatch.setattr(
        "sys.argv", [*options, "onnx,stablehlo", "--out", str(page), "--beside", str(other)]
    )
    matrix.main()
    first, second = matrix.summary_rows(page.read_text())
    assert first.endswith(" | 1 | 1 | 2.0e-07 |") and second.endswith(" | 1 | 0 | 3.0e-05 |")
    assert "The same table was made with the versions of the other rows." in page.read_text()
    assert "other rows" not in other.read_text()
    assert page.read_text().endswith("| `stgcn` | stablehlo | - | - | - | - | refused |\n")


def test_a_page_without_a_summary_is_refused(matrix):
    with pytest.raises(SystemExit, match="a page without a summary"):
        matrix.summary_rows("# Exports\n")
