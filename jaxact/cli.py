"""`jaxact`: one function per command. Nothing heavy is imported before a command runs."""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from jaxact import __version__
from jaxact.errors import UserError

_DATA_DIR = "folder of prepared data (default: $TFDS_DATA_DIR, or ~/tensorflow_datasets)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns 0, or 2 for an error of the user's. One of ours ends in a traceback and exit code 1."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and not (options.command is _train and all(item.startswith("--config.") for item in rest)):
        print(f"jaxact: unknown argument {rest[0]!r}; see jaxact {options.name} --help", file=sys.stderr)
        return 2
    try:
        return options.command(options, rest) or 0
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
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"jaxact {__version__}")
    commands = parser.add_subparsers(title="commands", dest="name", required=True, metavar="COMMAND")

    add = _adder(commands, _quickstart, "make a small data set, train on it, evaluate, export and draw: a few minutes")
    add.epilog = "Example:\n  jaxact quickstart --out quickstart"
    add.add_argument("--out", default="quickstart", help="folder for everything it makes (default: %(default)s)")

    add = _adder(commands, _prepare, "turn raw files into records")
    add.epilog = (
        "Examples:\n"
        "  jaxact prepare utd_mhad --raw UTD-MHAD/Skeleton --data-dir data\n"
        "  jaxact prepare custom --name mine --raw clips/ --layout coco-17 --data-dir data"
    )
    add.add_argument("dataset", metavar="NAME", help="a data set; an unknown name lists them all")
    add.add_argument("--raw", help="folder (or file) of raw data; synthetic_actions needs none")
    add.add_argument("--data-dir", default="", help=_DATA_DIR)
    add.add_argument("--name", help="custom: what your data set is called, then read as custom/NAME")
    add.add_argument("--layout", help="custom: joint layout, a known name or a JSON file")
    add.add_argument("--workers", type=int, help="processes that parse (default: all cores)")
    add.add_argument("--skip-bad", action="store_true", help="list and leave out files that cannot be read")
    add.add_argument("--overwrite", action="store_true", help="prepare again what is there already")
    add.add_argument(
        "--beam-pipeline-options", metavar="OPTIONS", help="run under Apache Beam, e.g. runner=DirectRunner"
    )

    add = _adder(commands, _train, "train, or resume, a run")
    add.epilog = (
        "Examples:\n"
        "  jaxact train --config configs/stgcn_utd_mhad.py --workdir runs/utd\n"
        "  jaxact train --config configs/stgcn_ntu60.py:xview --workdir runs/xview --config.optim.learning_rate=0.05\n"
        "  jaxact train ... --coordinator host0:1234 --processes 4 --process 2     (one of four machines)"
    )
    add.add_argument("--config", required=True, metavar="FILE", help="config file, or FILE:ARG")
    add.add_argument("--workdir", required=True, help="folder of the run; resumes where a checkpoint is there")
    add.add_argument("--data-dir", default="", help=_DATA_DIR)
    add.add_argument("--coordinator", metavar="HOST:PORT", help="several processes: address of process 0")
    add.add_argument("--processes", type=int, help="several processes: how many")
    add.add_argument("--process", type=int, help="several processes: which one this is, from 0")
    add.add_argument(
        "--distributed", action="store_true", help="several processes whose cluster (TPU pod, Slurm) tells the rest"
    )

    add = _adder(commands, _evaluate, "score a checkpoint on a split")
    add.epilog = (
        "Examples:\n"
        "  jaxact evaluate --checkpoint runs/utd --out results/utd\n"
        "  jaxact evaluate --checkpoint runs/k400 --split val --subset kinetics_motion --out results/k30"
    )
    _checkpoint_options(add)
    add.add_argument("--split", help="split or protocol split (default: the run's evaluation split)")
    add.add_argument("--subset", help="a subset that the data set names, or class names separated by commas")
    add.add_argument("--data-dir", default="", help="where the prepared data lie, if not where training found them")
    add.add_argument("--batch-size", type=int, help="clips at a time (default: the run's)")
    add.add_argument("--out", required=True, help="folder for metrics.json, scores.npz, per_class.csv, confusion.csv")

    add = _adder(commands, _export, "write a checkpoint as one portable file (StableHLO)")
    add.epilog = "Example:\n  jaxact export --checkpoint runs/utd --out utd.jaxact"
    _checkpoint_options(add)
    add.add_argument("--out", required=True, metavar="FILE", help="the artifact")

    add = _adder(commands, _plot, "draw curves, a confusion matrix, a partition, a clip")
    kinds = add.add_subparsers(title="pictures", dest="kind", required=True, metavar="KIND")
    _plot_options(kinds)
    add.epilog = "Example:\n  jaxact plot curves runs/utd --out curves.png"
    return parser


