"""Measures a pose estimator on the marked joints of JHMDB's clips: PCK, and frames without people.

    python scripts/pose_accuracy.py --pose mediapipe:pose_landmarker_full.task --raw JHMDB
    python scripts/pose_accuracy.py --pose runs/pose --raw JHMDB --images --out accuracy.json \
        --overlays overlays.png

`--raw` is that of `jaxact prepare jhmdb_pose`: the clips, the split lists and the joints. The
estimator reads every frame of a split's test clips, clip by clip; `--images` shows it each frame as
a picture of its own. The joints of `body-14` count, of the first person that the estimator gives: a
missing joint, and every joint of a frame in which nobody is detected, is wrong.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from jaxact import files, plots
from jaxact.datasets.formats import video_file
from jaxact.datasets.jhmdb_pose import SIZE, JhmdbPose, load_joints
from jaxact.datasets.preparation.builder import RawClip
from jaxact.errors import UserError
from jaxact.metrics import pose as pose_metrics
from jaxact.pipeline.pose_joints import body_joints
from jaxact.progress import track
from jaxact.skeletons import get_layout
from jaxact.skeletons.pose_body import BODY
from jaxact.streaming.pose_estimator import PoseEstimator, open_pose_estimator


def main() -> int:
    """Prints the accuracy, and writes it and the overlays."""
    options = _parser().parse_args()
    try:
        estimator = open_pose_estimator(options.pose, video=not options.images)
        clips = split_clips(options.raw, options.split)
        accuracy, overlays = measure(estimator, clips, options.share, options.count)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    accuracy |= {"split": options.split, "pose": estimator.about}
    print(json.dumps(accuracy, indent=2))
    if options.out:
        files.write_json(options.out, accuracy)
    if options.overlays:
        plots.pose_overlays(overlays, options.overlays)
    return 0


def split_clips(raw: Path, split: int) -> list[RawClip]:
    """The test clips of an official split that have marked joints."""
    dataset = JhmdbPose.find(raw)
    cells = dataset.unions[f"official{split}_test"]
    return [clip for clip in dataset.clips if clip.cell in cells]


def measure(
    estimator: PoseEstimator, clips: list[RawClip], share: float, count: int
) -> tuple[dict[str, Any], list[plots.PoseOverlay]]:
    """The accuracy of an estimator, and evenly spaced pictures with its joints.

    Args:
        estimator: the estimator.
        clips: clips of `JhmdbPose`.
        share: PCK's threshold, as a share of the longer side of the person's box.
        count: number of pictures.
    """
    total = pose_metrics.Hits(np.zeros(14, np.int64), np.zeros(14, np.int64))
    in_picture = total
    frames, empty, seconds, overlays = 0, 0, 0.0, []
    overlay_clips = np.linspace(0, len(clips) - 1, min(count, len(clips))).round().astype(int)
    for index, clip in enumerate(track(clips, total=len(clips), what="clips", unit="clips")):
        for number, (image, true) in enumerate(marked_frames(clip)):
            if number == 0:
                estimator.reset()
            start = time.process_time()
            people = estimator(image)
            seconds += time.process_time() - start
            predicted = first_body(people, estimator.layout)
            sizes = pose_metrics.box_sizes(true[None])
            hits = pose_metrics.hits(predicted[None], true[None], sizes, share=share)
            total += hits
            visible = true * (true[:, 2:] > 1)
            in_picture += pose_metrics.hits(predicted[None], visible[None], sizes, share=share)
            frames += 1
            empty += not predicted[:, 2].any()
            if number == 10 and index in overlay_clips:
                note = f"{hits.correct.sum()} of {hits.annotated.sum()} joints right"
                name = f"{Path(clip.id).name[:24]}/{number}"
                overlays.append(plots.PoseOverlay(name, note, image, predicted, true))
    shares = total.correct / np.maximum(total.annotated, 1)
    accuracy = {
        "clips": len(clips),
        "frames": frames,
        "pck_at": share,
        **pose_metrics.pck(total),
        "pck_in_picture": pose_metrics.pck(in_picture)["pck"],
        "nobody": empty / frames,
        "cpu_seconds_per_frame": seconds / frames,
        "joints": dict(zip(BODY.joints, shares.tolist(), strict=True)),
    }
    return accuracy, overlays


def marked_frames(clip: RawClip) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The frames of a clip with their joints [14, 3]: x, y and 2 inside of the picture, else 1."""
    joints, layout = load_joints(**clip.facts), get_layout("jhmdb-15")
    inside = ((joints >= 0) & (joints <= SIZE[::-1])).all(axis=-1, keepdims=True)
    people = np.concatenate([joints, np.where(inside, 2, 1)], axis=-1)
    frames = video_file.Video(clip.path)
    for frame, person in zip(frames, people, strict=False):
        positions, visibility = body_joints(person[None].astype(np.float32), layout)
        true = np.concatenate([positions, visibility[..., None]], axis=-1)[0]
        yield frame.to_ndarray(format="rgb24"), true


def first_body(people: np.ndarray, layout: str) -> np.ndarray:
    """The first person's joints of `body-14`; zeros where there is nobody."""
    if not len(people):
        return np.zeros((len(BODY.joints), 3), np.float32)
    positions, scores = body_joints(people[:1].astype(np.float32), get_layout(layout))
    return np.concatenate([positions, scores[..., None]], axis=-1)[0]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pose", required=True, metavar="SPEC", help="pose estimator")
    parser.add_argument("--raw", required=True, type=Path, metavar="DIR", help="JHMDB's files")
    parser.add_argument("--split", type=int, default=1, choices=(1, 2, 3))
    parser.add_argument("--images", action="store_true", help="frames as pictures of their own")
    parser.add_argument("--share", type=float, default=0.2, help="PCK's threshold")
    parser.add_argument("--count", type=int, default=10, help="number of overlays")
    parser.add_argument("--overlays", metavar="FILE", help="PNG, SVG or PDF of some frames")
    parser.add_argument("--out", metavar="FILE", help="JSON file of the accuracy")
    return parser


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.exit(main())
