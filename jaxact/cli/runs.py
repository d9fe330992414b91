"""`jaxact quickstart`, `train`, `evaluate`, `fuse` and `export`: the life of a run."""

import argparse
import os
from typing import Any

from jaxact.cli.command import (
    DATA_DIR,
    DATA_DIR_NOW,
    REPORT,
    checkpoint_options,
    command,
    need_tensorflow,
    start_jax,
)
from jaxact.config.protocols import PROTOCOLS
from jaxact.errors import UserError


def quickstart(kinds: Any) -> None:
    """`jaxact quickstart`"""
    add = command(
        kinds,
        "quickstart",
        _run_quickstart,
        "make a small data set, train on it, evaluate, export and draw: a few minutes",
        "jaxact quickstart --out quickstart",
    )
    add.add_argument(
        "--out", default="quickstart", help="folder for everything it makes (default: %(default)s)"
    )


def _run_quickstart(options: argparse.Namespace) -> None:
    start_jax()
    from jaxact.cli import quickstart

    quickstart.run(options.out)


def train(kinds: Any) -> None:
    """`jaxact train`"""
    add = command(
        kinds,
        "train",
        _run_train,
        "train, or resume, a run",
        "jaxact train --config configs/stgcn.py:utd_mhad --workdir runs/utd",
        "jaxact train --config configs/stgcn.py:ntu60,xview --workdir runs/xview --config.optim.learning_rate=0.05",
        "jaxact train ... --streams joint,bone,joint_motion,bone_motion    (a network each, then their fusion)",
        "jaxact train ... --config.protocol=NAME    (published preprocessing; those there are stand below)",
        "jaxact train ... --coordinator host0:1234 --processes 4 --process 2    (one of four machines)",
    )
    add.add_argument("--config", required=True, metavar="FILE", help="config file, or FILE:ARG")
    assert add.epilog
    add.epilog += "\n\nprotocols:\n  " + "\n  ".join(
        f"{name:18}{known.source}" for name, known in PROTOCOLS.items()
    )
    add.add_argument(
        "--workdir", required=True, help="folder of the run; resumes where a checkpoint is there"
    )
    add.add_argument("--data-dir", default="", help=DATA_DIR)
    add.add_argument(
        "--streams",
        metavar="S,S",
        help="train one network a stream, evaluate each, and fuse the scores",
    )
    add.add_argument(
        "--coordinator", metavar="HOST:PORT", help="several processes: address of process 0"
    )
    add.add_argument("--processes", type=int, help="several processes: how many")
    add.add_argument("--process", type=int, help="several processes: which one this is, from 0")
    add.add_argument(
        "--distributed", action="store_true", help="several processes of a cluster (TPU pod, Slurm)"
    )


STOPPED = 130  # exit code, as of any command that Ctrl-C ends: what follows `train &&` does not meet half a run


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
    from jaxact.training import loop as train

    outcome = train.run(run, options.workdir)
    if outcome.stopped:
        print(f"stopped after step {outcome.step} and saved; the same command resumes there")
        return STOPPED
    found = outcome.metrics or {}
    last = f": top-1 {found['top1']:.2%} on {run.data.eval_split!r}" if "top1" in found else ""
    then = f"jaxact evaluate --checkpoint {options.workdir} --out DIR"
    if found and not last:
        last = f": loss {found['loss']:.4f} on {run.data.eval_split!r}"
        then = f"jaxact train ... --config.init_from={options.workdir}"
    print(f"finished {outcome.step} steps{last}; next: {then}")
    return 0


def _train_streams(run: Any, options: argparse.Namespace) -> int:
    from jaxact.training import multi_stream

    found = multi_stream.run(run, options.workdir, options.streams.split(","))
    if found is None:
        print("stopped and saved; the same command resumes there")
        return STOPPED
    _print_fused(found, os.path.join(options.workdir, "fused"))
    return 0


def _start_processes(options: argparse.Namespace) -> None:
    given = (options.coordinator, options.processes, options.process)
    if options.distributed:
        import jax

        jax.distributed.initialize()
    elif any(value is not None for value in given):
        if None in given:
            raise UserError(
                "several processes need all of --coordinator, --processes and --process (or --distributed)"
            )
        import jax

        jax.distributed.initialize(options.coordinator, options.processes, options.process)


def evaluate(kinds: Any) -> None:
    """`jaxact evaluate`"""
    add = command(
        kinds,
        "evaluate",
        _run_evaluate,
        "score a checkpoint on a split",
        "jaxact evaluate --checkpoint runs/utd --out results/utd",
        "jaxact evaluate --checkpoint runs/k400 --split val --subset kinetics_motion --out results/k30",
    )
    checkpoint_options(add)
    add.add_argument(
        "--split", help="split or protocol split (default: the run's evaluation split)"
    )
    add.add_argument(
        "--subset", help="a subset that the data set names, or class names separated by commas"
    )
    add.add_argument("--data-dir", default="", help=DATA_DIR_NOW)
    add.add_argument("--batch-size", type=int, help="clips at a time (default: the run's)")
    add.add_argument(
        "--kept",
        type=int,
        help="STA-GCN: this many confident segments count (DCW); 0: all equally (AFM)",
    )
    add.add_argument("--confidence", help="STA-GCN: of a segment: max, entropy or margin")
    add.add_argument(
        "--views",
        type=int,
        help="clips seen of each record, their probabilities averaged (default: the run's)",
    )
    add.add_argument("--out", required=True, help=REPORT)


