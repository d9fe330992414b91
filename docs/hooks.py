"""What the pages take from the code while they are built, so that there is one copy of it.

A line of a page that is a call such as `{{ commands }}` or `{{ cards stgcn }}` becomes Markdown:
    commands        every command with its help, from the argparse parsers
    cards NAME...   the run card of each of these configs, from its docstring
    protocols       the published preprocessings and the values that they fix
    layouts         the joint layouts that have a name
    networks        the names of `model.name`
"""

import argparse
import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_CALL = re.compile(r"^\{\{ (\w+)((?: [\w-]+)*) \}\}$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by MkDocs with the text of every page."""
    return _CALL.sub(lambda call: WRITERS[call[1]](*call[2].split()), markdown)


def commands() -> str:
    """A section for each command, and for each part of those that have parts."""
    from jaxact import cli

    os.environ["COLUMNS"] = "100"  # what argparse wraps its help to
    return "\n".join(_command(parser) for parser in _leaves(cli._parser()))


def _leaves(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    parts = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not parts:
        yield parser
    for part in parts:
        for child in part.choices.values():
            yield from _leaves(child)


def _command(parser: argparse.ArgumentParser) -> str:
    lines = [f"## {parser.prog}", "", (parser.description or "").replace("<", "&lt;"), ""]
    lines += ["| option | |", "| --- | --- |"]
    for action in parser._actions:
        if action.dest != "help":
            lines.append(f"| `{_name(action)}` | {_about(parser, action)} |")
    lines += ["", "```text", *(parser.epilog or "").splitlines(), "```", ""]
    return "\n".join(lines)


def _name(action: argparse.Action) -> str:
    value = action.metavar or ("" if action.nargs == 0 else action.dest.upper())
    if isinstance(action.metavar, tuple):
        value = " ".join(action.metavar)
    if action.choices and not action.metavar:
        value = ",".join(map(str, action.choices))
    many = " ..." if action.nargs in ("+", "*") else ""
    return (
        ", ".join(action.option_strings)
        + (f" {value}" if action.option_strings and value else value)
        + many
    )


def _about(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    text = parser._get_formatter()._expand_help(action) if action.help else ""
    needed = "required; " if action.required and action.option_strings else ""
    return re.sub(r"([|<*])", r"\\\1", needed + text)


def cards(*names: str) -> str:
    """The docstrings of configs as they are, each under its path."""
    lines = []
    for name in names:
        path = ROOT / "configs" / f"{name}.py"
        if not path.is_file():
            available = sorted(file.stem for file in path.parent.glob("*.py"))
            raise ValueError(f"no config {name!r}; available: {', '.join(available)}")
        card = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        lines += [f"### configs/{path.name}", "", "```text", card or "", "```", ""]
    return "\n".join(lines)


def protocols() -> str:
    """A section for each protocol: where it comes from, and a table of its values."""
    from jaxact.config.protocols import PROTOCOLS

    lines = []
    for name, known in PROTOCOLS.items():
        lines += [f"## {name}", "", f"Version {known.version}, from {known.source}. "]
        needs = f" The layout must have {' and '.join(known.needs)}." if known.needs else ""
        lines[-1] += f"For records of {', '.join(known.channels)}.{needs}"
        lines += ["", "| option | value |", "| --- | --- |"]
        for section in ("clip", "augment"):
            lines += [
                f"| `{section}.{option}` | `{value}` |"
                for option, value in getattr(known, section).items()
            ]
        lines.append("")
    return "\n".join(lines)


def layouts() -> str:
    """A table of the layouts."""
    from jaxact.skeletons import LAYOUTS

    rows = [
        f"| `{name}` | {len(layout.joints)} | {layout.joints[layout.centre].replace('_', ' ')} |"
        for name, layout in LAYOUTS.items()
    ]
    return "\n".join(["| layout | joints | centre |", "| --- | --- | --- |", *rows])


def networks() -> str:
    """The names of `model.name`, and what each reads."""
    from jaxact.config.training import MODELS, kind

    rows = [f"| `{name}` | {kind(name)}s |" for name in MODELS]
    return "\n".join(["| `model.name` | reads |", "| --- | --- |", *rows])


WRITERS = {writer.__name__: writer for writer in (commands, cards, protocols, layouts, networks)}
