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
    from jaxact.streaming import frame_source as sources

    source = sources.open_source(options.source, fps=options.fps, patience=options.patience)
    if not source.poses and not options.pose:
        raise UserError(
            "pictures want a pose network: --pose RUN, the --workdir of a run of the model 'pose'"
        )
    start_jax()
    import jax

    from jaxact.progress import log as say
    from jaxact.runs import trained_model
    from jaxact.streaming import (
        frame_dropping,
        online_classifier,
        pose_estimator,
        preprocessing,
        rendering,
    )
    from jaxact.streaming import session as streams
    from jaxact.streaming.processor import Watcher

    window = rendering.Window(f"jaxact {options.source}") if options.window else None
    finder = network = reader = None
    labels: tuple[str, ...] = ()
    if options.recogniser:
        if (reads := trained_model.kind(options.recogniser)) != "skeleton":
            raise UserError(
                f"--recogniser wants a run that reads skeletons; {options.recogniser!r} reads {reads}s"
            )
        net = trained_model.load(options.recogniser)
        reader = preprocessing.Reader(net.layout, net.channels, dataclasses.asdict(net.config.clip))
        reader.check(carried=online_classifier.is_carried(net, options.carry))
        if not source.poses:
            reader.check_layout(pose_estimator.Finder.layout)
        network, labels = online_classifier.build(net, reader, carry=options.carry), net.labels
    if not source.poses:
        finder = pose_estimator.Finder(trained_model.load(options.pose, classifier=False))
    watcher = Watcher(
        find=finder,
        network=network,
        reader=reader,
        size=size,
        persons=options.persons,
        keep=options.smooth,
    )
    shots: Any = source.shots
    if source.live if options.drop is None else options.drop:
        shots = (
            frame_dropping.Latest(shots)
            if source.live or options.source == "-"
            else frame_dropping.Paced(shots)
        )
    with streams.opened(options.log) as out, _filming(options.video) as film:
        log = streams.Log(out, labels, options.top)
        log.event(
            "start",
            source=options.source,
            **{
                name: getattr(options, name)
                for name in ("pose", "recogniser", "every", "smooth", "persons")
            },
            labels=list(labels),
            device=jax.devices()[0].device_kind,
        )
        summary = streams.run(
            shots,
            watcher,
            labels=labels,
            log=log,
            film=film,
            window=window,
            every=options.every,
            tell=say,
        )
    for written in filter(None, (options.log if options.log != "-" else "", options.video)):
        say(written)
    say(streams.sentence(summary))


@contextlib.contextmanager
def _filming(out: str | None) -> Any:
    """The film, or None; kept only where nothing went wrong."""
    from jaxact.streaming.rendering import Film

    film = Film(out) if out else None
    whole = False
    try:
        yield film
        whole = True
    finally:
        if film is not None:
            film.close(whole=whole)


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
