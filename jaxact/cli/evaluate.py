"""`jaxact evaluate` and `jaxact fuse`: scores of a checkpoint, and of several together."""

import argparse
from typing import Any

from jaxact.cli.command import (
    DATA_DIR_OF_RUN,
    RESULTS,
    checkpoint_options,
    command,
    need_tensorflow,
    start_jax,
    weights_list,
)
from jaxact.errors import UserError

CLASSIFIER_OPTIONS = ("subset", "kept", "confidence", "views")


def evaluate(subparsers: Any) -> None:
    """`jaxact evaluate`"""
    parser = command(
        subparsers,
        "evaluate",
        _run_evaluate,
        "evaluate a checkpoint on a split",
        "jaxact evaluate --checkpoint runs/utd --out results/utd",
        "jaxact evaluate --checkpoint runs/k400 --split val --subset kinetics_motion "
        "--out results/k30",
    )
    checkpoint_options(parser)
    parser.add_argument(
        "--split", help="split or protocol split (default: the run's evaluation split)"
    )
    parser.add_argument(
        "--subset", help="named subset of the data set, or class names separated by commas"
    )
    parser.add_argument("--data-dir", default="", help=DATA_DIR_OF_RUN)
    parser.add_argument("--batch-size", type=int, help="clips per batch (default: the run's)")
    parser.add_argument(
        "--kept",
        type=int,
        help="STA-GCN: number of confident segments that count (DCW); 0: all count equally (AFM)",
    )
    parser.add_argument(
        "--confidence", help="STA-GCN: confidence of a segment: max, entropy or margin"
    )
    parser.add_argument(
        "--views",
        type=int,
        help="views of each record, whose probabilities are averaged (default: the run's)",
    )
    parser.add_argument("--out", required=True, help=RESULTS)


def _run_evaluate(options: argparse.Namespace) -> None:
    need_tensorflow("reading prepared data")
    start_jax()
    from jaxact.evaluation import classification
    from jaxact.runs import trained_model

    shared_options = {
        "out": options.out,
        "split": options.split,
        "data_dir": options.data_dir,
        "step": options.step,
        "how": options.select,
        "batch_size": options.batch_size,
    }
    classifier_options = {name: getattr(options, name) for name in CLASSIFIER_OPTIONS}
    if trained_model.input_kind(options.checkpoint) == "pose":
        _evaluate_poses(options.checkpoint, shared_options, classifier_options)
        return
    report = classification.run(options.checkpoint, **shared_options, **classifier_options)
    protocol = "" if report["protocol"] == "none" else f", protocol {report['protocol']}"
    print(
        f"{report['dataset']} {report['split']}{protocol}, {report['count']} clips, "
        f"step {report['step']} ({report['step_chosen']}): "
        f"top-1 {report['top1']:.2%}, top-5 {report['top5']:.2%}, "
        f"mean class {report['mean_class']:.2%}, loss {report['loss']:.4f}; "
        f"written to {options.out}"
    )
    if "leaks" in report:
        print(
            f"this split leaks: {report['leaks']}; the figure says little about clips of other "
            "recordings"
        )


def _evaluate_poses(
    checkpoint: str, shared_options: dict[str, Any], classifier_options: dict[str, Any]
) -> None:
    from jaxact.evaluation import pose

    for name, value in classifier_options.items():
        if value is not None:
            raise UserError(f"--{name} is for action classifiers; {checkpoint!r} is a pose network")
    report = pose.run(checkpoint, **shared_options)
    precision = f", AP {report['AP']:.2%}" if "AP" in report else ""
    worst = min(report["joints"], key=report["joints"].get)
    print(
        f"{report['dataset']} {report['split']}, {report['pictures']} pictures, "
        f"step {report['step']} ({report['step_chosen']}): "
        f"PCK@{report['pck_at']:g} {report['pck']:.2%}, worst joint {worst} "
        f"{report['joints'][worst]:.2%}{precision}; written to {shared_options['out']}"
    )


def fuse(subparsers: Any) -> None:
    """`jaxact fuse`"""
    parser = command(
        subparsers,
        "fuse",
        _run_fuse,
        "fuse the scores of several systems, matched by record id",
        "jaxact fuse results/joint results/bone --weights 1,1 --out results/fused",
        "jaxact fuse test/joint test/bone --search-on dev/joint dev/bone --out results/fused",
    )
    parser.add_argument(
        "scores", nargs="+", metavar="SCORES", help="--out of `jaxact evaluate`, or a scores.npz"
    )
    parser.add_argument(
        "--weights",
        type=weights_list,
        help="one weight per system, separated by commas (default: equal)",
    )
    parser.add_argument(
        "--kind",
        default="softmax",
        help="softmax: add probabilities; logit: add logits (default: softmax)",
    )
    parser.add_argument(
        "--search-on",
        nargs="+",
        default=(),
        metavar="SCORES",
        help="search the weights on held-out scores",
    )
    parser.add_argument(
        "--oracle",
        action="store_true",
        help="search the weights on the evaluated examples themselves; the report says so",
    )
    parser.add_argument("--out", required=True, help=RESULTS)


def _run_fuse(options: argparse.Namespace) -> None:
    from jaxact.evaluation import score_fusion

    report = score_fusion.run(
        options.scores,
        out=options.out,
        weights=options.weights,
        kind=options.kind,
        search_on=options.search_on,
        oracle=options.oracle,
    )
    print_fusion(report, options.out)


def print_fusion(report: dict[str, Any], out: str) -> None:
    """Prints top-1 accuracy of every system and of their fusion."""
    fusion = report["fusion"]
    for system, top1, weight in zip(
        fusion["systems"], fusion["top1"], fusion["weights"], strict=True
    ):
        print(f"{top1:8.2%}  weight {weight:<5g} {system}")
    print(
        f"{report['top1']:8.2%}  fused ({fusion['scores']}, weights {fusion['weights_chosen']}), "
        f"{report['count']} clips, top-5 {report['top5']:.2%}, "
        f"mean class {report['mean_class']:.2%}; written to {out}"
    )