def _run_evaluate(options: argparse.Namespace) -> None:
    need_tensorflow("reading prepared data")
    start_jax()
    from jaxact.evaluation import classification as evaluate
    from jaxact.runs import trained_model

    where = {
        "out": options.out,
        "split": options.split,
        "data_dir": options.data_dir,
        "step": options.step,
        "how": options.select,
        "batch_size": options.batch_size,
    }
    special = {name: getattr(options, name) for name in ("subset", "kept", "confidence", "views")}
    if trained_model.kind(options.checkpoint) == "pose":
        _evaluate_poses(options.checkpoint, where, special)
        return
    report = evaluate.run(options.checkpoint, **where, **special)
    protocol = "" if report["protocol"] == "none" else f", protocol {report['protocol']}"
    print(
        f"{report['dataset']} {report['split']}{protocol}, {report['count']} clips, "
        f"step {report['step']} ({report['step_chosen']}): "
        f"top-1 {report['top1']:.2%}, top-5 {report['top5']:.2%}, mean class {report['mean_class']:.2%}, "
        f"loss {report['loss']:.4f}; written to {options.out}"
    )
    if "leaks" in report:
        print(
            f"this split leaks: {report['leaks']}; the figure says little about clips of other recordings"
        )


def _evaluate_poses(checkpoint: str, where: dict[str, Any], special: dict[str, Any]) -> None:
    from jaxact.evaluation import pose

    if given := [name for name, value in special.items() if value is not None]:
        raise UserError(
            f"--{given[0]} is for networks that tell actions; {checkpoint!r} finds joints"
        )
    found = pose.run(checkpoint, **where)
    precision = f", AP {found['AP']:.2%}" if "AP" in found else ""
    worst = min(found["joints"], key=found["joints"].get)
    print(
        f"{found['dataset']} {found['split']}, {found['pictures']} pictures, step {found['step']} "
        f"({found['step_chosen']}): PCK@{found['pck_at']:g} {found['pck']:.2%}, worst joint {worst} "
        f"{found['joints'][worst]:.2%}{precision}; written to {where['out']}"
    )


def fuse(kinds: Any) -> None:
    """`jaxact fuse`"""
    add = command(
        kinds,
        "fuse",
        _run_fuse,
        "add the scores of several systems, joined by id",
        "jaxact fuse results/joint results/bone --weights 1,1 --out results/fused",
        "jaxact fuse test/joint test/bone --search-on dev/joint dev/bone --out results/fused",
    )
    add.add_argument(
        "scores", nargs="+", metavar="SCORES", help="--out of `jaxact evaluate`, or a scores.npz"
    )
    add.add_argument(
        "--weights", type=_numbers, help="one a file, separated by commas (default: equal)"
    )
    add.add_argument(
        "--kind",
        default="softmax",
        help="softmax: add probabilities; logit: the scores as they are (default: softmax)",
    )
    add.add_argument(
        "--search-on",
        nargs="+",
        default=(),
        metavar="SCORES",
        help="search weights on held-out scores",
    )
    add.add_argument(
        "--oracle", action="store_true", help="search on the scored examples; the report says so"
    )
    add.add_argument("--out", required=True, help=REPORT)


def _run_fuse(options: argparse.Namespace) -> None:
    from jaxact.evaluation import score_fusion

    found = score_fusion.run(
        options.scores,
        out=options.out,
        weights=options.weights,
        kind=options.kind,
        search_on=options.search_on,
        oracle=options.oracle,
    )
    _print_fused(found, options.out)


def _print_fused(found: dict[str, Any], out: str) -> None:
    fused = found["fusion"]
    for system, top1, weight in zip(fused["systems"], fused["top1"], fused["weights"], strict=True):
        print(f"{top1:8.2%}  weight {weight:<5g} {system}")
    print(
        f"{found['top1']:8.2%}  fused ({fused['scores']}, weights {fused['weights_chosen']}), {found['count']} clips, "
        f"top-5 {found['top5']:.2%}, mean class {found['mean_class']:.2%}; written to {out}"
    )


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(item) for item in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no list of numbers such as 2,2,1,1"
        ) from None


def export(kinds: Any) -> None:
    """`jaxact export`"""
    add = command(
        kinds,
        "export",
        _run_export,
        "write a checkpoint as one portable artifact, proved equal to the network",
        "jaxact export --checkpoint runs/utd --out utd.jaxact",
        "jaxact export --checkpoint runs/utd --format onnx --data-dir data --out utd.onnx",
        "jaxact export --checkpoint runs/utd4/joint/run runs/utd4/bone/run --format savedmodel --out utd4",
    )
    checkpoint_options(add, several=True)
    add.add_argument(
        "--format",
        default="stablehlo",
        help="stablehlo (a zip), savedmodel (a folder), onnx, or safetensors: the weights alone (default: %(default)s)",
    )
    add.add_argument(
        "--weights", type=_numbers, metavar="W,W", help="shares of several networks' probabilities"
    )
    add.add_argument(
        "--data-dir", help="prepared data, whose clips are compared beside random ones"
    )
    add.add_argument(
        "--out", required=True, metavar="FILE", help="the artifact; a folder for savedmodel"
    )


def _run_export(options: argparse.Namespace) -> None:
    start_jax()
    from jaxact import export

    meta = export.run(
        options.checkpoint,
        out=options.out,
        step=options.step,
        how=options.select,
        format=options.format,
        shares=options.weights,
        data_dir=options.data_dir,
    )
    proof = meta["parity"]
    inputs = ", ".join(f"{count} {name}" for name, count in proof["inputs"].items())
    print(
        f"{options.out}: step {meta['step']}, input {meta['input']['shape']}, symbolic {meta['input']['symbolic']}, "
        f"largest difference {proof['max_relative_difference']:.1e} of the largest logit after reloading "
        f"({proof['tolerance']:.0e} allowed), the same class for {proof['top1_agreement']:.1%} of inputs: {inputs}"
    )
