"""`jaxact`: what each command takes. Nothing heavy is imported before a command runs."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from jaxact import __version__, commands
from jaxact.errors import UserError
from jaxact.protocols import PROTOCOLS

_DATA_DIR = "folder of prepared data (default: $TFDS_DATA_DIR, or ~/tensorflow_datasets)"
_PICTURE = "PNG, SVG or PDF"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns 0, 1 where `check` finds errors in the data, or 2 for an error of the user's.

    An error of ours ends in a traceback.
    """
    options, rest = _parser().parse_known_args(arguments)
    takes_config = options.command is commands.train
    for item in rest:
        if not (takes_config and item.startswith("--config.")):
            print(f"jaxact: unknown argument {item!r}; see jaxact {options.name} --help", file=sys.stderr)
            return 2
    if takes_config:
        options.overrides = rest
    try:
        commands.quiet_libraries()
        return options.command(options) or 0
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
    for add in (_quickstart, _prepare, _check, _train, _evaluate, _fuse, _export, _plot):
        add(kinds)
    return parser


def _command(kinds: Any, name: str, command: Callable | None, what: str, *examples: str) -> argparse.ArgumentParser:
    """A command's own parser, whose help ends in examples."""
    add = kinds.add_parser(
        name,
        help=what,
        description=what[0].upper() + what[1:] + ".",
        epilog="\n  ".join([f"example{'s' if len(examples) > 1 else ''}:", *examples]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add.set_defaults(command=command)
    return add


def _quickstart(kinds: Any) -> None:
    add = _command(
        kinds,
        "quickstart",
        commands.quickstart,
        "make a small data set, train on it, evaluate, export and draw: a few minutes",
        "jaxact quickstart --out quickstart",
    )
    add.add_argument("--out", default="quickstart", help="folder for everything it makes (default: %(default)s)")


def _prepare(kinds: Any) -> None:
    add = _command(
        kinds,
        "prepare",
        commands.prepare,
        "turn raw files into records",
        "jaxact prepare utd_mhad --raw UTD-MHAD/Skeleton --data-dir data",
        "jaxact prepare custom --name mine --raw clips --layout coco-17 --data-dir data",
        "jaxact prepare pyskl --name ucf101 --raw ucf101_hrnet.pkl --to-layout openpose-18 --data-dir data",
    )
    add.add_argument("dataset", metavar="NAME", help="a data set; an unknown name lists them all")
    add.add_argument("--raw", help="folder (or file) of raw data; synthetic_actions needs none")
    add.add_argument("--data-dir", default="", help=_DATA_DIR)
    add.add_argument(
        "--name", dest="own_name", help="sets of your own (custom, pyskl ...): what it is called, as in custom/NAME"
    )
    add.add_argument("--layout", help="sets of your own: joint layout, a known name or a JSON file")
    add.add_argument("--to-layout", metavar="LAYOUT", help="sets of your own: convert the joints to this layout")
    add.add_argument("--workers", type=int, help="processes that parse (default: all cores)")
    add.add_argument("--skip-bad", action="store_true", help="list and leave out files that cannot be read")
    add.add_argument("--overwrite", action="store_true", help="prepare again what is there already")
    add.add_argument("--beam-pipeline-options", metavar="OPTIONS", help="run under Apache Beam: runner=DirectRunner")


def _check(kinds: Any) -> None:
    add = _command(
        kinds,
        "check",
        commands.check,
        "look for what is wrong in skeleton data: gaps, swaps, flipped axes, leaks; exit code 1 where there are errors",
        "jaxact check utd_mhad --data-dir data --out checked",
        "jaxact check clips.npz --layout coco-17    (a packed file, a folder with labels.csv, or one clip)",
        "jaxact check ntu60 --raw nturgb+d_skeletons --ignore person-gap,imbalance",
    )
    add.add_argument("data", metavar="DATASET|FILE", help="a prepared data set, or a file or folder of your own clips")
    add.add_argument("--raw", help="look at a data set's raw files, before they are prepared")
    add.add_argument("--layout", help="clips of your own: joint layout, a known name or a JSON file")
    add.add_argument("--data-dir", default="", help=_DATA_DIR)
    add.add_argument("--ignore", default="", metavar="RULES", help="leave these rules out, separated by commas")
    add.add_argument("--out", metavar="DIR", help="folder for findings.json, findings.csv and worst.png")


def _train(kinds: Any) -> None:
    add = _command(
        kinds,
        "train",
        commands.train,
        "train, or resume, a run",
        "jaxact train --config configs/stgcn_utd_mhad.py --workdir runs/utd",
        "jaxact train --config configs/stgcn_ntu60.py:xview --workdir runs/xview --config.optim.learning_rate=0.05",
        "jaxact train ... --streams joint,bone,joint_motion,bone_motion    (a network each, then their fusion)",
        "jaxact train ... --config.protocol=NAME    (published preprocessing; those there are stand below)",
        "jaxact train ... --coordinator host0:1234 --processes 4 --process 2    (one of four machines)",
    )
    add.add_argument("--config", required=True, metavar="FILE", help="config file, or FILE:ARG")
    assert add.epilog
    add.epilog += "\n\nprotocols:\n  " + "\n  ".join(f"{name:18}{known.source}" for name, known in PROTOCOLS.items())
    add.add_argument("--workdir", required=True, help="folder of the run; resumes where a checkpoint is there")
    add.add_argument("--data-dir", default="", help=_DATA_DIR)
    add.add_argument("--streams", metavar="S,S", help="train one network a stream, evaluate each, and fuse the scores")
    add.add_argument("--coordinator", metavar="HOST:PORT", help="several processes: address of process 0")
    add.add_argument("--processes", type=int, help="several processes: how many")
    add.add_argument("--process", type=int, help="several processes: which one this is, from 0")
    add.add_argument("--distributed", action="store_true", help="several processes of a cluster (TPU pod, Slurm)")


def _evaluate(kinds: Any) -> None:
    add = _command(
        kinds,
        "evaluate",
        commands.evaluate,
        "score a checkpoint on a split",
        "jaxact evaluate --checkpoint runs/utd --out results/utd",
        "jaxact evaluate --checkpoint runs/k400 --split val --subset kinetics_motion --out results/k30",
    )
    _checkpoint_options(add)
    add.add_argument("--split", help="split or protocol split (default: the run's evaluation split)")
    add.add_argument("--subset", help="a subset that the data set names, or class names separated by commas")
    add.add_argument("--data-dir", default="", help="where the prepared data lie, if not where training found them")
    add.add_argument("--batch-size", type=int, help="clips at a time (default: the run's)")
    add.add_argument("--out", required=True, help="folder for metrics.json, scores.npz, per_class.csv, confusion.csv")


def _fuse(kinds: Any) -> None:
    add = _command(
        kinds,
        "fuse",
        commands.fuse,
        "add the scores of several systems, joined by id",
        "jaxact fuse results/joint results/bone --weights 1,1 --out results/fused",
        "jaxact fuse test/joint test/bone --search-on dev/joint dev/bone --out results/fused",
    )
    add.add_argument("scores", nargs="+", metavar="SCORES", help="--out of `jaxact evaluate`, or a scores.npz")
    add.add_argument("--weights", type=_numbers, help="one a file, separated by commas (default: equal)")
    add.add_argument(
        "--kind", default="softmax", help="softmax: add probabilities; logit: the scores as they are (default: softmax)"
    )
    add.add_argument("--search-on", nargs="+", default=(), metavar="SCORES", help="search weights on held-out scores")
    add.add_argument("--oracle", action="store_true", help="search on the scored examples; the report says so")
    add.add_argument("--out", required=True, help="folder for metrics.json, scores.npz, per_class.csv, confusion.csv")


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(item) for item in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of numbers such as 2,2,1,1") from None


def _export(kinds: Any) -> None:
    add = _command(
        kinds,
        "export",
        commands.export,
        "write a checkpoint as one portable file (StableHLO)",
        "jaxact export --checkpoint runs/utd --out utd.jaxact",
    )
    _checkpoint_options(add)
    add.add_argument("--out", required=True, metavar="FILE", help="the artifact")


def _checkpoint_options(add: argparse.ArgumentParser) -> None:
    add.add_argument("--checkpoint", required=True, metavar="WORKDIR", help="the --workdir of a `jaxact train` run")
    add.add_argument("--step", type=int, help="a step other than the one that the run selects")
    add.add_argument("--select", choices=("last", "best"), help="in place of the run's own choice")


def _plot(kinds: Any) -> None:
    what = "draw curves, a confusion matrix, a partition, a clip, a network's response"
    add = _command(kinds, "plot", None, what, "jaxact plot curves runs/utd --out curves.png")
    pictures = add.add_subparsers(title="pictures", dest="kind", required=True, metavar="KIND")

    what, example = "training curves of one or several runs", "jaxact plot curves runs/a runs/b --out curves.png"
    add = _command(pictures, "curves", commands.plot_curves, what, example)
    add.add_argument("workdirs", nargs="+", metavar="WORKDIR", help="--workdir of a run")
    add.add_argument("--out", required=True, metavar="FILE", help=_PICTURE)

    what, example = "confusion matrix of an evaluation", "jaxact plot confusion results/utd --out confusion.png"
    add = _command(pictures, "confusion", commands.plot_confusion, what, example)
    add.add_argument("results", metavar="DIR", help="--out of `jaxact evaluate`")
    add.add_argument("--out", required=True, metavar="FILE", help=_PICTURE)

    what, example = "recall of each class of an evaluation", "jaxact plot classes results/utd --out classes.png"
    add = _command(pictures, "classes", commands.plot_classes, what, example)
    add.add_argument("results", metavar="DIR", help="--out of `jaxact evaluate`")
    add.add_argument("--out", required=True, metavar="FILE", help=_PICTURE)

    what = "the partition strategies on a joint layout, Figure 3 of the ST-GCN paper"
    add = _command(pictures, "partition", commands.plot_partition, what, "jaxact plot partition ntu-25 --out parts.png")
    add.add_argument("layout", help="layout name, or a JSON file of your own")
    add.add_argument("--out", required=True, metavar="FILE", help=_PICTURE)

    what, example = (
        "a record as a moving skeleton",
        "jaxact plot clip utd_mhad --index 3 --data-dir data --out clip.gif",
    )
    add = _command(pictures, "clip", commands.plot_clip, what, example)
    add.add_argument("dataset", help="a prepared data set")
    add.add_argument("--split", default="test", help="default: %(default)s")
    add.add_argument("--index", type=int, default=0, help="which record of the split (default: %(default)s)")
    add.add_argument("--id", help="the record with this id, in place of --index")
    add.add_argument("--data-dir", default="", help=_DATA_DIR)
    add.add_argument("--fps", type=float, default=30.0, help="frames a second (default: %(default)s)")
    add.add_argument("--out", required=True, metavar="FILE", help="GIF or MP4")

    what, example = (
        "where a graph network answers to a record: a disc at each joint",
        "jaxact plot response --checkpoint runs/utd --id a1_s2_t1 --out response.png",
    )
    add = _command(pictures, "response", commands.plot_response, what, example)
    _checkpoint_options(add)
    add.add_argument("--split", help="default: the run's evaluation split")
    add.add_argument("--index", type=int, default=0, help="which record of the split (default: %(default)s)")
    add.add_argument("--id", help="the record with this id, in place of --index")
    add.add_argument("--data-dir", default="", help="where the prepared data lie, if not where training found them")
    add.add_argument("--fps", type=float, default=30.0, help="frames a second of the record (default: %(default)s)")
    add.add_argument(
        "--out", required=True, metavar="FILE", help=f"six frames as {_PICTURE}, all of them as GIF or MP4"
    )


if __name__ == "__main__":
    sys.exit(main())
