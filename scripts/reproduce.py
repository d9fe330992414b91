"""Reproduces a paper's table: trains and evaluates each row and prints it beside the paper's.

The scripts `reproduce_*.py` list the rows; this module runs them. A call that was interrupted
resumes, and rows that share a run share its folder.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxact import cli, files
from jaxact.config.arguments import DATASETS

SKELETONS = ("ntu60", "kinetics_skeleton")
QUOTED = "not a system of ours: the paper's quotation"

Ours = Sequence[float | str]  # a percentage, or why there is none, for each column


class NotRun(Exception):
    """A figure that is missing, and why."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a paper.

    Attributes:
        columns: their names.
        rows: for each name the paper's percentages, and the function that computes ours; None for a
            row that is only quoted.
        note: printed below the table: in what the figures differ.
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
        quick: whether the networks are small ones that train for one epoch.
        overrides: options of every config, as on the command line.
        files: paths from the command line by option: scores of systems that are not trained here,
            weights.
    """

    configs: Path
    out: Path
    data_dir: str
    quick: bool
    overrides: tuple[str, ...]
    files: Mapping[str, str | None]

    def train(self, source: str, *more: str, name: str = "") -> Path:
        """The workdir of a config's run; trains it first, or resumes it.

        Args:
            source: config file and argument, such as "stgcn.py:ntu60,xview,tcn".
            more: further overrides.
            name: suffix that distinguishes another run of the same config.

        Raises:
            NotRun: its data set is not prepared.
        """
        self.data(source)
        file, _, argument = source.partition(":")
        words = argument.split(",")
        folder = "_".join([file.removesuffix(".py"), *words])
        workdir = self.out / (f"{folder}_{name}" if name else folder) / "run"
        if self.quick:
            words.append("quick")
        options = ["--config", f"{self.configs / file}:{','.join(words)}", "--workdir", workdir]
        _call("train", *options, "--data-dir", self.data_dir, *more, *self.overrides)
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
        """The prepared data set that a config reads.

        Raises:
            NotRun: it is not prepared.
        """
        from jaxact.datasets import dataset_info

        dataset = dataset_of(source)
        if dataset not in dataset_info.prepared_names(self.data_dir):
            folder = str(dataset_info.data_root(self.data_dir))
            raise NotRun(f"not run: {dataset} is not prepared in {folder!r}")
        return dataset_info.load(dataset, self.data_dir)

    def report(self, workdir: Path, *options: str, name: str = "results") -> dict[str, Any]:
        """The report of a run, with options of `jaxact evaluate`."""
        _call("evaluate", "--checkpoint", workdir, "--out", workdir.parent / name, *options)
        return json.loads((workdir.parent / name / "metrics.json").read_text())


def dataset_of(source: str) -> str:
    """The name of the prepared data set that the argument of a config names."""
    words = source.partition(":")[2].split(",")
    return next(DATASETS[word].name for word in words if word in DATASETS)


def percentages(
    source: str, columns: Sequence[str], *options: str, name: str = "results"
) -> Callable[[Runs], Ours]:
    """The metrics `columns` of one config's report, in percent."""

    def figures(runs: Runs) -> Ours:
        report = runs.report(runs.train(source), *options, name=name)
        return [100 * report[column] for column in columns]

    return figures


def beside(*parts: tuple[int, Callable[[Runs], Ours]]) -> Callable[[Runs], Ours]:
    """The columns of several functions side by side, `count` columns each.

    Where one raises NotRun, its first column holds the reason.
    """

    def figures(runs: Runs) -> Ours:
        cells: list[float | str] = []
        for count, part in parts:
            try:
                cells += part(runs)
            except NotRun as reason:
                cells += [str(reason), *[""] * (count - 1)]
        return cells

    return figures


def main(
    script: str,
    about: str,
    tables: Mapping[int, Table],
    inputs: Mapping[str, str] | None = None,
    sets: Sequence[str] = SKELETONS,
    what: str = "table",
) -> int:
    """Runs one table from the command line; writes `table{N}.md` and `.json` beside the runs.

    Args:
        script: path of the script; the configs are in `../configs`.
        about: docstring of the script.
        tables: by the paper's numbers.
        inputs: options that name files, and their help.
        sets: the data sets that its configs read.
        what: "table", or "figure" where the paper prints its results in figures; the name of the
            option and of the files.
    """
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument(f"--{what}", dest="number", type=int, required=True, choices=tables)
    parser.add_argument("--data-dir", default="")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument(
        "--quick", action="store_true", help="small networks on generated sample files"
    )
    for name, text in (inputs or {}).items():
        parser.add_argument(f"--{name}", metavar="FILE", help=text)
    options, overrides = parser.parse_known_args()
    data_dir = prepare_samples(options.out, sets) if options.quick else options.data_dir
    paths = {name: getattr(options, name) for name in inputs or {}}
    runs = Runs(
        configs=Path(script).resolve().parents[1] / "configs",
        out=options.out,
        data_dir=data_dir,
        quick=options.quick,
        overrides=tuple(overrides),
        files=paths,
    )
    table = tables[options.number]
    rows = [
        _row(runs, name, paper, ours, len(table.columns))
        for name, (paper, ours) in table.rows.items()
    ]
    result = {"quick": runs.quick, "columns": table.columns, "rows": rows, "note": table.note}
    files.write_json(options.out / f"{what}{options.number}.json", result)
    text = markdown(rows, table.columns)
    if table.note:
        text += f"\n{table.note}\n"
    with files.replacing(options.out / f"{what}{options.number}.md") as path:
        path.write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


def _row(
    runs: Runs, name: str, paper: Sequence[float | None], ours: Callable | None, columns: int
) -> dict[str, Any]:
    if ours is None:
        cells: Ours = [QUOTED]
    else:
        try:
            cells = ours(runs)
        except NotRun as reason:
            cells = [str(reason)]
    return {"row": name, "paper": list(paper), "ours": [*cells, *[""] * (columns - len(cells))]}


def markdown(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """The table as Markdown, our figure beside the paper's."""
    header = [f"{column}, paper | {column}, ours" for column in columns]
    lines = [f"| | {' | '.join(header)} |", "|---" * (1 + 2 * len(columns)) + "|"]
    for row in rows:
        cells = [row["row"]]
        for paper, ours in zip(row["paper"], row["ours"], strict=True):
            cells.append("" if paper is None else str(paper))
            cells.append(f"{ours:.1f}" if isinstance(ours, float) else str(ours))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def prepare_samples(out: Path, sets: Sequence[str]) -> str:
    """Generates and prepares sample raw files of these data sets; returns the data folder."""
    from jaxact.datasets.synthetic import sample_files

    data = out / "data"
    for dataset in sets:
        write, options = sample_files.SAMPLE_SETS[dataset]
        _call(
            "prepare", dataset, "--raw", write(out / "raw" / dataset), "--data-dir", data, *options
        )
    return str(data)


def _call(*words: Any) -> None:
    """Runs a command of jaxact; exits with its code where it fails."""
    if code := cli.main([str(word) for word in words]):
        sys.exit(code)
