"""The settings of the test run itself."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_a_worker_that_dies_fails_the_run_instead_of_hanging_it(tmp_path):
    (tmp_path / "test_dies.py").write_text(
        "import os\ndef test_dies(): os._exit(3)\ndef test_after(): pass\n"
    )
    (tmp_path / "test_lives.py").write_text("def test_lives(): pass\n")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "pytest"
    ]["ini_options"]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        os.devnull,
        "--rootdir",
        str(tmp_path),
        *settings["addopts"],
    ]
    strict = ("--strict-config", "--strict-markers", "-m=not slow")
    command = [word for word in command if word not in strict]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")
    }
    outcome = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert outcome.returncode == 1, outcome.stdout + outcome.stderr
    assert re.search(
        r"worker 'gw\d' crashed while running 'test_dies.py::test_dies'", outcome.stdout
    )
