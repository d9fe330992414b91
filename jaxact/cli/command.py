"""How a command is declared, options that commands share, and what is set before JAX starts.

Nothing heavy is imported before a command runs, so that `jaxact --help` is instant.
"""

import argparse
import importlib.util
import os
from collections.abc import Callable
from typing import Any

from jaxact.errors import missing_extra

DATA_DIR = "folder of prepared data (default: $TFDS_DATA_DIR, or ~/tensorflow_datasets)"
DATA_DIR_OF_RUN = "folder of prepared data (default: the folder that training read)"
POSE = "pose estimator: RUN of a pose network, mediapipe:FILE.task or onnx:FILE.onnx"
RESULTS = "output folder for metrics.json, scores.npz, per_class.csv and confusion.csv"
FRAME_RATE = "frames per second of the record (default: %(default)s)"


def command(
    subparsers: Any, name: str, run: Callable | None, summary: str, *examples: str
) -> argparse.ArgumentParser:
    """Adds the parser of a command.

    Args:
        subparsers: the parser's `add_subparsers` action.
        name: name of the command.
        run: is called with the parsed options; None for a command with subcommands.
        summary: help text in lower case, without a full stop.
        examples: command lines at the end of the help text.
    """
    heading = "examples:" if len(examples) > 1 else "example:"
    parser = subparsers.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog="\n  ".join([heading, *examples]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    return parser


def checkpoint_options(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Adds the options that select a checkpoint, or several."""
    summary = "--workdir of a `jaxact train` run, or ready:NAME (see `jaxact models`)"
    if several:
        summary += "; several runs become one artifact"
    nargs = "+" if several else None
    parser.add_argument("--checkpoint", required=True, metavar="WORKDIR", nargs=nargs, help=summary)
    parser.add_argument(
        "--step", type=int, help="step of the checkpoint (default: the run's choice)"
    )
    parser.add_argument(
        "--select", choices=("last", "best"), help="checkpoint to use (default: the run's choice)"
    )


def weights_list(text: str) -> tuple[float, ...]:
    """Parses numbers separated by commas."""
    try:
        return tuple(float(item) for item in text.split(","))
    except ValueError:
        message = f"{text!r} is no list of numbers such as 2,2,1,1"
        raise argparse.ArgumentTypeError(message) from None


def quiet_libraries() -> None:
    """Limits TensorFlow, TFDS and Orbax to error messages."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Its only effect here is a notice at every start.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    from absl import logging

    logging.set_verbosity(logging.ERROR)


def start_jax() -> None:
    """Sets what JAX needs before it starts: the allocator, and a cache of compiled programs."""
    from jaxact.cli import malloc

    malloc.keep_pages()
    import jax

    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        jax.config.update("jax_compilation_cache_dir", os.path.join(cache, "jaxact", "xla"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 1.0)


def need_tensorflow(purpose: str) -> None:
    """Raises UserError where the extra `data` is not installed."""
    if importlib.util.find_spec("tensorflow") is None:
        raise missing_extra("tensorflow", "data", purpose)
