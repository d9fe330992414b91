"""`jaxact stream`: online recognition of the people in a video, a camera or a stream of poses."""

import argparse
import contextlib
import re
from collections.abc import Mapping
from typing import Any

from jaxact.cli.command import POSE, command, start_jax
from jaxact.errors import UserError

LOGGED_OPTIONS = (
    "pose",
    "recogniser",
    "every",
    "smooth",
    "smooth_joints",
    "window_seconds",
    "persons",
)


def stream(subparsers: Any) -> None:
    """`jaxact stream`"""
    parser = command(
        subparsers,
        "stream",
        _run_stream,
        "recognise the actions of people in a video, a camera, a stream or poses",
        "jaxact stream clip.mp4 --pose runs/pose --recogniser runs/online --log clip.jsonl "
        "--video recognised.mp4",
        "jaxact stream 0 --pose mediapipe:pose_landmarker_full.task --recogniser runs/online "
        "--window            (a camera)",
        "jaxact stream rtsp://camera/1 --pose runs/pose --recogniser runs/online --log -",
        "jaxact stream openpose/ --recogniser runs/online --size 1920x1080 --log poses.jsonl",
    )
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="a video file, a folder of images or of OpenPose JSON files, the number of a camera, "
        "a URL, or - for OpenPose JSON on standard input, one frame per line",
    )
    parser.add_argument(
        "--pose",
        metavar="SPEC",
        help=f"{POSE}; not needed for poses",
    )
    parser.add_argument(
        "--recogniser",
        metavar="RUN",
        help="--workdir of a skeleton classifier's run, or ready:NAME (default: only track people)",
    )
    parser.add_argument(
        "--log",
        default="",
        metavar="FILE",
        help="write one line of JSON per frame; - is standard output",
    )
    parser.add_argument(
        "--video", metavar="FILE.mp4", help="write the frames with skeletons and classes"
    )
    parser.add_argument("--window", action="store_true", help="show the frames; q quits")
    parser.add_argument(
        "--every",
        type=int,
        default=1,
        metavar="N",
        help="process every n-th frame (default: %(default)s)",
    )
    parser.add_argument(
        "--smooth",
        type=float,
        default=0.8,
        metavar="SHARE",
        help="weight of the running average of probabilities after 1/30 s, from 0 to below 1 "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--smooth-joints",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="smooth the joints of images over time by the One-Euro filter (default: on)",
    )
    parser.add_argument(
        "--window-seconds",
        type=float,
        metavar="SECONDS",
        help="time that the network reads at once, if its clips are resampled (default: the run's "
        "clip.seconds, or else its clip.frames at clip.fps)",
    )
    parser.add_argument(
        "--persons",
        type=int,
        default=8,
        help="largest number of classified people; those who move and fill the picture "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--pairs",
        action=argparse.BooleanOptionalAction,
        help="classify two people together (default: for a network with clip.persons=2)",
    )
    parser.add_argument(
        "--top",
        type=int,
        default=3,
        metavar="K",
        help="classes per person in the log (default: %(default)s)",
    )
    parser.add_argument(
        "--drop",
        action=argparse.BooleanOptionalAction,
        help="drop frames that arrive faster than they are processed (default: for cameras and "
        "URLs)",
    )
    parser.add_argument(
        "--carry",
        action="store_true",
        help="a recogniser keeps its state and reads each frame once, instead of every window",
    )
    parser.add_argument(
        "--size", metavar="WxH", help="size of the images, for poses in pixels, such as 1280x720"
    )
    parser.add_argument(
        "--fps",
        type=float,
        default=30.0,
        help="frames per second of images and poses in a folder (default: %(default)s)",
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="time for which an interrupted camera or URL is reopened (default: %(default)s)",
    )


def _run_stream(options: argparse.Namespace) -> None:
    size = _check(options)
    start_jax()
    import jax

    from jaxact.progress import log as report
    from jaxact.streaming import rendering, session
    from jaxact.streaming.recognition import open_recognition
    from jaxact.streaming.stream_log import StreamLog, open_log

    window = None
    if options.window:
        window = rendering.DisplayWindow(f"jaxact {options.source}")
    recognition = open_recognition(
        options.source,
        pose=options.pose,
        network=options.recogniser,
        size=size,
        persons=options.persons,
        smooth=options.smooth,
        smooth_joints=options.smooth_joints,
        window_seconds=options.window_seconds,
        pairs=options.pairs,
        carry=options.carry,
        fps=options.fps,
        patience=options.patience,
    )
    frames = _droppable(recognition.source, options)
    with open_log(options.log) as out, _open_video(options.video) as video:
        log = StreamLog(out, recognition.labels, options.top)
        log.event(
            "start",
            source=options.source,
            **{name: getattr(options, name) for name in LOGGED_OPTIONS},
            labels=list(recognition.labels),
            device=jax.devices()[0].device_kind,
        )
        summary = session.run(
            frames,
            recognition.processor,
            labels=recognition.labels,
            log=log,
            video=video,
            window=window,
            every=options.every,
            report=report,
        )
    if options.log not in ("", "-"):
        report(options.log)
    if options.video:
        report(options.video)
    report(session.summary_line(summary))
    if not recognition.source.live and summary["ended"] == session.SOURCE_ENDED:
        _check_people(options, summary)


def _check_people(options: argparse.Namespace, summary: Mapping[str, Any]) -> None:
    """Raises UserError if a file without people was processed to its end."""
    if summary["people"]:
        return
    hint = ""
    if options.pose:
        hint = "; a lower threshold=P of --pose, or another estimator, may detect people"
    raise UserError(
        f"nobody was found in the {summary['looked_at']} processed frames of "
        f"{options.source!r}{hint}"
    )


def _droppable(source: Any, options: argparse.Namespace) -> Any:
    """The frames of a source, without late ones where --drop or its default asks for that."""
    from jaxact.streaming.frame_dropping import LatestFrames, PacedFrames

    drop = options.drop
    if drop is None:
        drop = source.live
    if not drop:
        return source.frames
    if source.live or options.source == "-":
        return LatestFrames(source.frames)
    return PacedFrames(source.frames)


@contextlib.contextmanager
def _open_video(out: str | None) -> Any:
    """Opens a video writer, or None; an error deletes the video."""
    from jaxact.streaming.rendering import VideoWriter

    if not out:
        yield None
        return
    video = VideoWriter(out)
    complete = False
    try:
        yield video
        complete = True
    finally:
        video.close(keep=complete)


def _check(options: argparse.Namespace) -> tuple[int, int] | None:
    """Checks the ranges of options; returns height and width of --size, or None."""
    for name, least in (("every", 1), ("persons", 1), ("top", 1), ("patience", 0)):
        if getattr(options, name) < least:
            raise UserError(f"--{name} is at least {least}, got {getattr(options, name)!r}")
    if not 0 <= options.smooth < 1:
        raise UserError(f"--smooth is a share from 0 to below 1, got {options.smooth!r}")
    if options.size is None:
        return None
    match = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", options.size)
    if not match:
        raise UserError(f"--size is WIDTHxHEIGHT in pixels, such as 1280x720; got {options.size!r}")
    return int(match[2]), int(match[1])
