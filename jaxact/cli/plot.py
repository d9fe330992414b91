"""`jaxact plot`: pictures of runs, evaluations, layouts, records and networks."""

import argparse
from typing import Any

from jaxact.cli import plot_network
from jaxact.cli.command import (
    DATA_DIR,
    DATA_DIR_OF_RUN,
    command,
    need_tensorflow,
)
from jaxact.cli.record_choice import find_record, record_options
from jaxact.errors import UserError

IMAGE_FORMATS = "PNG, SVG or PDF"


def plot(subparsers: Any) -> None:
    """`jaxact plot`"""
    parser = command(
        subparsers,
        "plot",
        None,
        "draw curves, a confusion matrix, a partition, a clip, poses, a network's response or "
        "attention",
        "jaxact plot curves runs/utd --out curves.png",
    )
    pictures = parser.add_subparsers(title="pictures", dest="kind", required=True, metavar="KIND")
    for add_picture in (
        _curves,
        _confusion,
        _classes,
        _partition,
        _clip,
        plot_network.response,
        plot_network.attention,
        _recognised,
        _poses,
    ):
        add_picture(pictures)


def _curves(subparsers: Any) -> None:
    parser = command(
        subparsers,
        "curves",
        _draw_curves,
        "training curves of one or several runs",
        "jaxact plot curves runs/a runs/b --out curves.png",
    )
    parser.add_argument("workdirs", nargs="+", metavar="WORKDIR", help="--workdir of a run")
    parser.add_argument(
        "--panels", default="", metavar="P,...", help="loss, accuracy, learning rate (default: all)"
    )
    parser.add_argument("--out", required=True, metavar="FILE", help=IMAGE_FORMATS)


def _draw_curves(options: argparse.Namespace) -> None:
    from jaxact.plots import training_curves

    panels = [panel.strip() for panel in options.panels.split(",") if panel]
    training_curves(options.workdirs, options.out, panels=panels)
    print(options.out)


def _confusion(subparsers: Any) -> None:
    parser = command(
        subparsers,
        "confusion",
        _draw_confusion,
        "confusion matrix of an evaluation",
        "jaxact plot confusion results/utd --out confusion.png",
    )
    parser.add_argument("results", metavar="DIR", help="--out of `jaxact evaluate`")
    parser.add_argument("--out", required=True, metavar="FILE", help=IMAGE_FORMATS)


def _draw_confusion(options: argparse.Namespace) -> None:
    from jaxact.evaluation import report
    from jaxact.plots import confusion_matrix

    results = report.read(options.results)
    confusion_matrix(results.confusion, results.labels, options.out, title=results.title)
    print(options.out)


def _classes(subparsers: Any) -> None:
    parser = command(
        subparsers,
        "classes",
        _draw_classes,
        "recall of each class of an evaluation",
        "jaxact plot classes results/utd --out classes.png",
    )
    parser.add_argument("results", metavar="DIR", help="--out of `jaxact evaluate`")
    parser.add_argument("--out", required=True, metavar="FILE", help=IMAGE_FORMATS)


def _draw_classes(options: argparse.Namespace) -> None:
    from jaxact.evaluation import report
    from jaxact.plots import per_class_bars

    results = report.read(options.results)
    counts = results.confusion.sum(axis=1)
    per_class_bars(results.recall, results.labels, options.out, counts=counts, title=results.title)
    print(options.out)


def _partition(subparsers: Any) -> None:
    parser = command(
        subparsers,
        "partition",
        _draw_partition,
        "partition strategies on a joint layout, as in Figure 3 of the ST-GCN paper",
        "jaxact plot partition ntu-25 --out parts.png",
    )
    parser.add_argument("layout", help="layout name, or a JSON file")
    parser.add_argument("--out", required=True, metavar="FILE", help=IMAGE_FORMATS)


def _draw_partition(options: argparse.Namespace) -> None:
    from jaxact.plots import partition
    from jaxact.skeletons import get_layout

    partition(get_layout(options.layout), options.out)
    print(options.out)


