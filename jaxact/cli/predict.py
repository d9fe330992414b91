"""`jaxact predict`: what a trained network says of clips that are in no data set."""

import argparse
import csv
from pathlib import Path
from typing import Any

from jaxact.cli.command import checkpoint_options, command, start_jax
from jaxact.errors import UserError


def predict(kinds: Any) -> None:
    """`jaxact predict`"""
    add = command(
        kinds,
        "predict",
        _run_predict,
        "tell the action in clips: joints as .npy, .npz, .skeleton, .pkl, OpenPose's JSON folder; or videos",
        "jaxact predict --checkpoint runs/ntu60 S001C001P001R001A001.skeleton",
        "jaxact predict --checkpoint runs/mine day.npy --window 60 --timeline day.png --out day.csv",
    )
    add.add_argument("clips", nargs="+", metavar="CLIP", help="files or folders")
    checkpoint_options(add)
    add.add_argument(
        "--layout", metavar="L", help="joints of the clips, where the files do not tell"
    )
    add.add_argument(
        "--image-size", type=_size, metavar="W,H", help="of the picture, where joints are in pixels"
    )
    add.add_argument(
        "--top",
        type=int,
        default=5,
        metavar="K",
        help="classes told of each clip (default: %(default)s)",
    )
    add.add_argument(
        "--window",
        type=int,
        default=0,
        metavar="N",
        help="frames; an answer for each window of a clip",
    )
    add.add_argument(
        "--stride",
        type=int,
        default=0,
        metavar="N",
        help="frames between windows (default: half of one)",
    )
    add.add_argument("--out", metavar="FILE", help="write .json or .csv in place of a table")
    add.add_argument(
        "--timeline", metavar="FILE", help="draw the windows of one clip: PNG, SVG or PDF"
    )


def _run_predict(options: argparse.Namespace) -> None:
    kind = Path(options.out or "table.json").suffix
    if kind not in (".json", ".csv"):
        raise UserError(f"cannot write {options.out!r}: the suffix must be .json or .csv")
    if options.top < 1:
        raise UserError(f"--top is {options.top}, but must be at least 1")
    start_jax()
    from jaxact.inference import predictor as predict

    net = predict.load(options.checkpoint, step=options.step, select=options.select)
    about = {name: getattr(options, name) for name in ("layout", "window", "stride", "image_size")}
    found = [answer for clip in options.clips for answer in net.predict_file(clip, **about)]
    if options.timeline:
        if len(found) != 1:
            raise UserError(f"--timeline draws one clip; {len(found)} were given")
        from jaxact.plots import timeline

        timeline(
            found[0].windows, found[0].spans, found[0].labels, options.timeline, title=found[0].name
        )
    rows = [row for answer in found for row in _rows(answer, options.top)]
    if options.out:
        _write(options, rows, net.net)
        print(f"{len(found)} clips, written to {options.out}")
    else:
        _print(rows)


def _rows(answer: Any, top: int) -> list[dict[str, Any]]:
    """One row for every rank of the whole clip, and of its windows where there are several."""
    whole = (answer.spans[0][0], answer.spans[-1][1], None)
    parts = [
        whole,
        *((*span, number) for number, span in enumerate(answer.spans) if len(answer.spans) > 1),
    ]
    return [
        {
            "clip": answer.name,
            "start": start,
            "stop": stop,
            "rank": rank,
            "label": label,
            "probability": share,
        }
        for start, stop, window in parts
        for rank, (label, share) in enumerate(answer.top(top, window), 1)
    ]


def _print(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if row["rank"] == 1:
            print(f"{row['clip']}, frames {row['start']} to {row['stop'] - 1}")
        print(f"{row['probability']:8.2%}  {row['label']}")


def _write(options: argparse.Namespace, rows: list[dict[str, Any]], net: Any) -> None:
    from jaxact import files

    if Path(options.out).suffix == ".json":
        about = {"checkpoint": options.checkpoint, "step": net.step, "labels": list(net.labels)}
        return files.write_json(options.out, {**about, "predictions": rows})
    with (
        files.replacing(options.out) as path,
        path.open("w", newline="", encoding="utf-8") as stream,
    ):
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return None


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(side) for side in text.split(","))
    except ValueError:
        width = height = 0
    if min(width, height) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no size in pixels such as 1280,720")
    return width, height
