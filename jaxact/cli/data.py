"""`jaxact prepare` and `jaxact check`: raw files to records, and what is wrong in either."""

import argparse
import os
from typing import Any

from jaxact.cli.command import DATA_DIR, command, need_tensorflow, start_jax
from jaxact.errors import UserError


def prepare(kinds: Any) -> None:
    """`jaxact prepare`"""
    add = command(
        kinds,
        "prepare",
        _run_prepare,
        "turn raw files into records",
        "jaxact prepare utd_mhad --raw UTD-MHAD/Skeleton --data-dir data",
        "jaxact prepare custom --name mine --raw clips --layout coco-17 --data-dir data",
        "jaxact prepare pyskl --name ucf101 --raw ucf101_hrnet.pkl --to-layout openpose-18 --data-dir data",
        "jaxact prepare video_folder --raw clips --short-side 240 --data-dir data",
        "jaxact prepare skeletons_from_video clips --checkpoint runs/pose --data-dir data",
    )
    add.add_argument("dataset", metavar="NAME", help="a data set; an unknown name lists them all")
    add.add_argument("raw_folder", metavar="DIR", nargs="?", help="the same as --raw DIR")
    add.add_argument("--raw", help="folder (or file) of raw data; synthetic_actions needs none")
    add.add_argument("--data-dir", default="", help=DATA_DIR)
    add.add_argument(
        "--name",
        dest="own_name",
        help="sets of your own (custom, pyskl ...): what it is called, as in custom/NAME",
    )
    add.add_argument("--layout", help="sets of your own: joint layout, a known name or a JSON file")
    add.add_argument(
        "--to-layout", metavar="LAYOUT", help="sets of your own: convert the joints to this layout"
    )
    add.add_argument(
        "--short-side",
        type=int,
        metavar="PIXELS",
        help="videos: larger frames shrink to it (default 256)",
    )
    add.add_argument(
        "--flow", metavar="METHOD", help="videos: store optical flow too, by dis or farneback"
    )
    add.add_argument(
        "--checkpoint",
        metavar="RUN",
        help="skeletons of videos: --workdir of a run of the model `pose` that finds the people, in place of files of "
        "poses beside the videos",
    )
    add.add_argument("--workers", type=int, help="processes that parse (default: all cores)")
    add.add_argument(
        "--skip-bad", action="store_true", help="list and leave out files that cannot be read"
    )
    add.add_argument("--overwrite", action="store_true", help="prepare again what is there already")
    add.add_argument(
        "--beam-pipeline-options",
        metavar="OPTIONS",
        help="run under Apache Beam: runner=DirectRunner",
    )


def _run_prepare(options: argparse.Namespace) -> None:
    need_tensorflow("preparing data")
    from jaxact.datasets.preparation.options import PrepareOptions
    from jaxact.datasets.preparation.prepare import prepare

    if options.raw and options.raw_folder:
        raise UserError(
            f"the raw data are given twice: {options.raw_folder!r} and --raw {options.raw!r}"
        )
    name = options.dataset
    if options.own_name:
        name = f"{options.dataset}/{options.own_name}"
    pose_estimator = None
    if options.checkpoint:
        pose_estimator = _pose_estimator(options.checkpoint)
    prepare_options = PrepareOptions(
        layout=options.layout,
        to_layout=options.to_layout,
        short_side=options.short_side,
        flow=options.flow,
        pose_estimator=pose_estimator,
        workers=options.workers,
        skip_bad=options.skip_bad,
        beam_options=options.beam_pipeline_options,
        overwrite=options.overwrite,
    )
    raw = options.raw or options.raw_folder
    print(prepare(name, raw=raw, data_dir=options.data_dir, options=prepare_options))


def _pose_estimator(run: str) -> Any:
    """The pose estimator of `PrepareOptions`, from the pose network of a run.

    Raises:
      UserError: no such run, or one of another network.
    """
    start_jax()
    from jaxact.datasets.skeletons_from_video import ImagePoseEstimator
    from jaxact.runs import trained_model
    from jaxact.streaming.pose_estimator import PoseNetEstimator

    net = trained_model.load(run, classifier=False)
    return ImagePoseEstimator(
        PoseNetEstimator(net),
        PoseNetEstimator.layout,
        {"from": "checkpoint", "run": run, **trained_model.fingerprint(net)},
    )


def check(kinds: Any) -> None:
    """`jaxact check`"""
    add = command(
        kinds,
        "check",
        _run_check,
        "look for what is wrong in skeleton data: gaps, swaps, flipped axes, leaks; exit code 1 where there are errors",
        "jaxact check utd_mhad --data-dir data --out checked",
        "jaxact check clips.npz --layout coco-17    (a packed file, a folder with labels.csv, or one clip)",
        "jaxact check ntu60 --raw nturgb+d_skeletons --ignore person-gap,imbalance",
    )
    add.add_argument(
        "data",
        metavar="DATASET|FILE",
        help="a prepared data set, or a file or folder of your own clips",
    )
    add.add_argument("--raw", help="look at a data set's raw files, before they are prepared")
    add.add_argument(
        "--layout", help="clips of your own: joint layout, a known name or a JSON file"
    )
    add.add_argument("--data-dir", default="", help=DATA_DIR)
    add.add_argument(
        "--ignore", default="", metavar="RULES", help="leave these rules out, separated by commas"
    )
    add.add_argument(
        "--out", metavar="DIR", help="folder for findings.json, findings.csv and worst.png"
    )


def _run_check(options: argparse.Namespace) -> int:
    """`jaxact check`; 1 where there are errors in the data"""
    from jaxact import check

    corpus = check.open_corpus(
        options.data, data_dir=options.data_dir, raw=options.raw, layout=options.layout
    )
    report = check.check(corpus, ignore=[rule for rule in options.ignore.split(",") if rule])
    print(report)
    if options.out:
        report.write(options.out)
        drawn = check.draw_worst(report, corpus, os.path.join(options.out, "worst.png"))
        print(
            f"written to {options.out}{'' if drawn else '; no finding that can be drawn, so no picture'}"
        )
    return 1 if report.count("error") else 0