def _clip(subparsers: Any) -> None:
    parser = command(
        subparsers,
        "clip",
        _draw_clip,
        "a record as an animated skeleton, or as its video",
        "jaxact plot clip utd_mhad --index 3 --data-dir data --out clip.gif",
        "jaxact plot clip ucf101 --split official1_test --data-dir data --out clip.mp4",
    )
    parser.add_argument("dataset", help="a prepared data set")
    parser.add_argument("--split", default="test", help="default: %(default)s")
    record_options(parser)
    parser.add_argument("--data-dir", default="", help=DATA_DIR)
    parser.add_argument("--fps", type=float, help="frames per second (default: the video's, or 30)")
    parser.add_argument("--out", required=True, metavar="FILE", help="GIF or MP4")


def _draw_clip(options: argparse.Namespace) -> None:
    need_tensorflow("reading prepared data")
    from jaxact import plots
    from jaxact.datasets import dataset_info, records

    info = dataset_info.load(options.dataset, options.data_dir)
    is_video = info.kind == "video"
    fields = ("id", "label", "frames", "fps") if is_video else records.FIELDS
    record = find_record(info, options, fields)
    title = f"{info.labels[record['label']]} ({record['id'].decode()})"
    fps = options.fps
    if fps is None:
        fps = float(record.get("fps", 0)) or 30.0
    if is_video:
        import tensorflow as tf

        from jaxact.pipeline.video import decode_frames

        images = decode_frames(tf.constant(record["frames"]), stream="rgb").numpy()
        plots.playback(images, options.out, fps=fps, title=title)
    else:
        plots.animation(record["joints"], info.layout, options.out, fps=fps, title=title)
    print(options.out)


def _recognised(subparsers: Any) -> None:
    parser = command(
        subparsers,
        "recognised",
        _draw_recognised,
        "key frames of videos with skeletons and classes, from the logs of `jaxact stream`",
        "jaxact plot recognised bowling.jsonl golf.jsonl tennis.jsonl --out recognised.png",
    )
    parser.add_argument(
        "logs", nargs="+", metavar="LOG", help="--log of `jaxact stream`; one row of images each"
    )
    parser.add_argument(
        "--videos",
        nargs="+",
        default=[],
        metavar="FILE",
        help="videos of the logs, where the logs are of poses",
    )
    parser.add_argument(
        "--frames",
        type=int,
        default=4,
        metavar="N",
        help="images per row (default: %(default)s)",
    )
    parser.add_argument("--out", required=True, metavar="FILE", help=IMAGE_FORMATS)


def _draw_recognised(options: argparse.Namespace) -> None:
    from jaxact import plots
    from jaxact.streaming.keyframes import select_keyframes

    if options.frames < 1:
        raise UserError(f"--frames is at least 1, got {options.frames!r}")
    videos = options.videos or [None] * len(options.logs)
    if len(videos) != len(options.logs):
        raise UserError(
            f"{len(options.videos)} --videos for {len(options.logs)} logs; wanted one for each"
        )
    rows = []
    for log, video in zip(options.logs, videos, strict=True):
        rows.append(select_keyframes(log, video=video, count=options.frames))
    plots.keyframe_sheet(rows, options.out)
    print(options.out)


def _poses(subparsers: Any) -> None:
    parser = command(
        subparsers,
        "poses",
        _draw_poses,
        "images with the predicted and the annotated joints of a pose network's evaluation",
        "jaxact plot poses results/pose --out poses.png",
    )
    parser.add_argument(
        "results", metavar="DIR", help="--out of `jaxact evaluate` of a pose network"
    )
    parser.add_argument(
        "--count", type=int, default=10, metavar="N", help="images (default: %(default)s)"
    )
    parser.add_argument("--data-dir", default="", help=DATA_DIR_OF_RUN)
    parser.add_argument("--out", required=True, metavar="FILE", help=IMAGE_FORMATS)


def _draw_poses(options: argparse.Namespace) -> None:
    need_tensorflow("reading prepared data")
    from jaxact import plots
    from jaxact.evaluation import pose

    if options.count < 1:
        raise UserError(f"--count is at least 1, got {options.count!r}")
    overlays = []
    for each in pose.examples(options.results, count=options.count, data_dir=options.data_dir):
        note = f"{each.hits.correct.sum()} of {each.hits.annotated.sum()} joints right"
        overlays.append(plots.PoseOverlay(each.id, note, each.picture, each.predicted, each.true))
    plots.pose_overlays(overlays, options.out)
    print(options.out)