def _adder(commands: Any, command: Any, what: str, name: str | None = None) -> argparse.ArgumentParser:
    add = commands.add_parser(
        name or command.__name__.strip("_"),
        help=what,
        description=what[0].upper() + what[1:] + ".",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add.set_defaults(command=command)
    return add


def _checkpoint_options(add: argparse.ArgumentParser) -> None:
    add.add_argument("--checkpoint", required=True, metavar="WORKDIR", help="the --workdir of a `jaxact train` run")
    add.add_argument("--step", type=int, help="a step other than the one that the run selects")
    add.add_argument("--select", choices=("last", "best"), help="in place of the run's own choice")


def _plot_options(kinds: Any) -> None:
    add = _adder(kinds, _plot, "training curves of one or several runs", "curves")
    add.epilog = "Example:\n  jaxact plot curves runs/a runs/b --out curves.png"
    add.add_argument("workdirs", nargs="+", metavar="WORKDIR", help="--workdir of a run")
    add.add_argument("--out", required=True, metavar="FILE", help="PNG, SVG or PDF")

    add = _adder(kinds, _plot, "confusion matrix of an evaluation", "confusion")
    add.epilog = "Example:\n  jaxact plot confusion results/utd --out confusion.png"
    add.add_argument("results", metavar="DIR", help="--out of `jaxact evaluate`")
    add.add_argument("--out", required=True, metavar="FILE", help="PNG, SVG or PDF")

    add = _adder(kinds, _plot, "recall of each class of an evaluation", "classes")
    add.epilog = "Example:\n  jaxact plot classes results/utd --out classes.png"
    add.add_argument("results", metavar="DIR", help="--out of `jaxact evaluate`")
    add.add_argument("--out", required=True, metavar="FILE", help="PNG, SVG or PDF")

    add = _adder(kinds, _plot, "the partition strategies of a joint layout (Figure 3 of the ST-GCN paper)", "partition")
    add.epilog = "Example:\n  jaxact plot partition ntu-25 --out partition.png"
    add.add_argument("layout", help="layout name, or a JSON file of your own")
    add.add_argument("--out", required=True, metavar="FILE", help="PNG, SVG or PDF")

    add = _adder(kinds, _plot, "a record as a moving skeleton", "clip")
    add.epilog = "Example:\n  jaxact plot clip utd_mhad --split test --index 3 --data-dir data --out clip.gif"
    add.add_argument("dataset", help="a prepared data set")
    add.add_argument("--split", default="test", help="default: %(default)s")
    add.add_argument("--index", type=int, default=0, help="which record of the split (default: %(default)s)")
    add.add_argument("--id", help="the record with this id, in place of --index")
    add.add_argument("--data-dir", default="", help=_DATA_DIR)
    add.add_argument("--fps", type=float, default=30.0, help="frames a second (default: %(default)s)")
    add.add_argument("--out", required=True, metavar="FILE", help="GIF or MP4")


def _quickstart(options: argparse.Namespace, _: list[str]) -> int:
    _start_jax()
    from jaxact import quickstart

    quickstart.run(options.out)
    return 0


def _prepare(options: argparse.Namespace, _: list[str]) -> int:
    from jaxact.datasets import prepare

    summary = prepare.prepare(
        f"{options.dataset}/{options.name}" if options.name else options.dataset,
        raw=options.raw,
        data_dir=options.data_dir,
        layout=options.layout,
        workers=options.workers,
        skip_bad=options.skip_bad,
        overwrite=options.overwrite,
        beam_options=options.beam_pipeline_options,
    )
    print(summary)
    return 0


def _train(options: argparse.Namespace, overrides: list[str]) -> int:
    from jaxact import config

    run = config.load(options.config, overrides)
    if options.data_dir:
        run.data.data_dir = options.data_dir
    _start_jax()
    _start_processes(options)
    from jaxact import train

    outcome = train.run(run, options.workdir)
    if outcome.stopped:
        print(f"stopped after step {outcome.step}; the same command resumes there")
    else:
        last = f": top-1 {outcome.metrics['top1']:.2%} on {run.data.eval_split!r}" if outcome.metrics else ""
        print(f"finished {outcome.step} steps{last}; next: jaxact evaluate --checkpoint {options.workdir} --out DIR")
    return 0


def _evaluate(options: argparse.Namespace, _: list[str]) -> int:
    _start_jax()
    from jaxact import evaluate

    report = evaluate.run(
        options.checkpoint,
        out=options.out,
        split=options.split,
        subset=options.subset,
        data_dir=options.data_dir,
        step=options.step,
        how=options.select,
        batch_size=options.batch_size,
    )
    print(
        f"{report['dataset']} {report['split']}, {report['count']} clips, "
        f"step {report['step']} ({report['step_chosen']}): "
        f"top-1 {report['top1']:.2%}, top-5 {report['top5']:.2%}, mean class {report['mean_class']:.2%}, "
        f"loss {report['loss']:.4f}; written to {options.out}"
    )
    return 0


def _export(options: argparse.Namespace, _: list[str]) -> int:
    _start_jax()
    from jaxact import export

    meta = export.run(options.checkpoint, out=options.out, step=options.step, how=options.select)
    print(
        f"{options.out}: step {meta['step']}, input {meta['input']['shape']}, symbolic {meta['input']['symbolic']}, "
        f"largest difference {meta['parity']['max_relative_difference']:.1e} of the largest logit after reloading"
    )
    return 0


def _plot(options: argparse.Namespace, _: list[str]) -> int:
    from jaxact import drawing

    drawing.draw(options)
    print(options.out)
    return 0


def _start_jax() -> None:
    """What must be set before JAX starts: page reuse on CPUs, a cache of compiled programs."""
    from jaxact import allocator

    allocator.keep_pages()
    import jax

    if not jax.config.jax_compilation_cache_dir:
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        jax.config.update("jax_compilation_cache_dir", os.path.join(cache, "jaxact", "xla"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 1.0)


def _start_processes(options: argparse.Namespace) -> None:
    given = (options.coordinator, options.processes, options.process)
    if options.distributed:
        import jax

        jax.distributed.initialize()
    elif any(value is not None for value in given):
        if None in given:
            raise UserError("several processes need all of --coordinator, --processes and --process (or --distributed)")
        import jax

        jax.distributed.initialize(options.coordinator, options.processes, options.process)


if __name__ == "__main__":
    sys.exit(main())
