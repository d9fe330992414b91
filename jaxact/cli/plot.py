"""`jaxact plot`: pictures of runs, evaluations, layouts, records and networks."""

import argparse
import dataclasses
from collections.abc import Sequence
from typing import Any

from jaxact.cli.command import (
    DATA_DIR,
    DATA_DIR_NOW,
    checkpoint_options,
    command,
    need_tensorflow,
    start_jax,
)
from jaxact.errors import UserError

PICTURE = "PNG, SVG or PDF"


def plot(kinds: Any) -> None:
    """`jaxact plot`"""
    what = "draw curves, a confusion matrix, a partition, a clip, poses, a network's response or attention"
    add = command(kinds, "plot", None, what, "jaxact plot curves runs/utd --out curves.png")
    pictures = add.add_subparsers(title="pictures", dest="kind", required=True, metavar="KIND")
    for picture in (
        _curves,
        _confusion,
        _classes,
        _partition,
        _clip,
        _response,
        _attention,
        _recognised,
        _poses,
    ):
        picture(pictures)


def _curves(kinds: Any) -> None:
    what, example = (
        "training curves of one or several runs",
        "jaxact plot curves runs/a runs/b --out curves.png",
    )
    add = command(kinds, "curves", _draw_curves, what, example)
    add.add_argument("workdirs", nargs="+", metavar="WORKDIR", help="--workdir of a run")
    add.add_argument(
        "--panels", default="", metavar="P,...", help="loss, accuracy, learning rate (default: all)"
    )
    add.add_argument("--out", required=True, metavar="FILE", help=PICTURE)


def _draw_curves(options: argparse.Namespace) -> None:
    from jaxact.plots import training_curves

    panels = [panel.strip() for panel in options.panels.split(",") if panel]
    training_curves(options.workdirs, options.out, panels=panels)
    print(options.out)


def _confusion(kinds: Any) -> None:
    what, example = (
        "confusion matrix of an evaluation",
        "jaxact plot confusion results/utd --out confusion.png",
    )
    add = command(kinds, "confusion", _draw_confusion, what, example)
    add.add_argument("results", metavar="DIR", help="--out of `jaxact evaluate`")
    add.add_argument("--out", required=True, metavar="FILE", help=PICTURE)


def _draw_confusion(options: argparse.Namespace) -> None:
    from jaxact.evaluation import report
    from jaxact.plots import confusion_matrix

    found = report.read(options.results)
    confusion_matrix(found.confusion, found.labels, options.out, title=found.title)
    print(options.out)


def _classes(kinds: Any) -> None:
    what, example = (
        "recall of each class of an evaluation",
        "jaxact plot classes results/utd --out classes.png",
    )
    add = command(kinds, "classes", _draw_classes, what, example)
    add.add_argument("results", metavar="DIR", help="--out of `jaxact evaluate`")
    add.add_argument("--out", required=True, metavar="FILE", help=PICTURE)


def _draw_classes(options: argparse.Namespace) -> None:
    from jaxact.evaluation import report
    from jaxact.plots import per_class_bars

    found = report.read(options.results)
    per_class_bars(
        found.recall,
        found.labels,
        options.out,
        counts=found.confusion.sum(axis=1),
        title=found.title,
    )
    print(options.out)


def _partition(kinds: Any) -> None:
    what = "the partition strategies on a joint layout, Figure 3 of the ST-GCN paper"
    add = command(
        kinds, "partition", _draw_partition, what, "jaxact plot partition ntu-25 --out parts.png"
    )
    add.add_argument("layout", help="layout name, or a JSON file of your own")
    add.add_argument("--out", required=True, metavar="FILE", help=PICTURE)


def _draw_partition(options: argparse.Namespace) -> None:
    from jaxact.plots import partition
    from jaxact.skeletons import get_layout

    partition(get_layout(options.layout), options.out)
    print(options.out)


def _clip(kinds: Any) -> None:
    examples = (
        "jaxact plot clip utd_mhad --index 3 --data-dir data --out clip.gif",
        "jaxact plot clip ucf101 --split official1_test --data-dir data --out clip.mp4",
    )
    add = command(
        kinds, "clip", _draw_clip, "a record as a moving skeleton, or its video", *examples
    )
    add.add_argument("dataset", help="a prepared data set")
    add.add_argument("--split", default="test", help="default: %(default)s")
    _which_record(add)
    add.add_argument("--data-dir", default="", help=DATA_DIR)
    add.add_argument("--fps", type=float, help="frames a second (default: the video's, or 30)")
    add.add_argument("--out", required=True, metavar="FILE", help="GIF or MP4")


