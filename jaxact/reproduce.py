"""A paper's table, row by row: each system trained, evaluated and set beside the printed figure.

A script names the rows; what it takes to run them is here. A call that was stopped goes on where it stood, and rows
that share a run share its folder.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxact import cli, files

DATASETS = {"kinetics": "kinetics_skeleton", "ntu60": "ntu60"}  # end of a config's name -> what it reads
QUOTED = "not a system of ours: the paper's quotation"

Ours = Sequence[float | str]  # a percentage, or why there is none, for each column


class NotRun(Exception):
    """A figure that is not there, and why."""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns, and rows of the paper's percentages and the function that finds ours; None for a quoted row."""

    columns: tuple[str, ...]
    rows: Mapping[str, tuple[tuple[float | None, ...], Callable[["Runs"], Ours] | None]]


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs behind a table.

    Attributes:
      configs: folder of the config files.
      out: folder of all runs, results and tables.
      data_dir: prepared data.
      quick: toy networks.
      overrides: options of every config, as on the command line.
      files: score files of systems that are not trained here.
    """

    configs: Path
    out: Path
    data_dir: str
    quick: bool
    overrides: tuple[str, ...]
    files: Mapping[str, str | None]

    def train(self, source: str, *more: str, name: str = "") -> Path:
        """The workdir of a config's run, trained where that is still to be done.

        Args:
          source: "stgcn_ntu60.py:xview,tcn".
          more: further overrides.
          name: told apart by it from another run of the same config.

        Raises:
          NotRun: its data set is not prepared.
        """
        from jaxact.datasets import read

        file, _, argument = source.partition(":")
        dataset = DATASETS[file.removesuffix(".py").split("_")[-1]]
        if dataset not in read.prepared(self.data_dir):
            raise NotRun(f"not run: {dataset} is not prepared in {str(read.data_root(self.data_dir))!r}")
        words = [word for word in argument.split(",") if word]
        workdir = self.out / "_".join([file.removesuffix(".py"), *words, *([name] if name else [])]) / "run"
        arguments = ",".join([*words, *(["quick"] if self.quick else [])])
        config = f"{self.configs / file}:{arguments}"
        _call("train", "--config", config, "--workdir", workdir, "--data-dir", self.data_dir, *more, *self.overrides)
        return workdir

    def report(self, workdir: Path, *options: str, name: str = "results") -> dict[str, Any]:
        """The report of a run, with options of `jaxact evaluate`."""
        _call("evaluate", "--checkpoint", workdir, "--out", workdir.parent / name, *options)
        return json.loads((workdir.parent / name / "metrics.json").read_text())


def percentages(source: str, columns: Sequence[str], *options: str, name: str = "results") -> Callable[[Runs], Ours]:
    """The figures called `columns` of one config's report."""

    def find(runs: Runs) -> Ours:
        found = runs.report(runs.train(source), *options, name=name)
        return [100 * found[column] for column in columns]

    return find


def beside(*parts: tuple[int, Callable[[Runs], Ours]]) -> Callable[[Runs], Ours]:
    """The columns of several finders side by side; each may lack its own, `count` of them."""

    def find(runs: Runs) -> Ours:
        cells: list[float | str] = []
        for count, part in parts:
            try:
                cells += part(runs)
            except NotRun as why:
                cells += [str(why), *[""] * (count - 1)]
        return cells

    return find


def main(script: str, about: str, tables: Mapping[int, Table], scores: Mapping[str, str] | None = None) -> int:
    """Runs one table from the command line; writes `table{N}.md` and `table{N}.json` beside the runs.

    Args:
      script: its path; the configs lie in `../configs`.
      about: its docstring.
      tables: by the paper's numbers.
      scores: options that name score files, and their help.
    """
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--table", type=int, required=True, choices=tables)
    parser.add_argument("--data-dir", default="")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--quick", action="store_true", help="toy networks on sample files that are made first")
    for name, text in (scores or {}).items():
        parser.add_argument(f"--{name}", help=text)
    options, overrides = parser.parse_known_args()
    data_dir = prepare_samples(options.out) if options.quick else options.data_dir
    given = {name: getattr(options, name) for name in scores or {}}
    runs = Runs(
        configs=Path(script).resolve().parents[1] / "configs",
        out=options.out,
        data_dir=data_dir,
        quick=options.quick,
        overrides=tuple(overrides),
        files=given,
    )
    table = tables[options.table]
    rows = [_row(runs, name, paper, ours, len(table.columns)) for name, (paper, ours) in table.rows.items()]
    found = {"quick": runs.quick, "columns": table.columns, "rows": rows}
    files.write_json(options.out / f"table{options.table}.json", found)
    text = markdown(rows, table.columns)
    with files.replacing(options.out / f"table{options.table}.md") as path:
        path.write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


def _row(runs: Runs, name: str, paper: Sequence[float | None], ours: Callable | None, columns: int) -> dict[str, Any]:
    if ours is None:
        found: Ours = [QUOTED]
    else:
        try:
            found = ours(runs)
        except NotRun as why:
            found = [str(why)]
    return {"row": name, "paper": list(paper), "ours": [*found, *[""] * (columns - len(found))]}


def markdown(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """The table as Markdown, our figure beside the paper's."""
    lines = [f"| | {' | '.join(f'{c}, paper | {c}, ours' for c in columns)} |", "|---" * (1 + 2 * len(columns)) + "|"]
    for row in rows:
        cells = [
            f"{'' if paper is None else paper} | {f'{own:.1f}' if isinstance(own, float) else own}"
            for paper, own in zip(row["paper"], row["ours"], strict=True)
        ]
        lines.append(f"| {row['row']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def prepare_samples(out: Path) -> str:
    """Sample raw files of NTU RGB+D and Kinetics-skeleton, prepared; returns the data folder."""
    from jaxact.datasets import samples

    data = out / "data"
    for dataset, write in (("ntu60", samples.ntu), ("kinetics_skeleton", samples.kinetics)):
        _call("prepare", dataset, "--raw", write(out / "raw" / dataset), "--data-dir", data)
    return str(data)


def _call(*words: Any) -> None:
    """A command of jaxact; the script ends where it fails."""
    if code := cli.main([str(word) for word in words]):
        sys.exit(code)
