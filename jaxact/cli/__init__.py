"""The command `jaxact`. Each subcommand declares its options and runs in one file."""

import argparse
import sys
from collections.abc import Sequence

from jaxact import __version__
from jaxact.cli import (
    data,
    evaluate,
    export,
    imports,
    models,
    plot,
    predict,
    quickstart,
    serve,
    stream,
    train,
)
from jaxact.cli.command import quiet_libraries
from jaxact.errors import UserError

COMMANDS = (
    quickstart.quickstart,
    data.prepare,
    data.check,
    train.train,
    evaluate.evaluate,
    evaluate.fuse,
    export.export,
    imports.import_weights,
    models.models,
    predict.predict,
    serve.serve,
    plot.plot,
    stream.stream,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Returns:
        The exit code: 0; 1 where `check` finds errors in the data; 2 for a user error; 130 after
        Ctrl-C or a signal that stops a training. A bug ends in a traceback.
    """
    options, rest = _parser().parse_known_args(arguments)
    takes_config = options.name == "train"
    for item in rest:
        if not (takes_config and item.startswith("--config.")):
            message = f"unknown argument {item!r}; see jaxact {options.name} --help"
            print(f"jaxact: {message}", file=sys.stderr)
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
        description="Human action recognition in JAX: prepare data, train, evaluate by protocol, "
        "export with proof.",
        epilog="Start with: jaxact quickstart",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"jaxact {__version__}")
    subparsers = parser.add_subparsers(
        title="commands", dest="name", required=True, metavar="COMMAND"
    )
    for add_command in COMMANDS:
        add_command(subparsers)
    return parser
