"""Pose estimators: a picture in, the joints of its people out.

`open_pose_estimator` opens the `PoseEstimator` that a SPEC names:

    runs/pose                            the pose network of a run
    mediapipe:FILE.task[,people=1]       MediaPipe's Pose Landmarker
    onnx:FILE.onnx[,threshold=0.3]       a network in an ONNX file
"""

import re
from pathlib import Path

from jaxact.datasets.formats.video_poses import PoseEstimator
from jaxact.errors import UserError, unknown

SPECS = (
    "RUN (the --workdir of a pose network's run), mediapipe:FILE.task or onnx:FILE.onnx, "
    "the last two with [,people=N][,threshold=P]"
)
KINDS = ("mediapipe", "onnx")
_OPTION = re.compile(r"(?P<name>[a-z_]+)=(?P<value>[^=]*)")
_KIND = re.compile(r"(?P<kind>[A-Za-z][A-Za-z0-9]+):(?P<rest>.*)", re.DOTALL)


def open_pose_estimator(spec: str, *, video: bool = True) -> PoseEstimator:
    """Opens the pose estimator that `spec` names.

    Args:
        spec: `RUN`, `mediapipe:FILE.task` or `onnx:FILE.onnx`; the last two with options, as in
            `mediapipe:pose.task,people=2,threshold=0.5`.
        video: whether the images are consecutive frames, which an estimator may track.

    Raises:
        UserError: an unknown kind of estimator or option, a file or run that cannot be used, or a
            missing optional package.
    """
    kind, rest = _split_kind(spec)
    if not kind:
        return _open_run(spec)
    file, options = _split_options(rest)
    if not file:
        raise UserError(f"--pose {spec!r} names no file; wanted {SPECS}")
    people, threshold = _read_options(spec, options)
    if kind == "mediapipe":
        from jaxact.streaming.mediapipe_estimator import MediapipeEstimator

        return MediapipeEstimator(file, video=video, people=people, threshold=threshold)
    from jaxact.streaming.onnx_estimator import OnnxEstimator

    return OnnxEstimator(file, people=people, threshold=threshold)


def _split_kind(spec: str) -> tuple[str, str]:
    """Splits a SPEC into its kind, "" for a run, and the rest."""
    match = _KIND.fullmatch(spec)
    if match is None:
        return "", spec
    kind = match["kind"]
    if kind in KINDS:
        return kind, match["rest"]
    if Path(spec).exists():
        return "", spec
    raise unknown("kind of pose estimator", kind, KINDS)


def _split_options(rest: str) -> tuple[str, dict[str, str]]:
    """Splits `FILE,name=value,...`; a comma in the name of the file belongs to the file."""
    parts = rest.split(",")
    options: dict[str, str] = {}
    while len(parts) > 1:
        match = _OPTION.fullmatch(parts[-1])
        if match is None:
            break
        options[match["name"]] = match["value"]
        parts.pop()
    return ",".join(parts), options


def _read_options(spec: str, options: dict[str, str]) -> tuple[int | None, float | None]:
    """Returns the numbers of people and the threshold; None where an option is not given."""
    for name in options:
        if name not in ("people", "threshold"):
            raise unknown(f"option in --pose {spec!r}:", name, ("people", "threshold"))
    people = threshold = None
    if "people" in options:
        if not options["people"].isdecimal() or int(options["people"]) < 1:
            raise UserError(f"people in --pose {spec!r} must be a whole number of 1 or more")
        people = int(options["people"])
    if "threshold" in options:
        try:
            threshold = float(options["threshold"])
        except ValueError:
            threshold = -1.0
        if not 0 < threshold < 1:
            raise UserError(f"threshold in --pose {spec!r} must be a number above 0 and below 1")
    return people, threshold


def _open_run(run: str) -> PoseEstimator:
    if Path(run).suffix.lower() in (".task", ".onnx") and not Path(run).is_dir():
        kind = "mediapipe" if Path(run).suffix.lower() == ".task" else "onnx"
        raise UserError(f"--pose {run!r} is no run; write --pose {kind}:{run}")
    from jaxact.runs import trained_model
    from jaxact.streaming.pose_net_estimator import PoseNetEstimator

    return PoseNetEstimator(trained_model.load(run, classifier=False), run=run)
