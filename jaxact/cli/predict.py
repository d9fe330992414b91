"""`jaxact predict`: classification of files, without a prepared data set."""

import argparse
import csv
from pathlib import Path
from typing import Any

from jaxact.cli.command import POSE, checkpoint_options, command, start_jax
from jaxact.errors import UserError


def predict(subparsers: Any) -> None:
    """`jaxact predict`"""
    parser = command(
        subparsers,
        "predict",
        _run_predict,
        "classify clips: .npy, .npz, .skeleton or .pkl files, OpenPose JSON folders, or videos",
        "jaxact predict --checkpoint runs/ntu60 S001C001P001R001A001.skeleton",
        "jaxact predict --checkpoint runs/mine day.npy --window 60 --timeline day.png "
        "--out day.csv",
        "jaxact predict --checkpoint runs/mine clip.mp4 --pose mediapipe:pose_landmarker_full.task",
    )
    parser.add_argument("clips", nargs="+", metavar="CLIP", help="files or folders")
    checkpoint_options(parser)
    parser.add_argument(
        "--layout", metavar="L", help="joint layout, where the files do not name it"
    )
    parser.add_argument(
        "--image-size", type=_size, metavar="W,H", help="size of the image, for joints in pixels"
    )
    parser.add_argument(
        "--pose",
        metavar="SPEC",
        help=f"videos, for a network that reads joints: {POSE}",
    )
    parser.add_argument(
        "--top",
        type=int,
        default=5,
        metavar="K",
        help="classes per clip (default: %(default)s)",
    )
    parser.add_argument(
        "--window",
        type=int,
        default=0,
        metavar="N",
        help="classify windows of N frames",
    )
    parser.add_argument(
        "--stride",
        type=int,
        default=0,
        metavar="N",
        help="frames between the starts of windows (default: half a window)",
    )
    parser.add_argument(
        "--out", metavar="FILE", help="write a .json or .csv file instead of printing a table"
    )
    parser.add_argument(
        "--timeline", metavar="FILE", help="plot the windows of one clip: PNG, SVG or PDF"
    )


def _run_predict(options: argparse.Namespace) -> None:
    suffix = Path(options.out or "table.json").suffix
    if suffix not in (".json", ".csv"):
        raise UserError(f"cannot write {options.out!r}: the suffix must be .json or .csv")
    if options.top < 1:
        raise UserError(f"--top is {options.top}, but must be at least 1")
    start_jax()
    from jaxact.inference import predictor

    network = predictor.load(options.checkpoint, step=options.step, select=options.select)
    estimator = None
    if options.pose:
        from jaxact.streaming.pose_estimator import open_pose_estimator

        estimator = open_pose_estimator(options.pose)
    predictions = []
    for clip in options.clips:
        predictions += network.predict_file(
            clip,
            layout=options.layout,
            window=options.window,
            stride=options.stride,
            image_size=options.image_size,
            pose=estimator,
        )
    if options.timeline:
        _draw_timeline(predictions, options.timeline)
    rows = []
    for prediction in predictions:
        rows += _rows(prediction, options.top)
    if options.out:
        _write(options, rows, network.net)
        print(f"{len(predictions)} clips, written to {options.out}")
    else:
        _print(rows)


def _draw_timeline(predictions: list[Any], out: str) -> None:
    if len(predictions) != 1:
        raise UserError(f"--timeline draws one clip; {len(predictions)} were given")
    from jaxact.plots import timeline

    (prediction,) = predictions
    timeline(prediction.windows, prediction.spans, prediction.labels, out, title=prediction.name)


def _rows(prediction: Any, top: int) -> list[dict[str, Any]]:
    """One row per rank of the whole clip, then of each window where there are several."""
    spans = prediction.spans
    parts: list[tuple[int, int, int | None]] = [(spans[0][0], spans[-1][1], None)]
    if len(spans) > 1:
        parts += [(start, stop, window) for window, (start, stop) in enumerate(spans)]
    rows = []
    for start, stop, window in parts:
        for rank, (label, probability) in enumerate(prediction.top(top, window), 1):
            rows.append(
                {
                    "clip": prediction.name,
                    "start": start,
                    "stop": stop,
                    "rank": rank,
                    "label": label,
                    "probability": probability,
                }
            )
    return rows


def _print(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if row["rank"] == 1:
            print(f"{row['clip']}, frames {row['start']} to {row['stop'] - 1}")
        print(f"{row['probability']:8.2%}  {row['label']}")


def _write(options: argparse.Namespace, rows: list[dict[str, Any]], net: Any) -> None:
    from jaxact import files

    if Path(options.out).suffix == ".json":
        content = {
            "checkpoint": options.checkpoint,
            "step": net.step,
            "labels": list(net.labels),
            "predictions": rows,
        }
        files.write_json(options.out, content)
        return
    with (
        files.replacing(options.out) as path,
        path.open("w", newline="", encoding="utf-8") as stream,
    ):
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(side) for side in text.split(","))
    except ValueError:
        width = height = 0
    if min(width, height) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no size in pixels such as 1280,720")
    return width, height
