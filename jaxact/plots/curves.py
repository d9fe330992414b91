"""How runs went: loss, accuracy and learning rate over the epochs, one or several runs on one
sheet.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxact.errors import UserError, unknown
from jaxact.plots import style

Paths = (
    str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Mapping[str, str | os.PathLike[str]]
)

# Panel: its title and unit, and (key, name, line style, scale) of the quantities that may be in it.
_PANELS = (
    ("Loss", "nats", (("train_loss", "training", "-", 1), ("eval_loss", "evaluation", "o-", 1))),
    (
        "Accuracy",
        "%",
        (
            ("train_top1", "training, top-1", "-", 100),
            ("eval_top1", "evaluation, top-1", "o-", 100),
            ("eval_top5", "evaluation, top-5", "s:", 100),
        ),
    ),
    ("Learning rate", "", (("learning_rate", "learning rate", "-", 1),)),
)
PANELS = tuple(head.lower() for head, _, _ in _PANELS)


def training_curves(
    metrics: Paths, out: str | os.PathLike[str], title: str = "", *, panels: Sequence[str] = ()
) -> None:
    """Draws what runs wrote to their `metrics.jsonl`; quantities that no run has are left out.

    Args:
      metrics: a `metrics.jsonl` or the folder that holds one, several of them, or name -> path.
      out: picture file, e.g. .png, .svg or .pdf.
      title: written above; "" is the name of the run where there is one.
      panels: those of `PANELS` that are drawn; none: all.

    Raises:
      UserError: an unknown panel, a file that is missing, is not JSON lines, or holds nothing that
          can be drawn.
    """
    if odd := set(panels) - set(PANELS):
        raise unknown("panel", min(odd), PANELS)
    runs = {name: _read(path) for name, path in _named(metrics).items()}
    shown = [
        (head, unit, found)
        for head, unit, quantities in _PANELS
        if (not panels or head.lower() in panels)
        and (
            found := [
                q for q in quantities if any(_points(lines, q[0])[0] for lines in runs.values())
            ]
        )
    ]
    if not shown:
        keys = sorted({key for _, _, quantities in _PANELS for key, *_ in quantities})
        raise UserError(
            f"nothing to draw in {', '.join(map(repr, runs))}; wanted one of the keys {', '.join(keys)}"
        )
    with style.context():
        drawing = style.figure(4.3 * len(shown) + 0.2, 3.5)
        for axes, (head, unit, quantities) in zip(
            drawing.subplots(1, len(shown), squeeze=False)[0], shown, strict=True
        ):
            _panel(axes, head, unit, quantities, runs)
        name = title or (next(iter(runs)) if len(runs) == 1 else "")
        drawing.suptitle(name, x=0.012, ha="left", fontsize=12.5, weight="bold") if name else None
        style.save(drawing, out)


def _panel(
    axes: Any, head: str, unit: str, quantities: Sequence, runs: Mapping[str, list[dict]]
) -> None:
    best = ""
    for number, lines in enumerate(runs.values()):
        for order, (key, name, line, scale) in enumerate(quantities):
            where, values = _points(lines, key)
            if not where:
                continue
            one = len(runs) == 1
            colour = style.CYCLE[(order if one else number) % len(style.CYCLE)]
            light = key.startswith("train_") and len(quantities) > 1
            axes.plot(
                where,
                [scale * value for value in values],
                "o" if (len(where), line) == (1, "-") else line,
                color=colour,
                label=name,
                linewidth=1.1 if light else 1.9,
                alpha=0.65 if light else 1.0,
                markersize=3.6 if len(where) <= 40 else 0,
            )
            if one and key == "eval_top1":
                best = f"best {100 * max(values):.1f} %"
    axes.set_title(head)
    epochs = any("epoch" in line for lines in runs.values() for line in lines)
    axes.set_xlabel("epoch" if epochs else "step")
    axes.set_ylabel(unit)
    axes.grid(True, axis="y")
    axes.margins(x=0.02)
    axes.tick_params(length=0)
    if head == "Accuracy":
        axes.set_ylim(top=101.5)
        axes.set_title(best, loc="right", fontsize=9.5, weight="normal", color=style.SOFT)
    elif head == "Loss":
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    else:
        axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
        axes.set_ylim(bottom=0.0)
    if len(runs) > 1:
        axes.legend(handles=_keys(quantities, runs), loc="best")
    elif len(quantities) > 1:
        axes.legend(loc="best")


def _keys(quantities: Sequence, runs: Mapping[str, list[dict]]) -> list[Any]:
    """Legend of several runs: a colour for each run, then a line style for each quantity."""
    from matplotlib.lines import Line2D

    colours = [
        Line2D(
            [],
            [],
            color=style.CYCLE[number % len(style.CYCLE)],
            linewidth=3,
            label=style.shorten(run, 32),
        )
        for number, run in enumerate(runs)
    ]
    marks: dict[str, Any] = {"-": ("", "-"), "o-": ("o", "-"), "s:": ("s", ":")}
    styles = [
        Line2D([], [], color=style.SOFT, marker=marks[line][0], linestyle=marks[line][1], markersize=3.6, label=name,
               linewidth=1.1 if key.startswith("train_") else 1.9)
        for key, name, line, _ in quantities
    ]  # fmt: skip
    return colours + (styles if len(styles) > 1 else [])


def _named(metrics: Paths) -> dict[str, Path]:
    """Name of each run -> its file. A name is the last folder that tells the runs apart."""
    if isinstance(metrics, Mapping):
        return {name: _file(path) for name, path in metrics.items()}
    given = [metrics] if isinstance(metrics, str | os.PathLike) else list(metrics)
    files = [_file(path) for path in given]
    if not files:
        raise UserError("no run given to draw; give the metrics.jsonl of one or more runs")
    names = [
        path.resolve().parent.name if path.name == "metrics.jsonl" else path.stem for path in files
    ]
    if len(set(names)) < len(names):
        names = [str(path) for path in files]
    return dict(zip(names, files, strict=True))


def _file(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    return path / "metrics.jsonl" if path.is_dir() else path


def _read(path: Path) -> list[dict]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UserError(f"cannot read the metrics of a run from {str(path)!r}: {reason}") from error
    lines = []
    rows = [row for row in text.splitlines() if row.strip()]
    for number, row in enumerate(rows, 1):
        try:
            line = json.loads(row)
        except json.JSONDecodeError as error:
            if number == len(rows):
                break  # a run that is still writing, or was killed while it was
            raise UserError(f"{str(path)!r}, line {number}, is not JSON: {row!r:.60}") from error
        if not isinstance(line, dict):
            raise UserError(f"{str(path)!r}, line {number}, is not a JSON object: {row!r:.60}")
        lines.append(line)
    return lines


def _points(lines: list[dict], key: str) -> tuple[list[float], list[float]]:
    """Where (epoch, else step, else line) and value of each line that has `key`."""
    there = [
        (line.get("epoch", line.get("step", number)), line[key])
        for number, line in enumerate(lines)
        if isinstance(line.get(key), int | float)
    ]
    return [float(where) for where, _ in there], [float(value) for _, value in there]
