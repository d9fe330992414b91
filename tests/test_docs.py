"""The pages of `docs/` and the README: every command in them parses, every config exists, every
call is known.
"""

import ast
import re
import runpy
import shlex
from pathlib import Path

import pytest

from jaxact import cli, config
from jaxact.interop import public_checkpoints
from jaxact.runs import ready_networks

ROOT = Path(__file__).parents[1]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]
hooks = runpy.run_path(str(ROOT / "docs" / "hooks.py"))
_NAMED = "configs/[a-z0-9_]+" + r"\.py(?::[\w,]+)?"


def commands(text: str) -> list[str]:
    """The commands of a page: lines of its shell blocks that call jaxact, and those in
    backquotes.
    """
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    found = [part.strip() for line in lines for part in re.split(r"&&", _uncommented(line))]
    found += re.findall(r"`(jaxact [a-z][^`]*)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return [line for line in found if line.startswith("jaxact ")]


def _uncommented(line: str) -> str:
    return line.split(" #")[0]


def parsed(line: str) -> list[str]:
    """The options of a config that a command gives; it is parsed, and not run."""
    words = shlex.split(line)[1:]
    if words == ["--version"] or "--help" in words:
        return []
    options, rest = cli._parser().parse_known_args(words)
    assert all(options.name == "train" and word.startswith("--config.") for word in rest), rest
    return rest


def whole(line: str) -> bool:
    """Whether a command in running text is more than the name of one, as in `jaxact evaluate`."""
    return len(line.split()) > 2


PARSED = [
    pytest.param(line, id=f"{page.stem}: {line[:60]}")
    for page in PAGES
    for line in commands(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("line", PARSED)
def test_a_command_of_the_docs_is_one_that_jaxact_takes(line):
    if not whole(line):
        names = cli._parser()._subparsers._group_actions[0].choices  # type: ignore[union-attr]
        assert line.split()[1] in {*names, "--version", "COMMAND"}
        return
    rest = parsed(line)
    if "--config" in line.split() or rest:
        named = re.search(_NAMED, line)
        assert named, line
        config.load(str(ROOT / named[0]), rest)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_config_that_a_page_names_exists(page):
    for name in re.findall(r"(configs/[a-z0-9_]+\.py)", page.read_text(encoding="utf-8")):
        assert (ROOT / name).is_file(), name


def test_commands_that_do_not_exist_are_seen():
    page = (
        "```bash\nplain && jaxact plot curves runs/a \\\n  --out a.png # a picture\n```\n"
        "or `jaxact fly --high x`."
    )
    assert commands(page) == ["jaxact plot curves runs/a    --out a.png", "jaxact fly --high x"]
    for wrong in (
        "jaxact fly --high x",
        "jaxact plot curves runs/a --outt a.png",
        "jaxact export --checkpoint r --o x",
    ):
        with pytest.raises((SystemExit, AssertionError)):
            parsed(wrong)


def test_the_reference_holds_every_option_of_every_command():
    page = hooks["commands"]()
    for command in (
        "jaxact prepare",
        "jaxact import pyskl",
        "jaxact plot attention",
        "jaxact serve",
    ):
        assert f"## {command}\n" in page
    assert (
        "`--port PORT`" in page
        and "(default: 8000)" in page
        and "| `--checkpoint WORKDIR` | required; " in page
    )


def test_the_cards_are_the_docstrings_of_the_configs_and_each_is_on_the_page():
    calls = re.findall(
        r"\{\{ cards (.*?) \}\}", (ROOT / "docs" / "papers.md").read_text(encoding="utf-8")
    )
    page = "\n".join(hooks["cards"](*call.split()) for call in calls)
    for path in (ROOT / "configs").glob("*.py"):
        assert (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "?") in page, path
    assert page.count("### configs/stagcn.py") == 1
    with pytest.raises(ValueError, match="no config 'nothing'; available: convgru, ctrgcn"):
        hooks["cards"]("nothing")


def test_every_call_on_a_page_is_filled_in():
    for page in PAGES:
        assert "{{" not in hooks["on_page_markdown"](page.read_text(encoding="utf-8")), page


def test_the_tables_of_networks_hold_every_ready_network_and_public_checkpoint():
    ready, public = hooks["ready"](), hooks["public"]()
    for name in ready_networks.names():
        assert f"| `{name}` |" in ready and f"\n### {name}\n" in ready
    checkpoints = public_checkpoints.checkpoints()
    assert len(public.splitlines()) == len(checkpoints) + 2
    for checkpoint in checkpoints:
        assert f"`{checkpoint.files[0].command}`" in public and checkpoint.terms in public
