"""MkDocs hook that generates parts of the pages from the code.

A line of a page such as `{{ commands }}` or `{{ cards stgcn }}` is replaced by Markdown:
    commands        every command with its help, from the argument parsers
    cards NAME...   the run cards of these configs, from their docstrings
    protocols       the published preprocessings and their values
    layouts         the named joint layouts
    networks        the values of `model.name`
    ready           the ready networks
    public          the catalogue of public checkpoints
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
    """Replaces the calls in a page; MkDocs runs this function on every page."""
    return _CALL.sub(lambda call: WRITERS[call[1]](*call[2].split()), markdown)


def commands() -> str:
    """A section for each command or, where it has them, for each of its subcommands."""
    from jaxact import cli

    os.environ["COLUMNS"] = "100"  # argparse wraps its help at this width
    return "\n".join(_command(parser) for parser in _leaves(cli._parser()))


def _leaves(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parsers without subcommands."""
    is_leaf = True
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            is_leaf = False
            for subparser in action.choices.values():
                yield from _leaves(subparser)
    if is_leaf:
        yield parser


def _command(parser: argparse.ArgumentParser) -> str:
    lines = [f"## {parser.prog}", "", (parser.description or "").replace("<", "&lt;"), ""]
    lines += ["| option | |", "| --- | --- |"]
    for action in parser._actions:
        if action.dest != "help":
            lines.append(f"| `{_name(action)}` | {_about(parser, action)} |")
    lines += ["", "```text", *(parser.epilog or "").splitlines(), "```", ""]
    return "\n".join(lines)


def _name(action: argparse.Action) -> str:
    """The option and its value, as in `--out FILE`, or the name of a positional argument."""
    name = ", ".join(action.option_strings)
    value = _value(action)
    if name and value:
        name += f" {value}"
    elif value:
        name = value
    if action.nargs in ("+", "*"):
        name += " ..."
    return name


def _value(action: argparse.Action) -> str:
    """The placeholder of an argument's value; "" for a flag."""
    if isinstance(action.metavar, tuple):
        return " ".join(action.metavar)
    if action.metavar:
        return action.metavar
    if action.choices:
        return ",".join(map(str, action.choices))
    if action.nargs == 0:
        return ""
    return action.dest.upper()


def _about(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    """The help of an argument as the cell of a table."""
    text = ""
    if action.help:
        text = parser._get_formatter()._expand_help(action)
    if action.required and action.option_strings:
        text = "required; " + text
    return re.sub(r"([|<*])", r"\\\1", text)


def cards(*names: str) -> str:
    """The docstrings of configs, each under its path."""
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
    """A section for each protocol: its source, and a table of its values."""
    from jaxact.config.protocols import PROTOCOLS

    lines = []
    for name, protocol in PROTOCOLS.items():
        about = f"Version {protocol.version}, from {protocol.source}. "
        about += f"For records of {', '.join(protocol.channels)}."
        if protocol.needs:
            about += f" The layout must have {' and '.join(protocol.needs)}."
        lines += [f"## {name}", "", about, "", "| option | value |", "| --- | --- |"]
        for section in ("clip", "augment"):
            for option, value in getattr(protocol, section).items():
                lines.append(f"| `{section}.{option}` | `{value}` |")
        lines.append("")
    return "\n".join(lines)


def layouts() -> str:
    """A table of the joint layouts."""
    from jaxact.skeletons import LAYOUTS

    lines = ["| layout | joints | centre |", "| --- | --- | --- |"]
    for name, layout in LAYOUTS.items():
        centre = layout.joints[layout.centre].replace("_", " ")
        lines.append(f"| `{name}` | {len(layout.joints)} | {centre} |")
    return "\n".join(lines)


def networks() -> str:
    """A table of the values of `model.name` with the kind of record that each reads."""
    from jaxact.config.training import MODELS, kind

    lines = ["| `model.name` | reads |", "| --- | --- |"]
    for name in MODELS:
        lines.append(f"| `{name}` | {kind(name)}s |")
    return "\n".join(lines)


def ready() -> str:
    """A table of the ready networks, each with its card."""
    from jaxact.runs import ready_networks

    lines = ["| name | input | classes | top-1 | protocol | size |", "| --- " * 6 + "|"]
    networks = [ready_networks.find(name) for name in ready_networks.names()]
    lines += [_row(f"`{network.name}`", *network.row[1:]) for network in networks]
    for network in networks:
        lines += ["", *_below(network.card)]
    return "\n".join(lines)


def _below(card: str) -> list[str]:
    """The lines of a model card, its headings two levels lower."""
    return [f"##{line}" if line.startswith("#") else line for line in card.splitlines()]


def public() -> str:
    """A table of the public checkpoints that `jaxact import` reads."""
    from jaxact.interop import public_checkpoints

    head = ("checkpoint", "data", "joints", "top-1 %", "import of the first file", "terms")
    lines = [_row(*head), "| --- " * len(head) + "|"]
    for checkpoint in public_checkpoints.checkpoints():
        top1 = " / ".join(f"{file.top1:.1f}" for file in checkpoint.files)
        name = f"[{checkpoint.name}]({checkpoint.files[0].url}), {checkpoint.network}"
        data = f"{checkpoint.data} {checkpoint.split}"
        command = f"`{checkpoint.files[0].command}`"
        lines.append(_row(name, data, checkpoint.joints, top1, command, checkpoint.terms))
    return "\n".join(lines)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


_ALL = (commands, cards, protocols, layouts, networks, ready, public)
WRITERS = {writer.__name__: writer for writer in _ALL}
