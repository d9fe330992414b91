"""Training curves: loss, accuracy and learning rate over epochs, of one run or several."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jaxact.errors import UserError, unknown
from jaxact.plots import style

AnyPath = str | os.PathLike[str]
Paths = AnyPath | Sequence[AnyPath] | Mapping[str, AnyPath]
Rows = list[dict]


class _Quantity(NamedTuple):
    key: str
    name: str
    line: str
    scale: int = 1

    @property
    def marker_and_line(self) -> tuple[Any, Any]:
        """Marker and line style of `line`, a format string of matplotlib."""
        return ("", self.line) if self.line == "-" else (self.line[0], self.line[1:])

    @property
    def is_training(self) -> bool:
        return self.key.startswith("train_")


class _Panel(NamedTuple):
    title: str
    unit: str
    quantities: tuple[_Quantity, ...]


_PANELS = (
    _Panel(
        "Loss",
        "nats",
        (
            _Quantity("train_loss", "training", "-"),
            _Quantity("eval_loss", "evaluation", "o-"),
        ),
    ),
    _Panel(
        "Accuracy",
        "%",
        (
            _Quantity("train_top1", "training, top-1", "-", 100),
            _Quantity("eval_top1", "evaluation, top-1", "o-", 100),
            _Quantity("eval_top5", "evaluation, top-5", "s:", 100),
        ),
    ),
    _Panel("Learning rate", "", (_Quantity("learning_rate", "learning rate", "-"),)),
)
PANELS = tuple(panel.title.lower() for panel in _PANELS)


def training_curves(
    metrics: Paths, out: str | os.PathLike[str], title: str = "", *, panels: Sequence[str] = ()
) -> None:
    """Draws what runs wrote to their `metrics.jsonl`; quantities that no run has are left out.

    Args:
        metrics: a `metrics.jsonl` or the folder that holds one, several of them, or name -> path.
        out: picture file, e.g. .png, .svg or .pdf.
        title: text above the picture; "" for the name of the run where there is only one.
        panels: which of `PANELS` to draw; all by default.

    Raises:
        UserError: an unknown panel, a file that is missing, is not JSON lines, or has no quantity.
    """
    if unknown_panels := set(panels) - set(PANELS):
        raise unknown("panel", min(unknown_panels), PANELS)
    runs = {name: _read_rows(path) for name, path in _run_files(metrics).items()}
    drawn = _available_panels(runs, panels or PANELS)
    if not drawn:
        keys = sorted(quantity.key for panel in _PANELS for quantity in panel.quantities)
        raise UserError(
            f"nothing to draw in {', '.join(map(repr, runs))}; "
            f"wanted one of the keys {', '.join(keys)}"
        )
    if not title and len(runs) == 1:
        title = next(iter(runs))
    with style.context():
        figure = style.figure(4.3 * len(drawn) + 0.2, 3.5)
        grid = figure.subplots(1, len(drawn), squeeze=False)[0]
        for axes, panel in zip(grid, drawn, strict=True):
            _draw_panel(axes, panel, runs)
        if title:
            figure.suptitle(title, x=0.012, ha="left", fontsize=12.5, weight="bold")
        style.save(figure, out)


def _available_panels(runs: Mapping[str, Rows], names: Sequence[str]) -> list[_Panel]:
    """Returns the panels of these names, each with the quantities that some run has."""
    available = []
    for panel in _PANELS:
        if panel.title.lower() not in names:
            continue
        quantities = []
        for quantity in panel.quantities:
            if any(_points(rows, quantity.key)[0] for rows in runs.values()):
                quantities.append(quantity)
        if quantities:
            available.append(panel._replace(quantities=tuple(quantities)))
    return available


def _draw_panel(axes: Any, panel: _Panel, runs: Mapping[str, Rows]) -> None:
    best = ""
    for run, rows in enumerate(runs.values()):
        for order, quantity in enumerate(panel.quantities):
            x, y = _points(rows, quantity.key)
            if not x:
                continue
            colour = order if len(runs) == 1 else run
            light = quantity.is_training and len(panel.quantities) > 1
            axes.plot(
                x,
                [quantity.scale * value for value in y],
                "o" if (len(x), quantity.line) == (1, "-") else quantity.line,
                color=style.CYCLE[colour % len(style.CYCLE)],
                label=quantity.name,
                linewidth=1.1 if light else 1.9,
                alpha=0.65 if light else 1.0,
                markersize=3.6 if len(x) <= 40 else 0,
            )
            if len(runs) == 1 and quantity.key == "eval_top1":
                best = f"best {100 * max(y):.1f} %"
    axes.set_title(panel.title)
    has_epochs = any("epoch" in row for rows in runs.values() for row in rows)
    axes.set_xlabel("epoch" if has_epochs else "step")
    axes.set_ylabel(panel.unit)
    axes.grid(True, axis="y")
    axes.margins(x=0.02)
    axes.tick_params(length=0)
    if panel.title == "Accuracy":
        axes.set_ylim(top=101.5)
        axes.set_title(best, loc="right", fontsize=9.5, weight="normal", color=style.SOFT)
    elif panel.title == "Loss":
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    else:
        axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
        axes.set_ylim(bottom=0.0)
    if len(runs) > 1:
        axes.legend(handles=_legend_handles(panel.quantities, runs), loc="best")
    elif len(panel.quantities) > 1:
        axes.legend(loc="best")


def _legend_handles(quantities: Sequence[_Quantity], runs: Mapping[str, Rows]) -> list[Any]:
    """Makes the legend of several runs: a colour per run, then a line style per quantity."""
    from matplotlib.lines import Line2D

    handles = []
    for number, run in enumerate(runs):
        colour = style.CYCLE[number % len(style.CYCLE)]
        handles.append(Line2D([], [], color=colour, linewidth=3, label=style.shorten(run, 32)))
    if len(quantities) == 1:
        return handles
    for quantity in quantities:
        marker, line = quantity.marker_and_line
        handles.append(
            Line2D(
                [],
                [],
                color=style.SOFT,
                marker=marker,
                linestyle=line,
                markersize=3.6,
                label=quantity.name,
                linewidth=1.1 if quantity.is_training else 1.9,
            )
        )
    return handles


def _run_files(metrics: Paths) -> dict[str, Path]:
    """Returns run name -> metrics file; names are folders, or whole paths where those repeat."""
    if isinstance(metrics, Mapping):
        return {name: _metrics_file(path) for name, path in metrics.items()}
    paths = [metrics] if isinstance(metrics, str | os.PathLike) else list(metrics)
    files = [_metrics_file(path) for path in paths]
    if not files:
        raise UserError("no run given to draw; give the metrics.jsonl of one or more runs")
    names = []
    for path in files:
        is_default = path.name == "metrics.jsonl"
        names.append(path.resolve().parent.name if is_default else path.stem)
    if len(set(names)) < len(names):
        names = [str(path) for path in files]
    return dict(zip(names, files, strict=True))


def _metrics_file(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    return path / "metrics.jsonl" if path.is_dir() else path


def _read_rows(path: Path) -> Rows:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UserError(f"cannot read the metrics of a run from {str(path)!r}: {reason}") from error
    rows = []
    lines = [line for line in text.splitlines() if line.strip()]
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            if number == len(lines):
                break  # a run that is still writing, or was killed while writing
            raise UserError(f"{str(path)!r}, line {number}, is not JSON: {line!r:.60}") from error
        if not isinstance(row, dict):
            raise UserError(f"{str(path)!r}, line {number}, is not a JSON object: {line!r:.60}")
        rows.append(row)
    return rows


def _points(rows: Rows, key: str) -> tuple[list[float], list[float]]:
    """Returns x (epoch, else step, else row number) and y of each row that has `key`."""
    x, y = [], []
    for number, row in enumerate(rows):
        if isinstance(row.get(key), int | float):
            x.append(float(row.get("epoch", row.get("step", number))))
            y.append(float(row[key]))
    return x, y
