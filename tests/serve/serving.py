"""A network of one layer for tests over HTTP, and a server for it."""

import contextlib
import dataclasses
import threading
import time
from collections.abc import Iterator

import flax.linen as nn
import jax
import numpy as np
import uvicorn

from jaxact import config, skeletons
from jaxact.inference.prediction import LazyClip
from jaxact.inference.predictor import Predictor
from jaxact.runs import trained_model
from jaxact.serve import app
from jaxact.serve.estimator_pool import EstimatorPool

LABELS = ("wave", "clap", "<b>jump</b>")


class Mean(nn.Module):
    """Classes from the mean of every joint: compiled in no time."""

    @nn.compact
    def __call__(self, inputs, *, train: bool = False):
        return nn.Dense(len(LABELS))(inputs.mean((1, 2)).reshape(len(inputs), -1))


def predictor() -> Predictor:
    """A network over OpenPose's joints and six frames."""
    run = config.TrainConfig(clip=config.ClipConfig(frames=6, sampling="resize"))
    model, layout = Mean(), skeletons.get_layout("openpose-18")
    weights = model.init(jax.random.key(0), np.zeros((1, 6, 2, 18, 3), np.float32))
    about = {"config": run, "layout": layout, "labels": LABELS, "channels": ("x", "y", "score")}
    return Predictor(
        trained_model.TrainedModel(model=model, weights=weights, step=3, selection="last", **about)
    )


class FakeEstimator:
    """Sees a person where an image is bright, at a position that its brightness gives; the joints
    of OpenPose.
    """

    def __init__(self) -> None:
        self.layout, self.about = "openpose-18", {"from": "test"}
        self.seconds = {"pose": 0.0}
        self.frames, self.resets = 0, 0

    def __call__(self, image):
        self.frames += 1
        self.seconds["pose"] += 0.5
        brightness = float(image.mean())
        if brightness < 40:
            return np.zeros((0, 18, 3), np.float32)
        person = joints(1)[0]
        person[..., :2] *= np.array(image.shape[1::-1]) * brightness / 255
        person[0, 4] = 0  # a joint out of sight
        return person

    def reset(self) -> None:
        self.frames = 0
        self.resets += 1


def pool() -> EstimatorPool:
    return EstimatorPool(FakeEstimator)


class VideoPredictor(Predictor):
    """A network that reads videos; every video gives the same input."""

    def __init__(self, net: trained_model.TrainedModel) -> None:
        super().__init__(net)
        self.kind = "video"

    def open_video(self, path):
        return LazyClip("film", 30, lambda start, stop: np.zeros((1, 6, 2, 18, 3), np.float32))


def left_or_right() -> Predictor:
    """A network that is sure of "wave" for joints on the left of the image, else of "clap"."""
    net = predictor().net
    kernel = np.zeros((18, 3, len(LABELS)), np.float32)
    kernel[:, 0, :2] = -40 / 18, 40 / 18  # the person fills one of two slots
    bias = np.array([-4, 4, -40], np.float32)
    weights = {"params": {"Dense_0": {"kernel": kernel.reshape(-1, len(LABELS)), "bias": bias}}}
    return Predictor(dataclasses.replace(net, weights=weights))


def joints(frames: int = 40, people: int = 1) -> np.ndarray:
    """A person with joints at random positions in the image."""
    return np.random.default_rng(0).uniform(0.1, 0.9, (frames, people, 18, 3)).astype(np.float32)


@contextlib.contextmanager
def served(net: Predictor, *, pool: EstimatorPool | None = None, **limits: float) -> Iterator[str]:
    """The address of a server of `net` on a port of its own."""
    built = app.build(
        net,
        dataclasses.replace(app.Limits(timeout=600.0), **limits),
        hosts=app.allowed_hosts("127.0.0.1"),
        pool=pool,
    )
    server = uvicorn.Server(uvicorn.Config(built, port=0, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server ended before it started"
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
