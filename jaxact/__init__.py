"""Human action recognition in JAX: skeleton and video networks, trained, evaluated by protocol,
exported with proof.

    import jaxact

    jaxact.train("configs/stgcn.py:utd_mhad", "runs/utd", data_dir="data")
    jaxact.evaluate("runs/utd", out="results/utd")["top1"]
    jaxact.load("runs/utd").predict(joints).top(5)
    jaxact.predict("runs/utd", "clip.npy")[0].top(5)
    for result in jaxact.stream("clip.mp4", pose="mediapipe:pose.task", network="runs/online"): ...

`import jaxact` imports nothing heavy: each function imports what it needs when it is called.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jaxact.config import TrainConfig
    from jaxact.inference.prediction import Prediction
    from jaxact.inference.predictor import Predictor
    from jaxact.streaming.recognition import Recognition
    from jaxact.training.data_source import DataSource
    from jaxact.training.loop import TrainResult

    Path = str | os.PathLike[str]

__version__ = "0.1.0"
__all__ = ["evaluate", "load", "predict", "stream", "train"]


def load(workdir: Path, *, step: int | None = None, select: str | None = None) -> Predictor:
    """Loads the network of a run for prediction.

    Args:
        workdir: workdir of a run, as written by `train` or by the command `jaxact import`.
        step: step of the checkpoint; by default the run's choice.
        select: "last" or "best".

    Returns:
        A `jaxact.inference.predictor.Predictor`: `load("runs/utd").predict(joints).top(5)`.

    Raises:
        UserError: no checkpoint, or a network that is not a classifier.
    """
    from jaxact.inference import predictor

    return predictor.load(str(workdir), step=step, select=select)


def predict(
    workdir: Path, clip: Any, *, step: int | None = None, select: str | None = None, **options: Any
) -> list[Prediction]:
    """Classifies one clip; use `load` for more than one.

    Args:
        workdir, step, select: see `load`.
        clip: joints [T, V, C] or [M, T, V, C], or the path of a file, which may hold several clips.
        options: `layout`, `window`, `stride` (and `image_size` for a file), as in
            `jaxact.inference.predictor.Predictor`. For a video and a network of joints, `pose` is
            a pose estimator, or its SPEC, such as "mediapipe:FILE.task".

    Returns:
        One prediction per clip.

    Raises:
        UserError: no checkpoint, or a clip that does not fit the network.
    """
    network = load(workdir, step=step, select=select)
    if isinstance(options.get("pose"), str):
        from jaxact.streaming.pose_estimator import open_pose_estimator

        options["pose"] = open_pose_estimator(options["pose"])
    if isinstance(clip, (str, os.PathLike)):
        return list(network.predict_file(str(clip), **options))
    return [network.predict(clip, **options)]


def train(
    config: TrainConfig | str,
    workdir: Path,
    *,
    overrides: Mapping[str, Any] | None = None,
    data_dir: Path | None = None,
    source: DataSource | None = None,
) -> TrainResult:
    """Trains a network to the end of the last epoch; resumes the run in `workdir`.

    Args:
        config: a config, or its file: `FILE.py` or `FILE.py:ARG`.
        workdir: output folder for checkpoints, metrics and the resolved config.
        overrides: options to replace, such as `{"optim.learning_rate": 0.05}`.
        data_dir: folder of prepared data; by default the config's.
        source: batches in place of prepared records, such as
            `jaxact.training.data_source.from_arrays`.

    Raises:
        UserError: options that do not fit each other, the data, or the run in `workdir`.
    """
    from jaxact import config as configs
    from jaxact.training import loop

    items = {} if overrides is None else overrides
    if isinstance(config, str):
        config = configs.load(config, [f"--config.{name}={value}" for name, value in items.items()])
    else:
        config = configs.from_dict(configs.to_dict(config))
        for name, value in items.items():
            configs.override(config, name, str(value))
    if data_dir is not None:
        config.data.data_dir = str(data_dir)
    return loop.run(config, str(workdir), source)


def evaluate(
    workdir: Path, *, out: Path, step: int | None = None, select: str | None = None, **options: Any
) -> dict[str, Any]:
    """Evaluates the checkpoint of a run on a split, and writes a report.

    Args:
        workdir, step, select: see `load`.
        out: output folder for `metrics.json` and scores.
        options: `split`, `data_dir`, `batch_size`; for classifiers also `subset`, `kept`,
            `confidence` and `views`. See `jaxact.evaluation.classification.run` and
            `jaxact.evaluation.pose.run`.

    Returns:
        The content of `metrics.json`.

    Raises:
        UserError: no checkpoint, or data that do not fit the network.
    """
    from jaxact.evaluation import classification, pose
    from jaxact.runs import trained_model

    is_pose_network = trained_model.input_kind(str(workdir)) == "pose"
    run = pose.run if is_pose_network else classification.run
    return run(str(workdir), out=str(out), step=step, how=select, **options)


def stream(source: str, **options: Any) -> Recognition:
    """Recognises the actions of people in a video, a camera or a stream of poses.

    Args:
        source: a file, a folder of images or of OpenPose's JSON files, the number of a camera, or a
            URL.
        options: `pose`, a pose estimator, `network`, a skeleton classifier, and others; see
            `jaxact.streaming.recognition.open_recognition`.

    Returns:
        An iterable of `jaxact.streaming.processor.FrameResult`, with the class names in `labels`.

    Raises:
        UserError: no such source or run, or runs that do not fit it.
    """
    from jaxact.streaming.recognition import open_recognition

    return open_recognition(source, **options)
