"""What the commands share: how one is declared, options that come again, and what must be set
before JAX starts.

Nothing heavy is imported before a command runs, so that `jaxact --help` is instant.
"""

import argparse
import importlib.util
import os
from collections.abc import Callable
from typing import Any

from jaxact.errors import missing_extra

DATA_DIR = "folder of prepared data (default: $TFDS_DATA_DIR, or ~/tensorflow_datasets)"
DATA_DIR_NOW = "where the prepared data lie, if not where training found them"
REPORT = "folder for metrics.json, scores.npz, per_class.csv, confusion.csv"


def command(
    kinds: Any, name: str, run: Callable | None, what: str, *examples: str
) -> argparse.ArgumentParser:
    """A command's own parser, whose help ends in examples."""
    add = kinds.add_parser(
        name,
        help=what,
        description=what[0].upper() + what[1:] + ".",
        epilog="\n  ".join([f"example{'s' if len(examples) > 1 else ''}:", *examples]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add.set_defaults(run=run)
    return add


def checkpoint_options(add: argparse.ArgumentParser, *, several: bool = False) -> None:
    """Which network is meant, or which several."""
    what, more = "the --workdir of a `jaxact train` run", {"nargs": "+"} if several else {}
    what += "; several become one" if several else ""
    add.add_argument("--checkpoint", required=True, metavar="WORKDIR", help=what, **more)
    add.add_argument("--step", type=int, help="a step other than the one that the run selects")
    add.add_argument("--select", choices=("last", "best"), help="in place of the run's own choice")


def quiet_libraries() -> None:
    """TensorFlow, TFDS and Orbax say only what went wrong."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault(
        "TF_ENABLE_ONEDNN_OPTS", "0"
    )  # its only effect here is a notice at every start
    from absl import logging

    logging.set_verbosity(logging.ERROR)


def start_jax() -> None:
    """What must be set before JAX starts: page reuse on CPUs, and a cache of compiled programs."""
    from jaxact.cli import malloc

    malloc.keep_pages()
    import jax

    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        jax.config.update("jax_compilation_cache_dir", os.path.join(cache, "jaxact", "xla"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 1.0)


def need_tensorflow(purpose: str) -> None:
    """Raises UserError where the extra for data is not installed."""
    if importlib.util.find_spec("tensorflow") is None:
        raise missing_extra("tensorflow", "data", purpose)
