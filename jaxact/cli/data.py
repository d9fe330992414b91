"""`jaxact prepare` and `jaxact check`: conversion of raw files to records, and their quality."""

import argparse
import os
from typing import Any

from jaxact.cli.command import DATA_DIR, POSE, command, need_tensorflow, start_jax
from jaxact.errors import UserError


def prepare(subparsers: Any) -> None:
    """`jaxact prepare`"""
    parser = command(
        subparsers,
        "prepare",
        _run_prepare,
        "convert raw files to records",
        "jaxact prepare utd_mhad --raw UTD-MHAD/Skeleton --data-dir data",
        "jaxact prepare custom --name mine --raw clips --layout coco-17 --data-dir data",
        "jaxact prepare pyskl --name ucf101 --raw ucf101_hrnet.pkl --to-layout openpose-18 "
        "--data-dir data",
        "jaxact prepare video_folder --raw clips --short-side 240 --data-dir data",
        "jaxact prepare skeletons_from_video clips --pose mediapipe:pose.task --data-dir data",
    )
    parser.add_argument(
        "dataset", metavar="NAME", help="name of a data set; an unknown name prints the list"
    )
    parser.add_argument("raw_folder", metavar="DIR", nargs="?", help="the same as --raw DIR")
    parser.add_argument("--raw", help="folder or file of raw data; synthetic_actions needs none")
    parser.add_argument("--data-dir", default="", help=DATA_DIR)
    parser.add_argument(
        "--name",
        dest="own_name",
        help="custom, pyskl ...: name of your data set, as in custom/NAME",
    )
    parser.add_argument("--layout", help="custom, pyskl ...: joint layout, a name or a JSON file")
    parser.add_argument(
        "--to-layout",
        metavar="LAYOUT",
        help="custom, pyskl, estimated poses ...: convert the joints to this layout",
    )
    parser.add_argument(
        "--short-side",
        type=int,
        metavar="PIXELS",
        help="videos: largest short side of stored frames (default: 256)",
    )
    parser.add_argument(
        "--flow",
        metavar="METHOD",
        help="videos: store optical flow too, computed by dis or farneback",
    )
    parser.add_argument(
        "--pose",
        metavar="SPEC",
        help=f"skeletons of videos: {POSE}, instead of pose files beside the videos",
    )
    parser.add_argument("--workers", type=int, help="parsing processes (default: all cores)")
    parser.add_argument(
        "--skip-bad", action="store_true", help="skip unreadable files, and list them"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a prepared data set")
    parser.add_argument(
        "--beam-pipeline-options",
        metavar="OPTIONS",
        help="parse with Apache Beam, for example runner=DirectRunner",
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
    if options.pose:
        start_jax()
        from jaxact.streaming.pose_estimator import open_pose_estimator

        pose_estimator = open_pose_estimator(options.pose)
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


def check(subparsers: Any) -> None:
    """`jaxact check`"""
    parser = command(
        subparsers,
        "check",
        _run_check,
        "check skeleton data for gaps, swapped joints, flipped axes and leaks; exit code 1 for "
        "errors",
        "jaxact check utd_mhad --data-dir data --out checked",
        "jaxact check clips.npz --layout coco-17    (a packed file, a folder with labels.csv, or "
        "one clip)",
        "jaxact check ntu60 --raw nturgb+d_skeletons --ignore person-gap,imbalance",
    )
    parser.add_argument(
        "data",
        metavar="DATASET|FILE",
        help="a prepared data set, or a file or folder of clips",
    )
    parser.add_argument("--raw", help="check the raw files of a data set before they are prepared")
    parser.add_argument("--layout", help="files of clips: joint layout, a name or a JSON file")
    parser.add_argument("--data-dir", default="", help=DATA_DIR)
    parser.add_argument(
        "--ignore", default="", metavar="RULES", help="rules to skip, separated by commas"
    )
    parser.add_argument(
        "--out", metavar="DIR", help="output folder for findings.json, findings.csv and worst.png"
    )


def _run_check(options: argparse.Namespace) -> int:
    """Returns the exit code: 1 where there are errors in the data."""
    from jaxact import check

    corpus = check.open_corpus(
        options.data, data_dir=options.data_dir, raw=options.raw, layout=options.layout
    )
    ignored_rules = [rule for rule in options.ignore.split(",") if rule]
    report = check.check(corpus, ignore=ignored_rules)
    print(report)
    if options.out:
        report.write(options.out)
        picture = os.path.join(options.out, "worst.png")
        note = ""
        if not check.draw_worst(report, corpus, picture):
            note = "; no finding can be drawn, so there is no picture"
        print(f"written to {options.out}{note}")
    return 1 if report.count("error") else 0