def _draw_clip(options: argparse.Namespace) -> None:
    need_tensorflow("reading prepared data")
    from jaxact import plots
    from jaxact.datasets import dataset_info, records

    info = dataset_info.load(options.dataset, options.data_dir)
    video = info.kind == "video"
    record = _record(info, options, ("id", "label", "frames", "fps") if video else records.FIELDS)
    title = f"{info.labels[record['label']]} ({record['id'].decode()})"
    fps = (float(record.get("fps", 0)) or 30.0) if options.fps is None else options.fps
    if video:
        import tensorflow as tf

        from jaxact.pipeline.video import decode_frames

        pictures = decode_frames(tf.constant(record["frames"]), stream="rgb").numpy()
        plots.playback(pictures, options.out, fps=fps, title=title)
    else:
        plots.animation(record["joints"], info.layout, options.out, fps=fps, title=title)
    print(options.out)


def _response(kinds: Any) -> None:
    what = "where a graph network answers to a record: a disc at each joint"
    example = "jaxact plot response --checkpoint runs/utd --id a1_s2_t1 --out response.png"
    add = command(kinds, "response", _draw_response, what, example)
    checkpoint_options(add)
    add.add_argument("--split", help="default: the run's evaluation split")
    _which_record(add)
    add.add_argument("--data-dir", default="", help=DATA_DIR_NOW)
    add.add_argument(
        "--fps",
        type=float,
        default=30.0,
        help="frames a second of the record (default: %(default)s)",
    )
    add.add_argument(
        "--out",
        required=True,
        metavar="FILE",
        help=f"six frames as {PICTURE}, all of them as GIF or MP4",
    )


def _draw_response(options: argparse.Namespace) -> None:
    need_tensorflow("reading prepared data")
    start_jax()
    from jaxact import plots
    from jaxact.datasets import dataset_info
    from jaxact.evaluation import classification
    from jaxact.inference import activation_map
    from jaxact.runs import trained_model

    net = trained_model.load(options.checkpoint, step=options.step, how=options.select)
    info = dataset_info.load(net.config.data.name, options.data_dir or net.config.data.data_dir)
    classification.check_data(info, net)
    options.split = options.split or net.config.data.eval_split
    record = _record(info, options)
    activation = activation_map.activation_map(net, record)
    label, name = net.labels[record["label"]], record["id"].decode()
    title = f"{label} ({name}), recognised as {activation.predicted}"
    scores, fps = net.channels[-1] == "score", options.fps * activation.rate
    plots.activation_map(
        activation.joints,
        activation.strength,
        net.layout,
        options.out,
        fps=fps,
        title=title,
        scores=scores,
    )
    print(options.out)


def _attention(kinds: Any) -> None:
    what = "what an STA-GCN or an online recogniser attends to in a record"
    run = "jaxact plot attention --checkpoint runs/sta --id"
    film = f"{run} golf_swing --video golf_swing.mp4 --out attention.mp4"
    add = command(
        kinds, "attention", _draw_attention, what, f"{run} a1_s2_t1 --out attention.png", film
    )
    checkpoint_options(add)
    add.add_argument(
        "--figure",
        choices=("joints", "segments", "both"),
        default="both",
        help="of an STA-GCN: which joints count in each frame, which segments, or both (default: %(default)s)",
    )
    add.add_argument("--split", help="default: the run's evaluation split")
    _which_record(add)
    add.add_argument("--data-dir", default="", help=DATA_DIR_NOW)
    add.add_argument(
        "--video",
        metavar="FILE",
        help="draw over the frames of this video, in which the joints were found",
    )
    add.add_argument(
        "--fps",
        type=float,
        default=30.0,
        help="frames a second of the record (default: %(default)s)",
    )
    add.add_argument(
        "--out",
        required=True,
        metavar="FILE",
        help=f"key frames as {PICTURE}, all of them as GIF or MP4",
    )


def _draw_attention(options: argparse.Namespace) -> None:
    need_tensorflow("reading prepared data")
    start_jax()
    from jaxact import plots
    from jaxact.datasets import dataset_info, records
    from jaxact.evaluation import classification
    from jaxact.inference import stagcn_attention
    from jaxact.plots import video
    from jaxact.runs import trained_model

    net = trained_model.load(options.checkpoint, step=options.step, how=options.select)
    info = dataset_info.load(net.config.data.name, options.data_dir or net.config.data.data_dir)
    classification.check_data(info, net)
    options.split = options.split or net.config.data.eval_split
    if net.config.model.name == "recogniser":
        return _draw_weights(options, net, info)
    record = _record(
        info, options, (*records.FIELDS, *({"person_id", "pixels"} & set(records.fields(info))))
    )
    maps = stagcn_attention.attention_maps(net, record)
    images, scores = None, net.channels[-1] == "score"
    if options.video:
        images = video.read_frames(options.video, maps.frames, len(record["joints"]))
        pixels = maps.pixels
        if pixels is None:
            pixels = video.to_pixels(maps.joints, images.shape[1:3], score=scores)
        maps = dataclasses.replace(maps, joints=pixels)
    prediction = f"recognised as {maps.predicted}, {100 * maps.probability:.0f} %"
    title = f"{net.labels[record['label']]} ({record['id'].decode()})\n{prediction}"
    plots.attention(
        maps,
        net.layout,
        options.out,
        options.figure,
        options.fps,
        title,
        images=images,
        scores=scores,
    )
    print(options.out)


