"""A paper's table, row by row: each system trained, evaluated and set beside the printed figure.

A script names the rows; what it takes to run them is here. A call that was stopped goes on where it
stood, and rows that share a run share its folder.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxact import cli, files

# End of a config's name -> what it reads.
DATASETS = {
    "kinetics": "kinetics_skeleton",
    "ntu60": "ntu60",
    "ucf101": "ucf101",
    "ucf32": "ucf101_32",
    "hmdb51": "hmdb51",
}
SKELETONS = ("ntu60", "kinetics_skeleton")
QUOTED = "not a system of ours: the paper's quotation"

Ours = Sequence[float | str]  # a percentage, or why there is none, for each column


class NotRun(Exception):
    """A figure that is not there, and why."""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns, and rows of the paper's percentages and the function that finds ours; None for a
    quoted row.

    `note` is printed below: what the figures differ in.
    """

    columns: tuple[str, ...]
    rows: Mapping[str, tuple[tuple[float | None, ...], Callable[["Runs"], Ours] | None]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs behind a table.

    Attributes:
      configs: folder of the config files.
      out: folder of all runs, results and tables.
      data_dir: prepared data.
      quick: toy networks.
      overrides: options of every config, as on the command line.
      files: those given on the command line by name: scores of systems that are not trained here,
          weights.
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
        file, _, argument = source.partition(":")
        self.data(source)
        words = [word for word in argument.split(",") if word]
        workdir = (
            self.out
            / "_".join([file.removesuffix(".py"), *words, *([name] if name else [])])
            / "run"
        )
        arguments = ",".join([*words, *(["quick"] if self.quick else [])])
        config = f"{self.configs / file}:{arguments}"
        _call(
            "train",
            "--config",
            config,
            "--workdir",
            workdir,
            "--data-dir",
            self.data_dir,
            *more,
            *self.overrides,
        )
        return workdir

    def fused(self, source: str, streams: Sequence[str], *more: str) -> dict[str, Any]:
        """The fused report of a config's networks, one for each stream.

        Raises:
          NotRun: its data set is not prepared, or without the flow that a stream needs.
        """
        if "flow" in streams and not self.data(source).stored.get("flow"):
            raise NotRun("not run: the videos are prepared without --flow")
        workdir = self.train(source, "--streams", ",".join(streams), *more, name="fused")
        return json.loads((workdir / "fused" / "metrics.json").read_text())

    def data(self, source: str) -> Any:
        """The prepared set that a config reads.

        Raises:
          NotRun: there is none.
        """
        from jaxact.datasets import records

        dataset = DATASETS[source.partition(":")[0].removesuffix(".py").split("_")[-1]]
        if dataset not in records.prepared(self.data_dir):
            raise NotRun(
                f"not run: {dataset} is not prepared in {str(records.data_root(self.data_dir))!r}"
            )
        return records.describe(dataset, self.data_dir)

    def report(self, workdir: Path, *options: str, name: str = "results") -> dict[str, Any]:
        """The report of a run, with options of `jaxact evaluate`."""
        _call("evaluate", "--checkpoint", workdir, "--out", workdir.parent / name, *options)
        return json.loads((workdir.parent / name / "metrics.json").read_text())


def percentages(
    source: str, columns: Sequence[str], *options: str, name: str = "results"
) -> Callable[[Runs], Ours]:
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


def main(
    script: str,
    about: str,
    tables: Mapping[int, Table],
    inputs: Mapping[str, str] | None = None,
    sets: Sequence[str] = SKELETONS,
    what: str = "table",
) -> int:
    """Runs one table from the command line; writes `table{N}.md` and `table{N}.json` beside the
    runs.

    Args:
      script: its path; the configs lie in `../configs`.
      about: its docstring.
      tables: by the paper's numbers.
      inputs: options that name files, and their help.
      sets: the data sets that its configs read.
      what: "table", or "figure" where the paper has its figures in those; option and files are
          called so.
    """
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument(f"--{what}", dest="number", type=int, required=True, choices=tables)
    parser.add_argument("--data-dir", default="")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument(
        "--quick", action="store_true", help="toy networks on sample files that are made first"
    )
    for name, text in (inputs or {}).items():
        parser.add_argument(f"--{name}", metavar="FILE", help=text)
    options, overrides = parser.parse_known_args()
    data_dir = prepare_samples(options.out, sets) if options.quick else options.data_dir
    given = {name: getattr(options, name) for name in inputs or {}}
    runs = Runs(
        configs=Path(script).resolve().parents[1] / "configs",
        out=options.out,
        data_dir=data_dir,
        quick=options.quick,
        overrides=tuple(overrides),
        files=given,
    )
    table = tables[options.number]
    rows = [
        _row(runs, name, paper, ours, len(table.columns))
        for name, (paper, ours) in table.rows.items()
    ]
    found = {"quick": runs.quick, "columns": table.columns, "rows": rows, "note": table.note}
    files.write_json(options.out / f"{what}{options.number}.json", found)
    text = markdown(rows, table.columns) + (f"\n{table.note}\n" if table.note else "")
    with files.replacing(options.out / f"{what}{options.number}.md") as path:
        path.write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


def _row(
    runs: Runs, name: str, paper: Sequence[float | None], ours: Callable | None, columns: int
) -> dict[str, Any]:
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
    lines = [
        f"| | {' | '.join(f'{c}, paper | {c}, ours' for c in columns)} |",
        "|---" * (1 + 2 * len(columns)) + "|",
    ]
    for row in rows:
        cells = [
            f"{'' if paper is None else paper} | {f'{own:.1f}' if isinstance(own, float) else own}"
            for paper, own in zip(row["paper"], row["ours"], strict=True)
        ]
        lines.append(f"| {row['row']} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def prepare_samples(out: Path, sets: Sequence[str]) -> str:
    """Sample raw files of these sets, prepared; returns the data folder."""
    from jaxact.datasets.synthetic import sample_files

    data = out / "data"
    for dataset in sets:
        write, options = sample_files.SETS[dataset]
        _call(
            "prepare", dataset, "--raw", write(out / "raw" / dataset), "--data-dir", data, *options
        )
    return str(data)


def _call(*words: Any) -> None:
    """A command of jaxact; the script ends where it fails."""
    if code := cli.main([str(word) for word in words]):
        sys.exit(code)
