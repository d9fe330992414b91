"""`jaxact plot response` and `jaxact plot attention`: what a network attends to in a record."""

import argparse
import dataclasses
from typing import Any

from jaxact.cli.command import (
    DATA_DIR_OF_RUN,
    FRAME_RATE,
    checkpoint_options,
    command,
    need_tensorflow,
    start_jax,
)
from jaxact.cli.record_choice import find_record, record_options
from jaxact.errors import UserError


def response(subparsers: Any) -> None:
    """`jaxact plot response`"""
    parser = command(
        subparsers,
        "response",
        _draw_response,
        "response of a graph network to a record: a disc at each joint",
        "jaxact plot response --checkpoint runs/utd --id a1_s2_t1 --out response.png",
    )
    checkpoint_options(parser)
    parser.add_argument("--split", help="default: the run's evaluation split")
    record_options(parser)
    parser.add_argument("--data-dir", default="", help=DATA_DIR_OF_RUN)
    parser.add_argument("--fps", type=float, default=30.0, help=FRAME_RATE)
    parser.add_argument(
        "--out",
        required=True,
        metavar="FILE",
        help="PNG, SVG or PDF: six frames; GIF or MP4: all frames",
    )


def _draw_response(options: argparse.Namespace) -> None:
    net, info = _load(options)
    from jaxact import plots
    from jaxact.datasets import records
    from jaxact.inference import activation_map

    record = find_record(info, options, records.FIELDS)
    activation = activation_map.activation_map(net, record)
    title = f"{_name(net, record)}, recognised as {activation.predicted}"
    plots.activation_map(
        activation.joints,
        activation.strength,
        net.layout,
        options.out,
        fps=options.fps * activation.rate,
        title=title,
        scores=net.channels[-1] == "score",
    )
    print(options.out)


def attention(subparsers: Any) -> None:
    """`jaxact plot attention`"""
    start = "jaxact plot attention --checkpoint runs/sta --id"
    parser = command(
        subparsers,
        "attention",
        _draw_attention,
        "attention of an STA-GCN or of an online recogniser to a record",
        f"{start} a1_s2_t1 --out attention.png",
        f"{start} golf_swing --video golf_swing.mp4 --out attention.mp4",
    )
    checkpoint_options(parser)
    parser.add_argument(
        "--figure",
        choices=("joints", "segments", "both"),
        default="both",
        help="STA-GCN: weights of joints in each frame, of segments, or both "
        "(default: %(default)s)",
    )
    parser.add_argument("--split", help="default: the run's evaluation split")
    record_options(parser)
    parser.add_argument("--data-dir", default="", help=DATA_DIR_OF_RUN)
    parser.add_argument(
        "--video",
        metavar="FILE",
        help="video that the joints were estimated in, as the background",
    )
    parser.add_argument("--fps", type=float, default=30.0, help=FRAME_RATE)
    parser.add_argument(
        "--out",
        required=True,
        metavar="FILE",
        help="PNG, SVG or PDF: key frames; GIF or MP4: all frames",
    )


def _draw_attention(options: argparse.Namespace) -> None:
    net, info = _load(options)
    if net.config.model.name == "recogniser":
        _draw_recogniser_attention(options, net, info)
    else:
        _draw_stagcn_attention(options, net, info)
    print(options.out)


def _draw_stagcn_attention(options: argparse.Namespace, net: Any, info: Any) -> None:
    from jaxact import plots
    from jaxact.datasets import records
    from jaxact.inference import stagcn_attention
    from jaxact.plots import video

    optional = {"person_id", "pixels"} & set(records.fields(info))
    record = find_record(info, options, (*records.FIELDS, *optional))
    maps = stagcn_attention.attention_maps(net, record)
    images, scores = None, net.channels[-1] == "score"
    if options.video:
        images = video.read_frames(options.video, maps.frames, len(record["joints"]))
        pixels = maps.pixels
        if pixels is None:
            pixels = video.to_pixels(maps.joints, images.shape[1:3], score=scores)
        maps = dataclasses.replace(maps, joints=pixels)
    prediction = f"recognised as {maps.predicted}, {100 * maps.probability:.0f} %"
    plots.attention(
        maps,
        net.layout,
        options.out,
        options.figure,
        options.fps,
        f"{_name(net, record)}\n{prediction}",
        images=images,
        scores=scores,
    )


def _draw_recogniser_attention(options: argparse.Namespace, net: Any, info: Any) -> None:
    """Draws the shared attention of an online recogniser, Figure 8 of its paper."""
    from jaxact import plots
    from jaxact.inference import recogniser_attention

    if options.video:
        raise UserError(
            "--video is for the attention of an STA-GCN; a recogniser's is drawn without pictures"
        )
    weights = recogniser_attention.attention_weights(
        net, info, options.split, id=options.id, index=options.index
    )
    prediction = f"recognised as {weights.predicted}, {100 * weights.probability:.0f} %"
    title = f"{weights.label} ({weights.name}), {prediction}; shares of {weights.clips} clips"
    plots.attention_weights(weights.weights, weights.shares, options.out, title=title)


def _load(options: argparse.Namespace) -> tuple[Any, Any]:
    """Loads the network and the information of the data set that it was trained on."""
    need_tensorflow("reading prepared data")
    start_jax()
    from jaxact.datasets import dataset_info
    from jaxact.evaluation import classification
    from jaxact.runs import trained_model

    net = trained_model.load(options.checkpoint, step=options.step, how=options.select)
    data = net.config.data
    info = dataset_info.load(data.name, options.data_dir or data.data_dir)
    classification.check_data(info, net)
    options.split = options.split or data.eval_split
    return net, info


def _name(net: Any, record: dict[str, Any]) -> str:
    """Label and id of a record."""
    return f"{net.labels[record['label']]} ({record['id'].decode()})"
