"""`jaxact`: the commands. Each declares its options and does its work in one place."""

import argparse
import sys
from collections.abc import Sequence

from jaxact import __version__
from jaxact.cli import data, imports, plot, predict, runs, serve, stream
from jaxact.cli.command import quiet_libraries
from jaxact.errors import UserError

COMMANDS = (
    *(runs.quickstart, data.prepare, data.check, runs.train, runs.evaluate, runs.fuse, runs.export),
    imports.bring_in,
    predict.predict,
    serve.serve,
    plot.plot,
    stream.stream,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns 0, 1 where `check` finds errors in the data, 2 for an error of the
    user's.

    Ctrl-C, and a signal that stops a training, give 130. An error of ours ends in a traceback.
    """
    options, rest = _parser().parse_known_args(arguments)
    takes_config = options.name == "train"
    for item in rest:
        if not (takes_config and item.startswith("--config.")):
            print(
                f"jaxact: unknown argument {item!r}; see jaxact {options.name} --help",
                file=sys.stderr,
            )
            return 2
    if takes_config:
        options.overrides = rest
    try:
        quiet_libraries()
        return options.run(options) or 0
    except UserError as error:
        print(f"jaxact: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("jaxact: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jaxact",
        description="Human action recognition in JAX: prepare data, train, evaluate by protocol, export with proof.",
        epilog="Start with: jaxact quickstart",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"jaxact {__version__}")
    kinds = parser.add_subparsers(title="commands", dest="name", required=True, metavar="COMMAND")
    for add in COMMANDS:
        add(kinds)
    return parser
