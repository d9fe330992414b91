"""`jaxact stream`: recognition while people are watched."""

import argparse
import contextlib
import dataclasses
import re
from typing import Any

from jaxact.cli.command import command, start_jax
from jaxact.errors import UserError


def stream(kinds: Any) -> None:
    """`jaxact stream`"""
    add = command(
        kinds,
        "stream",
        _run_stream,
        "watch a video, a camera, a stream or poses, and say what everybody in it is doing",
        "jaxact stream clip.mp4 --pose runs/pose --recogniser runs/online --log clip.jsonl --video seen.mp4",
        "jaxact stream 0 --pose runs/pose --recogniser runs/causal --window            (a camera)",
        "jaxact stream rtsp://camera/1 --pose runs/pose --recogniser runs/online --log -",
        "jaxact stream openpose/ --recogniser runs/online --size 1920x1080 --log poses.jsonl",
    )
    add.add_argument(
        "source",
        metavar="SOURCE",
        help="a video file, a folder of pictures or of OpenPose's JSON files, the number of a camera, a URL, or - for "
        "such JSON on standard input, a frame a line",
    )
    add.add_argument(
        "--pose", metavar="RUN", help="--workdir of a run of the model `pose`; not for JSON"
    )
    add.add_argument(
        "--recogniser",
        metavar="RUN",
        help="--workdir of a run that tells classes; none only follows people",
    )
    add.add_argument(
        "--log",
        default="",
        metavar="FILE",
        help="a line of JSON for each frame; - is standard output",
    )
    add.add_argument("--video", metavar="FILE.mp4", help="the frames with what was seen in them")
    add.add_argument("--window", action="store_true", help="show them too; q ends")
    add.add_argument(
        "--every",
        type=int,
        default=1,
        metavar="N",
        help="look at every n-th frame (default: %(default)s)",
    )
    add.add_argument(
        "--smooth",
        type=float,
        default=0.8,
        metavar="SHARE",
        help="of the average so far that a frame keeps, from 0 to below 1 (default: %(default)s)",
    )
    add.add_argument(
        "--persons",
        type=int,
        default=8,
        help="people recognised at most, those followed for longest (default: %(default)s)",
    )
    add.add_argument(
        "--top",
        type=int,
        default=3,
        metavar="K",
        help="classes a person in the log (default: %(default)s)",
    )
    add.add_argument(
        "--drop",
        action=argparse.BooleanOptionalAction,
        help="leave out frames that come faster than they are seen (default: of cameras and URLs)",
    )
    add.add_argument(
        "--carry",
        action="store_true",
        help="a `recogniser` reads each frame once, not every window anew",
    )
    add.add_argument(
        "--size", metavar="WxH", help="of the pictures that poses in pixels were found in"
    )
    add.add_argument(
        "--fps",
        type=float,
        default=30.0,
        help="of pictures and poses in a folder (default: %(default)s)",
    )
    add.add_argument(
        "--patience",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="for which a camera or URL that is gone is tried again (default: %(default)s)",
    )


def _run_stream(options: argparse.Namespace) -> None:
    size = _check(options)
    from jaxact.streaming.frame_source import open_source

    source = open_source(options.source, fps=options.fps, patience=options.patience)
    if not source.has_poses and not options.pose:
        raise UserError(
            "images need a pose network: --pose RUN, the --workdir of a run of the model 'pose'"
        )
    start_jax()
    import jax

    from jaxact.progress import log as report
    from jaxact.runs import trained_model
    from jaxact.streaming import online_classifier, rendering, session
    from jaxact.streaming.pose_estimator import PoseNetEstimator
    from jaxact.streaming.processor import StreamProcessor
    from jaxact.streaming.stream_log import StreamLog, open_log

    window = rendering.DisplayWindow(f"jaxact {options.source}") if options.window else None
    estimator = preprocessor = classifier = None
    labels: tuple[str, ...] = ()
    if options.recogniser:
        net, preprocessor = _load_recogniser(options, estimates_poses=not source.has_poses)
        classifier = online_classifier.build(net, preprocessor, carry=options.carry)
        labels = net.labels
    if not source.has_poses:
        estimator = PoseNetEstimator(trained_model.load(options.pose, classifier=False))
    processor = StreamProcessor(
        estimator=estimator,
        classifier=classifier,
        preprocessor=preprocessor,
        size=size,
        persons=options.persons,
        keep=options.smooth,
    )
    frames = _droppable(source, options)
    logged_options = ("pose", "recogniser", "every", "smooth", "persons")
    with open_log(options.log) as out, _open_video(options.video) as video:
        log = StreamLog(out, labels, options.top)
        log.event(
            "start",
            source=options.source,
            **{name: getattr(options, name) for name in logged_options},
            labels=list(labels),
            device=jax.devices()[0].device_kind,
        )
        summary = session.run(
            frames,
            processor,
            labels=labels,
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


def _load_recogniser(options: argparse.Namespace, *, estimates_poses: bool) -> tuple[Any, Any]:
    """Loads the network of --recogniser, and the preprocessor of its input."""
    from jaxact.runs import trained_model
    from jaxact.streaming import online_classifier
    from jaxact.streaming.pose_estimator import PoseNetEstimator
    from jaxact.streaming.preprocessing import PosePreprocessor

    kind = trained_model.kind(options.recogniser)
    if kind != "skeleton":
        raise UserError(
            f"--recogniser wants a run that reads skeletons; {options.recogniser!r} reads {kind}s"
        )
    net = trained_model.load(options.recogniser)
    preprocessor = PosePreprocessor(net.layout, net.channels, dataclasses.asdict(net.config.clip))
    preprocessor.check(stateful=online_classifier.is_stateful(net, options.carry))
    if estimates_poses:
        preprocessor.check_layout(PoseNetEstimator.layout)
    return net, preprocessor


def _droppable(source: Any, options: argparse.Namespace) -> Any:
    """The frames of a source; late ones are dropped where --drop or its default says so."""
    from jaxact.streaming.frame_dropping import LatestFrames, PacedFrames

    drop = source.live if options.drop is None else options.drop
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
    """Height and width where they were given; raises UserError for options out of their ranges."""
    for name, least in (("every", 1), ("persons", 1), ("top", 1), ("patience", 0)):
        if getattr(options, name) < least:
            raise UserError(f"--{name} is at least {least}, got {getattr(options, name)!r}")
    if not 0 <= options.smooth < 1:
        raise UserError(f"--smooth is a share from 0 to below 1, got {options.smooth!r}")
    if options.size is None:
        return None
    if not (found := re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", options.size)):
        raise UserError(f"--size is WIDTHxHEIGHT in pixels, such as 1280x720; got {options.size!r}")
    return int(found[2]), int(found[1])