def _draw_weights(options: argparse.Namespace, net: Any, info: Any) -> None:
    """The shared attention of an online recogniser, Figure 8 of its paper."""
    from jaxact import plots
    from jaxact.inference import recogniser_attention

    if options.video:
        raise UserError(
            "--video is for the attention of an STA-GCN; a recogniser's is drawn without pictures"
        )
    attention = recogniser_attention.attention_weights(
        net, info, options.split, id=options.id, index=options.index
    )
    prediction = f"recognised as {attention.predicted}, {100 * attention.probability:.0f} %"
    title = f"{attention.label} ({attention.name}), {prediction}; shares of {attention.clips} clips"
    plots.attention_weights(attention.weights, attention.shares, options.out, title=title)
    print(options.out)


def _recognised(kinds: Any) -> None:
    what = "moments of watched videos with skeletons and classes, from the logs of `jaxact stream`"
    example = "jaxact plot recognised bowling.jsonl golf.jsonl tennis.jsonl --out recognised.png"
    add = command(kinds, "recognised", _draw_recognised, what, example)
    add.add_argument(
        "logs", nargs="+", metavar="LOG", help="--log of `jaxact stream`; a row of pictures each"
    )
    add.add_argument(
        "--videos",
        nargs="+",
        default=[],
        metavar="FILE",
        help="the pictures, where logs are of poses",
    )
    add.add_argument(
        "--frames",
        type=int,
        default=4,
        metavar="N",
        help="pictures of a row (default: %(default)s)",
    )
    add.add_argument("--out", required=True, metavar="FILE", help=PICTURE)


def _draw_recognised(options: argparse.Namespace) -> None:
    from jaxact import plots
    from jaxact.streaming.keyframes import select_keyframes

    if options.frames < 1:
        raise UserError(f"--frames is at least 1, got {options.frames!r}")
    if options.videos and len(options.videos) != len(options.logs):
        raise UserError(
            f"{len(options.videos)} --videos for {len(options.logs)} logs; wanted one for each"
        )
    videos = options.videos or [None] * len(options.logs)
    rows = [
        select_keyframes(log, video=video, count=options.frames)
        for log, video in zip(options.logs, videos, strict=True)
    ]
    plots.keyframe_sheet(rows, options.out)
    print(options.out)


def _poses(kinds: Any) -> None:
    what = "pictures with the joints that a pose network found and those that were marked"
    add = command(
        kinds, "poses", _draw_poses, what, "jaxact plot poses results/pose --out poses.png"
    )
    add.add_argument("results", metavar="DIR", help="--out of `jaxact evaluate` of a pose network")
    add.add_argument(
        "--count", type=int, default=10, metavar="N", help="pictures (default: %(default)s)"
    )
    add.add_argument("--data-dir", default="", help=DATA_DIR_NOW)
    add.add_argument("--out", required=True, metavar="FILE", help=PICTURE)


def _draw_poses(options: argparse.Namespace) -> None:
    need_tensorflow("reading prepared data")
    from jaxact import plots
    from jaxact.evaluation import pose

    if options.count < 1:
        raise UserError(f"--count is at least 1, got {options.count!r}")
    panels = []
    for each in pose.examples(options.results, count=options.count, data_dir=options.data_dir):
        note = f"{each.hits.found.sum()} of {each.hits.there.sum()} joints right"
        panels.append(plots.PoseOverlay(each.id, note, each.picture, each.predicted, each.true))
    plots.pose_overlays(panels, options.out)
    print(options.out)


def _which_record(add: argparse.ArgumentParser) -> None:
    add.add_argument(
        "--index", type=int, default=0, help="which record of the split (default: %(default)s)"
    )
    add.add_argument("--id", help="the record with this id, in place of --index")


def _record(
    info: Any, options: argparse.Namespace, fields: Sequence[str] | None = None
) -> dict[str, Any]:
    from jaxact.datasets import records

    found = records.records(info, options.split, fields=fields or records.FIELDS)
    for index, record in enumerate(found.as_numpy_iterator()):
        if (record["id"].decode() == options.id) if options.id else (index == options.index):
            return record
    wanted = f"the id {options.id!r}" if options.id else f"the index {options.index}"
    raise UserError(
        f"no record with {wanted} in the split {options.split!r} of {info.name!r} ({index + 1} records)"
    )
