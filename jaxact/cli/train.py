"""`jaxact train`: training of one network, or of one network per stream."""

import argparse
import os
from typing import Any

from jaxact.cli.command import DATA_DIR, command, need_tensorflow, start_jax
from jaxact.cli.evaluate import print_fusion
from jaxact.config.protocols import PROTOCOLS
from jaxact.errors import UserError

# Exit code of a run that a signal stopped, so that `jaxact train && jaxact evaluate` does not
# evaluate half a run. Commands that Ctrl-C ends have the same code.
STOPPED = 130


def train(subparsers: Any) -> None:
    """`jaxact train`"""
    parser = command(
        subparsers,
        "train",
        _run_train,
        "train a network, or resume a run",
        "jaxact train --config configs/stgcn.py:utd_mhad --workdir runs/utd",
        "jaxact train --config configs/stgcn.py:ntu60,xview --workdir runs/xview "
        "--config.optim.learning_rate=0.05",
        "jaxact train ... --streams joint,bone,joint_motion,bone_motion    (one network per "
        "stream, then their fusion)",
        "jaxact train ... --config.protocol=NAME    (published preprocessing; names are below)",
        "jaxact train ... --coordinator host0:1234 --processes 4 --process 2    (one machine of "
        "four)",
    )
    rows = [f"{name:18}{protocol.source}" for name, protocol in PROTOCOLS.items()]
    parser.epilog = "\n  ".join([f"{parser.epilog}\n\nprotocols:", *rows])
    parser.add_argument(
        "--config", required=True, metavar="FILE", help="config file, or FILE:WORD,WORD..."
    )
    parser.add_argument(
        "--workdir", required=True, help="folder of the run; a run in it is resumed"
    )
    parser.add_argument("--data-dir", default="", help=DATA_DIR)
    parser.add_argument(
        "--streams",
        metavar="S,S",
        help="train and evaluate one network per stream, then fuse",
    )
    parser.add_argument(
        "--coordinator", metavar="HOST:PORT", help="several processes: address of process 0"
    )
    parser.add_argument("--processes", type=int, help="several processes: their number")
    parser.add_argument("--process", type=int, help="several processes: index of this one, from 0")
    parser.add_argument(
        "--distributed", action="store_true", help="several processes of a cluster (TPU pod, Slurm)"
    )


def _run_train(options: argparse.Namespace) -> int:
    from jaxact import config

    run = config.load(options.config, options.overrides)
    if options.data_dir:
        run.data.data_dir = options.data_dir
    need_tensorflow("reading prepared data")
    start_jax()
    _start_processes(options)
    if options.streams:
        return _train_streams(run, options)
    from jaxact.training import loop

    result = loop.run(run, options.workdir)
    if result.stopped:
        print(f"stopped after step {result.step} and saved; the same command resumes there")
        return STOPPED
    print(f"finished {result.step} steps{_outcome(result.metrics, run, options.workdir)}")
    return 0


def _outcome(metrics: dict[str, Any] | None, run: Any, workdir: str) -> str:
    """The last evaluation of a run, and the command that comes next."""
    evaluate = f"; next: jaxact evaluate --checkpoint {workdir} --out DIR"
    if not metrics:
        return evaluate
    if "top1" in metrics:
        return f": top-1 {metrics['top1']:.2%} on {run.data.eval_split!r}{evaluate}"
    return (
        f": loss {metrics['loss']:.4f} on {run.data.eval_split!r}"
        f"; next: jaxact train ... --config.init_from={workdir}"
    )


def _train_streams(run: Any, options: argparse.Namespace) -> int:
    from jaxact.training import multi_stream

    report = multi_stream.run(run, options.workdir, options.streams.split(","))
    if report is None:
        print("stopped and saved; the same command resumes there")
        return STOPPED
    print_fusion(report, os.path.join(options.workdir, "fused"))
    return 0


def _start_processes(options: argparse.Namespace) -> None:
    """Joins the other processes of a run, where there are any."""
    addresses = (options.coordinator, options.processes, options.process)
    if not options.distributed and all(value is None for value in addresses):
        return
    import jax

    if options.distributed:
        jax.distributed.initialize()
    elif None in addresses:
        raise UserError(
            "several processes need all of --coordinator, --processes and --process "
            "(or --distributed)"
        )
    else:
        jax.distributed.initialize(*addresses)
