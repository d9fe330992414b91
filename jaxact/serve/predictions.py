"""Predictions for an upload, and a description of the network, in JSON values."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxact.errors import UserError
from jaxact.inference.prediction import LazyClip, Prediction, window_spans
from jaxact.inference.predictor import Predictor
from jaxact.serve import drawing, uploads
from jaxact.serve.estimator_pool import EstimatorPool, TimedEstimator
from jaxact.serve.options import Options
from jaxact.skeletons import LAYOUTS

MAX_CLIPS = 20  # per upload
MAX_WINDOWS = 2000  # per clip


def describe_network(predictor: Predictor) -> dict[str, Any]:
    """Describes the network for the web page."""
    net = predictor.net
    description: dict[str, Any] = {
        "network": net.config.model.name,
        "reads": predictor.kind,
        "step": net.step,
        "frames": net.config.clip.frames,
        "labels": list(net.labels),
        "layout": None,
        "channels": None,
        "layouts": [],
    }
    if predictor.kind == "skeleton":
        description["layout"] = net.layout.name
        description["channels"] = list(net.channels)
        description["layouts"] = list(LAYOUTS)
    return description


def warm_up(predictor: Predictor) -> None:
    """Compiles and imports everything that predictions need, before threads start.

    The first upload then does not wait for compilation; and other threads cannot import while TFDS
    is being imported.

    Raises:
        UserError: the network reads data that no upload can hold.
    """
    clip_config = predictor.net.config.clip
    if predictor.kind == "video":
        predictor.check_video_support()
        shape = (
            clip_config.views,
            clip_config.frames,
            clip_config.height,
            clip_config.width,
            3,
        )
        clip = LazyClip("warm", 2, lambda start, stop: np.zeros(shape, np.float32))
        _predict_clip(predictor, clip, Options(window=1))
        return
    from jaxact.datasets.formats.recording import Recording

    joints, channels = len(predictor.net.layout.joints), len(predictor.net.channels)
    shape = (max(clip_config.frames, 2), 1, joints, channels)
    values = np.random.default_rng(0).uniform(0.1, 0.9, shape).astype(np.float32)
    recording = Recording(name="warm", joints=values)
    clip = predictor.open_joints(recording)
    _predict_clip(predictor, clip, Options(window=len(values) - 1))
    drawing.skeleton_of(predictor.net, recording, None)


def predict_upload(
    predictor: Predictor,
    path: Path,
    options: Options,
    *,
    limit: int,
    pool: EstimatorPool | None = None,
    timeout: float = math.inf,
) -> list[dict[str, Any]]:
    """Predicts every clip of an upload.

    Args:
        predictor: the network.
        path: the upload, in a folder of its own, which may be written to.
        options: options of the upload.
        limit: largest size of an upload in bytes.
        pool: pose estimators, for the videos of a network that reads joints; None for no videos.
        timeout: seconds within which the poses of a video must be estimated.

    Returns:
        For each clip: `name`, `video` (whether it is one), `frames`, `top` of the whole clip,
        `windows` (`start`, `stop` and `top` of each), `timeline` (`labels` that are the most
        probable class of some window, and their `probabilities` per window) and, for a network that
        reads joints, `skeleton`, see `drawing.draw_skeleton`.

    Raises:
        UserError: the upload cannot be read, or the network does not read its kind.
    """
    if predictor.kind == "skeleton" and pool is not None and uploads.is_video(path):
        return [_predict_poses(predictor, path, options, pool, timeout)]
    paths = uploads.unpack(path, kind=predictor.kind, limit=limit)
    if predictor.kind == "video":
        prediction = _predict_clip(predictor, predictor.open_video(paths[0]), options)
        return [prediction | {"video": True}]
    from jaxact.datasets.formats import recording

    recordings = []
    for file in paths:
        recordings += recording.read(file, image_size=options.image_size)
    if len(recordings) > MAX_CLIPS:
        raise UserError(
            f"{path.name!r} holds {len(recordings)} clips; an upload may hold at most {MAX_CLIPS}"
        )
    predictions = []
    for clip in recordings:
        opened = predictor.open_joints(clip, layout=options.layout)
        prediction = _predict_clip(predictor, opened, options)
        prediction["skeleton"] = drawing.skeleton_of(predictor.net, clip, options.layout)
        predictions.append(prediction)
    return predictions


def _predict_poses(
    predictor: Predictor, path: Path, options: Options, pool: EstimatorPool, timeout: float
) -> dict[str, Any]:
    """Predicts the joints that a pose estimator finds in a video."""
    from jaxact.datasets.formats import recording

    if options.layout or options.image_size:
        raise UserError(
            f"{path.name!r} is a video, whose joint layout and image size the pose estimator "
            "states; leave layout and image-size out"
        )
    with pool.lend() as estimator:
        clip = recording.read_video(path, TimedEstimator(estimator, timeout))
    prediction = _predict_clip(predictor, predictor.open_joints(clip), options)
    skeleton = drawing.skeleton_of(predictor.net, clip, None, in_video=True)
    return prediction | {"video": True, "skeleton": skeleton}


def _predict_clip(predictor: Predictor, clip: LazyClip, options: Options) -> dict[str, Any]:
    count = len(window_spans(clip.frames, options.window, options.stride))
    if count > MAX_WINDOWS:
        raise UserError(
            f"{clip.name!r} has {count} windows; a clip may have at most {MAX_WINDOWS}: "
            "a longer stride gives fewer"
        )
    whole = predictor.predict_clip(clip)
    if not np.isfinite(whole.windows).all():
        raise UserError(
            f"{clip.name!r} holds numbers so large that the network's output is not finite"
        )
    values = {
        "name": clip.name,
        "video": False,
        "frames": clip.frames,
        "top": _top_json(whole.top(options.top)),
        "windows": [],
        "timeline": None,
    }
    if options.window:
        windows = predictor.predict_clip(clip, window=options.window, stride=options.stride)
        windows = dataclasses.replace(windows, windows=np.nan_to_num(windows.windows))
        values["windows"] = _windows_json(windows, options.top)
        values["timeline"] = _timeline_json(windows, options.top)
    return values


def _windows_json(prediction: Prediction, top: int) -> list[dict[str, Any]]:
    windows = []
    for number, (start, stop) in enumerate(prediction.spans):
        ranking = _top_json(prediction.top(top, number))
        windows.append({"start": start, "stop": stop, "top": ranking})
    return windows


def _timeline_json(prediction: Prediction, top: int) -> dict[str, Any]:
    """Selects the classes that are most often the most probable one."""
    windows = prediction.windows
    wins = np.bincount(windows.argmax(1), minlength=len(prediction.labels))
    rows = np.argsort(-wins - prediction.probabilities, kind="stable")[:top]
    return {
        "labels": [prediction.labels[row] for row in rows],
        "probabilities": np.round(windows[:, rows], 4).astype(float).tolist(),
    }


def _top_json(ranking: Sequence[tuple[str, float]]) -> list[dict[str, Any]]:
    return [{"label": label, "probability": round(share, 6)} for label, share in ranking]
